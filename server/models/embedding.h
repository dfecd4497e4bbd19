/* embedding.h - what the two embedders share: a vector out of JSON, and whether a refusal means "too long".
 */
#ifndef SERVER_MODELS_EMBEDDING_H
#define SERVER_MODELS_EMBEDDING_H

#include "common/json.h"
#include "server/models/http.h"
#include "server/models/models.h"

/* `values`: an array of numbers. Learns e->dimensions where it is 0; checks it otherwise; scales to length 1.
 * `vector` has room for MODELS_DIMENSIONS_MOST where the dimensions are not known yet. */
bool embedding_read(struct models_embedder *e, const cJSON *values, float *vector, struct err *err) MUST_CHECK;
/* One request for `kind`: limits, repetitions, and an end when models_interrupt was called. */
bool embedding_send(struct models_embedder *e, enum models_text kind, const char *path, const char *body,
                    struct http_reply *reply, struct err *err) MUST_CHECK;
/* ERR_TOO_LARGE where the status and the sentence of a refusal say so, else as http_refused. Always false. */
bool embedding_refused(struct models_embedder *e, const struct http_reply *reply, struct err *err);

#endif
