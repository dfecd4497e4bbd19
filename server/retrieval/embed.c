/* embed.c - texts to vectors: the model that serves now, by its name. */
#include "server/retrieval/embed.h"

#include <string.h>

#include "common/mem.h"
#include "server/retrieval/hashed.h"

static const struct embed_model hashed = {HASHED_NAME, HASHED_DIMENSIONS, 0};

void embed_current(struct embed_model *model)
{
    *model = hashed;
}

bool embed_find(const char *name, struct embed_model *model)
{
    if (strcmp(name, hashed.name) != 0)
        return false;
    *model = hashed;
    return true;
}

bool embed_texts(const char *model, enum embed_kind kind, const char *const *texts, size_t count, float *vectors,
                 struct err *err)
{
    (void)kind;
    struct embed_model found;
    if (!embed_find(model, &found))
        return err_set(err, ERR_CONFLICT, "embedding model %s is gone", model);
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    for (size_t i = 0; i < count; i++)
        hashed_embed(tokens, texts[i], strlen(texts[i]), vectors + i * found.dimensions);
    return true;
}
