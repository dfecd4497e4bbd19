/* rpc.c - from a message to requests, from requests to methods, from methods to replies. */
#include "server/rpc/rpc.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/wait.h"
#include "server/rpc/envelope.h"
#include "server/rpc/request_metrics.h"
#include "server/rpc/job.h"
#include "server/rpc/params.h"

/* Few at once of one session, by lane: the rest waits in its own queue. */
static const int most_in_flight[LANE_COUNT] = {0, 4, 1, 2, 2 * LANES_MANY /* some wait while others are stored */};

static struct {
    const struct rpc_doors *doors;
    const struct method **methods; /* by name */
    size_t count, jobs;
    bool draining;
    struct rpc_peer *here; /* whose inline request runs */
} rpc;

static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct method *const *)a)->name, (*(const struct method *const *)b)->name);
}

void rpc_start(const struct rpc_doors *doors, const struct method *const *tables)
{
    rpc.doors = doors;
    rpc.draining = false;
    rpc.count = 0;
    for (const struct method *const *table = tables; *table; table++)
        for (const struct method *method = *table; method->name; method++) {
            rpc.methods = mem_grow(rpc.methods, rpc.count + 1, sizeof *rpc.methods);
            rpc.methods[rpc.count++] = method;
        }
    qsort(rpc.methods, rpc.count, sizeof *rpc.methods, by_name);
    request_metrics_start(rpc.methods, rpc.count);
}

void rpc_stop(void)
{
    request_metrics_stop();
    free(rpc.methods);
    rpc.methods = NULL;
    rpc.count = 0;
}

void rpc_drain(void)
{
    rpc.draining = true;
}

/* The place of a method in the table; past its end where there is none of this name. */
static size_t place(const char *name)
{
    size_t low = 0, high = rpc.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, rpc.methods[middle]->name);
        if (!order)
            return middle;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return rpc.count;
}

const struct method *rpc_find(const char *name)
{
    return rpc_method(place(name));
}

const struct method *rpc_method(size_t index)
{
    return index < rpc.count ? rpc.methods[index] : NULL;
}

size_t rpc_jobs(void)
{
    return rpc.jobs;
}

bool rpc_busy(const struct rpc_peer *peer)
{
    return peer->first || peer->running;
}

/* The reply leaves, alone or with its batch; the job is gone afterwards. `peer` may be NULL. */
static void answer(struct rpc_peer *peer, struct job *job)
{
    struct batch *batch = job->batch;
    bool speaks = job->id && job->reply.length;
    request_metrics_count(job->call.method ? place(job->call.method->name) : rpc.count, job);
    if (!batch && speaks && peer) {
        size_t length = job->reply.length;
        rpc.doors->send(peer, buf_take(&job->reply), length);
    }
    if (batch && speaks) {
        buf_char(&batch->text, batch->text.length ? ',' : '[');
        buf_bytes(&batch->text, job->reply.data, job->reply.length);
    }
    if (batch && --batch->open == 0) {
        if (batch->text.length && peer) {
            buf_char(&batch->text, ']');
            size_t length = batch->text.length;
            rpc.doors->send(peer, buf_take(&batch->text), length);
        }
        buf_free(&batch->text);
        free(batch);
    }
    job_free(job);
}

static void refuse(struct rpc_peer *peer, struct job *job)
{
    job_refuse(job);
    if (refusals_note(&peer->refusals, peer->caller.session, job->err.code, wait_now() / 1000))
        job_log(job, 0);
    answer(peer, job);
    if (peer->refusals.limited >= REFUSALS_MOST && !peer->closing)
        rpc.doors->shown_out(peer);
}

/* false: the bucket is empty. */
static bool pay(struct rpc_peer *peer, enum rpc_bucket bucket, int64_t cost, struct err *err)
{
    long wait_ms = 0;
    if (rpc.doors->charge(peer, bucket, cost, &wait_ms))
        return true;
    err_set(err, ERR_RATE_LIMITED, "no tokens left");
    err->retry_after_ms = wait_ms;
    return false;
}

/* What is refused costs as much as a request. Before its method is known the answer to an empty bucket is rate_limited;
 * afterwards it stays what it is, and counts towards being shown out. */
