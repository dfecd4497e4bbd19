/* pool.c - the connections that requests and workers borrow: one pool a role. */
#include "server/store/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/store/borrow.h"

enum { CONNECT_MS = 3000, BACKOFF_FIRST_MS = 50, BACKOFF_MOST_MS = 1000, STATEMENT_MS = 20000 };

struct pool {
    struct pool_settings settings;
    char *url, *name;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    struct wire **idle; /* a stack: the warmest connection is used next */
    int idle_count, open, in_use, waiting;
    int backoff_ms;   /* after failures in a row */
    int64_t retry_at; /* no attempt to connect before */
    _Atomic bool reachable, shared;
};

static struct pool *app, *worker;

struct pool *pool_open(const struct pool_settings *settings)
{
    struct pool *pool = mem_alloc(sizeof *pool);
    pool->settings = *settings;
    pool->settings.url = pool->url = mem_dup(settings->url);
    pool->settings.name = pool->name = mem_dup(settings->name);
    if (pool->settings.statement_ms <= 0)
        pool->settings.statement_ms = STATEMENT_MS;
    pool->idle = mem_array((size_t)settings->size, sizeof *pool->idle);
    pool->reachable = true;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_cond_init(&pool->changed, NULL);
    return pool;
}

void pool_close(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    while (pool->in_use)
        pthread_cond_wait(&pool->changed, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
    while (pool->idle_count)
        wire_close(&pool->idle[--pool->idle_count]);
    pthread_cond_destroy(&pool->changed);
    pthread_mutex_destroy(&pool->lock);
    mem_freep(&pool->idle);
    mem_wipe(pool->url, strlen(pool->url)); /* may hold a password */
    mem_freep(&pool->url);
    mem_freep(&pool->name);
    mem_freep(&pool);
}

/* What the role's own settings could have bent is set again; a pooler would keep it from us, so there
 * the transactions bring their limits themselves. */
static bool prepare_session(struct pool *pool, struct wire *wire, struct err *err)
{
    char limit[24];
    snprintf(limit, sizeof limit, "%d", pool->settings.statement_ms);
    const char *values[] = {limit};
    static const char settings[] =
        "select set_config(name, value, false) from (values ('statement_timeout', $1),"
        " ('idle_in_transaction_session_timeout', $1), ('lock_timeout', $1), ('row_security', 'on'),"
        " ('search_path', 'pg_catalog, public, pg_temp'), ('TimeZone', 'UTC'), ('DateStyle', 'ISO, YMD'),"
        " ('IntervalStyle', 'iso_8601'), ('bytea_output', 'hex'), ('extra_float_digits', '1'),"
        " ('synchronous_commit', 'on'), ('default_transaction_read_only', 'off'), ('jit', 'off'),"
        " ('default_transaction_isolation', 'read committed'), ('edurag.token', '')) as t(name, value)";
    if (pool->settings.prepare && !wire_exec(wire, settings, values, 1, CONNECT_MS, NULL, err))
        return false;
    return PQenterPipelineMode(wire->pg) ? true : err_set(err, ERR_BUSY, "database: %s", PQerrorMessage(wire->pg));
}

static struct wire *connect_one(struct pool *pool, struct err *err)
{
    struct wire *wire = wire_open(pool->settings.url, "eduragd", CONNECT_MS, err);
    if (wire && !prepare_session(pool, wire, err))
        wire_close(&wire);
    return wire;
}

static bool busy(struct err *err, long retry_after_ms, const char *what)
{
    err_set(err, ERR_BUSY, "database: %s", what);
    if (err)
        err->retry_after_ms = retry_after_ms < 50 ? 50 : retry_after_ms;
    return false;
}

/* The lock is held on entry and on return. */
static bool open_one(struct pool *pool, struct wire **out, struct err *err)
{
    int64_t wait = pool->retry_at - wire_now();
    if (wait > 0)
        return busy(err, (long)wait, "away; the next attempt is due shortly");
    pool->open++;
    pool->in_use++;
    pthread_mutex_unlock(&pool->lock);
    struct err why = {0};
    struct wire *wire = connect_one(pool, &why);
    pthread_mutex_lock(&pool->lock);
    if (wire) {
        pool->backoff_ms = 0;
        if (!atomic_exchange(&pool->reachable, true))
            log_event(LOG_INFO, "database_back", "pool=%s", pool->name);
        *out = wire;
        return true;
    }
    pool->open--;
    pool->in_use--;
    pool->backoff_ms = pool->backoff_ms ? pool->backoff_ms * 2 : BACKOFF_FIRST_MS;
    if (pool->backoff_ms > BACKOFF_MOST_MS)
        pool->backoff_ms = BACKOFF_MOST_MS;
    pool->retry_at = wire_now() + pool->backoff_ms;
    if (atomic_exchange(&pool->reachable, false))
        log_event(LOG_WARN, "database_away", "pool=%s reason=%s", pool->name, log_quote(why.log));
    pthread_cond_broadcast(&pool->changed);
    if (err)
        *err = why;
    if (err && err->code != ERR_BUSY) /* a refused login is still "the database is away" to a person */
        err->code = ERR_BUSY;
    if (err && err->retry_after_ms < pool->backoff_ms)
        err->retry_after_ms = pool->backoff_ms;
    return false;
}

/* A connection that the server closed while it lay here is put away unseen. */
static struct wire *idle_one(struct pool *pool)
{
    while (pool->idle_count) {
        struct wire *wire = pool->idle[--pool->idle_count];
        if (wire_idle(wire)) {
            pool->in_use++;
            return wire;
        }
        pool->open--;
        wire_close(&wire);
    }
    return NULL;
}

static bool wait_for_one(struct pool *pool, int64_t until)
{
    pool->waiting++;
    bool more = wait_until(&pool->changed, &pool->lock, until);
    pool->waiting--;
    return more;
}

bool pool_take(struct pool *pool, struct wire **wire, struct err *err)
{
    int64_t until = wire_now() + pool->settings.wait_ms;
    bool ok = false, waiting = true;
    pthread_mutex_lock(&pool->lock);
    while (!(ok = (*wire = idle_one(pool)) != NULL) && pool->open >= pool->settings.size && waiting)
        waiting = wait_for_one(pool, until);
    if (!ok && pool->open < pool->settings.size)
        ok = open_one(pool, wire, err);
    else if (!ok)
        busy(err, 1000, "every connection is in use");
    pthread_mutex_unlock(&pool->lock);
    return ok;
}

/* One that fell silent rarely did so alone, and each of the others would cost somebody the whole wait again. */
static void put_away_idle(struct pool *pool)
{
    while (pool->idle_count) {
        wire_close(&pool->idle[--pool->idle_count]);
        pool->open--;
    }
}

void pool_give(struct pool *pool, struct wire *wire)
{
    bool clean = wire_usable(wire) && PQtransactionStatus(wire->pg) == PQTRANS_IDLE, broken = wire->broken;
    if (!clean)
        wire_close(&wire);
    pthread_mutex_lock(&pool->lock);
    pool->in_use--;
    if (broken)
        put_away_idle(pool);
    if (clean)
        pool->idle[pool->idle_count++] = wire;
    else
        pool->open--;
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
}

const struct pool_settings *pool_settings_of(const struct pool *pool)
{
    return &pool->settings;
}

bool pool_shared(const struct pool *pool)
{
    return pool->shared || !pool->settings.prepare;
}

void pool_set_shared(struct pool *pool)
{
    if (!atomic_exchange(&pool->shared, true))
        log_event(LOG_WARN, "database_pooler",
                  "pool=%s note=\"a pooler in transaction mode is in between: set EDURAG_DATABASE_PREPARE=off\"",
                  pool->name);
}

bool pool_reachable(const struct pool *pool)
{
    return pool->reachable;
}

void pool_stats(const struct pool *pool, int *in_use, int *open, int *waiting)
{
    struct pool *p = (struct pool *)pool; /* the lock is no part of what is const to a reader */
    pthread_mutex_lock(&p->lock);
    *in_use = p->in_use;
    *open = p->open;
    *waiting = p->waiting;
    pthread_mutex_unlock(&p->lock);
}

bool pool_check(struct pool *pool, struct err *err)
{
    static const char sql[] = "select session_user, exists (select from pg_catalog.pg_roles r where"
                              " pg_catalog.pg_has_role(session_user, r.oid, 'member')"
                              " and (r.rolsuper or r.rolbypassrls or r.rolname = 'edurag_owner'))";
    AUTO(wire_close) struct wire *wire = wire_open(pool->settings.url, "eduragd", CONNECT_MS, err);
    AUTO(wire_result_free) PGresult *result = NULL;
    if (!wire || !wire_exec(wire, sql, NULL, 0, CONNECT_MS, &result, err))
        return false;
    if (strcmp(PQgetvalue(result, 0, 1), "t") != 0)
        return true;
    return err_say(err, ERR_FORBIDDEN,
                   "The database login of the %s pool, %s, may do more than it should: it is a superuser, may bypass "
                   "row security or may become edurag_owner. Use the role edurag_%s without those rights.",
                   pool->name, PQgetvalue(result, 0, 0), pool->name);
}

struct pool *pool_app(void)
{
    return app;
}

struct pool *pool_worker(void)
{
    return worker;
}

void pool_set(struct pool *app_pool, struct pool *worker_pool)
{
    app = app_pool;
    worker = worker_pool;
}
