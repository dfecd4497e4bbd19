/* retry.h - what a service says about when to come back.
 *
 * Read in this order: the headers retry-after-ms and Retry-After (seconds or an HTTP date), Google's
 * RetryInfo in the body, "retry in 36.4s" in its message. An exhausted day or a missing plan: never.
 */
#ifndef SERVER_MODELS_RETRY_H
#define SERVER_MODELS_RETRY_H

#include <stddef.h>
#include <time.h>

enum { RETRY_UNSAID = -1, RETRY_NEVER = -2 };

/* Milliseconds, RETRY_UNSAID or RETRY_NEVER. Headers may be NULL. `now` for HTTP dates. */
long retry_after(const char *header_ms, const char *header, const char *body, size_t length, time_t now);
/* The pause before attempt number `attempt` (1 is the first repetition) where the service said nothing:
 * 500 ms doubled each time, at most 8 s, moved by up to a quarter by `dice` (0-1). */
long retry_pause(int attempt, double dice);

#endif
