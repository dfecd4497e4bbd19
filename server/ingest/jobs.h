/* jobs.h - what an accepted upload becomes: indexed, or failed with a sentence, whatever dies on the way.
 *
 * EDURAG_INDEXERS threads claim rows of index_jobs with a lease; one more keeps the leases and tells how far
 * they are, at most twice a second. A node that dies loses its leases, and another takes over. Every
 * node hears of every job (NOTIFY edurag_job) and tells who watches.
 */
#ifndef INGEST_JOBS_H
#define INGEST_JOBS_H

#include <stdbool.h>

#include "common/err.h"

/* Before listen_start. */
void jobs_listen(void);
/* When pools and embedder are there. Without the extractor nothing is claimed: the log says so. */
bool jobs_start(struct err *err) MUST_CHECK;
/* Gives unfinished jobs back. false: a thread did not end in time and still holds what it holds. */
bool jobs_stop(void) MUST_CHECK;

#endif
