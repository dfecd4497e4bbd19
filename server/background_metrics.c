/* background_metrics.c - what /metrics says of the rooms that know no sockets: indexing jobs, outside services. */
#include "server/background_metrics.h"

#include <inttypes.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/ingest/jobs.h"
#include "server/memory/memory.h"
#include "server/models/http.h"
#include "server/models/models.h"
#include "server/net/metrics.h"
#include "server/retrieval/index_sync.h"
#include "server/store/disk.h"

static void write_jobs(struct buf *out)
{
    struct jobs_counts counts;
    if (!jobs_counts(&counts))
        return;
    metrics_gauge(out, "edurag_jobs", "Indexing jobs of the whole school, by state.");
    for (size_t i = 0; i < COUNT_OF(counts.count); i++)
        buf_printf(out, "edurag_jobs{state=\"%s\"} %" PRId64 "\n", jobs_states[i], counts.count[i]);
}

static void up(struct buf *out, const char *service, const char *provider, bool yes)
{
    buf_printf(out, "edurag_provider_up{service=\"%s\",provider=\"%s\"} %d\n", service, provider, yes);
}

/* As their breakers have it: nobody is asked for this. What is built in is always there. */
static void write_providers(struct buf *out)
{
    const struct models_generator *generator = models_generator();
    struct models_embedder *embedder = models_embedder();
    metrics_gauge(out, "edurag_provider_up", "Whether a service answered when it was last needed.");
    if (memory_enabled())
        up(out, "memory", memory_provider(), memory_reachable());
    up(out, "generation", generator ? generator->provider : "extractive",
       !generator || http_reachable(generator->service));
    up(out, "embeddings", embedder ? embedder->provider : "builtin", !embedder || models_embedder_reachable(embedder));
}

static void write_library(struct buf *out)
{
    metrics_gauge(out, "edurag_library_ready", "Whether the library is loaded and can be searched.");
    buf_printf(out, "edurag_library_ready %d\n", index_sync_ready());
}

static void write_disk(struct buf *out)
{
    int64_t left = disk_free();
    if (left < 0)
        return;
    metrics_gauge(out, "edurag_disk_free_bytes", "Room beside the embedded database.");
    buf_printf(out, "edurag_disk_free_bytes %" PRId64 "\n", left);
    metrics_gauge(out, "edurag_disk_floor_bytes", "Under this, uploads and indexing wait.");
    buf_printf(out, "edurag_disk_floor_bytes %" PRId64 "\n", config.disk_floor);
}

bool background_metrics_start(struct err *err)
{
    (void)err;
    metrics_add(write_library);
    metrics_add(write_jobs);
    metrics_add(write_providers);
    metrics_add(write_disk);
    return true;
}
