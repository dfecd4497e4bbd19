/* tx.c - a transaction as one person, and the queries inside it. */
#include "server/store/tx.h"

#include <arpa/inet.h>
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/store/borrow.h"
#include "server/store/pool.h"
#include "server/store/sqlstate.h"

enum {
    GRACE_MS = 2000,
    TRIES = 3,
    STEPS_MOST = 2 * TX_PARTS_MOST + 6 /* begin, commit, and four to prepare */,
    WORKER_SHORT_MS = 10000
};

struct rows {
    PGresult *result;
};

/* One command of a pipeline; `prepare` ones answer too. */
struct step {
    enum query query;
    bool prepare;
    PGresult **rows; /* where they go; NULL: nobody asked for them */
};

struct pipeline {
    struct tx *tx;
    struct step steps[STEPS_MOST];
    int count;
    PGresult *rows; /* of the wanted step */
    bool stale;     /* a name was known, or unknown, where we thought otherwise: worth another try */
};

struct request {
    enum query query;
    const struct bind *values;
    size_t count;
    bool binary, whole; /* whole: the statement is the transaction */
};

/* On its way, not answered yet, and what was sent behind it. */
struct sent {
    struct sent *next;
    struct pipeline pipeline;
    enum query again; /* may be asked again where a name was stale: the first of its transaction, without values */
};

struct tx {
    struct pool *pool;
    struct wire *wire;
    char *token;
    bool begun, spent; /* BEGIN has been sent; a statement failed */
    int limit_ms;      /* of one statement */
    struct err cause;  /* of being spent: whoever goes on all the same is told that */
    struct sent *sent;
};

bool tx_begin(struct pool *pool, const char *token, struct tx **tx, struct err *err)
{
    struct wire *wire;
    if (!pool_take(pool, &wire, err))
        return false;
    *tx = mem_alloc(sizeof **tx);
    (*tx)->pool = pool;
    (*tx)->wire = wire;
    (*tx)->token = mem_dup(token ? token : "");
    (*tx)->limit_ms = pool_settings_of(pool)->statement_ms;
    return true;
}

static void release(struct tx **tx)
{
    pool_give((*tx)->pool, (*tx)->wire);
    mem_wipe((*tx)->token, strlen((*tx)->token));
    mem_freep(&(*tx)->token);
    mem_freep(tx);
}

const char *tx_int(char *buffer24, int64_t value)
{
    snprintf(buffer24, 24, "%" PRId64, value);
    return buffer24;
}

/* FNV-1a of the text: two programs of different versions behind one pooler never mean different
 * statements by one name. */
static const char *statement_name(enum query query, char name[24])
{
    uint64_t hash = 14695981039346656037u;
    for (const unsigned char *p = (const unsigned char *)query_texts[query].text; *p; p++)
        hash = (hash ^ *p) * 1099511628211u;
    snprintf(name, 24, "q_%016" PRIx64, hash);
    return name;
}

static bool sent(struct pipeline *p, int ok, enum query query, bool prepare, PGresult **rows)
{
    p->steps[p->count++] = (struct step){query, prepare, rows};
    if (!ok)
        p->tx->wire->broken = true;
    return ok;
}

static bool prepares(const struct pipeline *p, enum query query)
{
    for (int i = 0; i < p->count; i++)
        if (p->steps[i].prepare && p->steps[i].query == query)
            return true;
    return false;
}

/* Known by its name, or on its way there. */
static bool is_prepared(const struct pipeline *p, enum query query)
{
    bool known = p->tx->wire->prepared[query] || prepares(p, query);
    for (const struct sent *sent = p->tx->sent; sent; sent = sent->next)
        known = known || prepares(&sent->pipeline, query);
    return known;
}

static bool send_query(struct pipeline *p, enum query query, const struct bind *values, size_t count, bool binary,
                       PGresult **rows)
{
    struct wire *wire = p->tx->wire;
    const struct query_text *text = &query_texts[query];
    const char *data[QUERY_PARAMS_MOST];
    int lengths[QUERY_PARAMS_MOST], formats[QUERY_PARAMS_MOST];
    for (size_t i = 0; i < count; i++) {
        data[i] = values[i].data;
        lengths[i] = (int)values[i].length;
        formats[i] = values[i].binary;
    }
    if (pool_shared(p->tx->pool))
        return sent(p, PQsendQueryParams(wire->pg, text->text, (int)count, NULL, data, lengths, formats, binary), query,
                    false, rows);
    char name[24];
    statement_name(query, name);
    if (!is_prepared(p, query) && !sent(p, PQsendPrepare(wire->pg, name, text->text, 0, NULL), query, true, NULL))
        return false;
    return sent(p, PQsendQueryPrepared(wire->pg, name, (int)count, data, lengths, formats, binary), query, false, rows);
}

