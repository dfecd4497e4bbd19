/* generate.c - what we add around a language model: from the question to the first byte that the model gets, and
 * what each piece of its answer loses on the way to the person (aim: under 5 ms p95 together, beyond search).
 *
 * The model is a fake in this process: it notes when it was asked and when each piece left, on the clock that
 * notes when a piece arrived here. The floors: a search for the same question, and a ping. BENCH_ASKS=5 asks less.
 *
 * Then a class of thirty asks at once, four are written at a time, each in BENCH_ANSWER_MS=5000: how many places out of
 * turn anybody had to wait, and what search and chat take beside it. The floors: the same with nobody asking.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/fake_models.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

enum {
    ASKS = 100,
    WARM = 3,
    PAUSE_MS = 5,
    WAIT_US = 20000000,
    CLASS = 30,
    PLACES = 4,
    BESIDE = 200,
    BETWEEN_US = 50000
};

/* Pieces of seven bytes, none of which ends in what the server has to hold back: a blank or half a citation. */
static const char answer[] =
    "Enzymes enable plants across nature toward making sugars within leaves during bright summer mornin"
    " before clouds gather around higher valley meadow beside cattle stroll slowly behind wooden fences"
    " by [1]";
static const char question[] = "{\"query\":\"how do enzymes work in the cell?\"";

static const struct library_passage pages[] = {
    {1, "Cells are the smallest living units. Every cell is bounded by a membrane. The membrane lets water pass."},
    {2, "Enzymes speed up reactions in the cell. An inhibitor that resembles the substrate blocks the active site of "
        "the enzyme."},
    {3,
     "Mitochondria release energy from glucose. Photosynthesis in chloroplasts stores energy from light as glucose."},
};

static struct harness h;
static struct fake_models *fake;

struct heard {
    size_t bytes, count;
    int64_t at[FAKE_MODELS_DELTAS]; /* when the nth whole piece was here */
    bool done, generated, waits;    /* waits: has been told a place in the line */
};

static void hear(struct ws *ws, const char *text, size_t length, void *context)
{
    struct heard *heard = context;
    int64_t now = bench_now_us();
    AUTO(json_freep) cJSON *json = json_parse(text, length, NULL);
    (void)ws;
    if (!strcmp(json_text(json, "method", ""), "search.delta")) {
        heard->bytes += strlen(json_text(json_get(json, "params"), "text", ""));
        heard->waits |= json_get(json_get(json, "params"), "queue_position") != NULL;
        while (heard->count < FAKE_MODELS_DELTAS && (heard->count + 1) * FAKE_MODELS_DELTA <= heard->bytes)
            heard->at[heard->count++] = now;
    } else if (json_get(json, "id")) {
        heard->done = true;
        heard->generated = !strcmp(json_text(json_get(json, "result"), "generation", ""), "openai");
    }
}

static _Noreturn void give_up(const char *what)
{
    fprintf(stderr, "bench: %s\n", what);
    exit(1);
}

/* One question: when it was sent, and what was heard of it. */
static int64_t ask(struct ws *ws, struct heard *heard)
{
    AUTO(mem_freep)
    char *text =
        mem_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"search.ask\",\"params\":%s,\"stream\":true}}", question);
    int64_t from = bench_now_us();
    struct pollfd p = {.fd = ws->fd, .events = POLLIN};
    *heard = (struct heard){0};
    if (!ws_send(ws, text, strlen(text)))
        give_up("the socket ended");
    while (!heard->done && bench_now_us() < from + WAIT_US) {
        poll(&p, 1, 100);
        if (!ws_read(ws, hear, heard))
            give_up("the socket ended");
    }
    if (!heard->generated)
        give_up("the model's answer did not arrive");
    return from;
}

static void timed(struct ws *ws, const char *method, const char *params, int64_t *us)
{
    int64_t from = bench_now_us();
    AUTO(mem_freep) char *reply = ws_call(ws, 2, method, params, 20000);
    if (!reply || !strstr(reply, "\"result\""))
        give_up(method);
    *us = bench_now_us() - from;
}

