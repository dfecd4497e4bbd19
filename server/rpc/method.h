/* method.h - what an operation is: one row of data, and the handler or query behind it.
 *
 * A request runs: socket frame -> session -> rpc (size, parse, find the row, access, rate, params)
 * -> the queue of the row's lane -> a worker -> reply text -> the session's outbox -> socket.
 * Adding an operation is a row here, a query or handler, a row in the access matrix test.
 * The rows feed dispatch, the params errors, rpc.discover, `edurag call` completion and the man page.
 */
#ifndef SERVER_RPC_METHOD_H
#define SERVER_RPC_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/json.h"
#include "server/store/tx.h"

enum access { ACCESS_ANYONE, ACCESS_USER, ACCESS_TEACHER, ACCESS_ADMIN };

enum lane {
    LANE_INLINE, /* on the socket thread: never waits, touches nothing but the call (server.ping) */
    LANE_QUICK,  /* database; rpc has opened the caller's transaction (call->tx) and commits it after */
    LANE_LOGIN,  /* password hashing in the database; as LANE_QUICK, as many workers as cores */
    LANE_SLOW,   /* may wait for outside services; call->tx is NULL: open short ones with call_tx() */
    LANE_CHAT,   /* as LANE_QUICK on one thread: what people say is stored in the order in which it came, see lanes.h */
    LANE_COUNT
};

enum param_type {
    PARAM_TYPE_END = 0,
    PARAM_TYPE_TEXT,  /* const char *; min and max count code points */
    PARAM_TYPE_UUID,  /* const char *, canonical lower case */
    PARAM_TYPE_INT,   /* int64_t; min and max are values */
    PARAM_TYPE_BOOL,  /* bool */
    PARAM_TYPE_TEXTS, /* const cJSON *, array of texts; max counts items (default 1000) */
    PARAM_TYPE_UUIDS, /* const cJSON *, array of UUIDs */
    PARAM_TYPE_ID,    /* const cJSON *: a JSON-RPC id, string or number (rpc.cancel) */
};

/* A param of a method, bound to a member of its params struct. An absent optional one leaves the
 * member zero, an INT its `fallback`. `nullable`: JSON null is accepted; `given` is the offset of a bool
 * that tells absent (false) from null or a value (true); 0 = none, so never the first member. */
struct param {
    const char *name;
    enum param_type type;
    size_t offset;
    bool optional, nullable;
    int64_t min, max, fallback;
    const char *one_of; /* TEXT: the allowed words, separated by '|' */
    size_t given;
    bool bytes;   /* TEXT: min and max count bytes, not code points */
    bool secret;  /* never in logs; wiped after the call */
    bool cleaned; /* TEXT: what others will read. Controls and what turns its direction go, and something must stay */
    bool line;    /* TEXT: cleaned, and one line: a line break becomes a blank */
};
/* A method's params, as one list that makes both the struct which its handler reads and the spec which a request is held
 * against, so that the two can't differ:
 *
 *   #define CREATE_PARAMS(P, S)                     \
 *       P(S, TEXT, code, REQUIRED, .min = 1, .max = 40) \
 *       P(S, TEXT, title, OPTIONAL, .min = 1, .max = 200)
 *   METHOD_PARAMS(create, CREATE_PARAMS);
 *
 * makes struct create_params {code, title} and create_spec. UUID_GIVEN and BOOL_GIVEN add a bool NAME_given. A method
 * without params names `none`. */