static bool send_token(struct pipeline *p, const char *token)
{
    if (!pool_shared(p->tx->pool))
        return send_query(p, SQL_TX_TOKEN, &BIND_TEXT(token), 1, false, NULL);
    struct bind values[] = {BIND_TEXT(token), BIND_INT(pool_settings_of(p->tx->pool)->statement_ms)};
    return send_query(p, SQL_TX_TOKEN_LIMITS, values, COUNT_OF(values), false, NULL);
}

/* What a failed step says about the names that this connection is believed to know. */
static void learn(struct pipeline *p, const struct step *step, const PGresult *result)
{
    struct wire *wire = p->tx->wire;
    if (step->prepare && sqlstate_is(result, "42P05"))
        wire->prepared[step->query] = p->stale = true;
    else if (!step->prepare && sqlstate_is(result, "26000"))
        wire->prepared[step->query] = false, p->stale = true;
    if (p->stale)
        pool_set_shared(p->tx->pool);
    const char *where = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
    if (where && !strcmp(where, "RevalidateCachedQuery")) /* a migration changed what the statement returns */
        wire->broken = true;
}

/* Takes one command's results; the first failure of the pipeline is the one that counts. */
static bool collect_step(struct pipeline *p, const struct step *step, int64_t until, bool *failed, struct err *err)
{
    for (PGresult *result;;) {
        if (!wire_result(p->tx->wire, until, &result, err))
            return false;
        if (!result)
            return true;
        ExecStatusType status = PQresultStatus(result);
        if (status == PGRES_FATAL_ERROR && !*failed) {
            *failed = true;
            sqlstate_err(result, err);
            learn(p, step, result);
        } else if (status == PGRES_COMMAND_OK && step->prepare) {
            p->tx->wire->prepared[step->query] = true;
        } else if (step->rows && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)) {
            *step->rows = TAKE(result);
        } else if (step->query == SQL_TX_COMMIT && !*failed && strcmp(PQcmdStatus(result), "COMMIT") != 0) {
            *failed = true;
            err_set(err, ERR_INTERNAL, "a spent transaction was committed");
        }
        PQclear(result);
    }
}

static bool collect(struct pipeline *p, struct err *err)
{
    int64_t until = wire_now() + p->tx->limit_ms + GRACE_MS;
    bool failed = false;
    PGresult *sync = NULL;
    for (int i = 0; i < p->count; i++)
        if (!collect_step(p, &p->steps[i], until, &failed, err))
            return false;
    struct err *quiet = failed ? NULL : err;
    if (!wire_result(p->tx->wire, until, &sync, quiet))
        return false;
    if (!sync || PQresultStatus(sync) != PGRES_PIPELINE_SYNC) {
        p->tx->wire->broken = true;
        failed = failed || !err_set(err, ERR_BUSY, "database: the pipeline lost its step");
    }
    PQclear(sync);
    return !failed;
}

static bool send_all(struct pipeline *p, const struct request *r)
{
    bool first = !p->tx->begun && !p->tx->sent;
    if (first && !r->whole && !send_query(p, SQL_TX_BEGIN, NULL, 0, false, NULL))
        return false;
    if (first && !send_token(p, p->tx->token))
        return false;
    if (!send_query(p, r->query, r->values, r->count, r->binary, &p->rows))
        return false;
    return !r->whole || first || send_query(p, SQL_TX_COMMIT, NULL, 0, false, NULL);
}

static bool away(struct tx *tx, struct err *err)
{
    tx->wire->broken = true;
    err_set(err, ERR_BUSY, "database: connection lost while sending");
    if (err)
        err->retry_after_ms = 1000;
    return false;
}

static bool pipeline_run(struct pipeline *p, const struct request *r, struct err *err)
{
    return send_all(p, r) && PQpipelineSync(p->tx->wire->pg) ? collect(p, err) : away(p->tx, err);
}

/* commit or rollback, alone. */
static bool finish(struct tx *tx, enum query how, struct err *err)
{
    struct pipeline p = {.tx = tx};
    tx->begun = false;
    return send_query(&p, how, NULL, 0, false, NULL) && PQpipelineSync(tx->wire->pg) ? collect(&p, err) : away(tx, err);
}

static bool refuse_spent(const struct tx *tx, struct err *err)
{
    if (err)
        *err = tx->cause;
    return false;
}

