/* index_sync.c - this node's passages in memory, loaded from the database and kept true. */
#include "server/retrieval/index_sync.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/index_sync_load.h"
#include "server/store/listen.h"

enum { COMPARE_SECONDS = 30, RETRY_SECONDS = 1, QUEUE_MOST = 4096 };

static struct {
    struct passage_index *index;
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    struct passage_index_id queue[QUEUE_MOST];
    size_t queued;
    bool compare, models, stopping, started;
    atomic_bool ready;
} loader = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* A full queue turns into a comparison of everything. */
static void hear_document(const char *payload, void *context)
{
    (void)context;
    pthread_mutex_lock(&loader.lock);
    if (loader.queued == QUEUE_MOST)
        loader.compare = true;
    else
        loader.queued += passage_index_id_read(&loader.queue[loader.queued], payload);
    pthread_cond_signal(&loader.wake);
    pthread_mutex_unlock(&loader.lock);
}

static void hear_model(const char *payload, void *context)
{
    (void)payload;
    (void)context;
    pthread_mutex_lock(&loader.lock);
    loader.models = true;
    pthread_cond_signal(&loader.wake);
    pthread_mutex_unlock(&loader.lock);
}

static void resync(void *context)
{
    (void)context;
    pthread_mutex_lock(&loader.lock);
    loader.compare = loader.models = true;
    pthread_cond_signal(&loader.wake);
    pthread_mutex_unlock(&loader.lock);
}

struct work {
    struct passage_index_id *ids;
    size_t count;
    bool compare, models;
};

/* Waits for something to do, at most `seconds`, after which everything is compared. False: stop. */
static bool next_work(struct work *work, int seconds)
{
    int64_t until = wait_now() + (int64_t)seconds * 1000;
    pthread_mutex_lock(&loader.lock);
    while (!loader.stopping && !loader.queued && !loader.compare && !loader.models)
        if (!wait_until(&loader.wake, &loader.lock, until))
            loader.compare = true;
    *work = (struct work){mem_array(loader.queued + 1, sizeof(struct passage_index_id)), loader.queued, loader.compare,
                          loader.models};
    memcpy(work->ids, loader.queue, loader.queued * sizeof *work->ids);
    loader.queued = 0;
    loader.compare = loader.models = false;
    bool go = !loader.stopping;
    pthread_mutex_unlock(&loader.lock);
    return go;
}

static bool do_work(const struct work *work, struct err *err)
{
    if (work->models && !embed_refresh(err))
        return false;
    if (work->compare)
        return index_sync_load_all(loader.index, &loader.ready, err);
    for (size_t i = 0; i < work->count; i++)
        if (!index_sync_load_one(loader.index, &work->ids[i], err))
            return false;
    return true;
}

static void *run(void *unused)
{
    (void)unused;
    struct work work = {.compare = true};
    for (bool failed = false, go = true; go; go = next_work(&work, failed ? RETRY_SECONDS : COMPARE_SECONDS)) {
        struct err err = {0};
        failed = !do_work(&work, &err);
        if (failed && !loader.stopping)
            log_event(LOG_WARN, "shelf_behind", "reason=%s", log_quote(err.log));
        if (!failed && !atomic_exchange(&loader.ready, true)) {
            struct passage_index_stats stats;
            passage_index_stats(loader.index, &stats);
            log_event(LOG_INFO, "index_sync_ready", "documents=%zu passages=%zu bytes=%zu", stats.documents,
                      stats.passages, stats.bytes);
        }
        mem_freep(&work.ids);
    }
    mem_freep(&work.ids);
    return NULL;
}

bool index_sync_start(struct err *err)
{
    loader.index = passage_index_new();
    loader.stopping = false;
    atomic_store(&loader.ready, false);
    listen_on("edurag_index", hear_document, resync, NULL);
    listen_on("edurag_model", hear_model, NULL, NULL);
    loader.started = pthread_create(&loader.thread, NULL, run, NULL) == 0;
    return loader.started || err_set(err, ERR_INTERNAL, "no thread to load the index");
}

void index_sync_stop(void)
{
    if (loader.started) {
        pthread_mutex_lock(&loader.lock);
        loader.stopping = true;
        pthread_cond_signal(&loader.wake);
        pthread_mutex_unlock(&loader.lock);
        pthread_join(loader.thread, NULL);
    }
    loader.started = false;
    atomic_store(&loader.ready, false);
    passage_index_free(loader.index);
    loader.index = NULL;
}

bool index_sync_ready(void)
{
    return atomic_load(&loader.ready);
}

struct passage_index *index_sync_index(void)
{
    return loader.index;
}

static bool question_vector(const char *model, const char *text, float *vector, double *weight, void *context)
{
    struct embed_model found;
    struct err err;
    if (!embed_find(model, &found) || found.weight <= 0)
        return false;
    *weight = found.weight;
    return found.outside ? embed_question_vector(context, model, vector) : embed_texts(model, &text, 1, vector, &err);
}

bool index_sync_search(const struct passage_index_searcher *searcher, const char *query,
                       const struct embed_question *vector, size_t most, struct passage_index_result *answer,
                       struct err *err)
{
    if (!index_sync_ready()) {
        err_say(err, ERR_BUSY, "The library is still being opened. Please try again in a moment.");
        err->retry_after_ms = 1000;
        return false;
    }
    passage_index_search(loader.index, searcher, query, question_vector, (void *)(uintptr_t)vector, most, answer);
    return true;
}
