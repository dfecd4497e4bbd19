/* gemini.h - Google's Gemini, by its REST interface v1beta. Part of models.c, which opens and frees. */
#ifndef SERVER_MODELS_GEMINI_H
#define SERVER_MODELS_GEMINI_H

#include "server/models/models.h"

bool gemini_generate(struct models_generator *g, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err);
bool gemini_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err);

#endif
