/* index_sync.h - this node's passages in memory, loaded from the database and kept true.
 *
 * Filled at start; afterwards edurag_index names the documents that changed, and a comparison of all of them
 * runs every half minute and after a lost connection. What it answers is a hint: callers fetch the rows as
 * the person who asks, so that it can never show what the database would not.
 */
#ifndef SERVER_RETRIEVAL_INDEX_SYNC_H
#define SERVER_RETRIEVAL_INDEX_SYNC_H

#include "common/err.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/passage_index.h"

/* After the pools are open and embed_start, before listen_start. Returns at once: loading goes on behind. */
bool index_sync_start(struct err *err) MUST_CHECK;
void index_sync_stop(void);
bool index_sync_ready(void); /* everything that was there at start has been loaded */
/* The passages themselves; NULL before index_sync_start. */
struct passage_index *index_sync_index(void);
/* As passage_index_search, with the question embedded by the models that serve; `vector` is what the outside one made
 * of it. ERR_BUSY until ready. */
bool index_sync_search(const struct passage_index_searcher *searcher, const char *query,
                       const struct embed_question *vector, size_t most, struct passage_index_result *answer,
                       struct err *err) MUST_CHECK;

#endif