/* What a pipeline has come to; its rows become `rows`, where they are wanted. */
static bool settle(struct tx *tx, struct pipeline *p, bool ok, struct rows **rows, const struct err *err)
{
    tx->spent = !ok;
    if (!ok)
        tx->cause = *err;
    if (ok && rows) {
        *rows = mem_alloc(sizeof **rows);
        (*rows)->result = TAKE(p->rows);
    }
    PQclear(p->rows);
    return ok;
}

/* Only the first pipeline of a transaction may run again: nothing of it can have been committed. */
static bool run(struct tx *tx, const struct request *r, struct rows **rows, struct err *err)
{
    if (tx->spent)
        return refuse_spent(tx, err);
    struct pipeline p;
    struct err ours = {0};
    err = err ? err : &ours;
    bool ok, first = !tx->begun;
    for (int try = 1;; try++) {
        p = (struct pipeline){.tx = tx};
        ok = pipeline_run(&p, r, err);
        tx->begun = wire_usable(tx->wire) && PQtransactionStatus(tx->wire->pg) != PQTRANS_IDLE;
        if (ok || !p.stale || !first || try == TRIES || (tx->begun && !finish(tx, SQL_TX_ROLLBACK, err)))
            break;
    }
    return settle(tx, &p, ok, rows, err);
}

bool tx_query(struct tx *tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
              struct err *err)
{
    return run(tx, &(struct request){query, values, count, false, false}, rows, err);
}

static void forget(struct tx *tx)
{
    for (struct sent *sent; (sent = tx->sent);) {
        tx->sent = sent->next;
        free(sent);
    }
}

static bool send_ahead(struct tx *tx, const struct request *r, struct err *err)
{
    if (tx->spent)
        return refuse_spent(tx, err);
    struct sent *sent = mem_alloc(sizeof *sent), **last = &tx->sent;
    sent->pipeline.tx = tx;
    sent->again = tx->begun || tx->sent || r->count || r->whole ? QUERY_NONE : r->query;
    bool ok = r->query == QUERY_NONE ? send_query(&sent->pipeline, SQL_TX_COMMIT, NULL, 0, false, NULL)
                                     : send_all(&sent->pipeline, r);
    while (*last)
        last = &(*last)->next;
    *last = sent;
    if (ok && PQpipelineSync(tx->wire->pg))
        return true;
    forget(tx);
    tx->spent = true;
    away(tx, err);
    tx->cause = *err;
    return false;
}

bool tx_send(struct tx *tx, enum query query, const struct bind *values, size_t count, struct err *err)
{
    return send_ahead(tx, &(struct request){query, values, count, false, false}, err);
}

bool tx_send_last(struct tx *tx, enum query query, const struct bind *values, size_t count, struct err *err)
{
    if (query == QUERY_NONE && !tx->begun && !tx->sent && !tx->spent)
        return true;
    return send_ahead(tx, &(struct request){query, values, count, false, true}, err);
}

/* What was sent behind a failure fails too; its answers are taken all the same, or the next to use the connection would
 * get them. */
static void take_rest(struct tx *tx)
{
    struct err ignored;
    for (struct sent *sent = tx->sent; sent && wire_usable(tx->wire); sent = sent->next) {
        (void)collect(&sent->pipeline, &ignored);
        PQclear(sent->pipeline.rows);
    }
    forget(tx);
}

bool tx_receive(struct tx *tx, struct rows **rows, struct err *err)
{
    if (tx->spent)
        return refuse_spent(tx, err);
    if (!tx->sent)
        return true;
    AUTO(mem_freep) struct sent *sent = tx->sent;
    struct pipeline *p = &sent->pipeline;
    tx->sent = sent->next;
    bool ok = collect(p, err);
    if (!ok)
        take_rest(tx);
    tx->begun = wire_usable(tx->wire) && PQtransactionStatus(tx->wire->pg) != PQTRANS_IDLE;
    if (!ok && p->stale && sent->again != QUERY_NONE && (!tx->begun || finish(tx, SQL_TX_ROLLBACK, err))) {
        PQclear(p->rows);
        return run(tx, &(struct request){sent->again, NULL, 0, false, false}, rows, err);
    }
    return settle(tx, p, ok, rows, err);
}

bool tx_query_binary(struct tx *tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
                     struct err *err)
{
    return run(tx, &(struct request){query, values, count, true, false}, rows, err);
}

bool tx_query_commit(struct tx **tx, enum query query, const struct bind *values, size_t count, struct rows **rows,
                     struct err *err)
{
    bool ok = run(*tx, &(struct request){query, values, count, false, true}, rows, err);
    tx_free(tx);
    return ok;
}

