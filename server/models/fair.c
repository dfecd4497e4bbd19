/* fair.c - a few places for slow work, given round robin by person. */
#include "server/models/fair.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/wait.h"

enum { TICK_MS = 50, PERSON_MOST = 64 };

/* One who waits or is at work. */
struct entry {
    char person[PERSON_MOST];
    uint64_t round, ticket;
    bool at_work;
    struct entry *next;
};

struct fair {
    int places;
    pthread_mutex_t lock; /* everything below */
    pthread_cond_t moved;
    struct entry *entries;  /* in no order */
    uint64_t round, ticket; /* of who was let in last; the next to give */
    int at_work, waiting;
};

struct fair *fair_new(int places)
{
    struct fair *fair = mem_alloc(sizeof *fair);
    fair->places = places;
    pthread_mutex_init(&fair->lock, NULL);
    pthread_cond_init(&fair->moved, NULL);
    return fair;
}

void fair_free(struct fair *fair)
{
    if (!fair)
        return;
    pthread_cond_destroy(&fair->moved);
    pthread_mutex_destroy(&fair->lock);
    free(fair);
}

static struct entry *entry_add(struct fair *fair, const char *person)
{
    struct entry *entry = mem_alloc(sizeof *entry);
    snprintf(entry->person, sizeof entry->person, "%s", person);
    entry->round = fair->round;
    entry->ticket = fair->ticket++;
    for (const struct entry *e = fair->entries; e; e = e->next)
        if (!strcmp(e->person, entry->person) && e->round >= entry->round)
            entry->round = e->round + 1;
    entry->next = fair->entries;
    fair->entries = entry;
    fair->waiting++;
    return entry;
}

static void entry_remove(struct fair *fair, struct entry *entry)
{
    struct entry **at = &fair->entries;
    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    free(entry);
}

/* How many are let in before this one, plus one. */
static int position_of(const struct fair *fair, const struct entry *entry)
{
    int before = 1;
    for (const struct entry *e = fair->entries; e; e = e->next)
        before += !e->at_work && (e->round < entry->round || (e->round == entry->round && e->ticket < entry->ticket));
    return before;
}

static void wait_a_tick(struct fair *fair)
{
    wait_until(&fair->moved, &fair->lock, wait_now() + TICK_MS);
}

/* Under the lock, which is let go for the waiter's own functions. true: cancelled. */
static bool tell(struct fair *fair, const struct fair_waiter *waiter, int position, int *told)
{
    bool changed = waiter->position && position != *told;
    pthread_mutex_unlock(&fair->lock);
    if (changed)
        waiter->position(waiter->context, position);
    *told = position;
    bool cancelled = waiter->cancelled && waiter->cancelled(waiter->context);
    pthread_mutex_lock(&fair->lock);
    return cancelled;
}

bool fair_enter(struct fair *fair, const char *person, const struct fair_waiter *waiter, struct err *err)
{
    int told = 0;
    bool cancelled = false;
    pthread_mutex_lock(&fair->lock);
    struct entry *entry = entry_add(fair, person);
    for (;;) {
        int position = position_of(fair, entry);
        if (position == 1 && fair->at_work < fair->places)
            break;
        cancelled = tell(fair, waiter, position, &told);
        if (cancelled)
            break;
        position = position_of(fair, entry);
        if (position != told || (position == 1 && fair->at_work < fair->places))
            continue;
        wait_a_tick(fair);
    }
    fair->waiting--;
    if (cancelled) {
        entry_remove(fair, entry);
    } else {
        entry->at_work = true;
        fair->at_work++;
        fair->round = entry->round > fair->round ? entry->round : fair->round;
    }
    pthread_cond_broadcast(&fair->moved);
    pthread_mutex_unlock(&fair->lock);
    return !cancelled || err_set(err, ERR_CANCELLED, "cancelled while waiting for a place");
}

void fair_leave(struct fair *fair, const char *person)
{
    pthread_mutex_lock(&fair->lock);
    for (struct entry *e = fair->entries; e; e = e->next)
        if (e->at_work && !strcmp(e->person, person)) {
            entry_remove(fair, e);
            fair->at_work--;
            break;
        }
    pthread_cond_broadcast(&fair->moved);
    pthread_mutex_unlock(&fair->lock);
}

void fair_stats(struct fair *fair, int *at_work, int *waiting)
{
    pthread_mutex_lock(&fair->lock);
    *at_work = fair->at_work;
    *waiting = fair->waiting;
    pthread_mutex_unlock(&fair->lock);
}
