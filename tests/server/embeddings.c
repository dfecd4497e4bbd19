/* embeddings.c - a library moves to an outside embedder and back, while searches go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/library.h"
#include "tests/lib/outside.h"

static struct fake_models *fake;

static const struct library_passage pages[] = {
    {1, "Cells are the smallest living units. Every cell is bounded by a membrane."},
    {2, "Enzymes speed up reactions in the cell."},
};

static void a_library_moves_to_the_service_while_it_serves(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    char pdf[40];
    fake_models_behave(fake, "500", 0); /* not there at first: nothing waits for it */
    outside_begin(&h, fake, "openai");
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "admin", "ada", "Ada Admin");
    harness_open(&h, &sue, "sue");
    library_put(h.directory, "Cells", NULL, pages, COUNT_OF(pages), pdf);
    outside_wait_found(&sue);
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(outside_served_by(&h, "builtin%"), 1);
    fake_models_behave(fake, "fine", 0);
    outside_wait_served_by(&h, "openai/nomic-embed-text@8", 1);
    AUTO(mem_freep)
    char *vectors = library_sql(
        h.directory, "edurag_owner",
        "select count(*) from public.rag_embeddings e where e.model like 'openai%' and cardinality(e.vector) = 8");
    assert_string_equal(vectors, "2");
    struct ws ada;
    harness_open(&h, &ada, "ada");
    AUTO(json_freep) cJSON *stats = harness_call(&ada, "admin.stats", "{}");
    const cJSON *figures = json_get(stats, "result"),
                *provider = json_get(json_get(figures, "providers"), "embeddings");
    assert_string_equal(json_text(json_get(figures, "embeddings"), "model", ""), "openai/nomic-embed-text@8");
    assert_int_equal(json_int(json_get(figures, "embeddings"), "done", -1), 1);
    assert_string_equal(json_text(provider, "provider", ""), "openai");
    assert_true(json_bool(provider, "reachable", false));
    ws_close(&ada);
    usleep(700000); /* the index hears of it */
    int before = fake_models_requests(fake);
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(fake_models_requests(fake), before + 1);
    AUTO(mem_freep) char *body = fake_models_last_body(fake);
    assert_non_null(strstr(body, "search_query: enzymes"));
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\",\"preview\":true}") > 0);
    assert_int_equal(fake_models_requests(fake), before + 1);
    fake_models_behave(fake, "500", 0);
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\"}") > 0);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
}

static void a_restart_while_the_service_is_away_keeps_its_vectors(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    outside_begin(&h, fake, "openai");
    harness_open(&h, &sue, "sue");
    outside_wait_found(&sue);
    sleep(2);
    assert_int_equal(outside_served_by(&h, "openai/nomic-embed-text@8"), 1);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
    fake_models_behave(fake, "fine", 0);
}

static void a_setting_brings_the_library_home(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    outside_begin(&h, fake, "builtin");
    harness_open(&h, &sue, "sue");
    outside_wait_served_by(&h, "builtin%", 1);
    int before = fake_models_requests(fake);
    outside_wait_found(&sue);
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(fake_models_requests(fake), before);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
}

enum { DOCUMENTS = 6, EACH = 70 /* passages: two batches */ };

/* Killed while documents move one by one: each is whole under one model, and what was paid for is not paid for again. */
static void a_move_that_is_interrupted_goes_on_where_it_was(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    static char texts[DOCUMENTS * EACH][60];
    static const char in_between[] =
        "select count(*) from public.pdf_chunks c join public.pdfs p using (pdf_id) where not exists "
        "(select from public.rag_embeddings e where e.chunk_id = c.chunk_id and e.model = p.embedding_model)";
    outside_begin(&h, fake, "builtin");
    for (int d = 0; d < DOCUMENTS; d++) {
        struct library_passage passages[EACH];
        char pdf[40];
        for (int i = 0; i < EACH; i++) {
            snprintf(texts[d * EACH + i], sizeof texts[0], "Sentence %c%c%c about enzymes.", 'a' + d, 'a' + i / 10,
                     'a' + i % 10);
            passages[i] = (struct library_passage){1 + i / 10, texts[d * EACH + i]};
        }
        library_put(h.directory, "Many", NULL, passages, EACH, pdf);
    }
    outside_wait_served_by(&h, "builtin%", 1 + DOCUMENTS);
    assert_int_equal(harness_stop(&h), 0);
    int before = fake_models_texts(fake);
    fake_models_delay(fake, 300);
    outside_begin(&h, fake, "openai");
    for (int i = 0; i < 2000 && outside_served_by(&h, "openai%") < 2; i++)
        usleep(10000);
    harness_kill(&h);
    fake_models_delay(fake, 0);
    outside_begin(&h, fake, "openai");
    AUTO(mem_freep) char *torn = library_sql(h.directory, "edurag_owner", in_between);
    assert_string_equal(torn, "0");
    assert_in_range(outside_served_by(&h, "builtin%"), 1, DOCUMENTS - 1);
    harness_open(&h, &sue, "sue");
    outside_wait_found(&sue);
    assert_true(outside_results(&sue, "{\"query\":\"enzymes\",\"limit\":50}") > 0);
    outside_wait_served_by(&h, "openai%", 1 + DOCUMENTS);
    /* Two jobs may have lost the batch that they were waiting for; and a question and a probe are texts as well. */
    assert_in_range(fake_models_texts(fake) - before, DOCUMENTS * EACH, 2 + DOCUMENTS * EACH + 2 * 64 + 20);
    free(library_sql(h.directory, "edurag_owner", "delete from public.pdfs where title = 'Many'"));
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_moves_to_the_service_while_it_serves),
        cmocka_unit_test(a_restart_while_the_service_is_away_keeps_its_vectors),
        cmocka_unit_test(a_setting_brings_the_library_home),
        cmocka_unit_test(a_move_that_is_interrupted_goes_on_where_it_was),
    };
    fake = fake_models_start(0);
    int wrong = cmocka_run_group_tests_name("embeddings", tests, NULL, NULL);
    fake_models_stop(fake);
    return wrong;
}
