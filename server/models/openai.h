/* openai.h - any server that speaks OpenAI's chat completions and embeddings (OpenAI, Ollama, llama.cpp,
 * vLLM, …). Part of models.c, which opens and frees. */
#ifndef SERVER_MODELS_OPENAI_H
#define SERVER_MODELS_OPENAI_H

#include "server/models/models.h"

bool openai_generate(struct models_generator *g, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err);
bool openai_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err);

#endif
