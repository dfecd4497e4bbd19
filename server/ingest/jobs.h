/* jobs.h - what an accepted upload becomes: indexed, or failed with a sentence, whatever dies on the way.
 *
 * EDURAG_INDEXERS threads claim rows of index_jobs with a lease; one more keeps the leases and tells how far
 * they are, at most twice a second. A node that dies loses its leases, and another takes over. Every
 * node hears of every job (NOTIFY edurag_job) and tells who watches.
 */
#ifndef INGEST_JOBS_H
#define INGEST_JOBS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { JOBS_STATES = 6 };
extern const char *const jobs_states[JOBS_STATES]; /* "queued" to "failed" */
struct jobs_counts {
    int64_t count[JOBS_STATES];
};

/* Before listen_start. */
void jobs_listen(void);
/* When pools and embedder are there. Without the extractor nothing is claimed: the log says so. */
bool jobs_start(struct err *err) MUST_CHECK;
/* Gives unfinished jobs back. false: a thread did not end in time and still holds what it holds. */
bool jobs_stop(void) MUST_CHECK;
/* The whole school's, as of some seconds ago, and a wish to have them fresher next time: never waits. false:
 * they have not been counted yet. */
bool jobs_counts(struct jobs_counts *counts);

#endif
