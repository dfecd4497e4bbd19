/* models.c - language models and embedders answer, or fail in words, whatever their services do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "common/wait.h"
#include "server/models/http.h"
#include "server/models/models.h"
#include "tests/lib/fake_models.h"

static const char key[] = "the-secret-key", answer_text[] = "Enzymes speed up reactions [1]. Größe spielt keine Rolle 😀 [2].";

/* One provider against one fake. */
struct bench {
    struct fake_models *fake;
    struct models_settings settings;
    char url[64];
    struct models_generator *g;
    struct models_embedder *e;
};

static void bench_open(struct bench *b, const char *provider)
{
    b->fake = fake_models_start(0);
    snprintf(b->url, sizeof b->url, "http://127.0.0.1:%d/base/", fake_models_port(b->fake));
    b->settings = (struct models_settings){
        .generation = provider, .embeddings = provider, .gemini_base_url = b->url, .gemini_api_key = key, .openai_base_url = b->url,
        .openai_api_key = key, .openai_chat_model = "llama3.2:3b", .openai_embedding_model = "nomic-embed-text", .first_byte_ms = 600,
        .silence_ms = 400, .embed_ms = 1500, .breaker_pause_ms = 200};
    struct err err = {0};
    assert_true(models_generator_open(&b->settings, &b->g, &err));
    assert_true(models_embedder_open(&b->settings, &b->e, &err));
}

static void bench_close(struct bench *b)
{
    models_generator_free(&b->g);
    models_embedder_free(&b->e);
    fake_models_stop(b->fake);
}

/* A question on its way, and all that came of it. */
struct asked {
    struct buf heard; /* the deltas together */
    bool utf8;        /* each of them was whole characters */
    atomic_bool cancel;
    struct models_answer answer;
    struct err err;
};

static void asked_free(struct asked *asked)
{
    buf_free(&asked->heard);
    models_answer_free(&asked->answer);
}

static void on_delta(void *context, const char *text, size_t length)
{
    struct asked *asked = context;
    asked->utf8 = asked->utf8 && text_valid_utf8(text, length);
    buf_bytes(&asked->heard, text, length);
}

static bool on_cancelled(void *context)
{
    return atomic_load(&((struct asked *)context)->cancel);
}

static bool ask_for(struct bench *b, struct asked *asked, struct err *err)
{
    static const struct models_message messages[] = {{false, "What is an enzyme?"}, {true, "A protein."}, {false, "And what does it do?"}};
    static const struct models_question question = {.system = "You are kind.", .messages = messages, .count = 3};
    struct models_listener listener = {.delta = on_delta, .cancelled = on_cancelled, .context = asked};
    asked->utf8 = true;
    return b->g->generate(b->g, &question, &listener, &asked->answer, err);
}

static bool ask(struct bench *b, struct asked *asked)
{
    return ask_for(b, asked, &asked->err);
}

static bool answers(struct bench *b)
{
    AUTO(asked_free) struct asked asked = {0};
    return ask_for(b, &asked, NULL) && asked.answer.text.length > 0;
}

/* A test of both providers. */
struct check {
    void (*run)(struct bench *b);
};

static void both(void **state)
{
    static const char *const providers[] = {"gemini", "openai"};
    const struct check *check = *state;
    for (size_t i = 0; i < COUNT_OF(providers); i++) {
        struct bench b = {0};
        bench_open(&b, providers[i]);
        check->run(&b);
        bench_close(&b);
    }
}

#define TEST_BOTH(run) {#run, both, NULL, NULL, &(struct check){run}}

enum { NOTHING = 99 };

/* What a service does, how an answer of it ends, and what is said then. */
struct behaviour {
    const char *name;
    int end;
    const char *says;
};

