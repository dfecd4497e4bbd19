/* lanes.c - bounded queues with threads of their own, so that slow work never stands before quick work. */
#include "server/rpc/lanes.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"

struct lane_state {
    pthread_mutex_t lock; /* guards everything below */
    pthread_cond_t more;
    struct lane_job *first, *last;
    int places, waiting, running, count;
    bool ending;
    pthread_t *threads;
};

static struct lane_state lanes[LANE_COUNT];
static const char *const names[LANE_COUNT] = {"inline", "quick", "login", "slow", "chat"};

/* The first job, and those behind it that go with it. Under the lock. */
static struct lane_job *take(struct lane_state *lane, int *count)
{
    struct lane_job *first = lane->first, *last = first;
    for (*count = 1; first->run_many && last->next && last->next->run_many == first->run_many && *count < LANES_MANY;
         ++*count)
        last = last->next;
    lane->first = last->next;
    if (!lane->first)
        lane->last = NULL;
    last->next = NULL;
    lane->waiting -= *count;
    lane->running += *count;
    return first;
}

static void *work(void *argument)
{
    struct lane_state *lane = argument;
    pthread_mutex_lock(&lane->lock);
    for (;;) {
        while (!lane->first && !lane->ending)
            pthread_cond_wait(&lane->more, &lane->lock);
        if (!lane->first)
            break;
        int count;
        struct lane_job *job = take(lane, &count);
        pthread_mutex_unlock(&lane->lock);
        if (count > 1)
            job->run_many(job);
        else
            job->run(job);
        pthread_mutex_lock(&lane->lock);
        lane->running -= count;
    }
    pthread_mutex_unlock(&lane->lock);
    return NULL;
}

static int default_threads(enum lane lane)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    int n = cores < 1 ? 1 : cores > 32 ? 32 : (int)cores;
    switch (lane) {
    case LANE_QUICK: return 2 * n < 4 ? 4 : 2 * n;
    case LANE_LOGIN: return n;
    case LANE_SLOW: return 4 * n < 8 ? 8 : 4 * n;
    case LANE_CHAT: return 1;
    default: return 0;
    }
}

void lanes_start(const struct lanes_settings *settings)
{
    static const int places[LANE_COUNT] = {0, 2048, 512, 512, 2048};
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's business */
    for (int i = LANE_QUICK; i < LANE_COUNT; i++) {
        struct lane_state *lane = &lanes[i];
        *lane = (struct lane_state){.places = settings->places[i] ? settings->places[i] : places[i]};
        pthread_mutex_init(&lane->lock, NULL);
        pthread_cond_init(&lane->more, NULL);
        int wanted = settings->threads[i] ? settings->threads[i] : default_threads((enum lane)i);
        lane->threads = mem_array((size_t)wanted, sizeof *lane->threads);
        while (lane->count < wanted && !pthread_create(&lane->threads[lane->count], NULL, work, lane)) {
            char name[16];
            snprintf(name, sizeof name, "%s-%d", names[i], lane->count);
            pthread_setname_np(lane->threads[lane->count++], name);
        }
        if (!lane->count) {
            log_event(LOG_ERROR, "no_threads", "lane=%s", names[i]);
            abort();
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

bool lanes_stop(int ms)
{
    bool all = true;
    int64_t until = wait_now() + ms;
    for (int i = LANE_QUICK; i < LANE_COUNT; i++) {
        struct lane_state *lane = &lanes[i];
        pthread_mutex_lock(&lane->lock);
        lane->ending = true;
        pthread_cond_broadcast(&lane->more);
        pthread_mutex_unlock(&lane->lock);
    }
    for (int i = LANE_QUICK; i < LANE_COUNT; i++) {
        struct lane_state *lane = &lanes[i];
        bool ended = true;
        for (int j = 0; j < lane->count; j++)
            ended = wait_thread(lane->threads[j], until) && ended;
        all = all && ended;
        if (!ended)
            continue;
        free(lane->threads);
        pthread_cond_destroy(&lane->more);
        pthread_mutex_destroy(&lane->lock);
        *lane = (struct lane_state){0};
    }
    return all;
}

bool lanes_submit(enum lane which, struct lane_job *job)
{
    struct lane_state *lane = &lanes[which];
    job->next = NULL;
    pthread_mutex_lock(&lane->lock);
    bool room = lane->waiting < lane->places && !lane->ending;
    if (room) {
        if (lane->last)
            lane->last->next = job;
        else
            lane->first = job;
        lane->last = job;
        lane->waiting++;
    }
    pthread_mutex_unlock(&lane->lock);
    if (room)
        pthread_cond_signal(&lane->more); /* outside, or whom it wakes would wait for the lock at once */
    return room;
}

long lanes_wait_ms(enum lane lane)
{
    return lane == LANE_QUICK || lane == LANE_CHAT ? 500 : 2000;
}

const char *lanes_name(enum lane lane)
{
    return names[lane];
}

void lanes_stats(enum lane which, int *threads, int *waiting, int *running)
{
    struct lane_state *lane = &lanes[which];
    pthread_mutex_lock(&lane->lock);
    *threads = lane->count;
    *waiting = lane->waiting;
    *running = lane->running;
    pthread_mutex_unlock(&lane->lock);
}
