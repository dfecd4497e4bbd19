/* ingest.c - from a teacher's file to a page that a student reads, through a whole server. */
#include <openssl/sha.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

#define SHA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" /* of nothing that anybody has */

static struct harness h;
static struct ws tim, tom, sue, root;

static cJSON *result_of(struct ws *ws, const char *method, const char *params, cJSON **reply)
{
    *reply = harness_call(ws, method, params);
    const cJSON *result = json_get(*reply, "result");
    if (!result)
        fail_msg("%s %s: %s", method, params, json_text(json_get(*reply, "error"), "message", "no reply"));
    return (cJSON *)(uintptr_t)result;
}

/* A PDF of three pages; `salt` makes it a file of its own. */
static struct buf lesson(const char *salt)
{
    struct buf pdf = {0};
    char first[120];
    snprintf(first, sizeof first, "Membranes keep cells apart. This is lesson %s.", salt);
    uploads_pdf(&pdf, (const char *const[]){first, "Osmosis moves water towards salt.", "Nuclei hold genes.", NULL});
    return pdf;
}

static char *sql(const char *format, const char *id)
{
    AUTO(mem_freep) char *text = mem_printf(format, id);
    return pg_try(pg_url_in(h.directory, "edurag_worker"), text, NULL, 0);
}

static void a_lesson_becomes_readable(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf pdf = lesson("one");
    struct upload up = uploads_send(&tim, "cells.pdf", pdf.data, pdf.length, 300, NULL);
    assert_string_equal(up.reason, "ok");
    assert_true(uploads_wait(&tim, &up, 20000));
    assert_string_equal(up.state, "indexed");
    cJSON *reply;
    char params[300];
    snprintf(params, sizeof params, "{\"query\":\"cells\"}");
    const cJSON *items = json_get(result_of(&sue, "library.list", params, &reply), "items");
    assert_int_equal(cJSON_GetArraySize(items), 1);
    assert_string_equal(json_text(items->child, "title", ""), "cells");
    assert_int_equal(json_int(items->child, "pages", 0), 3);
    cJSON_Delete(reply);
    AUTO(mem_freep) char *chunk = sql("select chunk_id from public.pdf_chunks where pdf_id = '%s' limit 1", up.pdf_id);
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"page\":2,\"chunk_ids\":[\"%s\"]}", up.pdf_id, chunk);
    const cJSON *page = result_of(&sue, "library.page", params, &reply);
    assert_string_equal(json_text(page, "text", ""), "Osmosis moves water towards salt.");
    assert_int_equal(json_int(page, "pages", 0), 3);
    const cJSON *passage = json_get(page, "passages")->child;
    assert_int_equal(json_int(passage, "start", -1), 0);
    assert_int_equal(json_int(passage, "end", -1), 33);
    cJSON_Delete(reply);
    AUTO(mem_freep)
    char *vectors = sql("select count(*) = count(e.chunk_id) from public.pdf_chunks c left join "
                        "public.rag_embeddings e using (chunk_id) where c.pdf_id = '%s'",
                        up.pdf_id);
    assert_string_equal(vectors, "t");
    AUTO(mem_freep) char *cached = sql("select search_text from public.pdf_chunks where pdf_id = '%s'", up.pdf_id);
    assert_non_null(strstr(cached, "membranes keep cells apart."));
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"page\":9}", up.pdf_id);
    assert_string_equal(harness_reason(&sue, "library.page", params), "not_found");
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\"}", up.pdf_id);
    assert_string_equal(harness_reason(&sue, "library.outline", params), "ok");
    assert_string_equal(harness_reason(&sue, "library.delete", params), "forbidden");
    assert_string_equal(harness_reason(&tom, "library.delete", params), "forbidden");
    assert_string_equal(harness_reason(&tim, "library.retry", params), "conflict");
    struct upload again = uploads_send(&tom, "same.pdf", pdf.data, pdf.length, 0, NULL);
    assert_string_equal(again.reason, "conflict");
    assert_string_equal(harness_reason(&tim, "library.delete", params), "ok");
    assert_string_equal(harness_reason(&tim, "library.delete", params), "not_found");
}