static void check_behaviour(struct bench *b, const struct behaviour *want)
{
    AUTO(asked_free) struct asked asked = {0};
    const struct models_answer *answer = &asked.answer;
    const struct err *err = &asked.err;
    fake_models_behave(b->fake, want->name, 0);
    int64_t start = wait_now();
    bool fine = ask(b, &asked);
    int64_t took = wait_now() - start;
    const char *said = fine ? answer->note : err->say;
    if (fine != (want->end != NOTHING) || (fine && (int)answer->end != want->end) || !strstr(said, want->says) || took > 20000)
        fail_msg("%s %s: %s, end %d, “%s”, log “%s”, %lld ms", b->g->provider, want->name, fine ? "an answer" : "none", answer->end,
                 said, err->log, (long long)took);
    assert_true(asked.utf8);
    assert_string_equal(asked.heard.data ? asked.heard.data : "", answer->text.data ? answer->text.data : "");
    if (fine && answer->end == MODELS_END_WHOLE)
        assert_string_equal(answer->text.data, answer_text);
    else if (fine)
        assert_memory_equal(answer->text.data, answer_text, answer->text.length);
    assert_null(strstr(err->log, key));
    assert_null(strstr(err->say, key));
    if (!fine) {
        assert_int_equal(err->code, ERR_UPSTREAM);
        assert_string_equal(err->service, b->g->provider);
    }
    fake_models_behave(b->fake, "fine", 0); /* closes the breaker again */
    while (!answers(b)) {
        assert_true(wait_now() - start < 6000 + took);
        usleep(50000);
    }
}

