/* embed.c - texts to vectors: the model that serves now, by its name. */
#include "server/retrieval/embed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/hashed.h"
#include "server/retrieval/latent.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum { KNOWN_MOST = 8 };

/* A model that can embed here. Fitted ones are read from the database once and are constant. */
struct known {
    struct embed_model model;
    struct latent *latent; /* NULL: hashed */
};

static struct {
    pthread_rwlock_t lock; /* everything below */
    struct known known[KNOWN_MOST];
    size_t count, current;
} state = {.lock = PTHREAD_RWLOCK_INITIALIZER, .known = {{.model = {HASHED_NAME, HASHED_DIMENSIONS, 0}}}, .count = 1};

static struct known *find(struct known *known, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(known[i].model.name, name))
            return &known[i];
    return NULL;
}

static struct latent *load(struct tx *tx, const char *name, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    const struct bind bind = BIND_TEXT(name);
    size_t length;
    if (!tx_query_binary(tx, SQL_EMBED_PARAMETERS, &bind, 1, &rows, err))
        return NULL;
    const char *bytes = rows_count(rows) ? rows_bytes(rows, 0, 0, &length) : NULL;
    if (!bytes) {
        err_set(err, ERR_NOT_FOUND, "model %s has no parameters", name);
        return NULL;
    }
    return latent_load(bytes, length, err);
}

/* Takes over what is known already, so that a fitted model is loaded once. Only this thread changes the
 * known ones, so they may be read here without the lock. */
static bool gather(struct tx *tx, struct known *fresh, size_t *count, size_t *current, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run0(tx, SQL_EMBED_MODELS, &rows, err))
        return false;
    fresh[0] = (struct known){.model = {HASHED_NAME, HASHED_DIMENSIONS, 0}};
    *count = 1;
    *current = 0;
    for (int row = 0; row < rows_count(rows) && *count < KNOWN_MOST; row++) {
        const char *name = rows_text(rows, row, 0);
        bool fitted = !strcmp(rows_text(rows, row, 1), "builtin") && rows_bool(rows, row, 6);
        if (fitted && strlen(name) < EMBED_NAME_MOST && rows_int(rows, row, 2, 0) == LATENT_DIMENSIONS) {
            struct known *old = find(state.known, state.count, name), *new = &fresh[*count];
            *new = (struct known){.model = {.dimensions = LATENT_DIMENSIONS, .weight = strtod(rows_text(rows, row, 3), NULL)},
                                  .latent = old ? old->latent : load(tx, name, err)};
            snprintf(new->model.name, sizeof new->model.name, "%s", name);
            if (!new->latent)
                return false;
            ++*count;
        }
        if (!strcmp(rows_text(rows, row, 4), "current") && find(fresh, *count, name))
            *current = (size_t)(find(fresh, *count, name) - fresh);
    }
    return true;
}

static void drop_missing(struct known *from, size_t from_count, struct known *kept, size_t kept_count)
{
    for (size_t i = 0; i < from_count; i++) {
        struct known *same = find(kept, kept_count, from[i].model.name);
        if (!same || same->latent != from[i].latent)
            latent_free(from[i].latent);
    }
}

bool embed_refresh(struct err *err)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    struct known fresh[KNOWN_MOST], old[KNOWN_MOST];
    size_t count = 0, current = 0, old_count;
    AUTO(tx_free) struct tx *tx = NULL;
    if (!tx_begin(pool_worker(), NULL, &tx, err))
        return false;
    pthread_mutex_lock(&one);
    bool read = gather(tx, fresh, &count, &current, err);
    if (!read) {
        drop_missing(fresh, count, state.known, state.count);
    } else {
        pthread_rwlock_wrlock(&state.lock);
        old_count = state.count;
        memcpy(old, state.known, sizeof old);
        memcpy(state.known, fresh, sizeof fresh);
        state.count = count;
        state.current = current;
        pthread_rwlock_unlock(&state.lock);
        drop_missing(old, old_count, fresh, count);
    }
    pthread_mutex_unlock(&one);
    return read;
}

bool embed_start(struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    return tx_begin(pool_worker(), NULL, &tx, err) &&
           tx_run(tx, SQL_EMBED_FOUND, NULL, err, BIND_TEXT(HASHED_NAME), BIND_INT(HASHED_DIMENSIONS)) &&
           tx_commit(&tx, err) && embed_refresh(err);
}

void embed_stop(void)
{
    for (size_t i = 0; i < state.count; i++)
        latent_free(state.known[i].latent);
    state.known[0].latent = NULL;
    state.count = 1;
    state.current = 0;
}

void embed_current(struct embed_model *model)
{
    pthread_rwlock_rdlock(&state.lock);
    *model = state.known[state.current].model;
    pthread_rwlock_unlock(&state.lock);
}

bool embed_find(const char *name, struct embed_model *model)
{
    pthread_rwlock_rdlock(&state.lock);
    const struct known *known = find(state.known, state.count, name);
    if (known)
        *model = known->model;
    pthread_rwlock_unlock(&state.lock);
    return known != NULL;
}

bool embed_texts(const char *model, enum embed_kind kind, const char *const *texts, size_t count, float *vectors,
                 struct err *err)
{
    (void)kind; /* both built-in models treat questions as texts */
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    pthread_rwlock_rdlock(&state.lock);
    const struct known *known = find(state.known, state.count, model);
    for (size_t i = 0; known && i < count; i++) {
        float *vector = vectors + i * known->model.dimensions;
        if (known->latent)
            latent_embed(known->latent, tokens, texts[i], strlen(texts[i]), vector);
        else
            hashed_embed(tokens, texts[i], strlen(texts[i]), vector);
    }
    pthread_rwlock_unlock(&state.lock);
    return known || err_set(err, ERR_CONFLICT, "embedding model %s is gone", model);
}
