/* wait.h - waiting for a condition for a while, by the clock that nobody sets.
 *
 * A wait until a wall time lasts an hour longer where the wall clock is put back by one.
 */
#ifndef COMMON_WAIT_H
#define COMMON_WAIT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

int64_t wait_now(void); /* milliseconds of the monotonic clock */
/* Any condition, with its lock held; false once wait_now() has reached `until`. May wake for nothing. */
bool wait_until(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t until);
/* Joins a thread; false where it has not ended when wait_now() reaches `until`. */
bool wait_thread(pthread_t thread, int64_t until);

#endif
