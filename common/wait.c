/* wait.c - waiting for a condition for a while, by the clock that nobody sets. */
#include "common/wait.h"

#include <time.h>

int64_t wait_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct timespec at_ms(int64_t until)
{
    return (struct timespec){.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
}

bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until)
{
    struct timespec at = at_ms(until);
    return pthread_cond_clockwait(cond, lock, CLOCK_MONOTONIC, &at) == 0;
}

/* pthread_clockjoin_np would say it in one call, but the thread sanitizer of gcc 12 does not know that it joins. */
bool wait_thread(pthread_t thread, int64_t until)
{
    bool joined;
    while (!(joined = pthread_tryjoin_np(thread, NULL) == 0) && wait_now() < until)
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    return joined;
}
