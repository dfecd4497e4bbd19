/* index_sync_load.h - from the database's rows to a passage index: everything that differs, or one document. */
#ifndef SERVER_RETRIEVAL_INDEX_SYNC_LOAD_H
#define SERVER_RETRIEVAL_INDEX_SYNC_LOAD_H

#include <stdatomic.h>

#include "common/err.h"
#include "server/retrieval/passage_index.h"

/* Compares all documents, loads those that are new or changed, removes those that are gone. While `ready` is
 * false it takes two threads. What was done before a failure stays done. */
bool index_sync_load_all(struct passage_index *index, const atomic_bool *ready, struct err *err) MUST_CHECK;
/* One document as it is now, or not any more. */
bool index_sync_load_one(struct passage_index *index, const struct passage_index_id *id, struct err *err) MUST_CHECK;

#endif
