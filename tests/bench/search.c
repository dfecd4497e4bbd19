/* search.c - how fast a library of 10,000 and of 100,000 passages answers, and what it costs to keep it on the index.
 *
 * Passages are runs of words from the judged sets, 170 words each, in documents of 200; their vectors are latent
 * ones fitted here. One client asks as fast as it is answered; then thirty ask once a second each and send
 * five previews a second; then thirty as fast as they can. The floor beside it: the same postings and scan in
 * this process, and one indexed fetch of ten rows. SEARCH_BENCH=10000 measures that size alone.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/latent.h"
#include "server/retrieval/question.h"
#include "server/store/wire.h"
#include "tests/lib/bench.h"
#include "tests/lib/filling.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"

enum { LARGE = 100000, CLIENTS = 30, ALONE = 400, SECONDS = 8, READY_MS = 60000 };

struct bench {
    struct filling f;
    struct harness h;
    double floor_ms; /* postings, scan and fetch of one question */
};

/* What was promised was promised of the larger library. */
static void tell(const struct bench *b, const char *what, double value, const char *unit, double floor, const char *aim)
{
    char name[80];
    snprintf(name, sizeof name, "search, %zu passages: %s", b->f.passages, what);
    bench_aim(name, value, unit, floor, b->f.passages < LARGE ? NULL : aim);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double part(double *values, size_t count, double share)
{
    qsort(values, count, sizeof *values, by_value);
    return count ? values[(size_t)((double)(count - 1) * share)] : 0;
}

static bool log_says(const struct harness *h, const char *what)
{
    AUTO(mem_freep) char *log = harness_log(h);
    return strstr(log, what) != NULL;
}

static long resident_kb(pid_t pid)
{
    AUTO(mem_freep) char *path = mem_printf("/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    char line[200];
    long kb = 0;
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmRSS: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}

/* Starts the server on what is stored and tells how long until the last passage was on the index. */
static double start_again(struct bench *b, long empty_kb)
{
    double from = now_ms();
    harness_start(&b->h, b->h.directory, (const char *const[]){"EDURAG_LOG=info", "EDURAG_RATE_PERSON=1000000", NULL});
    while (!log_says(&b->h, "index_sync_ready") && now_ms() - from < READY_MS)
        poll(NULL, 0, 20);
    double ready = now_ms() - from;
    long kb = resident_kb(b->h.pid);
    tell(b, "ready after a start", ready / 1e3, "s", 0, "<= 5");
    tell(b, "memory a passage", (double)(kb - empty_kb) * 1024 / (double)b->f.passages, "B", 0, "<= 2048");
    tell(b, "memory of the server", (double)kb / 1024, "MB", 0, NULL);
    return ready;
}

/* The server's own processor time so far. */
static double processor_ms(pid_t pid)
{
    AUTO(mem_freep) char *path = mem_printf("/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    unsigned long user = 0, system = 0;
    if (file && fscanf(file, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        user = system = 0;
    if (file)
        fclose(file);
    return (double)(user + system) * 1e3 / (double)sysconf(_SC_CLK_TCK);
}

static void alone(struct bench *b)
{
    double *took = mem_array(ALONE, sizeof *took);
    struct ws ws;
    harness_open(&b->h, &ws, "searcher");
    double before = processor_ms(b->h.pid);
    for (size_t i = 0; i < ALONE + 20; i++) {
        AUTO(mem_freep) char *params = filling_question(&b->f, false);
        double from = now_ms();
        AUTO(mem_freep) char *reply = ws_call(&ws, (int)i, "search.query", params, 20000);
        if (!reply || !strstr(reply, "\"results\":[{"))
            fprintf(stderr, "search: %s\n", reply ? reply : "no reply");
        if (i >= 20)
            took[i - 20] = now_ms() - from;
    }
    double each = (processor_ms(b->h.pid) - before) / (ALONE + 20);
    tell(b, "1 client, p50", part(took, ALONE, 0.5), "ms", b->floor_ms, "<= 3");
    tell(b, "1 client, p95", part(took, ALONE, 0.95), "ms", 0, NULL);
    tell(b, "our processor time a search", each, "ms", 0, NULL);
    ws_close(&ws);
    free(took);
}

struct client {
    struct ws ws;
    double due, sent[64]; /* by id modulo 64 */
    int next;
    struct load *load;
};

struct load {
    struct client clients[CLIENTS];
    double *took;
    size_t count, capacity;
};

static void heard(struct ws *ws, const char *text, size_t length, void *context)
{
    struct client *client = context;
    struct load *load = client->load;
    const char *id = strstr(text, "\"id\":");
    (void)ws;
    (void)length;
    if (!id)
        return;
    if (load->count == load->capacity)
        load->took =
            mem_grow(load->took, load->capacity = load->capacity ? load->capacity * 2 : 4096, sizeof *load->took);
    load->took[load->count++] = now_ms() - client->sent[atoi(id + 5) % 64];
    if (client->due < 0)
        client->due = 0; /* as fast as it goes: answered, so ask again */
}

static void send_one(struct bench *b, struct client *client, bool preview)
{
    AUTO(mem_freep) char *params = filling_question(&b->f, preview);
    AUTO(mem_freep)
    char *text =
        mem_printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"search.query\",\"params\":%s}", client->next, params);
    client->sent[client->next++ % 64] = now_ms();
    if (!ws_send(&client->ws, text, strlen(text)))
        fprintf(stderr, "search: a socket ended\n");
}

/* Six requests a second from each, one of them not a preview; or (closed) the next when the last is answered. */
static void together(struct bench *b, bool closed)
{
    struct load *load = mem_alloc(sizeof *load);
    struct pollfd fds[CLIENTS];
    double start = now_ms();
    for (int i = 0; i < CLIENTS; i++) {
        harness_open(&b->h, &load->clients[i].ws, "searcher");
        load->clients[i].load = load;
        fds[i] = (struct pollfd){.fd = load->clients[i].ws.fd, .events = POLLIN};
    }
    start = now_ms();
    for (int i = 0; i < CLIENTS; i++)
        load->clients[i].due = closed ? 0 : start + i * 1000.0 / 6 / CLIENTS;
    while (now_ms() < start + SECONDS * 1000) {
        for (int i = 0; i < CLIENTS; i++) {
            struct client *client = &load->clients[i];
            if (client->due < 0 || now_ms() < client->due)
                continue;
            send_one(b, client, client->next % 6 != 0);
            client->due = closed ? -1 : client->due + 1000.0 / 6;
        }
        poll(fds, CLIENTS, 1);
        for (int i = 0; i < CLIENTS; i++)
            if (fds[i].revents && !ws_read(&load->clients[i].ws, heard, &load->clients[i]))
                fprintf(stderr, "search: a socket ended\n");
    }
    double seconds = (now_ms() - start) / 1e3;
    double p95 = part(load->took, load->count, 0.95);
    if (closed) {
        tell(b, "30 clients as fast as they can", (double)load->count / seconds, "/s",
             1e3 / b->floor_ms * (double)sysconf(_SC_NPROCESSORS_ONLN), NULL);
        tell(b, "30 clients as fast as they can, p95", p95, "ms", 0, NULL);
    } else {
        tell(b, "30 clients, 6 a second each, p50", part(load->took, load->count, 0.5), "ms", 0, NULL);
        tell(b, "30 clients, 6 a second each, p95", p95, "ms", 0, "<= 20");
    }
    for (int i = 0; i < CLIENTS; i++)
        ws_close(&load->clients[i].ws);
    free(load->took);
    free(load);
}

static struct wire *open_owner(struct bench *b)
{
    struct err err = {0};
    struct account account = pg_account();
    uid_t before = geteuid();
    bool become = before == 0 && seteuid(account.uid) == 0;
    struct wire *wire = wire_open(pg_url_in(b->h.directory, "edurag_owner"), "bench", 60000, &err);
    if (become && seteuid(before) != 0)
        exit(1);
    return wire;
}

/* Postings and scan in this process, then the rows by their key. */
static void measure_floor(struct bench *b)
{
    AUTO(mem_freep) uint64_t *bits = mem_array(b->f.passages / 64 + 1, sizeof *bits);
    AUTO(mem_freep) double *rank = mem_array(ALONE, sizeof *rank);
    AUTO(mem_freep) double *fetch = mem_array(ALONE, sizeof *fetch);
    AUTO(fuse_work_free) struct fuse_work work = {0};
    AUTO(wire_close) struct wire *wire = open_owner(b);
    struct lexical_scope scope = {.bits = bits};
    const struct vectors_span span = {0, (uint32_t)b->f.passages};
    for (size_t i = 0; i < b->f.passages; i++)
        bits[i / 64] |= 1ull << i % 64;
    lexical_scope(b->f.lexical, &scope);
    for (size_t i = 0; i < ALONE; i++) {
        const char *text = b->f.judged.questions[filling_below(&b->f, b->f.judged.question_count)].text;
        float vector[LATENT_DIMENSIONS];
        struct fuse_hit hits[10];
        struct question question;
        struct err err = {0};
        AUTO(buf_free) struct buf ids = {0};
        double from = now_ms();
        question_read(&question, b->f.lexical, &scope, b->f.tokens, text, strlen(text));
        latent_embed(b->f.latent, b->f.tokens, text, strlen(text), vector);
        struct fuse_model model = {
            .vectors = b->f.vectors, .question = vector, .weight = FUSE_LATENT_WEIGHT, .spans = &span, .span_count = 1};
        size_t count =
            fuse_rank(&(struct fuse_input){b->f.lexical, &scope, &question.words, &model, 1, NULL}, &work, hits, 10);
        rank[i] = now_ms() - from;
        question_free(&question);
        for (size_t k = 0; k < count; k++)
            buf_printf(&ids, "%c%032x", k ? ',' : '{', hits[k].text);
        buf_text(&ids, count ? "}" : "{}");
        from = now_ms();
        if (!wire || !wire_exec(wire, "select text from public.pdf_chunks where chunk_id = any ($1::uuid[])",
                                (const char *const[]){ids.data}, 1, 20000, NULL, &err))
            fprintf(stderr, "search: %s\n", err.log);
        fetch[i] = now_ms() - from;
    }
    b->floor_ms = part(rank, ALONE, 0.5) + part(fetch, ALONE, 0.5);
    tell(b, "postings, scan and spelling alone, p50", part(rank, ALONE, 0.5), "ms", 0, NULL);
    tell(b, "one indexed fetch of ten rows, p50", part(fetch, ALONE, 0.5), "ms", 0, NULL);
    tell(b, "of a passage's memory, the index", (double)lexical_bytes(b->f.lexical) / (double)b->f.passages, "B", 0,
         NULL);
    tell(b, "of a passage's memory, the vectors", (double)vectors_bytes(b->f.vectors) / (double)b->f.passages, "B", 0,
         NULL);
}

static void measure(struct bench *b, size_t passages)
{
    double from = now_ms();
    filling_fit(&b->f, passages);
    tell(b, "indexed and vectors fitted, in memory", (now_ms() - from) / 1e3, "s", 0, NULL);
    harness_start(&b->h, NULL, (const char *const[]){"EDURAG_LOG=info", NULL});
    harness_user(&b->h, "student", "searcher", "Searcher");
    poll(NULL, 0, 500);
    long empty_kb = resident_kb(b->h.pid);
    filling_store(&b->f, b->h.directory);
    harness_stop(&b->h);
    start_again(b, empty_kb);
    measure_floor(b);
    alone(b);
    together(b, false);
    together(b, true);
    harness_stop(&b->h);
    filling_clear(&b->f);
}

int main(void)
{
    struct bench b = {0};
    const char *only = getenv("SEARCH_BENCH");
    static const size_t sizes[] = {10000, 100000};
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!filling_load(&b.f)) {
        puts("skipped: ../shared is not here");
        return 77;
    }
    for (size_t i = 0; i < COUNT_OF(sizes); i++)
        if (!only || strtoul(only, NULL, 10) == sizes[i])
            measure(&b, sizes[i]);
    filling_free(&b.f);
    return 0;
}
