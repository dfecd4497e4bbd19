/* shelf_load.h - from the database's rows to a stock: everything that differs, or one document. */
#ifndef SERVER_RETRIEVAL_SHELF_LOAD_H
#define SERVER_RETRIEVAL_SHELF_LOAD_H

#include <stdatomic.h>

#include "common/err.h"
#include "server/retrieval/stock.h"

/* Compares all documents, loads those that are new or changed, removes those that are gone. While `ready` is
 * false it takes two threads. What was done before a failure stays done. */
bool shelf_load_all(struct stock *stock, const atomic_bool *ready, struct err *err) MUST_CHECK;
/* One document as it is now, or not any more. */
bool shelf_load_one(struct stock *stock, const struct stock_id *id, struct err *err) MUST_CHECK;

#endif