static void an_interrupted_upload_goes_on_where_it_was(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf pdf = lesson("two");
    struct ws first;
    struct upload up = {0};
    cJSON *reply;
    char params[400], hex[65] = "";
    unsigned char digest[SHA256_DIGEST_LENGTH];
    harness_open(&h, &first, "tim");
    /* A first client sends one line and vanishes; the hash is that of the whole file. */
    SHA256((const unsigned char *)pdf.data, pdf.length, digest);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", digest[i]);
    snprintf(params, sizeof params,
             "{\"filename\":\"two.pdf\",\"size\":%zu,\"sha256\":\"%s\",\"title\":\"The second\"}", pdf.length, hex);
    const cJSON *begun = result_of(&first, "library.upload_begin", params, &reply);
    snprintf(up.upload_id, sizeof up.upload_id, "%s", json_text(begun, "upload_id", ""));
    cJSON_Delete(reply);
    snprintf(params, sizeof params, "{\"upload_id\":\"%s\",\"offset\":0,\"data\":\"%s\"}", up.upload_id,
             "JVBERi0xLjQK");
    assert_string_equal(harness_reason(&first, "library.upload_chunk", params), "ok");
    assert_string_equal(harness_reason(&first, "library.upload_chunk", params), "ok"); /* the same piece again */
    snprintf(params, sizeof params, "{\"upload_id\":\"%s\"}", up.upload_id);
    assert_string_equal(harness_reason(&first, "library.upload_commit", params), "conflict");
    assert_string_equal(harness_reason(&tom, "library.upload_abort", params), "not_found");
    ws_close(&first);
    struct upload rest = uploads_send(&tim, "two.pdf", pdf.data, pdf.length, 100, NULL);
    assert_string_equal(rest.upload_id, up.upload_id);
    assert_string_equal(rest.reason, "ok");
    assert_true(uploads_wait(&tim, &rest, 20000));
    assert_string_equal(rest.state, "indexed");
}

static void what_is_wrong_is_refused_with_its_field(void **state)
{
    (void)state;
    cJSON *reply;
    char params[400], id[40];
    snprintf(params, sizeof params, "{\"filename\":\"x.pdf\",\"size\":12,\"sha256\":\"" SHA "\"}");
    snprintf(id, sizeof id, "%s", json_text(result_of(&tim, "library.upload_begin", params, &reply), "upload_id", ""));
    cJSON_Delete(reply);
    static const struct {
        const char *method, *params, *reason;
    } cases[] = {
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":0,\"data\":\"!!!!\"}", "invalid_params"},
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":0,\"data\":\"QUJD\\n\"}", "invalid_params"},
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":0,\"data\":\"QUJDQ\"}", "invalid_params"},
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":3,\"data\":\"QUJD\"}", "invalid_params"},
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":0,\"data\":\"QUJDQUJDQUJDQUJDQUJD\"}",
         "invalid_params"},
        {"library.upload_chunk", "{\"upload_id\":\"@\",\"offset\":0,\"data\":\"QUJDQUJDQUJDQUJD\"}", "ok"},
        {"library.upload_commit", "{\"upload_id\":\"@\"}", "invalid_params"}, /* not a PDF; the upload is gone */
        {"library.upload_commit", "{\"upload_id\":\"@\"}", "not_found"},
        {"library.upload_begin", "{\"filename\":\"x.pdf\",\"size\":99999999999,\"sha256\":\"" SHA "\"}", "too_large"},
        {"library.upload_begin", "{\"filename\":\"a/b.pdf\",\"size\":9,\"sha256\":\"" SHA "\"}", "invalid_params"},
        {"library.upload_begin",
         "{\"filename\":\"b.pdf\",\"size\":9,\"sha256\":\""
         "XXXXaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "\"}",
         "invalid_params"},
        {"library.jobs", "{\"cursor\":\"nonsense\"}", "invalid_params"},
        {"library.list", "{\"cursor\":\"bm9uc2Vuc2U\"}", "invalid_params"},
        {"library.job", "{\"job_id\":\"00000000-0000-4000-8000-000000000000\"}", "not_found"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *at = strchr(cases[i].params, '@');
        AUTO(mem_freep)
        char *filled = at ? mem_printf("%.*s%s%s", (int)(at - cases[i].params), cases[i].params, id, at + 1)
                          : mem_dup(cases[i].params);
        const char *got = harness_reason(&tim, cases[i].method, filled);
        if (strcmp(got, cases[i].reason) != 0)
            fail_msg("%s %s: %s instead of %s", cases[i].method, filled, got, cases[i].reason);
    }
}

static void the_watchers_hear_of_progress(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf pdf = lesson("three");
    assert_string_equal(harness_reason(&root, "library.jobs", "{}"), "ok");
    struct upload up = uploads_send(&tim, "three.pdf", pdf.data, pdf.length, 0, NULL);
    AUTO(mem_freep) char *mine = ws_wait(&tim, "library.progress", 10000);
    AUTO(mem_freep) char *admins = ws_wait(&root, "\"indexed\"", 10000);
    assert_non_null(mine);
    assert_non_null(admins);
    assert_non_null(strstr(admins, up.job_id));
    AUTO(mem_freep) char *toms = ws_wait(&tom, "library.progress", 300);
    assert_null(toms);
}

