/* index_sync.c - the index stays true to the database, through restarts, lost connections and a new embedder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/latent.h"
#include "server/retrieval/vectors.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

enum { MANY = LATENT_TEXTS_LEAST + 20, PART = 130 };

static struct harness h;
static struct ws sue;

static int hits(const char *query)
{
    AUTO(mem_freep) char *params = mem_printf("{\"query\":\"%s\",\"preview\":true,\"limit\":50}", query);
    AUTO(json_freep) cJSON *reply = harness_call(&sue, "search.query", params);
    const cJSON *results = json_get(json_get(reply, "result"), "results");
    return results ? cJSON_GetArraySize(results) : -1;
}

static bool becomes(const char *query, int wanted)
{
    for (int tries = 0; tries < 300; tries++) {
        if (hits(query) == wanted)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

static bool holds(const char *question)
{
    for (int tries = 0; tries < 600; tries++) {
        AUTO(mem_freep) char *answer = library_sql(h.directory, "edurag_owner", question);
        if (answer && !strcmp(answer, "t"))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    }
    return false;
}

static void the_scan_and_sql_agree_on_cosines(void **state)
{
    (void)state;
    static const char *const texts[] = {"Enzymes and substrates.", "A cell membrane with enzymes.",
                                        "The analytical engine.", "Water."};
    struct library_passage passages[COUNT_OF(texts)];
    char pdf[40];
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        passages[i] = (struct library_passage){1, texts[i]};
    library_put(h.directory, "Cosines", NULL, passages, COUNT_OF(texts), pdf);
    AUTO(mem_freep)
    char *sql =
        mem_printf("select jsonb_agg(jsonb_build_array(to_jsonb(a.vector), (select jsonb_agg(api.cosine(a.vector, "
                   "b.vector) order by d.ordinal) "
                   "from public.rag_embeddings b join public.pdf_chunks d using (chunk_id) where d.pdf_id = c.pdf_id)) "
                   "order by c.ordinal) "
                   "from public.rag_embeddings a join public.pdf_chunks c using (chunk_id) where c.pdf_id = '%s'",
                   pdf);
    AUTO(mem_freep) char *text = library_sql(h.directory, "edurag_owner", sql);
    struct err err = {0};
    AUTO(json_freep) cJSON *rows = json_parse(text, strlen(text), &err);
    assert_int_equal(cJSON_GetArraySize(rows), COUNT_OF(texts));
    struct vectors *vectors = vectors_new(256);
    float all[COUNT_OF(texts)][256], scores[COUNT_OF(texts)];
    for (int i = 0; i < (int)COUNT_OF(texts); i++) {
        for (int k = 0; k < 256; k++)
            all[i][k] = (float)cJSON_GetArrayItem(cJSON_GetArrayItem(cJSON_GetArrayItem(rows, i), 0), k)->valuedouble;
        vectors_put(vectors, (uint32_t)i, all[i]);
    }
    const struct vectors_span span = {0, COUNT_OF(texts)};
    for (int i = 0; i < (int)COUNT_OF(texts); i++) {
        vectors_scan(vectors, all[i], &span, 1, scores);
        for (int k = 0; k < (int)COUNT_OF(texts); k++) {
            double sql_says = cJSON_GetArrayItem(cJSON_GetArrayItem(cJSON_GetArrayItem(rows, i), 1), k)->valuedouble;
            assert_true(fabs((double)scores[k] - sql_says) < 0.015);
            assert_true(fabs((double)vectors_score(vectors, all[i], (uint32_t)k) - sql_says) < 1e-5);
        }
    }
    vectors_free(vectors);
    library_delete(h.directory, pdf);
}

static void what_was_missed_is_caught_up(void **state)
{
    (void)state;
    char gone[40], stays[40], came[40];
    const struct library_passage one = {1, "The wombatlike kestrelfish."}, two = {1, "The heronlike kestrelfish."};
    library_put(h.directory, "Gone", NULL, &one, 1, gone);
    library_put(h.directory, "Stays", NULL, &two, 1, stays);
    assert_true(becomes("kestrelfish", 2));
    free(library_sql(
        h.directory, "postgres",
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'eduragd listen'"));
    library_delete(h.directory, gone);
    library_put(h.directory, "Came", NULL, &one, 1, came);
    assert_true(becomes("wombatlike kestrelfish", 2));
    library_delete(h.directory, came);
    assert_true(becomes("wombatlike", 0));
    assert_true(becomes("kestrelfish", 1));
    library_delete(h.directory, stays);
}

static void a_grown_library_gets_a_fitted_embedder_while_it_serves(void **state)
{
    (void)state;
    static const char *const subjects[] = {"enzyme", "engine", "planet", "empire", "market", "glacier", "poem"};
    struct library_passage passages[PART];
    char texts[PART][200], pdf[40];
    for (int from = 0; from < MANY; from += PART) {
        for (int i = 0; i < PART; i++) {
            const char *a = subjects[(from + i) % 7], *b = subjects[(from + i) / 7 % 7];
            snprintf(texts[i], sizeof texts[i], "The %s and the %s number%d of item%d have detail%d.", a, b, i,
                     (from + i) % 50, from + i);
            passages[i] = (struct library_passage){i + 1, texts[i]};
        }
        library_put(h.directory, "Grown", NULL, passages, PART, pdf);
    }
    assert_true(becomes("detail77", 1));
    assert_true(holds(
        "select count(*) = 1 from public.embedding_models where state = 'current' and model like 'builtin-lsa-%'"));
    assert_true(holds("select bool_and(p.embedding_model = m.model) from public.pdfs p, public.embedding_models m "
                      "where m.state = 'current'"));
    assert_true(holds("select count(*) = 0 from public.rag_embeddings where model like 'builtin-hashed%'"));
    assert_true(hits("detail77") > 0);
}

static void everything_is_there_after_a_restart(void **state)
{
    (void)state;
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
    harness_start(&h, h.directory, NULL);
    harness_open(&h, &sue, "sue");
    bool found = false;
    for (int tries = 0; tries < 100 && !found; tries++) {
        found = hits("detail77") > 0;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    assert_true(found);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue Student");
    harness_open(&h, &sue, "sue");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ws_close(&sue);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scan_and_sql_agree_on_cosines),
        cmocka_unit_test(what_was_missed_is_caught_up),
        cmocka_unit_test(a_grown_library_gets_a_fitted_embedder_while_it_serves),
        cmocka_unit_test(everything_is_there_after_a_restart),
    };
    return cmocka_run_group_tests_name("index_sync", tests, start, stop);
}
