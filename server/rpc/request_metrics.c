/* request_metrics.c - how many requests there were, how they ended and how long they took, for /metrics. */
#include "server/rpc/request_metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"
#include "server/rpc/rpc.h"

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

struct figure {
    uint64_t ends[ERR_COUNT]; /* by code; ERR_NONE: ok */
    uint64_t within[COUNT_OF(bounds)], count;
    double seconds;
};

static struct {
    struct figure *stats; /* one more than there are methods */
    size_t methods;
} all;

void request_metrics_start(size_t methods)
{
    request_metrics_stop();
    all.stats = mem_array(methods + 1, sizeof *all.stats);
    all.methods = methods;
}

void request_metrics_stop(void)
{
    free(all.stats);
    all.stats = NULL;
}

/* What was dropped with its connection ended in nothing that anybody heard. */
static enum err_code end_of(const struct job *job)
{
    return job->ok ? ERR_NONE : job->err.code ? job->err.code : ERR_CANCELLED;
}

void request_metrics_count(size_t method, const struct job *job)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    struct figure *figure = &all.stats[method < all.methods ? method : all.methods];
    double seconds = (double)(now.tv_sec - job->came.tv_sec) + (double)(now.tv_nsec - job->came.tv_nsec) / 1e9;
    figure->ends[end_of(job)]++;
    figure->count++;
    figure->seconds += seconds;
    for (size_t i = COUNT_OF(bounds); i-- > 0 && seconds <= bounds[i];)
        figure->within[i]++;
}

static const char *name_of(size_t i)
{
    return i < all.methods ? rpc_method(i)->name : "";
}

void request_metrics_write(struct buf *out)
{
    buf_text(out, "# HELP edurag_requests_total Requests answered, by method (\"\": none that there is) and outcome.\n"
                  "# TYPE edurag_requests_total counter\n");
    for (size_t i = 0; i <= all.methods; i++)
        for (int code = 0; code < ERR_COUNT; code++)
            if (all.stats[i].ends[code])
                buf_printf(out, "edurag_requests_total{method=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", name_of(i),
                           code ? err_reason((enum err_code)code) : "ok", all.stats[i].ends[code]);
    buf_text(out, "# HELP edurag_request_seconds From a request's arrival to its answer.\n"
                  "# TYPE edurag_request_seconds histogram\n");
    for (size_t i = 0; i <= all.methods; i++) {
        const struct figure *figure = &all.stats[i];
        if (!figure->count)
            continue;
        for (size_t j = 0; j < COUNT_OF(bounds); j++)
            buf_printf(out, "edurag_request_seconds_bucket{method=\"%s\",le=\"%g\"} %" PRIu64 "\n", name_of(i),
                       bounds[j], figure->within[j]);
        buf_printf(out,
                   "edurag_request_seconds_bucket{method=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
                   "edurag_request_seconds_sum{method=\"%s\"} %.6f\n"
                   "edurag_request_seconds_count{method=\"%s\"} %" PRIu64 "\n",
                   name_of(i), figure->count, name_of(i), figure->seconds, name_of(i), figure->count);
    }
}