static void a_course_keeps_its_documents_to_itself(void **state)
{
    (void)state;
    cJSON *reply;
    char course[40], params[300];
    snprintf(course, sizeof course, "%s",
             json_text(result_of(&tim, "courses.create", "{\"code\":\"B1\",\"title\":\"Biology\"}", &reply),
                       "course_id", ""));
    cJSON_Delete(reply);
    AUTO(buf_free) struct buf pdf = lesson("four");
    struct upload up = uploads_send(&tom, "four.pdf", pdf.data, pdf.length, 0, course);
    assert_string_equal(up.reason, "not_found");
    up = uploads_send(&tim, "four.pdf", pdf.data, pdf.length, 0, course);
    assert_true(uploads_wait(&tim, &up, 20000));
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"page\":1}", up.pdf_id);
    assert_string_equal(harness_reason(&sue, "library.page", params), "not_found");
    assert_string_equal(harness_reason(&tom, "library.page", params), "not_found");
    snprintf(params, sizeof params, "{\"job_id\":\"%s\"}", up.job_id);
    assert_string_equal(harness_reason(&tom, "library.job", params), "not_found");
    assert_string_equal(harness_reason(&root, "library.job", params), "ok");
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"title\":\"Renamed\"}", up.pdf_id);
    assert_string_equal(json_text(result_of(&tim, "library.update", params, &reply), "course_id", ""), course);
    cJSON_Delete(reply);
    assert_string_equal(harness_reason(&tom, "library.update", params), "not_found");
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"course_id\":null}", up.pdf_id);
    assert_string_equal(harness_reason(&tim, "library.update", params), "ok");
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\",\"page\":1}", up.pdf_id);
    assert_string_equal(harness_reason(&sue, "library.page", params), "ok");
}

/* A few of each kind; tests/unit/extract.c has them all. */
static void broken_files_fail_with_their_sentence(void **state)
{
    (void)state;
    static const struct {
        const char *name, *words;
    } cases[] = {
        {"pdfium__encrypted.pdf", "password"}, {"ocrmypdf__skew.pdf", "1 of 1 pages had no text"},
        {"qpdf__bad7.pdf", "damaged"},         {"qpdf__empty.pdf", "no pages"},
        {"pdfium__bug_325_b.pdf", "damaged"},
    };
    const char *shared = getenv("EDURAG_SHARED");
    struct upload ups[COUNT_OF(cases)];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(buf_free) struct buf bytes = {0};
        char path[4096]; /* skip() leaves without cleaning up */
        snprintf(path, sizeof path, "%s/pdf/broken/%s", shared ? shared : "../shared", cases[i].name);
        if (!uploads_read(path, &bytes)) {
            print_message("skipped: ../shared is not here\n");
            skip();
        }
        ups[i] = uploads_send(&tim, cases[i].name, bytes.data, bytes.length, 0, NULL);
        if (strcmp(ups[i].reason, "ok") != 0)
            fail_msg("%s: %s", cases[i].name, ups[i].message);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(uploads_wait(&tim, &ups[i], 60000));
        assert_string_equal(ups[i].state, "failed");
        if (!strstr(ups[i].message, cases[i].words))
            fail_msg("%s: %s", cases[i].name, ups[i].message);
    }
    char params[100];
    snprintf(params, sizeof params, "{\"pdf_id\":\"%s\"}", ups[0].pdf_id);
    assert_string_equal(harness_reason(&tom, "library.retry", params), "not_found");
    assert_string_equal(harness_reason(&tim, "library.retry", params), "ok");
}

static int set_up(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    static const char *const people[][3] = {
        {"teacher", "tim", "Tim"}, {"teacher", "tom", "Tom"}, {"student", "sue", "Sue"}, {"admin", "root", "Root"}};
    for (size_t i = 0; i < COUNT_OF(people); i++)
        harness_user(&h, people[i][0], people[i][1], people[i][2]);
    harness_open(&h, &tim, "tim");
    harness_open(&h, &tom, "tom");
    harness_open(&h, &sue, "sue");
    harness_open(&h, &root, "root");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    struct ws *all[] = {&tim, &tom, &sue, &root};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        ws_close(all[i]);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lesson_becomes_readable),
        cmocka_unit_test(an_interrupted_upload_goes_on_where_it_was),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_field),
        cmocka_unit_test(the_watchers_hear_of_progress),
        cmocka_unit_test(a_course_keeps_its_documents_to_itself),
        cmocka_unit_test(broken_files_fail_with_their_sentence),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
