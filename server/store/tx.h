/* tx.h - a transaction as one person, and the queries inside it.
 *
 * A struct tx belongs to one thread at a time. It borrows a pooled connection from tx_begin to
 * tx_commit or tx_free (which rolls back). The token is set for this transaction only, in the same
 * pipeline as the first query, so that the row policies act for that person; nobody is ''.
 * Never SQL text built at run time: queries are the named ones of sql/queries/, compiled in.
 */
#ifndef SERVER_STORE_TX_H
#define SERVER_STORE_TX_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "gen/queries.h" /* enum query { QUERY_NONE, SQL_COURSES_LIST, ... } made from sql/queries/ */

struct pool;
struct tx;
struct rows; /* a result; text format unless a getter says otherwise */

/* Waits at most the pool's limit for a connection: ERR_BUSY past it or while the database is away.
 * token NULL: the worker's own rights (worker pool). */
bool tx_begin(struct pool *pool, const char *token, struct tx **tx, struct err *err) MUST_CHECK;
bool tx_commit(struct tx **tx, struct err *err) MUST_CHECK; /* *tx is NULL afterwards, whatever happens */
void tx_free(struct tx **tx);                               /* rolls back; for AUTO; NULL is fine */

/* One bound value. */
struct bind {
    const char *data; /* NULL: SQL null */
    size_t length;    /* binary only */
    bool binary;      /* bytea and the like in wire format; else NUL-terminated text */
};
#define BIND_TEXT(text_) ((struct bind){.data = (text_)})
#define BIND_BYTES(data_, length_) ((struct bind){.data = (const char *)(data_), .length = (length_), .binary = true})
/* An integer as text, in a buffer that lives as long as the block. */
#define BIND_INT(value_) BIND_TEXT(tx_int((char[24]){0}, (value_)))
const char *tx_int(char *buffer24, int64_t value);

/* Runs a query with values in the order of their first appearance in its text (`:name`).
 * Fails on an SQL error: SQLSTATEs map to error codes in one place (tx.c); the transaction is then
 * spent: roll back. `rows` may be NULL. */
bool tx_query(struct tx *tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
              struct err *err) MUST_CHECK;
/* tx_run(tx, SQL_X, &rows, err, BIND_TEXT(a), BIND_INT(b)) */
#define tx_run(tx_, query_, rows_, err_, ...)                 \
    tx_query(tx_, query_, (const struct bind[]){__VA_ARGS__}, \
             sizeof((const struct bind[]){__VA_ARGS__}) / sizeof(struct bind), rows_, err_)
#define tx_run0(tx_, query_, rows_, err_) tx_query(tx_, query_, NULL, 0, rows_, err_)
/* Sends a query, and the caller works on while the database does; more may be sent behind it. Each tx_receive waits
 * for the first that is not answered yet, and true without rows if there is none; nothing may be asked otherwise
 * before that. The values may go at once. Where one fails, so do those behind it. */
bool tx_send(struct tx *tx, enum query query, const struct bind *values, size_t count, struct err *err) MUST_CHECK;
/* The same for the last query, together with the commit: from here on nothing can be rolled back. QUERY_NONE sends
 * the commit alone. */
bool tx_send_last(struct tx *tx, enum query query, const struct bind *values, size_t count, struct err *err) MUST_CHECK;
bool tx_receive(struct tx *tx, struct rows **rows, struct err *err) MUST_CHECK;
/* The same with results in PostgreSQL's binary format (float4 arrays, bytea, int8): read by rows_bytes. */
bool tx_query_binary(struct tx *tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
                     struct err *err) MUST_CHECK;
/* One statement and the end of the transaction in one round trip: set_config, query, one Sync.
 * *tx is NULL afterwards, committed or not. */
bool tx_query_commit(struct tx **tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
                     struct err *err) MUST_CHECK;

/* Statements of several people in one transaction with one commit, in this order; each sees its own person's token.
 * All are kept or none; `*undone`, where that is sure: each may be tried alone, and gets its own answer. */
struct tx_part {
    const char *token;
    enum query query;
    const struct bind *values;
    size_t count;
    struct rows *rows; /* the caller's to free */
};
enum { TX_PARTS_MOST = 16 };
bool tx_query_batch(struct pool *pool, struct tx_part *parts, size_t count, bool *undone, struct err *err) MUST_CHECK;

/* One short statement with the worker's own rights, in a transaction of its own: given up after 12 s. */
bool tx_query_worker(enum query query, const struct bind *values, size_t count, struct rows **rows, struct err *err)
    MUST_CHECK;
#define tx_worker(query_, rows_, err_, ...)                     \
    tx_query_worker(query_, (const struct bind[]){__VA_ARGS__}, \
                    sizeof((const struct bind[]){__VA_ARGS__}) / sizeof(struct bind), rows_, err_)
#define tx_worker0(query_, rows_, err_) tx_query_worker(query_, NULL, 0, rows_, err_)

void rows_free(struct rows **rows); /* for AUTO */
int rows_count(const struct rows *rows);
/* Lent by rows; NULL for SQL null. */
const char *rows_text(const struct rows *rows, int row, int column);
const char *rows_bytes(const struct rows *rows, int row, int column, size_t *length);
int64_t rows_int(const struct rows *rows, int row, int column, int64_t fallback);
bool rows_bool(const struct rows *rows, int row, int column);

#endif
