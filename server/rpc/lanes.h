/* lanes.h - bounded queues with threads of their own, so that slow work never stands before quick work.
 *
 * A lane_job is embedded in whatever its owner sends; `run` gets it back on one of the lane's threads. Where several wait
 * that have the same `run_many`, it gets them together, in their order, linked by `next`: what is done once for all of
 * them costs each less, the more there are.
 */
#ifndef SERVER_RPC_LANES_H
#define SERVER_RPC_LANES_H

#include <stdbool.h>
#include <stddef.h>

#include "server/rpc/method.h"

struct lane_job {
    struct lane_job *next;
    void (*run)(struct lane_job *job);
    void (*run_many)(struct lane_job *first); /* NULL: one by one */
};

enum { LANES_MANY = 16 }; /* at most at once */

struct lanes_settings {
    int threads[LANE_COUNT]; /* 0: the default for this machine */
    int places[LANE_COUNT];  /* most jobs that wait in a queue; 0: the default */
};

void lanes_start(const struct lanes_settings *settings);
/* Ends the threads once what is queued has run: its owner has marked it cancelled before. false: some
 * were still at work after `ms`, and are left behind. */
bool lanes_stop(int ms);
/* false: the lane is full. Any thread. */
bool lanes_submit(enum lane lane, struct lane_job *job);
/* When a place may be free, for retry_after_ms. */
long lanes_wait_ms(enum lane lane);
const char *lanes_name(enum lane lane);
void lanes_stats(enum lane lane, int *threads, int *waiting, int *running);

#endif
