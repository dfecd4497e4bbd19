/* memory.c - which memory this server has, and the thread that works for it. */
#include "server/memory/memory.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/config.h"
#include "server/memory/hindsight.h"
#include "server/memory/sync.h"
#include "server/memory/trending.h"
#include "server/store/listen.h"
#include "server/store/tx.h"

static struct {
    struct hindsight *outside; /* wherever a URL is configured: erasures go out while memory is off, too */
    pthread_t thread;
    bool started;
    pthread_mutex_t lock; /* guards the two below */
    bool stopping, due;
    pthread_cond_t wake;
} memory = {.lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

bool memory_enabled(void)
{
    return strcmp(config.memory, "off") != 0;
}

const char *memory_provider(void)
{
    return config.memory;
}

struct hindsight *memory_hindsight(void)
{
    return !strcmp(config.memory, "hindsight") ? memory.outside : NULL;
}

bool memory_reachable(void)
{
    return memory_enabled() && (!memory_hindsight() || hindsight_reachable(memory.outside));
}

enum { SWEEP_SECONDS = 60, KEPT_SECONDS = 3600 };

static bool stopping(void)
{
    pthread_mutex_lock(&memory.lock);
    bool yes = memory.stopping;
    pthread_mutex_unlock(&memory.lock);
    return yes;
}

/* A second, or until there is something to send; false: stop. */
static bool rest(void)
{
    pthread_mutex_lock(&memory.lock);
    if (!memory.stopping && !memory.due)
        wait_until(&memory.wake, &memory.lock, wait_now() + 1000);
    memory.due = false;
    bool go = !memory.stopping;
    pthread_mutex_unlock(&memory.lock);
    return go;
}

/* Those that a server left behind when it died. */
static void sweep_reflections(void)
{
    struct err err = {0};
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker0(SQL_MEMORY_REFLECTION_SWEEP, &rows, &err))
        log_event(LOG_WARN, "memory", "doing=reflections error=%s", log_quote(err.log));
    else if (rows_int(rows, 0, 0, 0))
        log_event(LOG_INFO, "reflections_of_the_dead", "reflections=%lld", (long long)rows_int(rows, 0, 0, 0));
}

/* Whatever has been kept for long enough, of whatever kind. */
static void sweep_kept(void)
{
    struct err err = {0};
    if (!tx_worker(SQL_WORKER_SWEEP_KEPT, NULL, &err, BIND_INT(config.audit_days), BIND_INT(config.address_days)))
        log_event(LOG_WARN, "memory", "doing=sweep error=%s", log_quote(err.log));
}

static void *run(void *unused)
{
    (void)unused;
    for (int64_t counted = 0, swept = 0, kept = 0; rest();) {
        struct err err = {0};
        int64_t now = wait_now() / 1000;
        if (now >= counted) {
            if (!trending_count((int)config.trending_people, &err))
                log_event(LOG_WARN, "memory", "doing=trending error=%s", log_quote(err.log));
            counted = now + config.trending_interval;
        }
        if (now >= swept) {
            sweep_reflections();
            swept = now + (config.trending_interval < SWEEP_SECONDS ? config.trending_interval : SWEEP_SECONDS);
        }
        if (now >= kept) {
            sweep_kept();
            kept = now + KEPT_SECONDS;
        }
        if (memory.outside)
            while (sync_erasures(memory.outside, stopping) == SYNC_BATCH)
                ;
        if (memory_hindsight())
            while (sync_facts(memory.outside, stopping) == SYNC_BATCH)
                ;
    }
    return NULL;
}

static void hear(const char *payload, void *context)
{
    (void)payload, (void)context;
    pthread_mutex_lock(&memory.lock);
    memory.due = true;
    pthread_cond_signal(&memory.wake);
    pthread_mutex_unlock(&memory.lock);
}

bool memory_start(struct err *err)
{
    struct hindsight_settings settings = {.url = config.hindsight_url,
                                          .api_key = config.hindsight_api_key,
                                          .recall_ms = config.hindsight_timeout * 1000,
                                          .allow_insecure = config.allow_insecure};
    if (*config.hindsight_url && !hindsight_open(&settings, &memory.outside, err))
        return false;
    listen_on("edurag_memory", hear, NULL, NULL);
    memory.stopping = false;
    if (pthread_create(&memory.thread, NULL, run, NULL) != 0)
        return err_set(err, ERR_INTERNAL, "no thread for memory");
    memory.started = true;
    return true;
}

void memory_stop(void)
{
    if (memory.started) {
        pthread_mutex_lock(&memory.lock);
        memory.stopping = true;
        pthread_cond_signal(&memory.wake);
        pthread_mutex_unlock(&memory.lock);
        pthread_join(memory.thread, NULL);
        memory.started = false;
    }
    hindsight_close(memory.outside);
    memory.outside = NULL;
}
