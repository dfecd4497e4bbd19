/* err.h - what went wrong, twice: a sentence for the person, a line for the log.
 *
 * Fallible functions return a must-check bool and take `struct err *err` last; on failure they leave
 * their outputs untouched and end in `return err_set(err, ERR_X, "...")` or `err_say(...)`.
 * A struct err is plain memory without ownership: initialise with {0}, copy freely, never free.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))

/* name, JSON-RPC code, data.reason, the sentence a stranger may see */
#define ERR_LIST(X)                                                                                            \
    X(PARSE, -32700, "parse", "That was not readable as JSON.")                                                \
    X(INVALID_REQUEST, -32600, "invalid_request", "That is not a JSON-RPC 2.0 request.")                       \
    X(UNKNOWN_METHOD, -32601, "unknown_method", "This server has no such method.")                             \
    X(INVALID_PARAMS, -32602, "invalid_params", "Something in the request is missing or not as it should be.") \
    X(INTERNAL, -32603, "internal", "Something went wrong on the server.")                                     \
    X(UNAUTHENTICATED, -32001, "unauthenticated", "Please log in first.")                                      \
    X(FORBIDDEN, -32002, "forbidden", "You are not allowed to do this.")                                       \
    X(NOT_FOUND, -32003, "not_found", "This is not here, or no longer here.")                                  \
    X(CONFLICT, -32004, "conflict", "This exists already, or is not in a state that allows it.")               \
    X(RATE_LIMITED, -32005, "rate_limited", "That was a lot at once. Please wait a moment.")                   \
    X(BUSY, -32006, "busy", "The server has much to do. Please try again in a moment.")                        \
    X(UPSTREAM, -32007, "upstream", "A service that this server relies on did not answer.")                    \
    X(TOO_LARGE, -32008, "too_large", "That is larger than this server accepts.")                              \
    X(CANCELLED, -32009, "cancelled", "Cancelled.")

/* What only a client meets; no server sends these. */
#define ERR_LIST_LOCAL(X)                                                      \
    X(UNREACHABLE, -32090, "unreachable", "The server can't be reached.")      \
    X(UNTRUSTED, -32091, "untrusted", "This may not be your school's server.") \
    X(TIMEOUT, -32092, "timeout", "The server took too long to answer.")

enum err_code {
    ERR_NONE = 0,
#define ERR_ENUM(name, code, reason, text) ERR_##name,
    ERR_LIST(ERR_ENUM) ERR_LIST_LOCAL(ERR_ENUM)
#undef ERR_ENUM
        ERR_COUNT
};

struct err {
    enum err_code code;
    char log[400];       /* for the log: may name tables, files, errno; never secrets or document text */
    char say[300];       /* for the person; empty: the code's own sentence */
    char field[48];      /* invalid_params: the member that is wrong */
    char existing[40];   /* conflict: id of what is there already */
    char until[40];      /* forbidden (muted): RFC 3339 */
    char service[24];    /* upstream: which */
    char cause[16];      /* busy: disk; empty: no one thing */
    char incident[24];   /* internal: the number under which the log has it */
    long retry_after_ms; /* rate_limited, busy; 0: none */
    long long limit;     /* too_large; 0: none */
};

/* For the log only; the person sees the code's own sentence. Always false. err may be NULL. */
bool err_set(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* For the log and, word for word, for the person. Always false. err may be NULL. */
bool err_say(struct err *err, enum err_code code, const char *format, ...) PRINTF_LIKE(3, 4);
/* invalid_params that names its field: "FIELD SENTENCE" is what the person reads. Always false. */
bool err_field(struct err *err, const char *field, const char *format, ...) PRINTF_LIKE(3, 4);

int err_rpc_code(enum err_code code);            /* -32602 … */
const char *err_reason(enum err_code code);      /* "invalid_params" … */
const char *err_sentence(const struct err *err); /* what the person reads: say, or the code's own sentence */
/* The code of a reason word; ERR_INTERNAL for an unknown one. */
enum err_code err_from_reason(const char *reason);

#endif
