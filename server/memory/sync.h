/* sync.h - one round of sending facts to the outside memory service, and of erasing there.
 *
 * Rows are claimed for a minute (run_after is the lease), so several nodes share the work and a node that
 * dies gives it back. A fact has arrived when its operation has completed, not when it was accepted. An
 * outage delays and counts for nothing; a fact that the service itself refuses five times has failed.
 */
#ifndef SERVER_MEMORY_SYNC_H
#define SERVER_MEMORY_SYNC_H

#include <stdbool.h>

struct hindsight;

/* Both return how many rows they handled: more may be due where it is SYNC_BATCH. -1: not now (database or
 * service away). `stop` is asked between rows. */
enum { SYNC_BATCH = 16 };
int sync_facts(struct hindsight *h, bool (*stop)(void));
int sync_erasures(struct hindsight *h, bool (*stop)(void));

#endif
