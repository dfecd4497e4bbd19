/* hashed.h - vectors for a library too small to learn from: each stem adds to two of 256 places.
 *
 * A plain function of the text, so every node makes the same ones. They rank poorly beside BM25 and
 * serve with weight 0.
 */
#ifndef SERVER_RETRIEVAL_HASHED_H
#define SERVER_RETRIEVAL_HASHED_H

#include <stddef.h>

#include "server/retrieval/tokens.h"

#define HASHED_NAME "builtin-hashed-1"
enum { HASHED_DIMENSIONS = 256 };

/* Length 1, or all zero for a text without words. */
void hashed_embed(struct tokens *tokens, const char *text, size_t length, float vector[HASHED_DIMENSIONS]);

#endif
