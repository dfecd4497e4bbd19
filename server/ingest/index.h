/* index.h - one job's work, from the file's bytes to passages with vectors, stored in one transaction.
 *
 * Runs on an indexer's thread, in short transactions as the worker. What it counts is read by the keeper of
 * the lease (jobs.c), which also says when to stop.
 */
#ifndef INGEST_INDEX_H
#define INGEST_INDEX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "common/err.h"

enum index_state { INDEX_EXTRACTING, INDEX_EMBEDDING, INDEX_STORING };

struct index_job {
    char job_id[37], lease[37], pdf_id[37];
    bool embed;      /* new vectors for the passages that are there */
    char model[128]; /* of an embed job */
    int attempt;
    atomic_int state; /* enum index_state */
    atomic_int pages_total, pages_done, pages_without_text, chunks_total, chunks_done;
    atomic_bool stop; /* the lease is lost, or the server is stopping */
};

/* false: the job failed, and trying it again is no use where err->code is ERR_INVALID_PARAMS; ERR_CANCELLED: it
 * was stopped, or another has it now. */
bool index_run(struct index_job *job, struct err *err) MUST_CHECK;

#endif
