/* stand_in.c - the service that embeds is down: the built-in embedder stands in, for questions and for new documents. */
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
#include "tests/lib/uploads.h"

static struct fake_models *fake;

enum { DOCUMENTS = 3, TOPICS = 8, PASSAGES = 600, WORDS = 50, HELD = 12 };

static void write_word(struct buf *text, int topic, int word)
{
    buf_printf(text, "%sword%c%c%c", text->length ? " " : "", 'a' + topic, 'a' + word / 10, 'a' + word % 10);
}

/* Passages that use the words of their subject in turn: what stands beside the same words comes to mean the same. There are
 * more words than dimensions, or each would mean itself. */
static void put_subjects(const struct harness *h)
{
    static char texts[PASSAGES][160];
    struct library_passage passages[PASSAGES];
    char pdf[40];
    for (int i = 0; i < PASSAGES; i++) {
        struct buf text = {0};
        for (int k = 0; k < HELD; k++)
            write_word(&text, i % TOPICS, (i / TOPICS * 7 + k * k * k + 3 * k) % WORDS);
        snprintf(texts[i], sizeof texts[i], "%s.", text.data);
        buf_free(&text);
        passages[i] = (struct library_passage){1 + i / 4, texts[i]};
    }
    library_put(h->directory, "Subjects", NULL, passages, PASSAGES, pdf);
}

/* In their course "wordcaa" stands in another subject; what is about the same as it does not hold it. */
static char *put_course(const struct harness *h, struct ws *ada, char pdf[40])
{
    AUTO(buf_free) struct buf about = {0};
    struct buf others[TOPICS - 1] = {{0}};
    struct library_passage passages[TOPICS - 1];
    char ignored[40];
    for (int k = 1; k < 25; k++)
        write_word(&about, 2, k);
    for (int i = 0; i < TOPICS - 1; i++) {
        for (int k = 1; k < HELD; k++)
            write_word(&others[i], i < 2 ? i : i + 1, k + i);
        if (!i)
            write_word(&others[i], 2, 0);
        passages[i] = (struct library_passage){1 + i, others[i].data};
    }
    AUTO(json_freep) cJSON *made = harness_call(ada, "courses.create", "{\"code\":\"C\",\"title\":\"Course\"}");
    char *course = mem_dup(json_text(json_get(made, "result"), "course_id", ""));
    library_put(h->directory, "Other subjects", course, passages, TOPICS - 1, ignored);
    library_put(h->directory, "About it", course, &(struct library_passage){1, about.data}, 1, pdf);
    for (int i = 0; i < TOPICS - 1; i++)
        buf_free(&others[i]);
    return course;
}

/* Whether a search for a word that it does not hold finds the document, behind nothing but the passage that holds the
 * word; `asked`: how many requests that took (the node also asks the service who it is, once, when it has started). */
static bool finds(struct ws *ws, const char *course, const char *pdf, bool *degraded, int *asked)
{
    AUTO(mem_freep) char *params = mem_printf("{\"query\":\"wordcaa\",\"course_id\":\"%s\"}", course);
    int before = fake_models_requests(fake);
    AUTO(json_freep) cJSON *reply = harness_call(ws, "search.query", params);
    const cJSON *result = json_get(reply, "result"), *results = json_get(result, "results");
    bool found = false;
    for (int i = 0; i < 2; i++)
        found |= !strcmp(json_text(cJSON_GetArrayItem(results, i), "pdf_id", ""), pdf);
    *degraded = json_bool(result, "embeddings_degraded", !result);
    *asked = 0;
    for (int i = before; i < fake_models_requests(fake); i++) {
        AUTO(mem_freep) char *body = fake_models_body(fake, i);
        *asked += body && strstr(body, "query: wordcaa\"");
    }
    return found;
}

static void is_told(struct ws *ada, bool reachable)
{
    AUTO(json_freep) cJSON *stats = harness_call(ada, "admin.stats", "{}");
    const cJSON *provider = json_get(json_get(json_get(stats, "result"), "providers"), "embeddings");
    assert_int_equal(json_bool(provider, "reachable", !reachable), reachable);
    assert_string_equal(json_text(provider, "stand_in", ""), "builtin-lsa-1");
}

