/* citations.h - the numbers in an answer: kept where they were given, removed where not, as the text streams by.
 *
 * Pure. "[2]", "[1, 3]", "[1-3]", "【2†source】" become "[2]", "[1][3]", "[1][2][3]", "[2]"; a number outside
 * 1..count goes, with the blank before it. What comes out adds up to the final answer.
 */
#ifndef SERVER_MODELS_CITATIONS_H
#define SERVER_MODELS_CITATIONS_H

#include <stdbool.h>

#include "common/buf.h"

struct citations {
    size_t count;       /* passages that were given */
    struct buf pending; /* may yet become a number */
    bool half;          /* what came out last is a bracket and perhaps digits: "[1" */
};

/* Appends to `out` what is decided. */
void citations_feed(struct citations *citations, const char *text, size_t length, struct buf *out);
void citations_end(struct citations *citations, struct buf *out);
void citations_free(struct citations *citations);

/* A number as the filter writes it, at *at: its value, and *at moves behind it; 0 where there is none. */
size_t citations_at(const char *text, size_t length, size_t *at);

#endif
