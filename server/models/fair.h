/* fair.h - a few places for slow work, given round robin by person: who asks ten times waits behind who asks once.
 *
 * Within a round the earlier comes first; a person's further requests, those at work included, count for later
 * rounds. Any thread; fair_enter waits on the caller's own.
 */
#ifndef SERVER_MODELS_FAIR_H
#define SERVER_MODELS_FAIR_H

#include "common/err.h"

struct fair;

struct fair_waiter {
    void (*position)(void *context, int position); /* 1: next; told when it changes. May be NULL */
    bool (*cancelled)(void *context);              /* asked at least every 50 ms. May be NULL */
    void *context;
};

struct fair *fair_new(int places);
void fair_free(struct fair *fair); /* nobody is in it */
/* Waits for a place. ERR_CANCELLED: none was taken. */
bool fair_enter(struct fair *fair, const char *person, const struct fair_waiter *waiter, struct err *err) MUST_CHECK;
void fair_leave(struct fair *fair, const char *person);
void fair_stats(struct fair *fair, int *at_work, int *waiting);

#endif
