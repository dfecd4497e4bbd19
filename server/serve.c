/* serve.c - eduragd at work: everything started in order, and stopped in the opposite one. */
#include "server/serve.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/chat/chat_delivery.h"
#include "server/config.h"
#include "server/background_metrics.h"
#include "server/ingest/jobs.h"
#include "server/memory/memory.h"
#include "server/models/models.h"
#include "server/net/delivery.h"
#include "server/net/http.h"
#include "server/net/limits.h"
#include "server/net/session.h"
#include "server/net/socket.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/refit.h"
#include "server/retrieval/index_sync.h"
#include "server/rpc/lanes.h"
#include "server/rpc/rpc.h"
#include "server/store/database.h"
#include "server/store/disk.h"
#include "server/store/listen.h"

struct part {
    const char *name;
    bool (*start)(struct err *err);
    void (*stop)(void);
};

const struct method *const serve_methods[] = {
    methods_server, methods_auth,   methods_users,     methods_courses, methods_profile, methods_library,
    methods_chat,   methods_search, methods_recommend, methods_memory,  methods_admin,   NULL,
};

enum { LANES_END_MS = 1500 };

static struct account worker_account;
static bool stuck; /* a worker did not end in time: nothing waits for it, least of all the pools */

static void signals(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGTERM);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGHUP); /* ends nobody, but is heard by the socket thread alone, like the others */
}

/* Until the database is ours a signal just ends us; from here on we stop in order. */
static bool database_up(struct err *err)
{
    sigset_t ends;
    disk_start(*config.database_url ? "" : config.data_dir, config.disk_floor, config.ballast_bytes);
    if (!database_start(&worker_account, false, err))
        return false;
    signals(&ends);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    return true;
}

static bool schema_up(struct err *err)
{
    int applied;
    if (!database_migrate(&applied, err))
        return false;
    if (applied)
        log_event(LOG_INFO, "migrated", "migrations=%d", applied);
    return database_configure(err);
}

static const char *index_why_not(void)
{
    return index_sync_ready() ? NULL : "the library is still being opened";
}

static bool index_up(struct err *err)
{
    http_ready_add(index_why_not);
    return index_sync_start(err);
}

static bool socket_up(struct err *err)
{
    http_ready_add(limits_full);
    return socket_open(err);
}

static bool listen_up(struct err *err)
{
    (void)err;
    listen_start(database_url("listen"));
    return true;
}

static bool rpc_up(struct err *err)
{
    if (!rpc_check(serve_methods, err))
        return false;
    rpc_start(&session_doors, serve_methods);
    delivery_listen();
    jobs_listen();
    return true;
}

static bool models_up(struct err *err)
{
    static struct models_settings settings;
    settings = (struct models_settings){.generation = config.generation,
                                        .embeddings = config.embeddings,
                                        .allow_insecure = config.models_insecure,
                                        .gemini_base_url = config.gemini_base_url,
                                        .gemini_api_key = config.gemini_api_key,
                                        .gemini_model = config.gemini_model,
                                        .gemini_embedding_model = config.gemini_embedding_model,
                                        .gemini_thinking = config.gemini_thinking,
                                        .openai_base_url = *config.openai_base_url ? config.openai_base_url
                                                                                   : "https://api.openai.com/v1",
                                        .openai_api_key = config.openai_api_key,
                                        .openai_chat_model = config.openai_chat_model,
                                        .openai_embedding_model = config.openai_embedding_model,
                                        .openai_embeddings_base_url = config.openai_embeddings_base_url,
                                        .openai_embeddings_api_key = config.openai_embeddings_api_key,
                                        .query_prefix = config.query_prefix,
                                        .passage_prefix = config.passage_prefix,
                                        .openai_reasoning = config.openai_reasoning,
                                        .dimensions = config.embedding_dimensions,
                                        .first_byte_ms = config.model_first_byte * 1000,
                                        .silence_ms = config.model_silence * 1000,
                                        .generations = (int)config.generations};
    return models_start(&settings, err);
}

/* Those who ask a model wait on a thread each, in a fair line of their own: more threads than three classes have people, so
 * that searches which wait for an embedder need not wait for them. */
enum { SLOW_THREADS = 128 };

static bool lanes_up(struct err *err)
{
    (void)err;
    lanes_start(&(struct lanes_settings){.threads = {[LANE_SLOW] = SLOW_THREADS}});
    return true;
}

static void lanes_down(void)
{
    if (lanes_stop(LANES_END_MS))
        return;
    stuck = true;
    log_event(LOG_WARN, "workers_left", "after_ms=%d", LANES_END_MS);
}

/* A worker that was left behind may still be talking to a model. */
static void models_down(void)
{
    if (stuck)
        return;
    models_stop();
}

/* Stopped first, so that nobody has to be waited for who waits for a service. */
static bool services_up(struct err *err)
{
    (void)err;
    return true;
}

static void jobs_down(void)
{
    if (jobs_stop())
        return;
    stuck = true;
    log_event(LOG_WARN, "indexers_left", "%s", "");
}

static void pools_down(void)
{
    if (!stuck)
        database_close_pools();
}

/* In the order of starting. Rooms that hear notifications stand before "listen". */
static const struct part parts[] = {
    {"database", database_up, database_stop},
    {"schema", schema_up, NULL},
    {"pools", database_open_pools, pools_down},
    {"rpc", rpc_up, rpc_stop},
    {"chat", chat_delivery_start, chat_delivery_stop},
    {"models", models_up, models_down},
    {"embed", embed_start, embed_stop},
    {"index", index_up, index_sync_stop},
    {"memory", memory_start, memory_stop},
    {"listen", listen_up, listen_stop},
    {"metrics", background_metrics_start, NULL},
    {"socket", socket_up, socket_close},
    {"lanes", lanes_up, lanes_down},
    {"jobs", jobs_start, jobs_down},
    {"refit", refit_start, refit_stop},
    {"services", services_up, models_interrupt},
};

static int start_all(struct err *err)
{
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!parts[i].start(err)) {
            log_event(LOG_ERROR, "start_failed", "part=%s reason=%s", parts[i].name, log_quote(err->log));
            return (int)i;
        }
    return COUNT_OF(parts);
}

int serve_run(const struct account *account)
{
    struct err err = {0};
    worker_account = *account;
    int started = start_all(&err);
    bool whole = started == (int)COUNT_OF(parts);
    if (whole) {
        log_event(LOG_INFO, "serving", "version=%s account=%s", EDURAG_VERSION, account->name);
        socket_run();
    }
    while (started-- > 0)
        if (parts[started].stop)
            parts[started].stop();
    log_event(LOG_INFO, "stopped", "%s", "");
    if (stuck)
        _exit(whole ? 0 : 1);
    return whole ? 0 : 1;
}
