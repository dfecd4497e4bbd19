/* call.c - what a handler may ask of its call (method.h). */
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "server/rpc/job.h"
#include "server/rpc/notify.h"
#include "server/store/pool.h"

bool call_cancelled(const struct call *call)
{
    const struct job *job = call->rpc;
    return atomic_load(&job->cancelled);
}

void call_notify(struct call *call, const char *method, const char *params)
{
    notify_session(call->caller.session, method, params);
}

bool call_tx(struct call *call, struct tx **tx, struct err *err)
{
    return tx_begin(pool_app(), call->token ? call->token : "", tx, err);
}

void call_authenticated(struct call *call, const char *token, const cJSON *user, const char *sid,
                        const char *expires_at)
{
    struct job *job = call->rpc;
    job_login_free(job->login);
    job->login = mem_alloc(sizeof *job->login);
    *job->login = (struct rpc_login){.token = mem_dup(token),
                                     .user_id = mem_dup(json_text(user, "user_id", "")),
                                     .institution_id = mem_dup(json_text(user, "institution_id", "")),
                                     .name = mem_dup(json_text(user, "name", "")),
                                     .role = mem_dup(json_text(user, "role", "")),
                                     .sid = mem_dup(sid),
                                     .expires_at = mem_dup(expires_at)};
}

void call_close(struct call *call, const char *reason)
{
    struct job *job = call->rpc;
    free(job->close_reason);
    job->close_reason = mem_dup(reason);
}

void call_live(struct call *call, const char *room, int64_t seq)
{
    struct job *job = call->rpc;
    snprintf(job->live_room, sizeof job->live_room, "%s", room);
    job->live_seq = seq;
}