static bool refuse_at_cost(struct rpc_peer *peer, bool known, struct err *err)
{
    struct err empty = {0};
    if (pay(peer, RPC_BUCKET_REQUESTS, COST_ONE, &empty))
        return false;
    if (known)
        refusals_limited(&peer->refusals);
    else
        *err = empty;
    return false;
}

/* Methods that change who a session is are attempts to log in as long as it is nobody's. */
static enum rpc_bucket bucket_of(const struct rpc_peer *peer, const struct method *method)
{
    if (method->byte_bucket)
        return RPC_BUCKET_UPLOAD;
    return method->exclusive && !peer->caller.user_id[0] ? RPC_BUCKET_LOGINS : RPC_BUCKET_REQUESTS;
}

static bool access_allows(enum access access, const char *role)
{
    switch (access) {
    case ACCESS_ANYONE:
    case ACCESS_USER: return true;
    case ACCESS_TEACHER: return !strcmp(role, "teacher") || !strcmp(role, "admin");
    case ACCESS_ADMIN: return !strcmp(role, "admin");
    }
    return false;
}

/* What stands between a well-formed request and its lane, in the order that the protocol promises. */
static bool check(struct rpc_peer *peer, struct job *job, struct err *err)
{
    const struct method *method = job->call.method;
    if (method->access != ACCESS_ANYONE && !peer->caller.user_id[0]) {
        err_set(err, ERR_UNAUTHENTICATED, "nobody is logged in here");
        return refuse_at_cost(peer, true, err);
    }
    if (!access_allows(method->access, peer->caller.role)) {
        err_set(err, ERR_FORBIDDEN, "not for the role %s", peer->caller.role);
        return refuse_at_cost(peer, true, err);
    }
    int64_t cost = method->cost_of ? method->cost_of(job->params) : method->cost;
    if (!pay(peer, bucket_of(peer, method), cost, err))
        return false;
    refusals_served(&peer->refusals);
    if (method->params_size)
        job->bound = mem_alloc(method->params_size);
    if (!params_read(method->params, job->params, job->bound, err))
        return false;
    if (rpc.draining) {
        err_say(err, ERR_BUSY, "The server is shutting down. Please connect again in a moment.");
        err->retry_after_ms = 5000;
        return false;
    }
    job->call.caller = peer->caller;
    job->token = mem_dup(peer->token);
    job->call.token = job->token;
    job->call.id_json = job->id;
    job->checked = true;
    return true;
}

static void unlink_job(struct rpc_peer *peer, struct job *job)
{
    for (struct job *before = NULL, *at = peer->first; at; before = at, at = at->next) {
        if (at != job)
            continue;
        *(before ? &before->next : &peer->first) = job->next;
        if (peer->last == job)
            peer->last = before;
        peer->waiting--;
        peer->waiting_bytes -= job->bytes;
        job->next = NULL;
        return;
    }
}

static void run_inline(struct rpc_peer *peer, struct job *job)
{
    rpc.here = peer;
    job_run(&job->lane);
    rpc.here = NULL;
    answer(peer, job);
}

static bool launch(struct rpc_peer *peer, struct job *job)
{
    enum lane lane = job_lane(job);
    job->finished = rpc.doors->finished;
    job->lane.run_many = job->call.method->batched ? job_run_many : NULL;
    if (!lanes_submit(lane, &job->lane))
        return false;
    job->next = peer->running;
    job->link = &peer->running;
    if (job->next)
        job->next->link = &job->next;
    peer->running = job;
    peer->in_flight[lane]++;
    peer->exclusive = peer->exclusive || job->call.method->exclusive;
    rpc.jobs++;
    return true;
}

