/* pool.h - the connections that requests and workers borrow: one pool a role.
 *
 * Connections open lazily, at most `size`, and reopen by themselves with backoff after the database was
 * away. Thread-safe. tx.h is how everybody uses them.
 */
#ifndef SERVER_STORE_POOL_H
#define SERVER_STORE_POOL_H

#include <stdbool.h>

#include "common/err.h"

struct pool;

struct pool_settings {
    const char *url;  /* libpq connection string or URI */
    const char *name; /* for the log and /metrics: "app", "worker" */
    int size;         /* connections at most */
    int wait_ms;      /* how long tx_begin waits for a free one before ERR_BUSY */
    bool prepare;     /* false: EDURAG_DATABASE_PREPARE=off, for poolers in transaction mode */
    int statement_ms; /* limit of one statement, of a lock wait, of idling in a transaction; 0: 20 s */
};

struct pool *pool_open(const struct pool_settings *settings);
void pool_close(struct pool *pool); /* waits until every connection has come back */
/* Connects now and checks that the role is not more than it should be (house rule: never the owner,
 * a superuser or BYPASSRLS). */
bool pool_check(struct pool *pool, struct err *err) MUST_CHECK;
bool pool_reachable(const struct pool *pool); /* the last attempt to use it succeeded */
void pool_stats(const struct pool *pool, int *in_use, int *open, int *waiting);

/* The two that main opened at start; NULL before. */
struct pool *pool_app(void);
struct pool *pool_worker(void);
void pool_set(struct pool *app, struct pool *worker);

#endif