static void tell(const char *what, int64_t *us, size_t count, int64_t *floor, size_t floors)
{
    static const struct {
        const char *name;
        double part;
    } parts[] = {{"p50", 0.5}, {"p95", 0.95}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        char name[80];
        snprintf(name, sizeof name, "%s, %s", what, parts[i].name);
        bench_figure(name, bench_percentile(us, count, parts[i].part) / 1e3, "ms",
                     bench_percentile(floor, floors, parts[i].part) / 1e3);
    }
}

static void measure(struct ws *ws, size_t asks)
{
    int64_t *asked = mem_array(asks, sizeof *asked), *searched = mem_array(asks, sizeof *searched),
            *pinged = mem_array(asks, sizeof *pinged);
    int64_t *delays = mem_array(asks * FAKE_MODELS_DELTAS, sizeof *delays);
    size_t count = 0;
    AUTO(mem_freep) char *query = mem_printf("%s}", question);
    for (size_t i = 0; i < asks + WARM; i++) {
        size_t at = i < WARM ? 0 : i - WARM;
        struct heard heard;
        timed(ws, "search.query", query, &searched[at]);
        timed(ws, "server.ping", "{}", &pinged[at]);
        int64_t from = ask(ws, &heard);
        struct fake_models_times times = fake_models_times(fake);
        asked[at] = times.asked - from;
        if (times.count != heard.count)
            give_up("pieces of the answer are missing");
        for (size_t k = 0; i >= WARM && k < times.count; k++)
            delays[count++] = heard.at[k] - times.sent[k];
    }
    tell("answers: from the question to the model", asked, asks, searched, asks);
    tell("answers: a piece, from model to person", delays, count, pinged, asks);
    double search = bench_percentile(searched, asks, 0.5);
    bench_aim("answers: both together beyond search, p95",
              (bench_percentile(asked, asks, 0.95) - search + bench_percentile(delays, count, 0.95)) / 1e3, "ms", 0,
              "<= 5");
    free(asked), free(searched), free(pinged), free(delays);
}

/* One call each of search and chat every BETWEEN_US, until `more` says that it is over or there is no more room. */
static size_t beside(struct ws *ws, int64_t *searched, int64_t *chatted, bool (*more)(void *), void *context)
{
    size_t count = 0;
    for (; count < BESIDE && more(context); count++) {
        timed(ws, "search.query", "{\"query\":\"membrane of the cell\"}", &searched[count]);
        timed(ws, "chat.send", "{\"text\":\"Who has the notes?\"}", &chatted[count]);
        poll(NULL, 0, BETWEEN_US / 1000);
    }
    return count;
}

struct class
{
    struct ws ws[CLASS];
    struct heard heard[CLASS];
    int64_t until;
};

static bool class_waits(void *context)
{
    struct class *class = context;
    bool waits = false;
    for (size_t i = 0; i < CLASS; i++) {
        if (!ws_read(&class->ws[i], hear, &class->heard[i]))
            give_up("a pupil's socket ended");
        waits |= !class->heard[i].done;
    }
    if (bench_now_us() > class->until)
        give_up("the class was not answered");
    return waits;
}

static bool always(void *context)
{
    (void)context;
    return true;
}

/* The greatest distance between somebody's place in the class and their turn at the model. */
static int out_of_turn(int before)
{
    int most = 0;
    for (int k = 0; k < CLASS; k++) {
        AUTO(mem_freep) char *body = fake_models_body(fake, before + k);
        const char *who = strstr(body, "asks number ");
        int number = who ? atoi(who + strlen("asks number ")) : k + CLASS;
        most = abs(number - k) > most ? abs(number - k) : most;
    }
    return most;
}