static bool stands_by(const struct harness *h)
{
    AUTO(mem_freep)
    char *ready = library_sql(h->directory, "edurag_owner",
                              "select state from public.embedding_models where model = 'builtin-lsa-1'");
    return ready && !strcmp(ready, "ready");
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static char course[40], about[40]; /* where something is to be found by its meaning, and what */

static void a_service_that_never_answered_keeps_nobody_from_what_is_built_in(void **state)
{
    (void)state;
    struct harness h;
    struct ws ada;
    bool degraded, found = false;
    int asked;
    fake_models_behave(fake, "500", 0);
    outside_begin(&h, fake, "openai");
    harness_user(&h, "admin", "ada", "Ada Admin");
    harness_open(&h, &ada, "ada");
    put_subjects(&h);
    AUTO(mem_freep) char *made = put_course(&h, &ada, about);
    snprintf(course, sizeof course, "%s", made);
    outside_wait_served_by(&h, "builtin-lsa%", DOCUMENTS);
    for (int i = 0; i < 400 && !found; i++, usleep(50000)) /* until the index has heard of it */
        found = finds(&ada, course, about, &degraded, &asked);
    assert_true(found);
    assert_false(degraded); /* there is nothing that it could do better */
    fake_models_behave(fake, "fine", 0);
    ws_close(&ada);
    assert_int_equal(harness_stop(&h), 0);
}

static void a_document_that_comes_while_the_service_is_down_can_be_searched_at_once(void **state)
{
    (void)state;
    struct harness h;
    struct ws ada;
    AUTO(buf_free) struct buf pdf = {0};
    outside_begin(&h, fake, "openai");
    harness_open(&h, &ada, "ada");
    outside_wait_served_by(&h, "openai%", DOCUMENTS);
    fake_models_behave(fake, "500", 0);
    uploads_pdf(&pdf, (const char *const[]){"Osmosis moves water through a membrane.",
                                            "Nuclei hold the genes of a cell.", NULL});
    struct upload up = uploads_send(&ada, "osmosis.pdf", pdf.data, pdf.length, 0, NULL);
    assert_true(uploads_wait(&ada, &up, 20000));
    assert_string_equal(up.state, "indexed");
    assert_int_equal(outside_served_by(&h, "builtin%"), 1);
    for (int i = 0; i < 400 && !outside_results(&ada, "{\"query\":\"osmosis\",\"preview\":true}"); i++)
        usleep(50000);
    assert_true(outside_results(&ada, "{\"query\":\"osmosis\"}") > 0);
    fake_models_behave(fake, "fine", 0);
    outside_wait_served_by(&h, "openai%", DOCUMENTS + 1);
    free(library_sql(h.directory, "edurag_owner", "delete from public.pdfs where filename = 'osmosis.pdf'"));
    ws_close(&ada);
    assert_int_equal(harness_stop(&h), 0);
}

static void the_built_in_embedder_stands_in_for_a_question_whose_service_is_down(void **state)
{
    (void)state;
    struct harness h;
    struct ws ada;
    bool degraded, found = false;
    int asked;
    outside_begin(&h, fake, "openai");
    harness_open(&h, &ada, "ada");
    outside_wait_served_by(&h, "openai%", DOCUMENTS);
    for (int i = 0; i < 400 && !stands_by(&h); i++) /* fitted for nobody, as long as the service answers */
        usleep(50000);
    assert_true(stands_by(&h));
    finds(&ada, course, about, &degraded, &asked);
    assert_false(degraded);
    assert_int_equal(asked, 1);
    is_told(&ada, true);

    fake_models_behave(fake, "hang", 0);
    int64_t start = now_ms();
    found = finds(&ada, course, about, &degraded, &asked); /* the first one waits for the service in vain */
    assert_true(degraded);
    assert_true(now_ms() - start < 8000);
    for (int i = 0; i < 200 && !found; i++, usleep(50000)) { /* until this node has folded in every passage */
        found = finds(&ada, course, about, &degraded, &asked);
        assert_true(degraded);
    }
    assert_true(found);
    start = now_ms();
    for (int i = 0; i < 5; i++)
        assert_true(finds(&ada, course, about, &degraded, &asked));
    assert_true(now_ms() - start < 4000); /* nobody else waits */
    is_told(&ada, false);
    free(library_sql(h.directory, "edurag_owner", "delete from public.pdfs where title = 'About it'"));
    for (int i = 0; i < 200 && finds(&ada, course, about, &degraded, &asked); i++)
        usleep(10000);
    assert_false(finds(&ada, course, about, &degraded, &asked));

    fake_models_behave(fake, "fine", 0);
    for (int i = 0; i < 400 && degraded; i++, usleep(50000))
        finds(&ada, course, about, &degraded, &asked);
    assert_false(degraded);
    assert_int_equal(asked, 1);
    is_told(&ada, true);
    ws_close(&ada);
    assert_int_equal(harness_stop(&h), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_that_never_answered_keeps_nobody_from_what_is_built_in),
        cmocka_unit_test(a_document_that_comes_while_the_service_is_down_can_be_searched_at_once),
        cmocka_unit_test(the_built_in_embedder_stands_in_for_a_question_whose_service_is_down),
    };
    fake = fake_models_start(0);
    int wrong = cmocka_run_group_tests_name("stand_in", tests, NULL, NULL);
    fake_models_stop(fake);
    return wrong;
}
