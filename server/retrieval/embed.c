/* embed.c - texts to vectors: the model that serves now, by its name. */
#include "server/retrieval/embed.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/models/models.h"
#include "server/retrieval/hashed.h"
#include "server/retrieval/latent.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum { EMBED_MODELS_MOST = 8 };

/* A model that can embed here. Fitted ones are read from the database once and are constant. */
struct known {
    struct embed_model model;
    struct latent *latent; /* NULL: hashed, or */
};

static struct {
    pthread_rwlock_t lock; /* everything below */
    struct known known[EMBED_MODELS_MOST];
    size_t count, current;
} state = {.lock = PTHREAD_RWLOCK_INITIALIZER, .known = {{.model = {HASHED_NAME, HASHED_DIMENSIONS, 0}}}, .count = 1};

static struct known *find(struct known *known, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(known[i].model.name, name))
            return &known[i];
    return NULL;
}

/* Whether the name is that of the model in the settings. */
static bool is_outside(const char *name)
{
    char own[MODELS_NAME_MOST];
    if (!models_embedder() || !models_embedder_known(models_embedder()))
        return false;
    models_embedder_name(models_embedder(), own);
    return !strcmp(name, own);
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
    for (int row = 0; row < rows_count(rows) && *count < EMBED_MODELS_MOST; row++) {
        const char *name = rows_text(rows, row, 0);
        bool fitted = !strcmp(rows_text(rows, row, 1), "builtin") && rows_bool(rows, row, 6);
        if (fitted && strlen(name) < EMBED_NAME_MOST && rows_int(rows, row, 2, 0) == LATENT_DIMENSIONS) {
            struct known *old = find(state.known, state.count, name), *new = &fresh[*count];
            *new = (struct known){
                .model = {.dimensions = LATENT_DIMENSIONS, .weight = strtod(rows_text(rows, row, 3), NULL)},
                .latent = old ? old->latent : load(tx, name, err)};
            snprintf(new->model.name, sizeof new->model.name, "%s", name);
            if (!new->latent)
                return false;
            ++*count;
        }
        if (models_embedder())
            models_embedder_recall(models_embedder(), name, (size_t)rows_int(rows, row, 2, 0));
        if (is_outside(name) && rows_int(rows, row, 2, 0) <= EMBED_DIMENSIONS_MOST) {
            struct known *new = &fresh[(*count)++];
            *new = (struct known){
                .model = {.dimensions = (size_t)rows_int(rows, row, 2, 0),
                          .weight = strtod(rows_text(rows, row, 3), NULL),
                          .outside = true},
            };
            snprintf(new->model.name, sizeof new->model.name, "%s", name);
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
    struct known fresh[EMBED_MODELS_MOST], old[EMBED_MODELS_MOST];
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

bool embed_waits(void)
{
    return models_embedder() != NULL;
}

/* The outside model that serves, if one does. */
static bool serving(struct embed_model *model)
{
    bool found = false;
    pthread_rwlock_rdlock(&state.lock);
    for (size_t i = 0; i < state.count; i++)
        if (state.known[i].model.outside) {
            *model = state.known[i].model;
            found = true;
        }
    pthread_rwlock_unlock(&state.lock);
    return found;
}

void embed_question_free(struct embed_question *question)
{
    free(question->vector);
    *question = (struct embed_question){0};
}

void embed_question(struct embed_question *question, const char *text)
{
    struct embed_model model;
    struct err err = {0};
    embed_question_free(question);
    if (!serving(&model))
        return;
    AUTO(mem_freep) float *vector = mem_array(model.dimensions, sizeof *vector);
    question->unanswered = !models_embed_question(models_embedder(), text, vector, &err);
    if (question->unanswered)
        return;
    snprintf(question->model, sizeof question->model, "%s", model.name);
    question->vector = TAKE(vector);
}

bool embed_question_vector(const struct embed_question *question, const char *model, float *vector)
{
    struct embed_model found;
    if (!question->vector || strcmp(question->model, model) != 0 || !embed_find(model, &found))
        return false;
    memcpy(vector, question->vector, found.dimensions * sizeof *vector);
    return true;
}

bool embed_stand_in(struct embed_model *model)
{
    bool found = false;
    pthread_rwlock_rdlock(&state.lock);
    for (size_t i = 0; i < state.count; i++)
        if (state.known[i].latent) { /* the oldest come first */
            *model = state.known[i].model;
            found = true;
        }
    pthread_rwlock_unlock(&state.lock);
    return found;
}

void embed_built_in(struct embed_model *model)
{
    if (!embed_stand_in(model))
        *model = (struct embed_model){.name = HASHED_NAME, .dimensions = HASHED_DIMENSIONS};
}

bool embed_stems(const char *model, const char *const *stems, size_t count, float *vector)
{
    pthread_rwlock_rdlock(&state.lock);
    const struct known *known = find(state.known, state.count, model);
    bool fitted = known && known->latent;
    if (fitted)
        latent_embed_stems(known->latent, stems, count, vector);
    pthread_rwlock_unlock(&state.lock);
    return fitted;
}

/* Back from a service that the settings no longer name. */
static bool come_home(struct tx *tx, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    return tx_run0(tx, SQL_EMBED_LEAVE, &rows, err) && (!rows_count(rows) || tx_run0(tx, SQL_EMBED_RETURN, NULL, err));
}

bool embed_adopt(struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    struct embed_model current;
    char name[MODELS_NAME_MOST], weight[32];
    struct models_embedder *outside = models_embedder();
    if (outside && !models_embedder_learn(outside, err))
        return false;
    embed_current(&current);
    if (outside)
        models_embedder_name(outside, name);
    snprintf(weight, sizeof weight, "%g", (double)config.embedding_weight / 100);
    if (outside && !strcmp(name, current.name) && fabs(current.weight - (double)config.embedding_weight / 100) < 1e-4)
        return true;
    bool done = tx_begin(pool_worker(), NULL, &tx, err);
    if (done && outside)
        done = tx_run0(tx, SQL_EMBED_DEMOTE, NULL, err) &&
               tx_run(tx, SQL_EMBED_ADOPT, NULL, err, BIND_TEXT(name), BIND_TEXT(outside->provider),
                      BIND_INT((int64_t)outside->dimensions), BIND_TEXT(weight));
    else if (done)
        done = come_home(tx, err);
    return done && tx_commit(&tx, err) && embed_refresh(err);
}

bool embed_texts(const char *model, const char *const *texts, size_t count, float *vectors, struct err *err)
{
    struct embed_model outside;
    if (serving(&outside) && !strcmp(outside.name, model))
        return models_embed(models_embedder(), MODELS_PASSAGE, texts, count, vectors, err);
    /* Both built-in models treat questions as texts. */
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
