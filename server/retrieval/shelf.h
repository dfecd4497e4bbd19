/* shelf.h - this node's passages in memory, loaded from the database and kept true.
 *
 * Filled at start; afterwards edurag_index names the documents that changed, and a comparison of all of them
 * runs every half minute and after a lost connection. What it answers is a hint: callers fetch the rows as
 * the person who asks, so that it can never show what the database would not.
 */
#ifndef SERVER_RETRIEVAL_SHELF_H
#define SERVER_RETRIEVAL_SHELF_H

#include "common/err.h"
#include "server/retrieval/stock.h"

/* After the pools are open and embed_start, before listen_start. Returns at once: loading goes on behind. */
bool shelf_start(struct err *err) MUST_CHECK;
void shelf_stop(void);
bool shelf_ready(void); /* everything that was there at start has been loaded */
/* The passages themselves; NULL before shelf_start. */
struct stock *shelf_stock(void);
/* As stock_search, with each question embedded by the models that serve. ERR_BUSY until ready. */
bool shelf_search(const struct stock_asker *asker, const char *query, size_t most, struct stock_answer *answer,
                  struct err *err) MUST_CHECK;

#endif
