/* recommend.c - what recommend.list takes for a person of 100 facts in a library of 100,000 passages (aim: p95
 * under 50 ms), beside a search by the same person. BENCH_PASSAGES=2000 (a multiple of 1,000) makes it smaller.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/filling.h"
#include "tests/lib/harness.h"

enum { PASSAGES = 100000, FACTS = 100, CALLS = 200, WARM = 10, READY_US = 60000000 };

static struct harness h;
static struct filling filling;

static size_t passages(void)
{
    const char *set = getenv("BENCH_PASSAGES");
    size_t count = set ? strtoul(set, NULL, 10) / FILLING_BATCH * FILLING_BATCH : PASSAGES;
    return count ? count : FILLING_BATCH;
}

static void serve(void)
{
    harness_start(&h, NULL, (const char *const[]){"EDURAG_LOG=info", "EDURAG_RATE_PERSON=1000000", NULL});
    harness_user(&h, "student", "reader", "Reader");
    filling_store(&filling, h.directory);
    harness_stop(&h);
    harness_start(&h, h.directory, (const char *const[]){"EDURAG_LOG=info", "EDURAG_RATE_PERSON=1000000", NULL});
    for (int64_t until = bench_now_us() + READY_US; bench_now_us() < until; poll(NULL, 0, 50)) {
        AUTO(mem_freep) char *log = harness_log(&h);
        if (strstr(log, "index_sync_ready"))
            return;
    }
    fprintf(stderr, "bench: the index was not ready\n");
    exit(1);
}

static int64_t facts_of(struct ws *ws)
{
    AUTO(json_freep) cJSON *reply = harness_call(ws, "memory.status", "{}");
    return json_int(json_get(reply, "result"), "facts", -1);
}

/* Searches until the bank holds as many facts as it should: each is one person's own, by the ordinary path. */
static void remember(struct ws *ws)
{
    for (int tries = 0; facts_of(ws) < FACTS; tries++) {
        AUTO(mem_freep) char *params = filling_question(&filling, false);
        cJSON_Delete(harness_call(ws, "search.query", params));
        if (tries == 10 * FACTS) {
            fprintf(stderr, "bench: the bank does not fill\n");
            exit(1);
        }
    }
}

static void measure(struct ws *ws, const char *method, bool question, int64_t us[CALLS])
{
    const char *expected = question ? "\"results\":[{" : "\"source\":\"memory\"";
    for (int i = 0; i < CALLS + WARM; i++) {
        AUTO(mem_freep) char *params = question ? filling_question(&filling, true) : mem_dup("{}");
        int64_t from = bench_now_us();
        AUTO(mem_freep) char *reply = ws_call(ws, 1000 + i, method, params, 20000);
        if (i >= WARM)
            us[i - WARM] = bench_now_us() - from;
        if (!reply || !strstr(reply, expected)) {
            fprintf(stderr, "bench: %s: %.300s\n", method, reply ? reply : "no reply");
            exit(1);
        }
    }
}

int main(void)
{
    static int64_t listed[CALLS], searched[CALLS];
    char name[80];
    struct ws ws;
    if (!filling_load(&filling)) {
        puts("skipped: ../shared is not here");
        return 77;
    }
    filling_fit(&filling, passages());
    serve();
    harness_open(&h, &ws, "reader");
    remember(&ws);
    measure(&ws, "search.query", true, searched);
    measure(&ws, "recommend.list", false, listed);
    static const struct {
        const char *name;
        double part;
        const char *aim;
    } parts[] = {{"p50", 0.5, NULL}, {"p95", 0.95, "<= 50"}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        snprintf(name, sizeof name, "recommend.list %s, %d facts, %zu passages", parts[i].name, FACTS,
                 filling.passages);
        bench_aim(name, bench_percentile(listed, CALLS, parts[i].part) / 1e3, "ms",
                  bench_percentile(searched, CALLS, parts[i].part) / 1e3, parts[i].aim);
    }
    ws_close(&ws);
    filling_free(&filling);
    return harness_stop(&h);
}
