/* rpc.h - from a message to requests, from requests to methods, from methods to replies.
 *
 * Everything here runs on the socket thread; the work itself runs on the lanes (job.h). What rpc needs of
 * the sockets comes through `struct rpc_doors`, so that it depends on none.
 */
#ifndef SERVER_RPC_RPC_H
#define SERVER_RPC_RPC_H

#include "server/rpc/method.h"
#include "server/rpc/refusals.h"

enum {
    RPC_BATCH_MOST = 50,
    RPC_QUEUE_MOST = 64,                    /* requests of one session that wait for their turn */
    RPC_QUEUE_BYTES_MOST = 4 * 1024 * 1024, /* and the bytes of their messages */
};

struct job;

/* One connection as rpc sees it, a part of net's session. {0} and caller.session, caller.address filled. */
struct rpc_peer {
    struct caller caller;
    char *token;              /* owned; NULL for nobody */
    struct job *first, *last; /* waiting for their turn */
    int waiting;
    size_t waiting_bytes;
    struct job *running;
    uint8_t in_flight[LANE_COUNT];
    bool exclusive;   /* one in flight changes who this is */
    bool login_tried; /* one such has come back; for the session to take note of */
    bool closing;     /* nothing more is served */
    struct refusals refusals;
};

/* A login, resume or refresh that succeeded. */
struct rpc_login {
    char *token, *user_id, *institution_id, *name, *role, *sid, *expires_at;
};

/* Out of which bucket a request is paid: attempts to log in have one of their own, so that a flood of other calls from the
 * same address keeps nobody out. */
enum rpc_bucket { RPC_BUCKET_REQUESTS, RPC_BUCKET_LOGINS, RPC_BUCKET_UPLOAD };

struct rpc_doors {
    struct rpc_peer *(*find)(uint64_t session);                     /* NULL: it has ended */
    void (*send)(struct rpc_peer *peer, char *text, size_t length); /* takes the malloc()ed text */
    void (*authenticated)(struct rpc_peer *peer, const struct rpc_login *login);
    void (*refused)(struct rpc_peer *peer, const struct err *err); /* rpc_verify found no person */
    void (*close)(struct rpc_peer *peer, const char *reason);      /* 4401 once all is sent */
    /* false: the bucket is empty, and *wait_ms says for how long */
    bool (*charge)(struct rpc_peer *peer, enum rpc_bucket bucket, int64_t cost, long *wait_ms);
    void (*shown_out)(struct rpc_peer *peer); /* it goes on after having been refused: to be closed */
    void (*finished)(struct job *job);        /* any thread: has rpc_finished(job) called on the socket thread */
};

/* `tables`: the methods' tables, ended by NULL; both are kept. */
void rpc_start(const struct rpc_doors *doors, const struct method *const *tables);
void rpc_stop(void);
/* From here on every request is answered with busy. */
void rpc_drain(void);

/* One whole text message, NUL-terminated, wiped and freed here. */
void rpc_receive(struct rpc_peer *peer, char *text, size_t length);
/* A job is back from its lane. */
void rpc_finished(struct job *job);
/* Runs auth.resume for the peer with `token`, without a reply: `authenticated` or `refused` follows. Requests
 * that come meanwhile wait. false: the lane is full, try again later. */
bool rpc_verify(struct rpc_peer *peer, const char *token);
/* The connection has ended: its jobs are cancelled (unless method->keep) and its requests dropped. */
void rpc_gone(struct rpc_peer *peer);
bool rpc_busy(const struct rpc_peer *peer); /* has requests in flight or waiting */
size_t rpc_jobs(void);                      /* in flight, of all sessions */

const struct method *rpc_find(const char *name);
/* Each method once, by name; NULL at the end. */
const struct method *rpc_method(size_t index);
/* For rpc.cancel, which runs inline: gives up the requests of the caller's session that have this JSON-RPC id. false:
 * there is none. */
bool rpc_cancel(const cJSON *id);
/* Whether the tables hold together: names, queries and params that fit each other, shapes and examples that can be read.
 * ERR_INTERNAL names the row. Before rpc_start. */
bool rpc_check(const struct method *const *tables, struct err *err) MUST_CHECK;

#endif
