/* refit.c - keeps the built-in embedder in step with the library, in the background. */
#include "server/retrieval/refit.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/models/models.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/index_sync.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum {
    PAUSE_SECONDS = 1,
    QUIET_SECONDS = 3,
    REST_SECONDS = 60,
    FORGET_SECONDS = 30,
    ADOPT_SECONDS = 10,
    BREATH_US = 200
};

static struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool started;
    atomic_bool stopping;
} refit = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static bool stopping(void *context)
{
    (void)context;
    return atomic_load(&refit.stopping);
}

/* The name under which this node may fit now; "" where it may not, or need not. */
static bool claim(size_t passages, char name[EMBED_NAME_MOST], struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    char weight[32];
    snprintf(weight, sizeof weight, "%g", FUSE_LATENT_WEIGHT);
    name[0] = '\0';
    if (!tx_begin(pool_worker(), NULL, &tx, err) ||
        !tx_run(tx, SQL_EMBED_CLAIM_FIT, &rows, err, BIND_INT(LATENT_DIMENSIONS), BIND_TEXT(weight),
                BIND_INT((int64_t)passages)) ||
        !tx_commit(&tx, err))
        return false;
    if (rows_count(rows))
        snprintf(name, EMBED_NAME_MOST, "%s", rows_text(rows, 0, 0));
    return true;
}

static bool give_up(const char *name, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    return tx_begin(pool_worker(), NULL, &tx, err) && tx_run(tx, SQL_EMBED_GIVE_UP_FIT, NULL, err, BIND_TEXT(name)) &&
           tx_commit(&tx, err);
}

static bool promote(const char *name, const struct latent *latent, size_t passages, struct err *err)
{
    AUTO(buf_free) struct buf stored = {0};
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    latent_store(latent, &stored);
    return tx_begin(pool_worker(), NULL, &tx, err) && tx_run0(tx, SQL_EMBED_DEMOTE_BUILTIN, NULL, err) &&
           tx_run(tx, SQL_EMBED_PROMOTE, &rows, err, BIND_BYTES(stored.data, stored.length),
                  BIND_INT((int64_t)passages), BIND_TEXT(name)) &&
           (rows_count(rows) || err_set(err, ERR_CONFLICT, "the claim on %s is gone", name)) && tx_commit(&tx, err);
}

/* The claim first: asking the database is cheap, copying out a sample is not. */
static bool fit(size_t passages, struct err *err)
{
    char name[EMBED_NAME_MOST];
    struct timespec from, to;
    struct err ignored;
    if (!claim(passages, name, err) || !name[0])
        return !err->code;
    clock_gettime(CLOCK_MONOTONIC, &from);
    struct latent_sample *sample = passage_index_sample(index_sync_index(), LATENT_TEXTS_LEAST, &passages);
    struct latent *latent = sample ? latent_fit(sample, stopping, NULL) : NULL;
    clock_gettime(CLOCK_MONOTONIC, &to);
    latent_sample_free(sample);
    bool fitted = latent && promote(name, latent, passages, err) && embed_refresh(err);
    if (fitted)
        log_event(LOG_INFO, "embedder_fitted", "model=%s passages=%zu bytes=%zu ms=%ld", name, passages,
                  latent_bytes(latent), (to.tv_sec - from.tv_sec) * 1000 + (to.tv_nsec - from.tv_nsec) / 1000000);
    latent_free(latent);
    malloc_trim(0); /* the matrices of a fit are many times what the index needs */
    return fitted || (give_up(name, &ignored) && !err->code);
}

/* Queues the documents that another model serves; the rows of the jobs tell who does them. */
static bool follow(const char *model, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    return tx_begin(pool_worker(), NULL, &tx, err) && tx_run(tx, SQL_EMBED_FOLLOW, NULL, err, BIND_TEXT(model)) &&
           tx_commit(&tx, err);
}

static bool forget(struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    return tx_begin(pool_worker(), NULL, &tx, err) && tx_run0(tx, SQL_EMBED_FORGET, NULL, err) && tx_commit(&tx, err);
}