#define REQUIRED .optional = false
#define OPTIONAL .optional = true
#define METHOD_PARAMS(name_, list_)                                                                               \
    struct name_##_params {                                                                                       \
        list_(PARAM_FIELD, )                                                                                      \
    };                                                                                                            \
    static const struct param name_##_spec[] = {list_(PARAM_ROW, struct name_##_params){.type = PARAM_TYPE_END}}; \
    enum { name_##_params_size = sizeof(struct name_##_params) }
/* Every list takes these two besides its own. */
#define PARAMS_LIST(P, S)                                            \
    P(S, INT, limit, OPTIONAL, .min = 1, .max = 200, .fallback = 50) \
    P(S, TEXT, cursor, OPTIONAL, .min = 1, .max = 400)

#define PARAM_FIELD(struct_, type_, member_, ...) PARAM_FIELD_##type_(member_)
#define PARAM_FIELD_TEXT(member_) const char *member_;
#define PARAM_FIELD_UUID(member_) const char *member_;
#define PARAM_FIELD_UUID_GIVEN(member_) \
    const char *member_;                \
    bool member_##_given;
#define PARAM_FIELD_INT(member_) int64_t member_;
#define PARAM_FIELD_BOOL(member_) bool member_;
#define PARAM_FIELD_BOOL_GIVEN(member_) \
    bool member_;                       \
    bool member_##_given;
#define PARAM_FIELD_TEXTS(member_) const cJSON *member_;
#define PARAM_FIELD_UUIDS(member_) const cJSON *member_;
#define PARAM_FIELD_ID(member_) const cJSON *member_;
#define PARAM_ROW(struct_, type_, member_, ...) \
    {.name = #member_, .offset = offsetof(struct_, member_), PARAM_ROW_##type_(struct_, member_), __VA_ARGS__},
#define PARAM_ROW_TEXT(struct_, member_) .type = PARAM_TYPE_TEXT
#define PARAM_ROW_UUID(struct_, member_) .type = PARAM_TYPE_UUID
#define PARAM_ROW_UUID_GIVEN(struct_, member_) .type = PARAM_TYPE_UUID, .given = offsetof(struct_, member_##_given)
#define PARAM_ROW_INT(struct_, member_) .type = PARAM_TYPE_INT
#define PARAM_ROW_BOOL(struct_, member_) .type = PARAM_TYPE_BOOL
#define PARAM_ROW_BOOL_GIVEN(struct_, member_) .type = PARAM_TYPE_BOOL, .given = offsetof(struct_, member_##_given)
#define PARAM_ROW_TEXTS(struct_, member_) .type = PARAM_TYPE_TEXTS
#define PARAM_ROW_UUIDS(struct_, member_) .type = PARAM_TYPE_UUIDS
#define PARAM_ROW_ID(struct_, member_) .type = PARAM_TYPE_ID

struct call;

/* Appends one JSON value (the result) to `result`. false: `err` is the reply. Runs on a lane's worker. */
typedef bool method_handler(struct call *call, const void *params, struct buf *result, struct err *err);

/* Begins a handler that reads struct PARAMS_params: METHOD_HANDLER(create, create) { ... params->code ... }. A row that
 * names it with other params does not compile. */
#define METHOD_HANDLER(name_, params_)                                                                                \
    static bool name_(struct call *call, const struct params_##_params *params, struct buf *result, struct err *err); \
    static bool name_##_takes_##params_(struct call *call, const void *params, struct buf *result, struct err *err)   \
    {                                                                                                                 \
        return name_(call, params, result, err);                                                                      \
    }                                                                                                                 \
    static bool name_(struct call *call, const struct params_##_params *params, struct buf *result, struct err *err)
struct none_params;
#define none_spec NULL
enum { none_params_size = 0 };

enum { COST_ONE = 10 }; /* costs are tenths of a request: a preview costs 1 */

/* The beginning of a row: its name and params, and the handler or the query (whose single text column is the result).
 * rpc_check refuses a query that wants a value which no param has, and a param which the query does not use. */
#define METHOD_CALL(name_, params_, handler_) \
    .name = name_, .params = params_##_spec, .params_size = params_##_params_size, .handler = handler_##_takes_##params_
#define METHOD_QUERY(name_, params_, query_) \
    .name = name_, .params = params_##_spec, .params_size = params_##_params_size, .sql = query_

struct method {
    const char *name;
    const char *summary;     /* one sentence */
    const char *description; /* what a caller should know besides; NULL: nothing */
    enum access access;
    enum lane lane;
    int cost;                   /* in tenths of a request; 0: free */
    const struct param *params; /* ends with a zero row; NULL: none */
    size_t params_size;         /* of the struct they bind to */
    method_handler *handler;    /* or, instead: */
    enum query sql;             /* a query whose single text column is the result */
    const char *result;         /* what it looks like, see shape.h */
    const char *example;        /* params of a call, and a result of it: JSON with ' for " */
    const char *example_result;
    /* NULL, or the cost of this very call from its raw params (search.query with preview). */
    int (*cost_of)(const cJSON *params);
    /* NULL, or the lane of this very call (search.query where a service embeds). Constant while we serve. */
    enum lane (*lane_of)(const cJSON *params);
    bool keep;        /* a lost connection lets it finish (search.ask) */
    bool byte_bucket; /* has the upload bucket: cost_of gives bytes */
    bool exclusive;   /* changes who the session is: none of its other requests run beside it */
    bool batched;     /* sql only: those that wait with the same first value share a transaction, each as its person */
};

/* Who is asking, as the session knew it when the request came. The database decides again. */
struct caller {
    uint64_t session; /* number of the socket's session on this node; never reused */
    char user_id[37]; /* "" for nobody */
    char sid[37];     /* id of the row in auth.sessions that the token names */
    char role[8];     /* student teacher admin, or "" */
    char name[256];   /* the person's own name: redaction needs it */
    char institution_id[65];
    char address[64]; /* peer for limits and audit: IP, or "uid:1000" on the Unix socket */
};

/* A request on its way. Handlers use the functions below and call->tx, nothing else. */
struct call {
    const struct method *method;
    struct caller caller;
    struct tx *tx;       /* LANE_QUICK, LANE_LOGIN, LANE_CHAT: the caller's transaction, which a handler of one
                                * query ends itself with tx_query_commit(&call->tx, ...); else NULL */
    const char *token;   /* for call_tx(); never logged */
    const char *id_json; /* the request's id as JSON, NULL for a notification */
    bool commit_anyway;  /* set by a handler whose failure must be remembered (a wrong password) */
    void *rpc;           /* rpc.c's own */
};

/* Whether the caller has cancelled (rpc.cancel) or, unless method->keep, is gone. Any thread. */
bool call_cancelled(const struct call *call);
/* A notification to the caller's own socket, in order with its other notifications. `params` is one JSON object. */
void call_notify(struct call *call, const char *method, const char *params);
/* LANE_SLOW: a transaction as the caller. Waits for a free connection; ERR_BUSY past its limit. */
bool call_tx(struct call *call, struct tx **tx, struct err *err) MUST_CHECK;
/* After a successful login, resume or refresh: the caller's socket is that person from here on. */
void call_authenticated(struct call *call, const char *token, const cJSON *user, const char *sid,
                        const char *expires_at);
/* Close the caller's socket with 4401 and this reason once the reply is out (auth.logout). */
void call_close(struct call *call, const char *reason);
/* Once the reply is out: the caller's socket hears a room it has joined (notify_join), from behind line `seq`. */
void call_live(struct call *call, const char *room, int64_t seq);

/* The tables, each ended by a row with name NULL; main hands them to rpc. */
extern const struct method methods_server[], methods_auth[], methods_users[], methods_courses[], methods_profile[],
    methods_library[], methods_search[], methods_recommend[], methods_memory[], methods_chat[], methods_admin[];

#endif