static void every_misbehaviour_ends_in_an_answer_or_in_words(struct bench *b)
{
    bool gemini = !strcmp(b->g->provider, "gemini");
    const struct behaviour cases[] = {
        {"fine", MODELS_END_WHOLE, ""},
        {"one_byte", MODELS_END_WHOLE, ""},
        {"crlf", MODELS_END_WHOLE, ""},
        {"comments", MODELS_END_WHOLE, ""},
        {"tight", MODELS_END_WHOLE, ""},
        {"thoughts", MODELS_END_WHOLE, ""},
        {"usage", MODELS_END_WHOLE, ""},
        {"no_done", MODELS_END_WHOLE, ""},
        {"whole", MODELS_END_WHOLE, ""},
        {"burst", MODELS_END_WHOLE, ""},
        {"nothings", MODELS_END_WHOLE, ""},
        {"early_finish", MODELS_END_WHOLE, ""},
        {"after_done", MODELS_END_WHOLE, ""},
        {"odd_finish", gemini ? MODELS_END_BROKEN : MODELS_END_WHOLE, ""},
        {"length", MODELS_END_LENGTH, "length"},
        {"safety", MODELS_END_BLOCKED, "withheld"},
        {"no_finish", MODELS_END_BROKEN, "broke off"},
        {"cut", MODELS_END_BROKEN, "broke off"},
        {"stall", MODELS_END_BROKEN, "broke off"},
        {"mid_error", MODELS_END_BROKEN, "error in the middle"},
        {"malformed", MODELS_END_BROKEN, "broke off"},
        {"huge", MODELS_END_BROKEN, "broke off"},
        {"comments_only", MODELS_END_BROKEN, "broke off"},
        {"comments_first", NOTHING, "did not answer"},
        {"thought_out", NOTHING, "before it wrote a word"},
        {"blocked", NOTHING, "declined"},
        {"empty", NOTHING, "did not answer"},
        {"error_first", NOTHING, "error"},
        {"hang", NOTHING, "did not answer"},
        {"cut_at_once", NOTHING, "did not answer"},
        {"html", NOTHING, "did not answer"},
        {"400", NOTHING, "did not accept"},
        {"401", NOTHING, "key"},
        {"403", NOTHING, "key"},
        {"404", NOTHING, "does not exist"},
        {"429_day", NOTHING, "quota"},
        {"429_long", NOTHING, "quota"},
        {"500", NOTHING, "did not answer"},
        {"array_error", NOTHING, "did not answer"},
        {"flat_error", NOTHING, "did not accept"},
        {"redirect", NOTHING, "did not answer"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check_behaviour(b, &cases[i]);
}

/* Whole, cut, withheld or broken, and each in words of its own; what nobody has heard of yet too. */
static void every_reason_to_finish_is_told_in_words(void **state)
{
    (void)state;
    static const struct { const char *provider, *reason; enum models_end end; const char *says; } cases[] = {
        {"gemini", "STOP", MODELS_END_WHOLE, ""},
        {"gemini", "MAX_TOKENS", MODELS_END_LENGTH, "length limit"},
        {"gemini", "SAFETY", MODELS_END_BLOCKED, "safety"},
        {"gemini", "RECITATION", MODELS_END_BLOCKED, "published text"},
        {"gemini", "LANGUAGE", MODELS_END_BLOCKED, "language"},
        {"gemini", "BLOCKLIST", MODELS_END_BLOCKED, "forbidden word"},
        {"gemini", "PROHIBITED_CONTENT", MODELS_END_BLOCKED, "forbid the subject"},
        {"gemini", "SPII", MODELS_END_BLOCKED, "personal data"},
        {"gemini", "MALFORMED_FUNCTION_CALL", MODELS_END_BROKEN, "lost its way"},
        {"gemini", "UNEXPECTED_TOOL_CALL", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "TOO_MANY_TOOL_CALLS", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "MISSING_THOUGHT_SIGNATURE", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "IMAGE_SAFETY", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "OTHER", MODELS_END_BROKEN, "without saying why"},
        {"gemini", "SOMETHING_OF_NEXT_YEAR", MODELS_END_BROKEN, "without saying why"},
        {"openai", "stop", MODELS_END_WHOLE, ""},
        {"openai", "length", MODELS_END_LENGTH, "length limit"},
        {"openai", "content_filter", MODELS_END_BLOCKED, "filter"},
        {"openai", "tool_calls", MODELS_END_WHOLE, ""},
        {"openai", "function_call", MODELS_END_WHOLE, ""},
        {"openai", "load", MODELS_END_WHOLE, ""},
        {"openai", "abort", MODELS_END_BROKEN, "broke off"},
        {"openai", "error", MODELS_END_BROKEN, "broke off"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bench b = {0};
        AUTO(asked_free) struct asked asked = {0};
        AUTO(mem_freep) char *behaviour = mem_printf("finish:%s", cases[i].reason);
        const struct models_answer *answer = &asked.answer;
        bench_open(&b, cases[i].provider);
        fake_models_behave(b.fake, behaviour, 0);
        if (!ask(&b, &asked) || answer->end != cases[i].end || !strstr(answer->note, cases[i].says) || !*cases[i].says != !*answer->note)
            fail_msg("%s %s: end %d, “%s”, %s", cases[i].provider, cases[i].reason, answer->end, answer->note, asked.err.log);
        assert_string_equal(answer->text.data, answer_text);
        bench_close(&b);
    }
}

static void an_answer_without_end_is_cut_and_says_so(struct bench *b)
{
    AUTO(asked_free) struct asked asked = {0};
    AUTO(buf_free) struct buf text = {0};
    const struct models_answer *answer = &asked.answer;
    b->settings.first_byte_ms = b->settings.silence_ms = 20000;
    while (text.length < 300000)
        buf_text(&text, "and so on and so forth, as long as anybody lets it go on; ");
    fake_models_answer(b->fake, text.data);
    fake_models_behave(b->fake, "burst", 0);
    assert_true(ask(b, &asked));
    assert_int_equal(answer->end, MODELS_END_LENGTH);
    assert_non_null(strstr(answer->note, "length limit"));
    assert_in_range(answer->text.length, 200000, 262144);
    assert_memory_equal(answer->text.data, text.data, answer->text.length);
}

static void requests_are_as_the_contracts_say(struct bench *b)
{
    assert_true(answers(b));
    AUTO(mem_freep) char *path = fake_models_last_path(b->fake), *headers = fake_models_last_headers(b->fake), *body = fake_models_last_body(b->fake);
    AUTO(json_freep) cJSON *json = json_parse(body, strlen(body), NULL);
    assert_non_null(json);
    assert_null(strstr(path, key));
    assert_null(strstr(body, key));
    assert_non_null(strstr(headers, "accept: text/event-stream"));
    assert_non_null(strstr(headers, "content-type: application/json"));
    if (!strcmp(b->g->provider, "gemini")) {
        assert_string_equal(path, "/base/models/gemini-flash-latest:streamGenerateContent?alt=sse");
        assert_non_null(strstr(headers, "x-goog-api-key: the-secret-key"));
        assert_non_null(strstr(body, "\"systemInstruction\":{\"parts\":[{\"text\":\"You are kind.\"}]}"));
        assert_non_null(strstr(body, "{\"role\":\"model\",\"parts\":[{\"text\":\"A protein.\"}]}"));
        assert_non_null(strstr(body, "\"maxOutputTokens\":10240")); /* thoughts count, too */
    } else {
        assert_string_equal(path, "/base/chat/completions");
        assert_non_null(strstr(headers, "authorization: Bearer the-secret-key"));
        assert_non_null(strstr(body, "{\"role\":\"system\",\"content\":\"You are kind.\"}"));
        assert_non_null(strstr(body, "{\"role\":\"assistant\",\"content\":\"A protein.\"}"));
        assert_non_null(strstr(body, "\"max_tokens\":2048"));
        b->settings.openai_reasoning = true;
        assert_true(answers(b));
        AUTO(mem_freep) char *other = fake_models_last_body(b->fake);
        assert_non_null(strstr(other, "\"max_completion_tokens\":10240"));
        assert_null(strstr(other, "temperature"));
        assert_null(strstr(other, "max_tokens"));
    }
}

static void only_what_the_contracts_allow_is_tried_again(struct bench *b)
{
    static const struct { const char *behaviour; int times, requests; bool fine; } cases[] = {
        {"429", 1, 2, true}, {"429_info", 2, 3, true}, {"503", 2, 3, true}, {"503", 3, 3, false}, {"429_day", 1, 1, false},
        {"429_long", 1, 1, false}, {"500", 1, 1, false}, {"404", 1, 1, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(asked_free) struct asked asked = {0};
        int before = fake_models_requests(b->fake);
        fake_models_behave(b->fake, cases[i].behaviour, cases[i].times);
        bool fine = ask(b, &asked);
        int requests = fake_models_requests(b->fake) - before;
        if (fine != cases[i].fine || requests != cases[i].requests)
            fail_msg("%s %s: %d requests, %s", b->g->provider, cases[i].behaviour, requests, fine ? "fine" : asked.err.log);
    }
}

static void *cancel_soon(void *context)
{
    usleep(150000);
    atomic_store(&((struct asked *)context)->cancel, true);
    return NULL;
}

static void a_cancel_ends_it_at_once(struct bench *b)
{
    static const char *const behaviours[] = {"hang", "stall"};
    b->settings.first_byte_ms = b->settings.silence_ms = 20000;
    for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
        AUTO(asked_free) struct asked asked = {0};
        pthread_t thread;
        fake_models_behave(b->fake, behaviours[i], 1);
        pthread_create(&thread, NULL, cancel_soon, &asked);
        int64_t start = wait_now();
        assert_false(ask(b, &asked));
        int64_t took = wait_now() - start;
        pthread_join(thread, NULL);
        assert_int_equal(asked.err.code, ERR_CANCELLED);
        assert_true(took < 600);
    }
    /* A cancelled call says nothing about the service. */
    assert_true(http_reachable(b->g->service));
}

static void a_dead_service_is_left_alone_until_a_probe_succeeds(struct bench *b)
{
    fake_models_behave(b->fake, "500", 0);
    for (int i = 0; i < 5; i++)
        assert_false(answers(b));
    AUTO(asked_free) struct asked asked = {0};
    int before = fake_models_requests(b->fake);
    assert_false(http_reachable(b->g->service));
    assert_false(ask(b, &asked));
    assert_int_equal(fake_models_requests(b->fake), before);
    assert_true(asked.err.retry_after_ms > 0);
    fake_models_behave(b->fake, "fine", 0);
    usleep(250000);
    assert_true(answers(b));
    assert_true(http_reachable(b->g->service));
}

static void connections_are_used_again(struct bench *b)
{
    for (int i = 0; i < 5; i++)
        assert_true(answers(b));
    assert_int_equal(fake_models_connections(b->fake), 1);
}

/* ------------------------------------------------------------------ embeddings */

static double length_of(const float *vector, size_t dimensions)
{
    double sum = 0;
    for (size_t i = 0; i < dimensions; i++)
        sum += (double)vector[i] * (double)vector[i];
    return sqrt(sum);
}

static void embeddings_come_in_batches_in_order_and_of_length_one(struct bench *b)
{
    enum { COUNT = 230 };
    char words[COUNT][16];
    const char *texts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(words[i], sizeof words[i], "text %d", i);
        texts[i] = words[i];
    }
    struct err err = {0};
    assert_true(models_embedder_learn(b->e, &err));
    AUTO(mem_freep) float *vectors = mem_array(COUNT * b->e->dimensions, sizeof *vectors);
    AUTO(mem_freep) float *one = mem_array(b->e->dimensions, sizeof *one);
    int before = fake_models_requests(b->fake);
    fake_models_behave(b->fake, "unsorted", 0);
    bool gemini = !strcmp(b->e->provider, "gemini");
    fake_models_behave(b->fake, gemini ? "fine" : "unsorted", 0);
    assert_true(models_embed(b->e, MODELS_PASSAGE, texts, COUNT, vectors, &err));
    assert_int_equal(fake_models_requests(b->fake) - before, (COUNT + (int)b->e->batch - 1) / (int)b->e->batch);
    for (size_t i = 0; i < COUNT; i += 57) {
        assert_true(models_embed(b->e, MODELS_PASSAGE, &texts[i], 1, one, &err));
        assert_memory_equal(one, vectors + i * b->e->dimensions, b->e->dimensions * sizeof *one);
        assert_true(fabs(length_of(one, b->e->dimensions) - 1) < 1e-5);
    }
    fake_models_behave(b->fake, "no_index", 0);
    assert_true(models_embed(b->e, MODELS_PASSAGE, texts, 3, vectors, &err));
    char name[MODELS_NAME_MOST];
    models_embedder_name(b->e, name);
    assert_string_equal(name, gemini ? "gemini/gemini-embedding-2@768" : "openai/nomic-embed-text@8");
}

static void each_model_is_told_the_task_in_its_way(struct bench *b)
{
    bool gemini = !strcmp(b->e->provider, "gemini");
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    const char *text = "enzymes";
    assert_true(models_embed(b->e, MODELS_QUERY, &text, 1, vector, NULL));
    AUTO(mem_freep) char *query = fake_models_last_body(b->fake);
    assert_true(models_embed(b->e, MODELS_PASSAGE, &text, 1, vector, NULL));
    AUTO(mem_freep) char *passage = fake_models_last_body(b->fake);
    assert_non_null(strstr(query, gemini ? "task: search result | query: enzymes" : "search_query: enzymes"));
    assert_non_null(strstr(passage, gemini ? "title: none | text: enzymes" : "search_document: enzymes"));
    assert_null(strstr(query, "taskType"));
    if (!gemini)
        return;
    snprintf(b->e->model, sizeof b->e->model, "gemini-embedding-001");
    assert_true(models_embed(b->e, MODELS_QUERY, &text, 1, vector, NULL));
    AUTO(mem_freep) char *old = fake_models_last_body(b->fake);
    assert_non_null(strstr(old, "\"taskType\":\"RETRIEVAL_QUERY\""));
    assert_non_null(strstr(old, "{\"text\":\"enzymes\"}"));
    assert_non_null(strstr(old, "\"model\":\"models/gemini-embedding-001\""));
}

static void a_model_may_be_written_as_googles_lists_have_it(void **state)
{
    (void)state;
    struct bench b = {0};
    bench_open(&b, "gemini");
    models_generator_free(&b.g);
    models_embedder_free(&b.e);
    b.settings.gemini_model = "models/gemini-x";
    b.settings.gemini_embedding_model = "models/gemini-embedding-001";
    assert_true(models_generator_open(&b.settings, &b.g, NULL));
    assert_true(models_embedder_open(&b.settings, &b.e, NULL));
    assert_string_equal(b.g->model, "gemini-x");
    assert_string_equal(b.e->model, "gemini-embedding-001");
    bench_close(&b);
}

static void *learn_slowly(void *context)
{
    assert_false(models_embedder_learn(((struct bench *)context)->e, NULL));
    return NULL;
}

/* While one thread asks a silent service how many dimensions it has, others may look. */
static void asking_for_dimensions_holds_nobody_up(void **state)
{
    (void)state;
    struct bench b = {0};
    pthread_t thread;
    bench_open(&b, "openai");
    fake_models_behave(b.fake, "hang", 0);
    pthread_create(&thread, NULL, learn_slowly, &b);
    while (!fake_models_requests(b.fake))
        usleep(1000);
    int64_t start = wait_now();
    assert_false(models_embedder_known(b.e));
    models_embedder_recall(b.e, "openai/nomic-embed-text@8", 8);
    assert_true(models_embedder_known(b.e));
    assert_true(wait_now() - start < 500);
    pthread_join(thread, NULL);
    bench_close(&b);
}

static void embeddings_that_cannot_be_right_are_refused(struct bench *b)
{
    static const char *const behaviours[] = {"wrong_dimensions", "missing_one", "base64", "zero", "double_index", "html", "hang", "401", "404", "500"};
    const char *texts[] = {"one", "two"};
    AUTO(mem_freep) float *vectors = mem_array(2 * MODELS_DIMENSIONS_MOST, sizeof *vectors);
    for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
        struct err err = {0};
        if (!strcmp(behaviours[i], "double_index") && !strcmp(b->e->provider, "gemini"))
            continue;
        assert_true(models_embed(b->e, MODELS_PASSAGE, texts, 2, vectors, &err));
        fake_models_behave(b->fake, behaviours[i], 1);
        int64_t start = wait_now();
        if (models_embed(b->e, MODELS_PASSAGE, texts, 2, vectors, &err) || err.code != ERR_UPSTREAM || wait_now() - start > 2500)
            fail_msg("%s %s: %s", b->e->provider, behaviours[i], err.log);
        assert_null(strstr(err.log, key));
    }
}

static void a_text_that_is_too_long_is_found_and_shortened(struct bench *b)
{
    enum { COUNT = 40 };
    const char *texts[COUNT];
    AUTO(buf_free) struct buf longest = {0};
    while (longest.length < 3000)
        buf_text(&longest, "größere Wörter ");
    for (int i = 0; i < COUNT; i++)
        texts[i] = i == 17 ? longest.data : "short";
    AUTO(mem_freep) float *vectors = mem_array(COUNT * MODELS_DIMENSIONS_MOST, sizeof *vectors);
    AUTO(mem_freep) float *one = mem_array(MODELS_DIMENSIONS_MOST, sizeof *one);
    struct err err = {0};
    fake_models_longest(b->fake, 1000);
    assert_true(models_embed(b->e, MODELS_PASSAGE, texts, COUNT, vectors, &err));
    assert_true(models_embed(b->e, MODELS_PASSAGE, texts, 1, one, &err));
    size_t d = b->e->dimensions;
    assert_memory_equal(one, vectors, d * sizeof *one);
    assert_memory_equal(one, vectors + 39 * d, d * sizeof *one);
    assert_memory_not_equal(one, vectors + 17 * d, d * sizeof *one);
    assert_true(fabs(length_of(vectors + 17 * d, d) - 1) < 1e-5);
}

struct waiting {
    struct bench *b;
    int64_t took;
    bool fine;
};

static void *wait_for_a_vector(void *context)
{
    struct waiting *w = context;
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    int64_t start = wait_now();
    w->fine = models_embed_question(w->b->e, "enzymes", vector, NULL);
    w->took = wait_now() - start;
    return NULL;
}

/* One waits in vain for as long as is allowed, those beside it no longer than that, those behind it not at all. */
static void a_silent_embedder_is_waited_for_once_and_probed_behind(struct bench *b)
{
    pthread_t threads[4];
    struct waiting waiting[COUNT_OF(threads)];
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    struct err err = {0};
    assert_true(models_embedder_learn(b->e, &err));
    assert_true(models_embed_question(b->e, "enzymes", vector, &err));
    b->settings.embed_ms = 1000;
    fake_models_behave(b->fake, "hang", 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        waiting[i] = (struct waiting){.b = b};
        pthread_create(&threads[i], NULL, wait_for_a_vector, &waiting[i]);
        usleep(150000);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_false(waiting[i].fine);
    }
    assert_true(waiting[COUNT_OF(threads) - 1].took < 900); /* begun 450 ms later, ended with the first */
    assert_false(models_embedder_reachable(b->e));
    int before = fake_models_requests(b->fake);
    for (int i = 0; i < 5; i++) {
        assert_false(models_embed_question(b->e, "enzymes", vector, &err));
        assert_int_equal(err.code, ERR_UPSTREAM);
    }
    assert_int_equal(fake_models_requests(b->fake), before); /* the pause ends, and still nobody who waits is made to try */
    usleep(300000);
    assert_false(models_embed_question(b->e, "enzymes", vector, &err));
    assert_int_equal(fake_models_requests(b->fake), before);
    fake_models_behave(b->fake, "fine", 0);
    for (int i = 0; i < 400 && !models_embedder_reachable(b->e); i++, usleep(10000))
        models_embedder_probe(b->e);
    assert_true(models_embed_question(b->e, "enzymes", vector, &err));
    before = fake_models_requests(b->fake);
    models_embedder_probe(b->e); /* nothing to find out */
    assert_int_equal(fake_models_requests(b->fake), before);
}

/* ------------------------------------------------------------------ settings */

static void unsafe_or_missing_settings_are_refused(void **state)
{
    (void)state;
    static const struct { struct models_settings settings; const char *field; } cases[] = {
        {{.generation = "gemini"}, "GEMINI_API_KEY"},
        {{.generation = "gemini", .gemini_api_key = "k", .gemini_base_url = "http://example.org"}, "base_url"},
        {{.generation = "gemini", .gemini_api_key = "k", .gemini_base_url = "ftp://example.org"}, "base_url"},
        {{.generation = "gemini", .gemini_api_key = "k\r\nEvil: yes"}, "key"},
        {{.generation = "openai", .openai_base_url = "http://127.0.0.1:1/v1"}, "EDURAG_OPENAI_CHAT_MODEL"},
        {{.generation = "openai", .openai_chat_model = "m"}, "OPENAI_BASE_URL"},
        {{.generation = "openai", .openai_chat_model = "m", .openai_base_url = "https://u:p@example.org/v1"}, "base_url"},
        {{.generation = "openai", .openai_chat_model = "m", .openai_base_url = "https://example.org/v1?key=1"}, "base_url"},
        {{.embeddings = "openai", .openai_base_url = "http://127.0.0.1:1/v1"}, "EDURAG_OPENAI_EMBEDDING_MODEL"},
        {{.embeddings = "gemini"}, "GEMINI_API_KEY"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        if (models_start(&cases[i].settings, &err) || strcmp(err.field, cases[i].field))
            fail_msg("case %zu: field “%s”, %s", i, err.field, err.log);
    }
    struct err err = {0};
    static const struct models_settings plain = {0}, allowed = {.generation = "openai", .openai_chat_model = "m", .openai_base_url = "http://gpu.lan:8000/v1",
                                                                .allow_insecure = true};
    assert_true(models_start(&plain, &err));
    assert_null(models_generator());
    assert_null(models_embedder());
    models_stop();
    assert_true(models_start(&allowed, &err));
    assert_string_equal(models_generator()->provider, "openai");
    models_stop();
}

static void another_server_for_embeddings_never_gets_the_first_key(void **state)
{
    (void)state;
    struct bench b = {0};
    bench_open(&b, "openai");
    models_embedder_free(&b.e);
    b.settings.openai_base_url = "https://chat.example/v1";
    b.settings.openai_embeddings_base_url = b.url;
    assert_true(models_embedder_open(&b.settings, &b.e, NULL));
    assert_true(models_embedder_learn(b.e, NULL));
    AUTO(mem_freep) char *headers = fake_models_last_headers(b.fake);
    assert_null(strstr(headers, "authorization"));
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_BOTH(every_misbehaviour_ends_in_an_answer_or_in_words),
        cmocka_unit_test(every_reason_to_finish_is_told_in_words),
        TEST_BOTH(an_answer_without_end_is_cut_and_says_so),
        TEST_BOTH(requests_are_as_the_contracts_say),
        TEST_BOTH(only_what_the_contracts_allow_is_tried_again),
        TEST_BOTH(a_cancel_ends_it_at_once),
        TEST_BOTH(a_dead_service_is_left_alone_until_a_probe_succeeds),
        TEST_BOTH(connections_are_used_again),
        TEST_BOTH(embeddings_come_in_batches_in_order_and_of_length_one),
        TEST_BOTH(each_model_is_told_the_task_in_its_way),
        cmocka_unit_test(a_model_may_be_written_as_googles_lists_have_it),
        cmocka_unit_test(asking_for_dimensions_holds_nobody_up),
        TEST_BOTH(embeddings_that_cannot_be_right_are_refused),
        TEST_BOTH(a_text_that_is_too_long_is_found_and_shortened),
        TEST_BOTH(a_silent_embedder_is_waited_for_once_and_probed_behind),
        cmocka_unit_test(unsafe_or_missing_settings_are_refused),
        cmocka_unit_test(another_server_for_embeddings_never_gets_the_first_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