/* Starts what may start. A request that must be alone waits for those before it and holds those behind. */
static void dispatch(struct rpc_peer *peer)
{
    struct job *job = peer->first;
    while (job && !peer->exclusive && !peer->closing) {
        struct job *next = job->next;
        const struct method *method = job->call.method;
        if (!job->checked && !check(peer, job, &job->err)) {
            unlink_job(peer, job);
            refuse(peer, job);
        } else if (method->exclusive && (peer->running || job != peer->first)) {
            return;
        } else if (peer->in_flight[job_lane(job)] < most_in_flight[job_lane(job)]) {
            unlink_job(peer, job);
            if (!launch(peer, job)) {
                err_set(&job->err, ERR_BUSY, "the lane is full");
                job->err.retry_after_ms = lanes_wait_ms(job_lane(job));
                refuse(peer, job);
            }
        }
        job = next;
    }
}

static bool holds_others(const struct rpc_peer *peer)
{
    if (peer->exclusive)
        return true;
    for (const struct job *job = peer->first; job; job = job->next)
        if (job->call.method->exclusive)
            return true;
    return false;
}

static void enqueue(struct rpc_peer *peer, struct job *job)
{
    if (job->call.method->lane == LANE_INLINE || !holds_others(peer)) {
        if (!check(peer, job, &job->err)) {
            refuse(peer, job);
            return;
        }
        if (job->call.method->lane == LANE_INLINE) {
            run_inline(peer, job);
            return;
        }
    }
    if (peer->waiting >= RPC_QUEUE_MOST || peer->waiting_bytes + job->bytes > RPC_QUEUE_BYTES_MOST) {
        err_set(&job->err, ERR_BUSY, "too many requests of this session wait already");
        job->err.retry_after_ms = 500;
        refuse(peer, job);
        return;
    }
    if (peer->last)
        peer->last->next = job;
    else
        peer->first = job;
    peer->last = job;
    peer->waiting++;
    peer->waiting_bytes += job->bytes;
}

/* Takes `request`; `text` is where it stands in the message. */
static bool read_request(struct job *job, cJSON *request, const char *text, struct err *err)
{
    job->request = request;
    const cJSON *id = json_get(request, "id"), *method = json_get(request, "method");
    bool id_fits = !id || cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id);
    if (id && id_fits) {
        job->id = envelope_id(text);
        if (!job->id)
            job->id = cJSON_PrintUnformatted(id);
    }
    bool fits = cJSON_IsObject(request) && id_fits && !strcmp(json_text(request, "jsonrpc", ""), "2.0") &&
                cJSON_IsString(method);
    job->params = json_get(request, "params");
    if (job->params && !cJSON_IsObject(job->params) && !cJSON_IsArray(job->params))
        fits = false;
    if (!fits) {
        if (!job->id)
            job->id = mem_dup("null"); /* even a would-be notification: it isn't one */
        return err_set(err, ERR_INVALID_REQUEST, "not a JSON-RPC 2.0 request");
    }
    job->call.method = rpc_find(method->valuestring);
    if (!job->call.method)
        return err_set(err, ERR_UNKNOWN_METHOD, "%.60s", method->valuestring);
    return true;
}

static void one_request(struct rpc_peer *peer, cJSON *request, const char *text, size_t bytes, struct batch *batch)
{
    struct job *job = job_new();
    job->batch = batch;
    job->bytes = bytes;
    job->call.caller.session = peer->caller.session;
    if (read_request(job, request, text, &job->err)) {
        enqueue(peer, job);
    } else {
        refuse_at_cost(peer, false, &job->err);
        refuse(peer, job);
    }
}

static void refuse_message(struct rpc_peer *peer, const struct err *err)
{
    struct job *job = job_new();
    job->id = mem_dup("null");
    job->err = *err;
    job->call.caller.session = peer->caller.session;
    refuse_at_cost(peer, false, &job->err);
    refuse(peer, job);
}

static void read_batch(struct rpc_peer *peer, cJSON *array, const char *text, size_t length)
{
    int count = cJSON_GetArraySize(array);
    struct err err = {0};
    if (!count || count > RPC_BATCH_MOST) {
        if (!count)
            err_set(&err, ERR_INVALID_REQUEST, "an empty batch");
        else
            err_say(&err, ERR_TOO_LARGE, "A batch may hold at most %d requests.", RPC_BATCH_MOST);
        err.limit = count ? RPC_BATCH_MOST : 0;
        refuse_message(peer, &err);
        return;
    }
    struct batch *batch = mem_alloc(sizeof *batch);
    batch->open = count;
    const char *element = envelope_first(text);
    for (int i = 0; i < count; i++) {
        cJSON *request = cJSON_DetachItemViaPointer(array, array->child);
        one_request(peer, request, element ? element : "", length / (size_t)count, batch);
        element = element ? envelope_next(element) : NULL;
    }
}

