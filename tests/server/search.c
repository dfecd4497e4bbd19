/* search.c - a person searches and asks, through a real server and a real database. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

static struct harness h;
static struct ws sue, oda, tim;
static char course[40], cells[40], secret[40], engines[40];

static const struct library_passage cell_pages[] = {
    {1, "Cells are the smallest living units. Every cell is bounded by a membrane. The membrane lets water pass."},
    {1, "Enzymes speed up reactions in the cell. An inhibitor that resembles the substrate blocks the active site of "
        "the enzyme. "
        "More substrate overcomes such competitive inhibition."},
    {2,
     "Mitochondria release energy from glucose. Photosynthesis in chloroplasts stores energy from light as glucose."},
    {3, "光合作用把光能变成化学能。植物用二氧化碳和水制造葡萄糖。"},
    {4, "Фотосинтез превращает энергию света в химическую энергию растений."},
};
static const struct library_passage secret_pages[] = {
    {1,
     "The zyzzyvaquark protocol of the secret course. Enzyme inhibition follows the zyzzyvaquark rule in every cell."},
};
static const struct library_passage engine_pages[] = {
    {1, "Charles Babbage designed the analytical engine. Ada Lovelace wrote the first program for the engine in 1843."},
    {2, "Alan Turing described a universal machine in 1936. Stored programs made computers general."},
};

static cJSON *result_of(struct ws *ws, const char *method, const char *params)
{
    cJSON *reply = harness_call(ws, method, params);
    cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");
    if (!result)
        fail_msg("%s %s: %s", method, params,
                 json_text(json_get(json_get(reply, "error"), "data"), "reason", "no reply"));
    cJSON_Delete(reply);
    return result;
}

static cJSON *search(struct ws *ws, const char *query)
{
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "query", query);
    buf_json_close(&params, '}');
    return result_of(ws, "search.query", params.data);
}

static const cJSON *hit(const cJSON *result, int n)
{
    return cJSON_GetArrayItem(json_get(result, "results"), n);
}

/* The index hears of changes within moments. */
static bool finds(struct ws *ws, const char *query, const char *pdf_id, bool wanted)
{
    for (int tries = 0; tries < 400; tries++) {
        AUTO(json_freep) cJSON *result = search(ws, query);
        bool found = false;
        const cJSON *one;
        cJSON_ArrayForEach (one, json_get(result, "results"))
            found = found || !strcmp(json_text(one, "pdf_id", ""), pdf_id);
        if (found == wanted)
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}

static void the_right_page_comes_first_with_its_words_marked(void **state)
{
    (void)state;
    static const struct {
        const char *query, *pdf, *label, *marked;
        int page;
    } cases[] = {
        {"competitive inhibition of enzymes", cells, "p1", "Enzymes", 1},
        {"what stores the energy of light", cells, "p2", "energy", 2},
        {"光合作用", cells, "p3", "光合作用", 3},
        {"фотосинтез растения", cells, "p4", "Фотосинтез", 4},
        {"who wrote the first program", engines, "p1", "first", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(json_freep) cJSON *result = search(&sue, cases[i].query);
        const cJSON *first = hit(result, 0), *mark;
        assert_non_null(first);
        assert_string_equal(json_text(first, "pdf_id", ""), cases[i].pdf);
        assert_int_equal(json_int(first, "page", 0), cases[i].page);
        assert_string_equal(json_text(first, "page_label", ""), cases[i].label);
        const char *snippet = json_text(first, "snippet", "");
        bool marked = false;
        cJSON_ArrayForEach (mark, json_get(first, "highlights")) {
            size_t from = text_offset(snippet, strlen(snippet), (size_t)cJSON_GetArrayItem(mark, 0)->valueint);
            size_t to = text_offset(snippet, strlen(snippet), (size_t)cJSON_GetArrayItem(mark, 1)->valueint);
            marked =
                marked || (to - from == strlen(cases[i].marked) && !memcmp(snippet + from, cases[i].marked, to - from));
        }
        if (!marked)
            fail_msg("%s does not mark %s in: %s", cases[i].query, cases[i].marked, snippet);
        assert_true(cJSON_IsNull(json_get(result, "corrected")));
    }
}

static void a_hidden_document_neither_shows_nor_lends_its_words(void **state)
{
    (void)state;
    assert_true(finds(&sue, "zyzzyvaquark", secret, true));
    AUTO(json_freep) cJSON *none = search(&oda, "zyzzyvaquark");
    assert_int_equal(cJSON_GetArraySize(json_get(none, "results")), 0);
    AUTO(json_freep) cJSON *typo = search(&sue, "zyzzyvaquork");
    assert_string_equal(json_text(typo, "corrected", ""), "zyzzyvaquark");
    AUTO(json_freep) cJSON *hidden = search(&oda, "zyzzyvaquork");
    assert_true(cJSON_IsNull(json_get(hidden, "corrected")));
    AUTO(json_freep) cJSON *plain = search(&oda, "enzime inhibitor");
    assert_string_equal(json_text(plain, "corrected", ""), "enzyme inhibitor");
    assert_true(finds(&oda, "enzyme", secret, false));
}

/* At the first search after it, whatever the one before was told. */
static void who_joins_or_leaves_a_course_searches_accordingly_at_once(void **state)
{
    (void)state;
    char params[200];
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"oda\"]}", course);
    for (int i = 0; i < 6; i++) {
        bool in = i % 2;
        if (i)
            cJSON_Delete(result_of(&tim, in ? "courses.enrol" : "courses.unenrol", params));
        AUTO(json_freep) cJSON *typo = search(&oda, "zyzzyvaquork");
        assert_string_equal(json_text(typo, "corrected", ""), in ? "zyzzyvaquark" : "");
        assert_int_equal(cJSON_GetArraySize(json_get(typo, "results")), in);
        AUTO(json_freep) cJSON *rule = search(&oda, "zyzzyvaquark");
        assert_int_equal(cJSON_GetArraySize(json_get(rule, "results")), in);
    }
    cJSON_Delete(result_of(&tim, "courses.unenrol", params));
}

static void a_course_narrows_and_previews_leave_no_trace(void **state)
{
    (void)state;
    char params[200];
    snprintf(params, sizeof params, "{\"query\":\"enzyme\",\"course_id\":\"%s\"}", course);
    AUTO(json_freep) cJSON *mine = result_of(&sue, "search.query", params);
    assert_int_equal(cJSON_GetArraySize(json_get(mine, "results")), 1);
    assert_string_equal(json_text(hit(mine, 0), "pdf_id", ""), secret);
    assert_string_equal(harness_reason(&oda, "search.query", params), "not_found");

    cJSON_Delete(result_of(&tim, "search.clear_history", "{}"));
    AUTO(json_freep) cJSON *preview = result_of(&tim, "search.query", "{\"query\":\"engine\",\"preview\":true}");
    assert_true(cJSON_IsNull(json_get(preview, "search_id")));
    assert_int_equal(cJSON_GetArraySize(json_get(preview, "results")), 1);
    AUTO(json_freep) cJSON *whole = search(&tim, "engine");
    AUTO(json_freep) cJSON *history = result_of(&tim, "search.history", "{}");
    const cJSON *items = json_get(history, "items");
    assert_int_equal(cJSON_GetArraySize(items), 1);
    assert_string_equal(json_text(cJSON_GetArrayItem(items, 0), "search_id", ""), json_text(whole, "search_id", "-"));
    assert_int_equal(json_int(cJSON_GetArrayItem(items, 0), "results", -1), 1);
    AUTO(json_freep) cJSON *cleared = result_of(&tim, "search.clear_history", "{}");
    assert_int_equal(json_int(cleared, "deleted", -1), 1);
}

static void deleted_documents_are_gone_and_moved_ones_move(void **state)
{
    (void)state;
    char gone[40], sql[200];
    const struct library_passage page = {1, "The quokkabird nests beside the cell of the enzyme."};
    library_put(h.directory, "Birds", NULL, &page, 1, gone);
    assert_true(finds(&oda, "quokkabird", gone, true));
    snprintf(sql, sizeof sql, "update public.pdfs set course_id = '%s' where pdf_id = '%s'", course, gone);
    free(library_sql(h.directory, "edurag_owner", sql));
    assert_true(finds(&oda, "quokkabird", gone, false));
    assert_true(finds(&sue, "quokkabird", gone, true));
    library_delete(h.directory, gone);
    assert_true(finds(&sue, "quokkabird", gone, false));
    AUTO(json_freep) cJSON *typo = search(&sue, "quokkabyrd");
    assert_true(cJSON_IsNull(json_get(typo, "corrected")));
}

/* Gone without a word to the node, as in the moment before it hears of it. */
static void delete_unheard(const char *pdf)
{
    char sql[200];
    free(library_sql(h.directory, "edurag_owner", "alter table public.pdfs disable trigger user"));
    snprintf(sql, sizeof sql, "delete from public.pdfs where pdf_id = '%s'", pdf);
    free(library_sql(h.directory, "edurag_owner", sql));
    free(library_sql(h.directory, "edurag_owner", "alter table public.pdfs enable trigger user"));
}

static void the_newest_search_found(int results)
{
    AUTO(json_freep) cJSON *history = result_of(&tim, "search.history", "{\"limit\":1}");
    const cJSON *newest = cJSON_GetArrayItem(json_get(history, "items"), 0);
    assert_string_equal(json_text(newest, "query", ""), "axolotlfish");
    assert_int_equal(json_int(newest, "results", -1), results);
}

static void what_is_gone_before_the_node_hears_of_it_is_made_up_for(void **state)
{
    (void)state;
    char first[40], second[40];
    const struct library_passage once = {1, "The axolotlfish is no fish, and it lives in the lakes of a high valley."};
    const struct library_passage often = {1, "An axolotlfish, another axolotlfish, a third axolotlfish."};
    library_put(h.directory, "Once", NULL, &once, 1, second);
    library_put(h.directory, "Often", NULL, &often, 1, first);
    assert_true(finds(&tim, "axolotlfish", first, true) && finds(&tim, "axolotlfish", second, true));
    delete_unheard(first);
    AUTO(json_freep)
    cJSON *preview = result_of(&tim, "search.query", "{\"query\":\"axolotlfish\",\"limit\":1,\"preview\":true}");
    assert_string_equal(json_text(hit(preview, 0), "pdf_id", ""), second);
    AUTO(json_freep) cJSON *made_up = result_of(&tim, "search.query", "{\"query\":\"axolotlfish\",\"limit\":1}");
    assert_int_equal(cJSON_GetArraySize(json_get(made_up, "results")), 1);
    assert_string_equal(json_text(hit(made_up, 0), "pdf_id", ""), second);
    the_newest_search_found(1);
    delete_unheard(second);
    AUTO(json_freep) cJSON *none = result_of(&tim, "search.query", "{\"query\":\"axolotlfish\",\"limit\":1}");
    assert_int_equal(cJSON_GetArraySize(json_get(none, "results")), 0);
    the_newest_search_found(0);
}

static void an_answer_is_word_for_word_with_its_pages(void **state)
{
    (void)state;
    AUTO(json_freep)
    cJSON *first =
        result_of(&oda, "search.ask", "{\"query\":\"Who wrote the first program for the analytical engine?\"}");
    const char *answer = json_text(first, "answer", "");
    const cJSON *citations = json_get(first, "citations"), *sentence;
    assert_true(json_bool(first, "grounded", false));
    assert_non_null(strstr(answer, "Ada Lovelace wrote the first program for the engine in 1843. ["));
    assert_true(cJSON_GetArraySize(citations) >= 1);
    cJSON_ArrayForEach (sentence, json_get(first, "sentences")) {
        size_t from = text_offset(answer, strlen(answer), (size_t)json_int(sentence, "start", 0));
        size_t to = text_offset(answer, strlen(answer), (size_t)json_int(sentence, "end", 0));
        const cJSON *citation = cJSON_GetArrayItem(citations, (int)json_int(sentence, "n", 1) - 1);
        const char *quote = json_text(citation, "quote", "-");
        assert_int_equal(to - from, strlen(quote));
        assert_memory_equal(answer + from, quote, to - from);
        assert_string_equal(json_text(citation, "pdf_id", ""), engines);
    }
    AUTO(json_freep)
    cJSON *nothing = result_of(&oda, "search.ask", "{\"query\":\"How do volcanoes and glaciers shape Iceland?\"}");
    assert_false(json_bool(nothing, "grounded", true));
    assert_int_equal(cJSON_GetArraySize(json_get(nothing, "citations")), 0);
}

static void a_thread_keeps_its_turns_for_its_owner(void **state)
{
    (void)state;
    char params[200];
    AUTO(json_freep)
    cJSON *first = result_of(&oda, "search.ask", "{\"query\":\"What do mitochondria release from glucose?\"}");
    const char *thread = json_text(first, "thread_id", "");
    snprintf(params, sizeof params, "{\"query\":\"Where is photosynthesis?\",\"thread_id\":\"%s\"}", thread);
    AUTO(json_freep) cJSON *second = result_of(&oda, "search.ask", params);
    assert_string_equal(json_text(second, "thread_id", ""), thread);
    assert_string_equal(harness_reason(&sue, "search.ask", params), "not_found");
    snprintf(params, sizeof params, "{\"thread_id\":\"%s\"}", thread);
    AUTO(json_freep) cJSON *turns = result_of(&oda, "search.thread", params);
    assert_int_equal(cJSON_GetArraySize(json_get(turns, "turns")), 2);
    assert_string_equal(json_text(cJSON_GetArrayItem(json_get(turns, "turns"), 1), "answer", ""),
                        json_text(second, "answer", "-"));
    assert_string_equal(harness_reason(&sue, "search.thread", params), "not_found");
}

struct heard {
    char *texts[3];
    size_t count;
};

static void hear(struct ws *ws, const char *text, size_t length, void *context)
{
    struct heard *heard = context;
    (void)ws;
    if (heard->count < COUNT_OF(heard->texts) && strstr(text, "\"s1\""))
        heard->texts[heard->count++] = mem_dupn(text, length);
}

static void a_streamed_answer_comes_as_sources_text_and_reply(void **state)
{
    (void)state;
    struct err err = {0};
    struct heard heard = {0};
    const char *request = "{\"jsonrpc\":\"2.0\",\"id\":\"s1\",\"method\":\"search.ask\",\"params\":"
                          "{\"query\":\"What do mitochondria release?\",\"stream\":true}}";
    assert_true(ws_send(&oda, request, strlen(request)));
    for (int tries = 0; tries < 500 && heard.count < 3; tries++) {
        assert_true(ws_read(&oda, hear, &heard));
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
    }
    assert_int_equal(heard.count, 3);
    AUTO(json_freep) cJSON *sources = json_parse(heard.texts[0], strlen(heard.texts[0]), &err);
    AUTO(json_freep) cJSON *delta = json_parse(heard.texts[1], strlen(heard.texts[1]), &err);
    AUTO(json_freep) cJSON *reply = json_parse(heard.texts[2], strlen(heard.texts[2]), &err);
    assert_string_equal(json_text(sources, "method", ""), "search.sources");
    assert_string_equal(json_text(delta, "method", ""), "search.delta");
    assert_true(cJSON_Compare(json_get(json_get(sources, "params"), "citations"),
                              json_get(json_get(reply, "result"), "citations"), true));
    assert_string_equal(json_text(json_get(delta, "params"), "text", ""),
                        json_text(json_get(reply, "result"), "answer", "-"));
    for (size_t i = 0; i < heard.count; i++)
        free(heard.texts[i]);
}

static int start(void **state)
{
    (void)state;
    char params[120];
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "student", "oda", "Oda Outsider");
    harness_user(&h, "teacher", "tim", "Tim Teacher");
    harness_open(&h, &sue, "sue");
    harness_open(&h, &oda, "oda");
    harness_open(&h, &tim, "tim");
    AUTO(json_freep) cJSON *made = result_of(&tim, "courses.create", "{\"code\":\"SECRET\",\"title\":\"Secret\"}");
    snprintf(course, sizeof course, "%s", json_text(made, "course_id", ""));
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"sue\"]}", course);
    cJSON_Delete(result_of(&tim, "courses.enrol", params));
    library_put(h.directory, "Cells", NULL, cell_pages, COUNT_OF(cell_pages), cells);
    library_put(h.directory, "Secret", course, secret_pages, COUNT_OF(secret_pages), secret);
    library_put(h.directory, "Engines", NULL, engine_pages, COUNT_OF(engine_pages), engines);
    return !finds(&sue, "enzyme", cells, true) || !finds(&sue, "enzyme", secret, true) ||
           !finds(&sue, "engine", engines, true);
}

static int stop(void **state)
{
    (void)state;
    ws_close(&sue);
    ws_close(&oda);
    ws_close(&tim);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_page_comes_first_with_its_words_marked),
        cmocka_unit_test(a_hidden_document_neither_shows_nor_lends_its_words),
        cmocka_unit_test(who_joins_or_leaves_a_course_searches_accordingly_at_once),
        cmocka_unit_test(a_course_narrows_and_previews_leave_no_trace),
        cmocka_unit_test(deleted_documents_are_gone_and_moved_ones_move),
        cmocka_unit_test(what_is_gone_before_the_node_hears_of_it_is_made_up_for),
        cmocka_unit_test(an_answer_is_word_for_word_with_its_pages),
        cmocka_unit_test(a_thread_keeps_its_turns_for_its_owner),
        cmocka_unit_test(a_streamed_answer_comes_as_sources_text_and_reply),
    };
    return cmocka_run_group_tests_name("search", tests, start, stop);
}
