/* job.c - one request on its way: transaction, handler, commit and reply, on a lane's thread. */
#include "server/rpc/job.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/rpc/envelope.h"
#include "server/rpc/params.h"
#include "server/store/pool.h"

enum { BUSY_MS = 1000 }; /* when to try again, where nobody knows better */

enum lane job_lane(const struct job *job)
{
    const struct method *method = job->call.method;
    return method->lane_of ? method->lane_of(job->params) : method->lane;
}

struct job *job_new(void)
{
    struct job *job = mem_alloc(sizeof *job);
    job->lane.run = job_run;
    job->call.rpc = job;
    clock_gettime(CLOCK_MONOTONIC, &job->came);
    return job;
}

void job_login_free(struct rpc_login *login)
{
    if (!login)
        return;
    if (login->token)
        mem_wipe(login->token, strlen(login->token));
    free(login->token);
    free(login->user_id);
    free(login->institution_id);
    free(login->name);
    free(login->role);
    free(login->sid);
    free(login->expires_at);
    free(login);
}

void job_free(struct job *job)
{
    if (!job)
        return;
    if (job->call.method)
        params_wipe(job->call.method->params, (cJSON *)(uintptr_t)job->params);
    if (job->token)
        mem_wipe(job->token, strlen(job->token));
    cJSON_Delete(job->request);
    job_login_free(job->login);
    buf_free(&job->reply);
    free(job->bound);
    free(job->id);
    free(job->token);
    free(job->close_reason);
    free(job);
}

void job_refuse(struct job *job)
{
    char incident[17] = "";
    if (job->err.code == ERR_INTERNAL) {
        uint64_t number = 0;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
            number = (uint64_t)time(NULL);
        for (int i = 0; i < 12; i++, number >>= 4)
            incident[i] = "0123456789abcdef"[number & 15];
        log_event(LOG_ERROR, "internal", "incident=%s session=%llx method=%s cause=%s", incident,
                  (unsigned long long)job->call.caller.session, job->call.method ? job->call.method->name : "-",
                  log_quote(job->err.log));
    }
    job->ok = false;
    if (job->err.code == ERR_BUSY && job->err.retry_after_ms <= 0)
        job->err.retry_after_ms = BUSY_MS;
    if (!job->id)
        return;
    buf_clear(&job->reply);
    envelope_error(&job->reply, job->id, &job->err, incident[0] ? incident : NULL);
}

void job_log(const struct job *job, double ms)
{
    const struct method *method = job->call.method;
    enum log_level level = job->ok || job->verify ? LOG_DEBUG : LOG_INFO;
    log_event(level, "request", "session=%llx user=%s method=%s ms=%.1f outcome=%s%s%s",
              (unsigned long long)job->call.caller.session,
              job->call.caller.user_id[0] ? job->call.caller.user_id : "-", method ? method->name : "-", ms,
              job->ok ? "ok" : err_reason(job->err.code), !job->ok && job->err.log[0] ? " cause=" : "",
              !job->ok && job->err.log[0] ? log_quote(job->err.log) : "");
}

/* The row of a method that is a query. */
static bool put_row(const struct method *method, const struct rows *rows, struct buf *out, struct err *err)
{
    const char *text = rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    if (!text)
        return err_set(err, ERR_NOT_FOUND, "%s gave no row", query_texts[method->sql].name);
    buf_text(out, text);
    return true;
}

static bool run_query(struct job *job, struct tx **tx, struct buf *out, struct err *err)
{
    const struct method *method = job->call.method;
    struct bind binds[QUERY_PARAMS_MOST];
    struct buf texts[QUERY_PARAMS_MOST] = {{0}};
    AUTO(rows_free) struct rows *rows = NULL;
    size_t count = params_bind(method->params, job->bound, job->params, &job->call.caller, method->sql, binds, texts);
    bool ok = tx_query_commit(tx, method->sql, binds, count, &rows, err);
    for (size_t i = 0; i < count; i++)
        buf_free(&texts[i]);
    return ok && put_row(method, rows, out, err);
}

