/* breaker.c - stops asking a service that does not answer, and lets a probe find out when it is back. */
#include "server/models/breaker.h"

void breaker_init(struct breaker *b, int failures, int64_t pause_ms, int64_t pause_most_ms)
{
    *b = (struct breaker){.failures = failures, .pause_ms = pause_ms, .pause_most_ms = pause_most_ms};
    pthread_mutex_init(&b->lock, NULL);
}

void breaker_destroy(struct breaker *b)
{
    pthread_mutex_destroy(&b->lock);
}

static bool open_now(const struct breaker *b)
{
    return b->in_a_row >= b->failures;
}

bool breaker_ask(struct breaker *b, int64_t now)
{
    pthread_mutex_lock(&b->lock);
    bool may = !open_now(b) || (now >= b->until && !b->probing);
    if (may && open_now(b))
        b->probing = true;
    pthread_mutex_unlock(&b->lock);
    return may;
}

void breaker_tell(struct breaker *b, bool fine, int64_t now)
{
    pthread_mutex_lock(&b->lock);
    b->probing = false;
    if (fine) {
        b->in_a_row = 0;
        b->pause = 0;
    } else if (++b->in_a_row >= b->failures && now >= b->until) {
        b->pause = b->pause ? b->pause * 2 : b->pause_ms;
        if (b->pause > b->pause_most_ms)
            b->pause = b->pause_most_ms;
        b->until = now + b->pause;
    }
    pthread_mutex_unlock(&b->lock);
}

void breaker_drop(struct breaker *b)
{
    pthread_mutex_lock(&b->lock);
    b->probing = false;
    pthread_mutex_unlock(&b->lock);
}

int64_t breaker_wait(struct breaker *b, int64_t now)
{
    pthread_mutex_lock(&b->lock);
    int64_t wait = open_now(b) && b->until > now ? b->until - now : 0;
    pthread_mutex_unlock(&b->lock);
    return wait;
}

bool breaker_closed(struct breaker *b)
{
    pthread_mutex_lock(&b->lock);
    bool closed = !open_now(b);
    pthread_mutex_unlock(&b->lock);
    return closed;
}