/* While an outside model serves a document, the built-in one is ready to stand in for it. */
static void stand_by(void)
{
    struct embed_model model;
    bool whole = false;
    while (!whole && !atomic_load(&refit.stopping)) {
        bool wanted = passage_index_served_outside(index_sync_index()) && embed_stand_in(&model);
        whole = passage_index_stand_in(index_sync_index(), wanted ? model.name : NULL, wanted ? model.dimensions : 0,
                                       embed_stems);
        if (!whole)
            nanosleep(&(struct timespec){.tv_nsec = BREATH_US * 1000L},
                      NULL); /* whoever changes the passage index comes in between */
    }
    if (models_embedder())
        models_embedder_probe(models_embedder());
}

/* Towards the model of the settings while its service answers, or each attempt is in vain; towards a built-in one also
 * while that service has never answered yet. */
static bool may_follow(const struct embed_model *current, bool adopted)
{
    bool built_in = !strncmp(current->name, PASSAGE_INDEX_BUILTIN, strlen(PASSAGE_INDEX_BUILTIN));
    return adopted ? built_in || !models_embedder() || models_embedder_reachable(models_embedder())
                   : built_in && models_embedder();
}

static bool pause_for(int seconds)
{
    int64_t until = wait_now() + (int64_t)seconds * 1000;
    pthread_mutex_lock(&refit.lock);
    while (!atomic_load(&refit.stopping) && wait_until(&refit.wake, &refit.lock, until))
        continue;
    pthread_mutex_unlock(&refit.lock);
    return !atomic_load(&refit.stopping);
}

/* Whether a fit is worth asking for: the passages differ from those at the last look, and have been the same
 * for a moment or have not let us rest for a minute. */
static bool due(size_t passages, size_t looked_at, int quiet, int since)
{
    return passages >= LATENT_TEXTS_LEAST && passages != looked_at && (quiet >= QUIET_SECONDS || since >= REST_SECONDS);
}

static void *run(void *unused)
{
    (void)unused;
    setpriority(PRIO_PROCESS, (id_t)gettid(), 10); /* this thread alone: searches come first */
    size_t before = 0, looked_at = 0;
    int quiet = 0, since = 0, forgot = 0, adopt = 0;
    bool adopted = false;
    for (; pause_for(PAUSE_SECONDS); since++, forgot++) {
        struct passage_index_stats stats;
        struct embed_model current;
        struct err err = {0};
        bool fine = true;
        if (!index_sync_ready())
            continue;
        passage_index_stats(index_sync_index(), &stats);
        quiet = stats.passages == before ? quiet + PAUSE_SECONDS : 0;
        before = stats.passages;
        if (due(stats.passages, looked_at, quiet, since)) {
            fine = fit(stats.passages, &err);
            looked_at = fine ? stats.passages : looked_at;
            since = fine ? 0 : since;
        }
        if (fine && adopt-- <= 0) {
            adopted = embed_adopt(&err);
            fine = adopted;
            adopt = ADOPT_SECONDS;
        }
        stand_by();
        embed_current(&current);
        if (fine && may_follow(&current, adopted) && passage_index_served_by_others(index_sync_index(), current.name))
            fine = follow(current.name, &err);
        if (fine && forgot >= FORGET_SECONDS) {
            fine = forget(&err);
            forgot = 0;
        }
        if (!fine && !atomic_load(&refit.stopping))
            log_event(LOG_WARN, "embedder_behind", "reason=%s", log_quote(err.log));
    }
    return NULL;
}

bool refit_start(struct err *err)
{
    atomic_store(&refit.stopping, false);
    refit.started = pthread_create(&refit.thread, NULL, run, NULL) == 0;
    return refit.started || err_set(err, ERR_INTERNAL, "no thread to fit the embedder");
}

void refit_stop(void)
{
    if (!refit.started)
        return;
    pthread_mutex_lock(&refit.lock);
    atomic_store(&refit.stopping, true);
    pthread_cond_signal(&refit.wake);
    pthread_mutex_unlock(&refit.lock);
    pthread_join(refit.thread, NULL);
    refit.started = false;
}