static void measure_class(struct ws *ws, int answer_ms)
{
    static struct class class;
    static int64_t searched[2][BESIDE], chatted[2][BESIDE];
    char id[8];
    size_t alone, among;
    cJSON_Delete(harness_call(ws, "chat.join", "{}"));
    alone = beside(ws, searched[0], chatted[0], always, NULL);
    for (int i = 0; i < CLASS; i++) {
        snprintf(id, sizeof id, "p%d", i);
        harness_open(&h, &class.ws[i], id);
    }
    fake_models_answer(fake, "Short [1]"); /* two pieces, and a pause before the first and behind each */
    fake_models_delay(fake, answer_ms / 3);
    class.until = bench_now_us() + WAIT_US + (int64_t)answer_ms * 1000 * CLASS / PLACES;
    int before = fake_models_requests(fake);
    for (int i = 0; i < CLASS; i++) {
        AUTO(mem_freep)
        char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"search.ask\",\"params\":{\"query\":\"how "
                                "do enzymes work in the cell? "
                                "asks number %d.\",\"stream\":true}}",
                                i);
        if (!ws_send(&class.ws[i], text, strlen(text)))
            give_up("a pupil's socket ended");
        /* The next when this one is at work or in the line, so that everybody's place is known. */
        while (class_waits(&class) && (i < PLACES ? fake_models_requests(fake) == before + i : !class.heard[i].waits))
            poll(NULL, 0, 1);
    }
    int64_t from = bench_now_us();
    among = beside(ws, searched[1], chatted[1], class_waits, &class);
    while (class_waits(&class))
        poll(NULL, 0, 10);
    bench_figure("a class of 30, 4 at a time, until all are answered", (double)(bench_now_us() - from) / 1e6, "s",
                 answer_ms / 1e3 * CLASS / PLACES);
    bench_figure("a class of 30, greatest distance out of turn", out_of_turn(before), "places", 1);
    tell("search.query beside the class", searched[1], among, searched[0], alone);
    tell("chat.send beside the class", chatted[1], among, chatted[0], alone);
    for (int i = 0; i < CLASS; i++)
        ws_close(&class.ws[i]);
}

int main(void)
{
    const char *set = getenv("BENCH_ASKS"), *answer_ms = getenv("BENCH_ANSWER_MS");
    size_t asks = set ? strtoul(set, NULL, 10) : ASKS;
    char pdf[40];
    struct ws ws;
    fake = fake_models_start(0);
    fake_models_answer(fake, answer);
    AUTO(mem_freep) char *url = mem_printf("OPENAI_BASE_URL=http://127.0.0.1:%d/v1", fake_models_port(fake));
    harness_start(&h, NULL,
                  (const char *const[]){"EDURAG_LOG=info", "EDURAG_GENERATION=openai", url, "OPENAI_API_KEY=sk-bench",
                                        "EDURAG_EMBEDDINGS=builtin", NULL});
    harness_user(&h, "student", "asker", "Asker");
    for (int i = 0; i < CLASS; i++) {
        char id[8];
        snprintf(id, sizeof id, "p%d", i);
        harness_user(&h, "student", id, "Pupil");
    }
    library_put(h.directory, "Cells", NULL, pages, COUNT_OF(pages), pdf);
    harness_open(&h, &ws, "asker");
    for (int64_t until = bench_now_us() + WAIT_US; bench_now_us() < until; poll(NULL, 0, 50)) {
        AUTO(json_freep) cJSON *found = harness_call(&ws, "search.query", "{\"query\":\"enzymes\",\"preview\":true}");
        if (cJSON_GetArraySize(json_get(json_get(found, "result"), "results")))
            break;
    }
    fake_models_delay(fake, PAUSE_MS);
    measure(&ws, asks ? asks : 1);
    measure_class(&ws, answer_ms ? atoi(answer_ms) : 5000);
    ws_close(&ws);
    int code = harness_stop(&h);
    fake_models_stop(fake);
    return code;
}
