/* import.c - what a long list of people costs those who want in meanwhile, at the cost of a real password hash (12).
 *
 * users.import hashes one password after the other; beside it somebody logs in again and again, and somebody reads.
 * The floor of a login is one without the import; that of an account is its bare hash. BENCH_PEOPLE=1000: a whole list.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"

enum { PEOPLE = 60, LOGINS_MOST = 4096, CALM = 12, WAIT_MS = 1800000 };

static struct harness h;
static atomic_bool over;

static int64_t login(void)
{
    struct ws ws;
    int64_t from = bench_now_us();
    harness_open(&h, &ws, "sue");
    int64_t took = bench_now_us() - from;
    ws_close(&ws);
    return took;
}

struct reader {
    pthread_t thread;
    int64_t us[LOGINS_MOST * 16];
    size_t count;
};

/* Asks every 10 ms until it is over. */
static void *read_on(void *argument)
{
    struct reader *reader = argument;
    struct ws ws;
    harness_open(&h, &ws, "sue");
    while (!atomic_load(&over) && reader->count < COUNT_OF(reader->us)) {
        int64_t from = bench_now_us();
        free(ws_call(&ws, 1, "courses.list", "{}", 60000));
        reader->us[reader->count++] = bench_now_us() - from;
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    ws_close(&ws);
    return NULL;
}

static void *import(void *params)
{
    struct ws ws;
    harness_open(&h, &ws, "root");
    AUTO(mem_freep) char *reply = ws_call(&ws, 1, "users.import", params, WAIT_MS);
    if (!reply || !strstr(reply, "\"errors\":[]")) {
        fprintf(stderr, "bench: users.import: %.200s\n", reply ? reply : "no reply");
        exit(1);
    }
    ws_close(&ws);
    atomic_store(&over, true);
    return NULL;
}

static double bare_hash_ms(void)
{
    char error[200];
    int64_t from = bench_now_us();
    free(pg_try(pg_url_in(h.directory, "edurag_owner"),
                "select count(crypto.crypt('x' || i, crypto.gen_salt('bf', 12))) from generate_series(1, 5) i", error,
                sizeof error));
    return (double)(bench_now_us() - from) / 5e3;
}

int main(void)
{
    static int64_t calm[CALM], busy[LOGINS_MOST];
    static struct reader reader;
    const char *set = getenv("BENCH_PEOPLE");
    int people = set ? atoi(set) : PEOPLE;
    size_t count = 0;
    char name[80];
    pthread_t thread;
    AUTO(buf_free) struct buf params = {0};
    harness_start(&h, NULL, (const char *const[]){"EDURAG_LOG=info", "EDURAG_BCRYPT_COST=12", NULL});
    harness_user(&h, "admin", "root", "Root");
    harness_user(&h, "student", "sue", "Sue");
    for (size_t i = 0; i < CALM; i++)
        calm[i] = login();
    double hash = bare_hash_ms();
    buf_text(&params, "{\"csv\":\"");
    for (int i = 0; i < people; i++)
        buf_printf(&params, "p%d,Person %d,student\\n", i, i);
    buf_text(&params, "\"}");
    int64_t from = bench_now_us();
    pthread_create(&thread, NULL, import, params.data);
    pthread_create(&reader.thread, NULL, read_on, &reader);
    while (!atomic_load(&over) && count < LOGINS_MOST)
        busy[count++] = login();
    pthread_join(thread, NULL);
    double seconds = (double)(bench_now_us() - from) / 1e6;
    pthread_join(reader.thread, NULL);
    snprintf(name, sizeof name, "import: an account of %d", people);
    bench_figure(name, seconds * 1e3 / people, "ms", hash);
    bench_figure("import: a login meanwhile, p50", bench_percentile(busy, count, 0.5) / 1e3, "ms",
                 bench_percentile(calm, CALM, 0.5) / 1e3);
    bench_figure("import: a login meanwhile, p95", bench_percentile(busy, count, 0.95) / 1e3, "ms", 0);
    bench_figure("import: a read meanwhile, p50", bench_percentile(reader.us, reader.count, 0.5) / 1e3, "ms", 0);
    bench_figure("import: a read meanwhile, p99", bench_percentile(reader.us, reader.count, 0.99) / 1e3, "ms", 0);
    return harness_stop(&h);
}
