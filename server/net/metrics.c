/* metrics.c - /metrics: this node's figures as Prometheus text. */
#include "server/net/metrics.h"

#include "common/mem.h"
#include "server/config.h"
#include "server/net/limits.h"
#include "server/net/outbox.h"
#include "server/net/session.h"
#include "server/rpc/request_metrics.h"
#include "server/rpc/lanes.h"
#include "server/store/listen.h"
#include "server/store/pool.h"

enum { MORE_MOST = 8 };

static void (*more[MORE_MOST])(struct buf *out);
static size_t more_count;

void metrics_add(void (*write)(struct buf *out))
{
    if (more_count < MORE_MOST)
        more[more_count++] = write;
}

void metrics_gauge(struct buf *out, const char *name, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void one(struct buf *out, const char *name, const char *help, size_t value)
{
    metrics_gauge(out, name, help);
    buf_printf(out, "%s %zu\n", name, value);
}

static void write_lanes(struct buf *out)
{
    int stats[LANE_COUNT][3];
    static const struct {
        const char *name, *help;
    } kinds[] = {
        {"edurag_lane_threads", "Workers of a lane."},
        {"edurag_lane_waiting", "Requests that wait for a worker."},
        {"edurag_lane_running", "Requests at work."},
    };
    for (int lane = LANE_QUICK; lane < LANE_COUNT; lane++)
        lanes_stats((enum lane)lane, &stats[lane][0], &stats[lane][1], &stats[lane][2]);
    for (size_t kind = 0; kind < COUNT_OF(kinds); kind++) {
        metrics_gauge(out, kinds[kind].name, kinds[kind].help);
        for (int lane = LANE_QUICK; lane < LANE_COUNT; lane++)
            buf_printf(out, "%s{lane=\"%s\"} %d\n", kinds[kind].name, lanes_name((enum lane)lane), stats[lane][kind]);
    }
}

static void write_database(struct buf *out)
{
    const struct {
        const char *name;
        const struct pool *pool;
    } pools[] = {{"app", pool_app()}, {"worker", pool_worker()}};
    metrics_gauge(out, "edurag_pool_connections", "Database connections, and who waits for one.");
    for (size_t i = 0; i < COUNT_OF(pools); i++) {
        int in_use, open, waiting;
        if (!pools[i].pool)
            continue;
        pool_stats(pools[i].pool, &in_use, &open, &waiting);
        buf_printf(out,
                   "edurag_pool_connections{pool=\"%s\",state=\"open\"} %d\n"
                   "edurag_pool_connections{pool=\"%s\",state=\"in_use\"} %d\n"
                   "edurag_pool_connections{pool=\"%s\",state=\"waiting\"} %d\n",
                   pools[i].name, open, pools[i].name, in_use, pools[i].name, waiting);
    }
    metrics_gauge(out, "edurag_pool_reachable", "Whether the last attempt to use the database succeeded.");
    for (size_t i = 0; i < COUNT_OF(pools); i++)
        if (pools[i].pool)
            buf_printf(out, "edurag_pool_reachable{pool=\"%s\"} %d\n", pools[i].name, pool_reachable(pools[i].pool));
    one(out, "edurag_notifications", "Whether the database's notifications arrive.", listen_connected());
}

void metrics_write(struct buf *out)
{
    metrics_gauge(out, "edurag_info", "What runs here.");
    buf_text(out, "edurag_info{version=\"" EDURAG_VERSION "\"} 1\n");
    one(out, "edurag_connections", "WebSockets that are open.", session_count());
    one(out, "edurag_connections_limit", "How many there may be.", (size_t)config.connections);
    one(out, "edurag_connections_strangers", "Those on which nobody has logged in.", limits_strangers());
    one(out, "edurag_unfinished_bytes", "Of messages that are not whole yet.", session_unfinished());
    one(out, "edurag_unsent_bytes", "Of replies that wait for their readers.", outbox_unsent());
    one(out, "edurag_rate_buckets", "Peers and people with less than a full rate limit.", limits_buckets());
    one(out, "edurag_requests_in_flight", "Requests handed to a lane and not back yet.", rpc_jobs());
    write_lanes(out);
    write_database(out);
    for (size_t i = 0; i < more_count; i++)
        more[i](out);
    request_metrics_write(out);
}
