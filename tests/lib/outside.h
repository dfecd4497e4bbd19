/* outside.h - a school whose library an embedder from outside serves: a fake, and a node that is told of it. */
#ifndef TESTS_LIB_OUTSIDE_H
#define TESTS_LIB_OUTSIDE_H

#include "tests/lib/fake_models.h"
#include "tests/lib/harness.h"

/* Starts a node with EDURAG_EMBEDDINGS=`embeddings` and the fake as its service, every time on the same data. */
void outside_begin(struct harness *h, struct fake_models *fake, const char *embeddings);
/* Documents that a model whose name is like this serves. */
int outside_served_by(const struct harness *h, const char *model);
void outside_wait_served_by(const struct harness *h, const char *model, int documents);
/* How many results a search.query with these params has. */
int outside_results(struct ws *ws, const char *params);
/* Until a preview finds "enzymes". */
void outside_wait_found(struct ws *ws);

#endif
