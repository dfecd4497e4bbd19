/* job.h - one request on its way: made and freed by rpc on the socket thread, run by a lane in between.
 *
 * Between lanes_submit and rpc_finished a job is its worker's; only `cancelled` is shared.
 */
#ifndef SERVER_RPC_JOB_H
#define SERVER_RPC_JOB_H

#include <stdatomic.h>
#include <time.h>

#include "server/rpc/lanes.h"
#include "server/rpc/rpc.h"

struct batch {
    int open;        /* requests not yet answered */
    struct buf text; /* "[reply,reply" */
};

struct job {
    struct lane_job lane; /* first */
    struct call call;
    struct job *next, **link; /* in the peer's queue or among its running */
    struct batch *batch;
    cJSON *request;
    const cJSON *params; /* inside request */
    void *bound;         /* the params struct */
    char *id;            /* as JSON; NULL: a notification */
    char *token;
    size_t bytes;
    struct timespec came; /* monotonic */
    bool checked;         /* access, rate and params have passed */
    bool verify;          /* rpc_verify: nobody waits for a reply */
    bool ok;
    struct err err;
    struct buf reply;
    struct rpc_login *login;
    char *close_reason;
    char live_room[37]; /* a room that its session hears from here on, behind line `live_seq`; "": none */
    int64_t live_seq;
    void (*finished)(struct job *job);
    _Atomic bool cancelled;
};

enum lane job_lane(const struct job *job);
struct job *job_new(void);
void job_free(struct job *job);
void job_login_free(struct rpc_login *login);
/* On a lane's thread (or, for LANE_INLINE, on the socket thread): transaction, handler or query, commit,
 * and the reply's text. */
void job_run(struct lane_job *lane_job);
/* The same for several that wait, of methods that say `together`. */
void job_run_many(struct lane_job *waiting);
/* Fills job->reply from job->err, with an incident in the log for internal ones. */
void job_refuse(struct job *job);
void job_log(const struct job *job, double ms);

#endif
