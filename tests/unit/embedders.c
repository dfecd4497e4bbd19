/* embedders.c - vectors are right, or refused in words, whatever the services that make them do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/wait.h"
#include "server/models/models.h"
#include "tests/lib/fake_models.h"
#include "tests/lib/provider.h"

static double length_of(const float *vector, size_t dimensions)
{
    double sum = 0;
    for (size_t i = 0; i < dimensions; i++)
        sum += (double)vector[i] * (double)vector[i];
    return sqrt(sum);
}

static void embeddings_come_in_batches_in_order_and_of_length_one(struct provider *p)
{
    enum { COUNT = 230 };
    char words[COUNT][16];
    const char *texts[COUNT];
    for (int i = 0; i < COUNT; i++) {
        snprintf(words[i], sizeof words[i], "text %d", i);
        texts[i] = words[i];
    }
    struct err err = {0};
    assert_true(models_embedder_learn(p->e, &err));
    AUTO(mem_freep) float *vectors = mem_array(COUNT * p->e->dimensions, sizeof *vectors);
    AUTO(mem_freep) float *one = mem_array(p->e->dimensions, sizeof *one);
    int before = fake_models_requests(p->fake);
    bool gemini = !strcmp(p->e->provider, "gemini");
    fake_models_behave(p->fake, gemini ? "fine" : "unsorted", 0);
    assert_true(models_embed(p->e, MODELS_PASSAGE, texts, COUNT, vectors, &err));
    assert_int_equal(fake_models_requests(p->fake) - before, (COUNT + (int)p->e->batch - 1) / (int)p->e->batch);
    for (size_t i = 0; i < COUNT; i += 57) {
        assert_true(models_embed(p->e, MODELS_PASSAGE, &texts[i], 1, one, &err));
        assert_memory_equal(one, vectors + i * p->e->dimensions, p->e->dimensions * sizeof *one);
        assert_true(fabs(length_of(one, p->e->dimensions) - 1) < 1e-5);
    }
    fake_models_behave(p->fake, "no_index", 0);
    assert_true(models_embed(p->e, MODELS_PASSAGE, texts, 3, vectors, &err));
    char name[MODELS_NAME_MOST];
    models_embedder_name(p->e, name);
    assert_string_equal(name, gemini ? "gemini/gemini-embedding-2@768" : "openai/nomic-embed-text@8");
}

static void each_model_is_told_the_task_in_its_way(struct provider *p)
{
    bool gemini = !strcmp(p->e->provider, "gemini");
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    const char *text = "enzymes";
    assert_true(models_embed(p->e, MODELS_QUERY, &text, 1, vector, NULL));
    AUTO(mem_freep) char *query = fake_models_last_body(p->fake);
    assert_true(models_embed(p->e, MODELS_PASSAGE, &text, 1, vector, NULL));
    AUTO(mem_freep) char *passage = fake_models_last_body(p->fake);
    assert_non_null(strstr(query, gemini ? "task: search result | query: enzymes" : "search_query: enzymes"));
    assert_non_null(strstr(passage, gemini ? "title: none | text: enzymes" : "search_document: enzymes"));
    assert_null(strstr(query, "taskType"));
    if (!gemini)
        return;
    snprintf(p->e->model, sizeof p->e->model, "gemini-embedding-001");
    assert_true(models_embed(p->e, MODELS_QUERY, &text, 1, vector, NULL));
    AUTO(mem_freep) char *old = fake_models_last_body(p->fake);
    assert_non_null(strstr(old, "\"taskType\":\"RETRIEVAL_QUERY\""));
    assert_non_null(strstr(old, "{\"text\":\"enzymes\"}"));
    assert_non_null(strstr(old, "\"model\":\"models/gemini-embedding-001\""));
}

static void *learn_slowly(void *context)
{
    assert_false(models_embedder_learn(((struct provider *)context)->e, NULL));
    return NULL;
}

/* While one thread asks a silent service how many dimensions it has, others may look. */
static void asking_for_dimensions_holds_nobody_up(void **state)
{
    (void)state;
    struct provider p = {0};
    pthread_t thread;
    provider_open(&p, "openai");
    fake_models_behave(p.fake, "hang", 0);
    pthread_create(&thread, NULL, learn_slowly, &p);
    while (!fake_models_requests(p.fake))
        usleep(1000);
    int64_t start = wait_now();
    assert_false(models_embedder_known(p.e));
    models_embedder_recall(p.e, "openai/nomic-embed-text@8", 8);
    assert_true(models_embedder_known(p.e));
    assert_true(wait_now() - start < 500);
    pthread_join(thread, NULL);
    provider_close(&p);
}

