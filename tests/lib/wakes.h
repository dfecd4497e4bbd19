/* wakes.h - what wakes a sleeping program, and what for: seen through its system calls. */
#ifndef TESTS_LIB_WAKES_H
#define TESTS_LIB_WAKES_H

#include <stdbool.h>
#include <sys/types.h>

struct wakes {
    int pings;  /* a WebSocket ping came, and is answered */
    int timers; /* a wait ended because its time was over */
    int others; /* a descriptor was ready for something else */
};

/* Watches a child of ours for so long; it has one thread. False where that is not allowed here. */
bool wakes_watch(pid_t pid, int ms, struct wakes *wakes);

#endif
