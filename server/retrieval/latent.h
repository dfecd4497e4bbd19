/* latent.h - latent semantic vectors of 128 dimensions, fitted on the texts of a lexical index.
 *
 * A text's stems, weighted (1 + log times) * idf, are projected on the leading right singular vectors of the
 * passages' matrix (Deerwester and others 1990) and scaled to length 1. New texts fold in by the same sum.
 * A fitted model is constant: any thread may embed with it.
 */
#ifndef SERVER_RETRIEVAL_LATENT_H
#define SERVER_RETRIEVAL_LATENT_H

#include "common/buf.h"
#include "common/err.h"
#include "server/retrieval/lexical.h"

enum { LATENT_DIMENSIONS = 128, LATENT_TEXTS_LEAST = 500, LATENT_TEXTS_MOST = 50000, LATENT_TERMS_MOST = 60000 };

struct latent;
void latent_free(struct latent *latent);

/* What a fit needs of an index, copied out so that the index may change meanwhile. */
struct latent_sample;
struct latent_sample *latent_sample(const struct lexical *lexical, const uint64_t *bits);
void latent_sample_free(struct latent_sample *sample);
/* NULL when stopped. Seconds of work; asks `stop` in between. */
struct latent *latent_fit(struct latent_sample *sample, bool (*stop)(void *), void *context);

/* Length 1, or all zero where no word is known. */
void latent_embed(const struct latent *latent, struct tokens *tokens, const char *text, size_t length,
                  float vector[LATENT_DIMENSIONS]);
/* The same of stems that a lexical index has already cut. */
void latent_embed_stems(const struct latent *latent, const char *const *stems, size_t count,
                        float vector[LATENT_DIMENSIONS]);

/* As stored in embedding_models: the number of terms and the length of their text (4 bytes each), the stems
 * one a line, their idf and scale as floats, the projection in 8 bits; little-endian. */
void latent_store(const struct latent *latent, struct buf *out);
struct latent *latent_load(const void *bytes, size_t length, struct err *err) MUST_CHECK;
size_t latent_bytes(const struct latent *latent);

#endif
