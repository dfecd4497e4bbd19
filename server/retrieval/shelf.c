/* shelf.c - this node's passages in memory, loaded from the database and kept true. */
#include "server/retrieval/shelf.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/shelf_load.h"
#include "server/store/listen.h"

enum { COMPARE_SECONDS = 30, RETRY_SECONDS = 1, QUEUE_MOST = 4096 };

static struct {
    struct stock *stock;
    pthread_t thread;
    pthread_mutex_t lock; /* what follows */
    pthread_cond_t wake;
    struct stock_id queue[QUEUE_MOST];
    size_t queued;
    bool compare, models, stopping, started;
    atomic_bool ready;
} shelf = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

/* A full queue turns into a comparison of everything. */
static void hear_document(const char *payload, void *context)
{
    (void)context;
    pthread_mutex_lock(&shelf.lock);
    if (shelf.queued == QUEUE_MOST)
        shelf.compare = true;
    else
        shelf.queued += stock_id_read(&shelf.queue[shelf.queued], payload);
    pthread_cond_signal(&shelf.wake);
    pthread_mutex_unlock(&shelf.lock);
}

static void hear_model(const char *payload, void *context)
{
    (void)payload;
    (void)context;
    pthread_mutex_lock(&shelf.lock);
    shelf.models = true;
    pthread_cond_signal(&shelf.wake);
    pthread_mutex_unlock(&shelf.lock);
}

static void resync(void *context)
{
    (void)context;
    pthread_mutex_lock(&shelf.lock);
    shelf.compare = shelf.models = true;
    pthread_cond_signal(&shelf.wake);
    pthread_mutex_unlock(&shelf.lock);
}

struct work {
    struct stock_id *ids;
    size_t count;
    bool compare, models;
};

/* Waits for something to do, at most `seconds`, after which everything is compared. False: stop. */
static bool next_work(struct work *work, int seconds)
{
    int64_t until = wait_now() + (int64_t)seconds * 1000;
    pthread_mutex_lock(&shelf.lock);
    while (!shelf.stopping && !shelf.queued && !shelf.compare && !shelf.models)
        if (!wait_until(&shelf.wake, &shelf.lock, until))
            shelf.compare = true;
    *work = (struct work){mem_array(shelf.queued + 1, sizeof(struct stock_id)), shelf.queued, shelf.compare, shelf.models};
    memcpy(work->ids, shelf.queue, shelf.queued * sizeof *work->ids);
    shelf.queued = 0;
    shelf.compare = shelf.models = false;
    bool go = !shelf.stopping;
    pthread_mutex_unlock(&shelf.lock);
    return go;
}

static bool do_work(const struct work *work, struct err *err)
{
    if (work->models && !embed_refresh(err))
        return false;
    if (work->compare)
        return shelf_load_all(shelf.stock, &shelf.ready, err);
    for (size_t i = 0; i < work->count; i++)
        if (!shelf_load_one(shelf.stock, &work->ids[i], err))
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
        if (failed && !shelf.stopping)
            log_event(LOG_WARN, "shelf_behind", "reason=%s", log_quote(err.log));
        if (!failed && !atomic_exchange(&shelf.ready, true)) {
            struct stock_figures figures;
            stock_figures(shelf.stock, &figures);
            log_event(LOG_INFO, "shelf_ready", "documents=%zu passages=%zu bytes=%zu", figures.documents, figures.passages,
                      figures.bytes);
        }
        mem_freep(&work.ids);
    }
    mem_freep(&work.ids);
    return NULL;
}

bool shelf_start(struct err *err)
{
    shelf.stock = stock_new();
    shelf.stopping = false;
    atomic_store(&shelf.ready, false);
    listen_on("edurag_index", hear_document, resync, NULL);
    listen_on("edurag_model", hear_model, NULL, NULL);
    shelf.started = pthread_create(&shelf.thread, NULL, run, NULL) == 0;
    return shelf.started || err_set(err, ERR_INTERNAL, "no thread for the shelf");
}

void shelf_stop(void)
{
    if (shelf.started) {
        pthread_mutex_lock(&shelf.lock);
        shelf.stopping = true;
        pthread_cond_signal(&shelf.wake);
        pthread_mutex_unlock(&shelf.lock);
        pthread_join(shelf.thread, NULL);
    }
    shelf.started = false;
    atomic_store(&shelf.ready, false);
    stock_free(shelf.stock);
    shelf.stock = NULL;
}

bool shelf_ready(void)
{
    return atomic_load(&shelf.ready);
}

struct stock *shelf_stock(void)
{
    return shelf.stock;
}

static bool embed_question(const char *model, const char *text, float *vector, double *weight, void *context)
{
    (void)context;
    struct embed_model found;
    struct err err;
    if (!embed_find(model, &found) || found.weight <= 0)
        return false;
    *weight = found.weight;
    return embed_texts(model, EMBED_QUESTION, &text, 1, vector, &err);
}

bool shelf_search(const struct stock_asker *asker, const char *query, size_t most, struct stock_answer *answer, struct err *err)
{
    if (!shelf_ready()) {
        err_say(err, ERR_BUSY, "The library is still being opened. Please try again in a moment.");
        err->retry_after_ms = 1000;
        return false;
    }
    stock_search(shelf.stock, asker, query, embed_question, NULL, most, answer);
    return true;
}