void rpc_receive(struct rpc_peer *peer, char *text, size_t length)
{
    struct err err = {0};
    if (!peer->closing) {
        AUTO(json_freep) cJSON *json = json_parse(text, length, &err);
        if (!json)
            refuse_message(peer, &err);
        else if (cJSON_IsArray(json))
            read_batch(peer, json, text, length);
        else
            one_request(peer, TAKE(json), text, length, NULL);
        dispatch(peer);
    }
    mem_wipe(text, length);
    free(text);
}

void rpc_finished(struct job *job)
{
    struct rpc_peer *peer = rpc.doors->find(job->call.caller.session);
    rpc.jobs--;
    if (peer) {
        *job->link = job->next;
        if (job->next)
            job->next->link = job->link;
        job->next = NULL;
        peer->in_flight[job_lane(job)]--;
        if (job->call.method->exclusive) {
            peer->exclusive = false;
            peer->login_tried = true;
        }
        if (job->ok && job->login)
            rpc.doors->authenticated(peer, job->login);
        if (job->verify && !job->ok)
            rpc.doors->refused(peer, &job->err);
    }
    uint64_t session = job->call.caller.session;
    char *reason = job->ok ? TAKE(job->close_reason) : NULL;
    answer(peer, job);
    if (peer && reason)
        rpc.doors->close(peer, reason);
    free(reason);
    peer = rpc.doors->find(session);
    if (peer)
        dispatch(peer);
}

bool rpc_verify(struct rpc_peer *peer, const char *token)
{
    struct job *job = job_new();
    job->call.method = rpc_find("auth.resume");
    job->verify = true;
    job->call.caller.session = peer->caller.session;
    memcpy(job->call.caller.address, peer->caller.address, sizeof peer->caller.address);
    job->request = cJSON_CreateObject();
    cJSON_AddStringToObject(job->request, "token", token);
    job->params = job->request;
    if (job->call.method && job->call.method->params_size)
        job->bound = mem_alloc(job->call.method->params_size);
    if (job->call.method && params_read(job->call.method->params, job->params, job->bound, &job->err)) {
        bool launched = launch(peer, job);
        if (!launched)
            job_free(job);
        peer->exclusive = true;
        return launched;
    }
    if (!job->err.code)
        err_set(&job->err, ERR_INTERNAL, "there is no auth.resume");
    rpc.doors->refused(peer, &job->err);
    job_free(job);
    return true;
}

void rpc_gone(struct rpc_peer *peer)
{
    peer->closing = true;
    refusals_flush(&peer->refusals, peer->caller.session);
    for (struct job *job = peer->running, *next; job; job = next) {
        next = job->next;
        if (!job->call.method->keep)
            atomic_store(&job->cancelled, true);
        job->next = NULL;
        job->link = NULL;
    }
    peer->running = NULL;
    while (peer->first) {
        struct job *job = peer->first;
        unlink_job(peer, job);
        answer(NULL, job);
    }
    if (peer->token)
        mem_wipe(peer->token, strlen(peer->token));
    free(peer->token);
    peer->token = NULL;
}

static bool same_id(const struct job *job, const cJSON *id)
{
    return job->id && !job->verify && cJSON_Compare(json_get(job->request, "id"), id, true);
}

bool rpc_cancel(const cJSON *id)
{
    struct rpc_peer *peer = rpc.here;
    bool found = false;
    for (struct job *job = peer->running; job; job = job->next)
        if (same_id(job, id)) {
            atomic_store(&job->cancelled, true);
            found = true;
        }
    for (struct job *job = peer->first, *next; job; job = next) {
        next = job->next;
        if (!same_id(job, id))
            continue;
        unlink_job(peer, job);
        err_set(&job->err, ERR_CANCELLED, "while it waited");
        refuse(peer, job);
        found = true;
    }
    return found;
}