static bool run_method(struct job *job, struct buf *out, struct err *err)
{
    const struct method *method = job->call.method;
    AUTO(tx_free) struct tx *tx = NULL;
    enum lane lane = job_lane(job);
    bool quick = lane == LANE_QUICK || lane == LANE_LOGIN || lane == LANE_CHAT;
    if (atomic_load(&job->cancelled))
        return err_set(err, ERR_CANCELLED, "before it began");
    if ((quick || method->sql) && !tx_begin(pool_app(), job->token ? job->token : "", &tx, err))
        return false;
    if (method->sql)
        return run_query(job, &tx, out, err);
    job->call.tx = TAKE(tx);
    bool ok = method->handler(&job->call, job->bound, out, err);
    tx = TAKE(job->call.tx);
    struct err lost = {0};
    if (!ok && tx && job->call.commit_anyway && !tx_commit(&tx, &lost))
        *err = lost;
    return ok && (!tx || tx_commit(&tx, err));
}

/* The reply, from what has come of it since `from`; the job is the socket thread's again. */
static void conclude(struct job *job, const struct timespec *from)
{
    struct timespec to;
    if (job->ok) {
        envelope_end(&job->reply);
    } else {
        if (!job->err.code)
            err_set(&job->err, ERR_INTERNAL, "the handler failed without a cause");
        job_refuse(job);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    job_log(job, (double)(to.tv_sec - from->tv_sec) * 1e3 + (double)(to.tv_nsec - from->tv_nsec) / 1e6);
    if (job->finished)
        job->finished(job);
}

void job_run(struct lane_job *lane_job)
{
    struct job *job = (struct job *)lane_job;
    struct timespec from;
    clock_gettime(CLOCK_MONOTONIC, &from);
    envelope_begin(&job->reply, job->id);
    size_t start = job->reply.length;
    job->ok = run_method(job, &job->reply, &job->err);
    if (job->ok && job->reply.length == start)
        job->ok = err_set(&job->err, ERR_INTERNAL, "the handler wrote no result");
    conclude(job, &from);
}

/* Jobs of one method that is a query, and its values for each. */
struct group {
    struct job *jobs[TX_PARTS_MOST];
    struct tx_part parts[TX_PARTS_MOST];
    struct bind binds[TX_PARTS_MOST][QUERY_PARAMS_MOST];
    struct buf texts[TX_PARTS_MOST][QUERY_PARAMS_MOST];
    size_t count;
};

static bool same_text(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

/* false: it does not go with those that are there. */
static bool add(struct group *t, struct job *job)
{
    const struct method *method = job->call.method;
    size_t n = t->count;
    if (n == TX_PARTS_MOST || atomic_load(&job->cancelled) || (n && t->jobs[0]->call.method != method))
        return false;
    size_t values =
        params_bind(method->params, job->bound, job->params, &job->call.caller, method->sql, t->binds[n], t->texts[n]);
    if (n && !same_text(t->binds[0][0].data, t->binds[n][0].data)) {
        for (size_t i = 0; i < values; i++)
            buf_free(&t->texts[n][i]);
        return false;
    }
    t->jobs[n] = job;
    t->parts[n] = (struct tx_part){job->token ? job->token : "", method->sql, t->binds[n], values, NULL};
    t->count++;
    return true;
}

/* Each has its row, or all the same refusal; false: each is to be tried alone. */
static bool run_group(struct group *t)
{
    struct timespec from;
    struct err err = {0};
    bool undone;
    clock_gettime(CLOCK_MONOTONIC, &from);
    bool ok = tx_query_batch(pool_app(), t->parts, t->count, &undone, &err);
    if (!ok && undone)
        return false;
    for (size_t i = 0; i < t->count; i++) {
        struct job *job = t->jobs[i];
        envelope_begin(&job->reply, job->id);
        job->err = err;
        job->ok = ok && put_row(job->call.method, t->parts[i].rows, &job->reply, &job->err);
        conclude(job, &from);
        rows_free(&t->parts[i].rows);
    }
    return true;
}

static void forget_values(struct group *t)
{
    for (size_t n = 0; n < t->count; n++)
        for (size_t i = 0; i < t->parts[n].count; i++)
            buf_free(&t->texts[n][i]);
    t->count = 0;
}

void job_run_many(struct lane_job *waiting)
{
    AUTO(mem_freep) struct group *t = mem_alloc(sizeof *t);
    while (waiting) {
        struct lane_job *first = waiting;
        while (waiting && add(t, (struct job *)waiting))
            waiting = waiting->next;
        if (!t->count) {
            waiting = first->next;
            job_run(first);
        }
        bool done = t->count > 1 && run_group(t);
        for (size_t i = 0; !done && i < t->count; i++)
            job_run(&t->jobs[i]->lane);
        forget_values(t);
    }
}
