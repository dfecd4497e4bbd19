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
#include "tests/lib/fake_models.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

static struct fake_models *fake;
static char url[80];
static const char *directory;

static const struct library_passage pages[] = {
    {1, "Cells are the smallest living units. Every cell is bounded by a membrane."},
    {2, "Enzymes speed up reactions in the cell."},
};

static void begin(struct harness *h, const char *embeddings)
{
    AUTO(mem_freep) char *choice = mem_printf("EDURAG_EMBEDDINGS=%s", embeddings);
    const char *const settings[] = {choice, url, "EDURAG_GENERATION=extractive", "EDURAG_OPENAI_EMBEDDING_MODEL=nomic-embed-text", NULL};
    harness_start(h, directory, settings);
    directory = h->directory;
}

static int served_by(const struct harness *h, const char *model)
{
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from public.pdfs where embedding_model like '%s'", model);
    AUTO(mem_freep) char *count = library_sql(h->directory, "edurag_owner", sql);
    return atoi(count);
}

static void wait_served_by(const struct harness *h, const char *model, int documents)
{
    for (int i = 0; i < 400 && served_by(h, model) < documents; i++)
        usleep(50000);
    if (served_by(h, model) != documents)
        fail_msg("%d documents are served by %s: %s", served_by(h, model), model, harness_log(h));
}

static int results(struct ws *ws, const char *params)
{
    AUTO(json_freep) cJSON *reply = harness_call(ws, "search.query", params);
    return cJSON_GetArraySize(json_get(json_get(reply, "result"), "results"));
}

static void wait_found(struct ws *ws)
{
    for (int i = 0; i < 200 && !results(ws, "{\"query\":\"enzymes\",\"preview\":true}"); i++)
        usleep(20000);
}

static void a_library_moves_to_the_service_while_it_serves(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    char pdf[40];
    fake_models_behave(fake, "500", 0); /* not there at first: nothing waits for it */
    begin(&h, "openai");
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "admin", "ada", "Ada Admin");
    harness_open(&h, &sue, "sue");
    library_put(h.directory, "Cells", NULL, pages, COUNT_OF(pages), pdf);
    wait_found(&sue);
    assert_true(results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(served_by(&h, "builtin%"), 1);
    fake_models_behave(fake, "fine", 0);
    wait_served_by(&h, "openai/nomic-embed-text@8", 1);
    AUTO(mem_freep) char *vectors = library_sql(h.directory, "edurag_owner", "select count(*) from public.rag_embeddings e where e.model like 'openai%' and cardinality(e.vector) = 8");
    assert_string_equal(vectors, "2");
    struct ws ada;
    harness_open(&h, &ada, "ada");
    AUTO(json_freep) cJSON *stats = harness_call(&ada, "admin.stats", "{}");
    const cJSON *figures = json_get(stats, "result"), *provider = json_get(json_get(figures, "providers"), "embeddings");
    assert_string_equal(json_text(json_get(figures, "embeddings"), "model", ""), "openai/nomic-embed-text@8");
    assert_int_equal(json_int(json_get(figures, "embeddings"), "done", -1), 1);
    assert_string_equal(json_text(provider, "provider", ""), "openai");
    assert_true(json_bool(provider, "reachable", false));
    ws_close(&ada);
    usleep(700000); /* the shelf hears of it */
    int before = fake_models_requests(fake);
    assert_true(results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(fake_models_requests(fake), before + 1);
    AUTO(mem_freep) char *body = fake_models_last_body(fake);
    assert_non_null(strstr(body, "search_query: enzymes"));
    assert_true(results(&sue, "{\"query\":\"enzymes\",\"preview\":true}") > 0);
    assert_int_equal(fake_models_requests(fake), before + 1);
    fake_models_behave(fake, "500", 0);
    assert_true(results(&sue, "{\"query\":\"enzymes\"}") > 0);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
}

static void a_restart_while_the_service_is_away_keeps_its_vectors(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    begin(&h, "openai");
    harness_open(&h, &sue, "sue");
    wait_found(&sue);
    sleep(2);
    assert_int_equal(served_by(&h, "openai/nomic-embed-text@8"), 1);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
    fake_models_behave(fake, "fine", 0);
}

static void a_setting_brings_the_library_home(void **state)
{
    (void)state;
    struct harness h;
    struct ws sue;
    begin(&h, "builtin");
    harness_open(&h, &sue, "sue");
    wait_served_by(&h, "builtin%", 1);
    int before = fake_models_requests(fake);
    wait_found(&sue);
    assert_true(results(&sue, "{\"query\":\"enzymes\"}") > 0);
    assert_int_equal(fake_models_requests(fake), before);
    ws_close(&sue);
    assert_int_equal(harness_stop(&h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_library_moves_to_the_service_while_it_serves),
        cmocka_unit_test(a_restart_while_the_service_is_away_keeps_its_vectors),
        cmocka_unit_test(a_setting_brings_the_library_home),
    };
    fake = fake_models_start(0);
    snprintf(url, sizeof url, "OPENAI_BASE_URL=http://127.0.0.1:%d/v1", fake_models_port(fake));
    int wrong = cmocka_run_group_tests_name("embeddings", tests, NULL, NULL);
    fake_models_stop(fake);
    return wrong;
}