static void embeddings_that_cannot_be_right_are_refused(struct provider *p)
{
    static const char *const behaviours[] = {
        "wrong_dimensions", "missing_one", "base64", "zero", "double_index", "html", "hang", "401", "404", "500"};
    const char *texts[] = {"one", "two"};
    AUTO(mem_freep) float *vectors = mem_array(2 * MODELS_DIMENSIONS_MOST, sizeof *vectors);
    for (size_t i = 0; i < COUNT_OF(behaviours); i++) {
        struct err err = {0};
        if (!strcmp(behaviours[i], "double_index") && !strcmp(p->e->provider, "gemini"))
            continue;
        assert_true(models_embed(p->e, MODELS_PASSAGE, texts, 2, vectors, &err));
        fake_models_behave(p->fake, behaviours[i], 1);
        int64_t start = wait_now();
        if (models_embed(p->e, MODELS_PASSAGE, texts, 2, vectors, &err) || err.code != ERR_UPSTREAM ||
            wait_now() - start > 2500)
            fail_msg("%s %s: %s", p->e->provider, behaviours[i], err.log);
        assert_null(strstr(err.log, provider_key));
    }
}

static void a_text_that_is_too_long_is_found_and_shortened(struct provider *p)
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
    fake_models_longest(p->fake, 1000);
    assert_true(models_embed(p->e, MODELS_PASSAGE, texts, COUNT, vectors, &err));
    assert_true(models_embed(p->e, MODELS_PASSAGE, texts, 1, one, &err));
    size_t d = p->e->dimensions;
    assert_memory_equal(one, vectors, d * sizeof *one);
    assert_memory_equal(one, vectors + 39 * d, d * sizeof *one);
    assert_memory_not_equal(one, vectors + 17 * d, d * sizeof *one);
    assert_true(fabs(length_of(vectors + 17 * d, d) - 1) < 1e-5);
}

struct waiting {
    struct provider *p;
    int64_t took;
    bool fine;
};

static void *wait_for_a_vector(void *context)
{
    struct waiting *w = context;
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    int64_t start = wait_now();
    w->fine = models_embed_question(w->p->e, "enzymes", vector, NULL);
    w->took = wait_now() - start;
    return NULL;
}

/* One waits in vain for as long as is allowed, those beside it no longer than that, those behind it not at all. */
static void a_silent_embedder_is_waited_for_once_and_probed_behind(struct provider *p)
{
    pthread_t threads[4];
    struct waiting waiting[COUNT_OF(threads)];
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    struct err err = {0};
    assert_true(models_embedder_learn(p->e, &err));
    assert_true(models_embed_question(p->e, "enzymes", vector, &err));
    p->settings.embed_ms = 3000;
    fake_models_behave(p->fake, "hang", 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        waiting[i] = (struct waiting){.p = p};
        pthread_create(&threads[i], NULL, wait_for_a_vector, &waiting[i]);
        usleep(500000);
    }
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        pthread_join(threads[i], NULL);
        assert_false(waiting[i].fine);
    }
    assert_true(waiting[COUNT_OF(threads) - 1].took < 2800); /* begun 1.5 s later, ended with the first */
    assert_false(models_embedder_reachable(p->e));
    int before = fake_models_requests(p->fake);
    for (int i = 0; i < 5; i++) {
        assert_false(models_embed_question(p->e, "enzymes", vector, &err));
        assert_int_equal(err.code, ERR_UPSTREAM);
    }
    assert_int_equal(fake_models_requests(p->fake),
                     before); /* the pause ends, and still nobody who waits is made to try */
    usleep(300000);
    assert_false(models_embed_question(p->e, "enzymes", vector, &err));
    assert_int_equal(fake_models_requests(p->fake), before);
    fake_models_behave(p->fake, "fine", 0);
    for (int i = 0; i < 400 && !models_embedder_reachable(p->e); i++, usleep(10000))
        models_embedder_probe(p->e);
    assert_true(models_embed_question(p->e, "enzymes", vector, &err));
    before = fake_models_requests(p->fake);
    models_embedder_probe(p->e); /* nothing to find out */
    assert_int_equal(fake_models_requests(p->fake), before);
}

static void another_server_for_embeddings_never_gets_the_first_key(void **state)
{
    (void)state;
    struct provider p = {0};
    provider_open(&p, "openai");
    models_embedder_free(&p.e);
    p.settings.openai_base_url = "https://chat.example/v1";
    p.settings.openai_embeddings_base_url = p.url;
    assert_true(models_embedder_open(&p.settings, &p.e, NULL));
    assert_true(models_embedder_learn(p.e, NULL));
    AUTO(mem_freep) char *headers = fake_models_last_headers(p.fake);
    assert_null(strstr(headers, "authorization"));
    provider_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROVIDER_BOTH(embeddings_come_in_batches_in_order_and_of_length_one),
        PROVIDER_BOTH(each_model_is_told_the_task_in_its_way),
        cmocka_unit_test(asking_for_dimensions_holds_nobody_up),
        PROVIDER_BOTH(embeddings_that_cannot_be_right_are_refused),
        PROVIDER_BOTH(a_text_that_is_too_long_is_found_and_shortened),
        PROVIDER_BOTH(a_silent_embedder_is_waited_for_once_and_probed_behind),
        cmocka_unit_test(another_server_for_embeddings_never_gets_the_first_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
