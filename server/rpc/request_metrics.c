/* request_metrics.c - how many requests there were, how they ended and how long they took, for /metrics. */
#include "server/rpc/request_metrics.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "common/mem.h"

static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

struct method_metrics {
    uint64_t ends[ERR_COUNT]; /* by code; ERR_NONE: ok */
    uint64_t within[COUNT_OF(bounds)], count;
    double seconds;
};

static struct {
    struct method_metrics *metrics; /* one more than there are methods */
    const struct method *const *methods;
    size_t count;
} all;

void request_metrics_start(const struct method *const *methods, size_t count)
{
    request_metrics_stop();
    all.metrics = mem_array(count + 1, sizeof *all.metrics);
    all.methods = methods;
    all.count = count;
}

void request_metrics_stop(void)
{
    free(all.metrics);
    all.metrics = NULL;
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
    struct method_metrics *metrics = &all.metrics[method < all.count ? method : all.count];
    double seconds = (double)(now.tv_sec - job->came.tv_sec) + (double)(now.tv_nsec - job->came.tv_nsec) / 1e9;
    metrics->ends[end_of(job)]++;
    metrics->count++;
    metrics->seconds += seconds;
    for (size_t i = COUNT_OF(bounds); i-- > 0 && seconds <= bounds[i];)
        metrics->within[i]++;
}

static const char *name_of(size_t i)
{
    return i < all.count ? all.methods[i]->name : "";
}

void request_metrics_write(struct buf *out)
{
    buf_text(out, "# HELP edurag_requests_total Requests answered, by method (\"\": none that there is) and outcome.\n"
                  "# TYPE edurag_requests_total counter\n");
    for (size_t i = 0; i <= all.count; i++)
        for (int code = 0; code < ERR_COUNT; code++)
            if (all.metrics[i].ends[code])
                buf_printf(out, "edurag_requests_total{method=\"%s\",outcome=\"%s\"} %" PRIu64 "\n", name_of(i),
                           code ? err_reason((enum err_code)code) : "ok", all.metrics[i].ends[code]);
    buf_text(out, "# HELP edurag_request_seconds From a request's arrival to its answer.\n"
                  "# TYPE edurag_request_seconds histogram\n");
    for (size_t i = 0; i <= all.count; i++) {
        const struct method_metrics *metrics = &all.metrics[i];
        if (!metrics->count)
            continue;
        for (size_t j = 0; j < COUNT_OF(bounds); j++)
            buf_printf(out, "edurag_request_seconds_bucket{method=\"%s\",le=\"%g\"} %" PRIu64 "\n", name_of(i),
                       bounds[j], metrics->within[j]);
        buf_printf(out,
                   "edurag_request_seconds_bucket{method=\"%s\",le=\"+Inf\"} %" PRIu64 "\n"
                   "edurag_request_seconds_sum{method=\"%s\"} %.6f\n"
                   "edurag_request_seconds_count{method=\"%s\"} %" PRIu64 "\n",
                   name_of(i), metrics->count, name_of(i), metrics->seconds, name_of(i), metrics->count);
    }
}
