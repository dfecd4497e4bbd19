/* hindsight.h - the client of an outside memory service: Hindsight 0.4 to 0.10 over HTTP.
 *
 * Every call waits for the network: from the slow lane or a worker, never inside a transaction, from any
 * thread. Every text that leaves passes redact_text here, with the person it belongs to (NULL: it has
 * passed with that person before). A person's bank is their user_id.
 *
 * On failure err->code says what to do: ERR_UPSTREAM: try again later (err->retry_after_ms where the
 * service said when); ERR_INVALID_PARAMS: the service will never take it; ERR_CONFLICT: that operation id
 * is spent, take a new one; ERR_CANCELLED. err->log has no text of a person in it.
 */
#ifndef SERVER_MEMORY_HINDSIGHT_H
#define SERVER_MEMORY_HINDSIGHT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "server/memory/redact.h"

struct hindsight;

struct hindsight_settings {
    const char *url, *api_key; /* HINDSIGHT_URL, HINDSIGHT_API_KEY ("" or NULL: none) */
    int64_t recall_ms;         /* HINDSIGHT_TIMEOUT; 0: 6 s */
    int64_t reflect_ms;        /* 0: 120 s */
    int64_t other_ms;          /* retain, polling, deletes; 0: 15 s */
    bool allow_insecure;       /* plain http beyond loopback */
    int64_t breaker_pause_ms;  /* 0: 5 s, doubling to 5 min */
    const char *extra_header;  /* tests */
};

bool hindsight_open(const struct hindsight_settings *settings, struct hindsight **h, struct err *err) MUST_CHECK;
void hindsight_close(struct hindsight *h); /* NULL is fine; no call may be under way */

/* Whether it answers now (asks /health), and its version ("" where it does not say). */
bool hindsight_status(struct hindsight *h, char version[32], struct err *err) MUST_CHECK;
bool hindsight_reachable(struct hindsight *h); /* without asking: none of its breakers is open */

/* Makes the bank, or changes it: no derived observations, so that forgetting a fact leaves nothing behind. */
bool hindsight_bank(struct hindsight *h, const char *bank, struct err *err) MUST_CHECK;

struct hindsight_fact {
    const char *fact_id;      /* becomes document_id: sent twice it is one */
    const char *operation_id; /* a UUID: the same for a resend, a new one after a failed operation */
    const char *fact;
    const char *source; /* "search" … */
    const char *at;     /* RFC 3339 */
};
enum hindsight_state {
    HINDSIGHT_PENDING,
    HINDSIGHT_COMPLETED,
    HINDSIGHT_FAILED,
    HINDSIGHT_UNKNOWN /* forgotten by the service: send again */
};

/* Accepted is not yet done: `state` is PENDING and `operation` the id to ask with (older versions choose their
 * own), or COMPLETED where the service worked at once. A time-out does not mean that it was not taken. */
bool hindsight_retain(struct hindsight *h, const char *bank, const struct redact_person *person,
                      const struct hindsight_fact *fact, char operation[40], enum hindsight_state *state,
                      struct err *err) MUST_CHECK;
/* `message` (may be NULL): why it FAILED. */
bool hindsight_operation(struct hindsight *h, const char *bank, const char *operation, enum hindsight_state *state,
                         char message[200], struct err *err) MUST_CHECK;
bool hindsight_cancel(struct hindsight *h, const char *bank, const char *operation, struct err *err)
    MUST_CHECK; /* pending, or gone */

struct hindsight_memory {
    char *fact_id;   /* document_id; NULL: derived by the service itself */
    char *text, *at; /* at may be NULL */
    double score;    /* 1 for the first, falling with the rank */
};
struct hindsight_memories {
    struct hindsight_memory *items;
    size_t count;
};
void hindsight_memories_free(struct hindsight_memories *memories); /* leaves {0} */

/* Best first, at most `limit`. A bank that does not exist yet is empty. Ends within recall_ms. */
bool hindsight_recall(struct hindsight *h, const char *bank, const struct redact_person *person, const char *query,
                      size_t limit, bool (*cancelled)(void *context), void *context,
                      struct hindsight_memories *memories, struct err *err) MUST_CHECK;
/* Prose about the bank, appended to `text`. Ends within reflect_ms. */
bool hindsight_reflect(struct hindsight *h, const char *bank, const struct redact_person *person, const char *query,
                       bool (*cancelled)(void *context), void *context, struct buf *text, struct err *err) MUST_CHECK;

/* Gone is gone: what the service does not know counts as forgotten. `memories` (may be NULL): how many it deleted. */
bool hindsight_forget(struct hindsight *h, const char *bank, const char *fact_id, int64_t *memories, struct err *err)
    MUST_CHECK;
bool hindsight_forget_bank(struct hindsight *h, const char *bank, int64_t *memories, struct err *err) MUST_CHECK;

#endif