static bool send_parts(struct pipeline *p, const struct tx_part *parts, size_t count, PGresult **results)
{
    bool ok = send_query(p, SQL_TX_BEGIN, NULL, 0, false, NULL);
    for (size_t i = 0; ok && i < count; i++)
        ok = send_token(p, parts[i].token) &&
             send_query(p, parts[i].query, parts[i].values, parts[i].count, false, &results[i]);
    return ok && send_query(p, SQL_TX_COMMIT, NULL, 0, false, NULL) && PQpipelineSync(p->tx->wire->pg);
}

bool tx_query_batch(struct pool *pool, struct tx_part *parts, size_t count, bool *undone, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    PGresult *results[TX_PARTS_MOST] = {NULL};
    *undone = false;
    if (!tx_begin(pool, NULL, &tx, err))
        return false;
    struct pipeline p = {.tx = tx};
    bool ok = send_parts(&p, parts, count, results) ? collect(&p, err) : away(tx, err);
    *undone = !ok && wire_usable(tx->wire); /* else it may have been committed, and the answer was lost */
    tx->begun = wire_usable(tx->wire) && PQtransactionStatus(tx->wire->pg) != PQTRANS_IDLE;
    for (size_t i = 0; i < count; i++) {
        if (ok)
            *(parts[i].rows = mem_alloc(sizeof *parts[i].rows)) = (struct rows){TAKE(results[i])};
        PQclear(results[i]);
    }
    return ok;
}

bool tx_query_worker(enum query query, const struct bind *values, size_t count, struct rows **rows, struct err *err)
{
    struct tx *tx = NULL;
    if (!tx_begin(pool_worker(), NULL, &tx, err))
        return false;
    if (tx->limit_ms >
        WORKER_SHORT_MS) /* the pool's limit is for storing a book; a silent connection may not cost that */
        tx->limit_ms = WORKER_SHORT_MS;
    return tx_query_commit(&tx, query, values, count, rows, err);
}

static bool receive_all(struct tx *tx, struct err *err)
{
    bool ok = true;
    while (ok && (tx->sent || tx->spent))
        ok = tx_receive(tx, NULL, err);
    return ok;
}

bool tx_commit(struct tx **tx, struct err *err)
{
    bool ok = receive_all(*tx, err);
    if (ok && (*tx)->begun)
        ok = finish(*tx, SQL_TX_COMMIT, err);
    tx_free(tx);
    return ok;
}

void tx_free(struct tx **tx)
{
    if (!*tx)
        return;
    struct err ignored; /* what could not be rolled back is closed by pool_give */
    (void)!receive_all(*tx, &ignored);
    if ((*tx)->begun && wire_usable((*tx)->wire))
        (void)!finish(*tx, SQL_TX_ROLLBACK, &ignored);
    release(tx);
}

void rows_free(struct rows **rows)
{
    if (*rows)
        PQclear((*rows)->result);
    mem_freep(rows);
}

int rows_count(const struct rows *rows)
{
    return PQntuples(rows->result);
}

const char *rows_text(const struct rows *rows, int row, int column)
{
    return PQgetisnull(rows->result, row, column) ? NULL : PQgetvalue(rows->result, row, column);
}

const char *rows_bytes(const struct rows *rows, int row, int column, size_t *length)
{
    *length = (size_t)PQgetlength(rows->result, row, column);
    return rows_text(rows, row, column);
}

/* The integer types' wire format is big-endian of 2, 4 or 8 bytes. */
static int64_t binary_int(const char *value, int length, int64_t fallback)
{
    uint16_t two;
    uint32_t four;
    uint64_t eight;
    switch (length) {
    case 2: return (int16_t)ntohs((memcpy(&two, value, 2), two));
    case 4: return (int32_t)ntohl((memcpy(&four, value, 4), four));
    case 8: return (int64_t)be64toh((memcpy(&eight, value, 8), eight));
    default: return fallback;
    }
}

int64_t rows_int(const struct rows *rows, int row, int column, int64_t fallback)
{
    const char *value = rows_text(rows, row, column);
    if (!value)
        return fallback;
    if (PQfformat(rows->result, column) == 1)
        return binary_int(value, PQgetlength(rows->result, row, column), fallback);
    char *end;
    int64_t number = strtoll(value, &end, 10);
    return end == value ? fallback : number;
}

bool rows_bool(const struct rows *rows, int row, int column)
{
    const char *value = rows_text(rows, row, column);
    return value && (*value == 't' || *value == 1);
}
