/* breaker.h - stops asking a service that does not answer, and lets a probe find out when it is back.
 *
 * Closed until `failures` calls in a row have failed; then open for a pause that doubles from `pause_ms`
 * to `pause_most_ms`; when it is over one call at a time may try. One success closes it.
 * Thread-safe. Times are milliseconds of a clock that never goes back, given by the caller.
 */
#ifndef SERVER_MODELS_BREAKER_H
#define SERVER_MODELS_BREAKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct breaker {
    int failures;
    int64_t pause_ms, pause_most_ms;
    /* Under the lock. */
    pthread_mutex_t lock;
    int in_a_row;
    int64_t pause, until;
    bool probing;
};

void breaker_init(struct breaker *b, int failures, int64_t pause_ms, int64_t pause_most_ms);
void breaker_destroy(struct breaker *b);
/* Whether a call may be made now. After true, breaker_tell or breaker_drop must follow. */
bool breaker_ask(struct breaker *b, int64_t now);
void breaker_tell(struct breaker *b, bool fine, int64_t now);
void breaker_drop(struct breaker *b); /* the call says nothing about the service (cancelled) */
/* Milliseconds until it may be asked again; 0: now. */
int64_t breaker_wait(struct breaker *b, int64_t now);
bool breaker_closed(struct breaker *b);

#endif
