/* memory.c - a bank that its owner can see and erase, three providers, and nothing that breaks for their sake. */
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
#include "tests/lib/fake_hindsight.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

enum { WAIT_MS = 90000 };

static struct harness h;
static struct fake_hindsight *fake;

static const struct library_passage chemistry[] = {
    {1, "Organic chemistry studies carbon compounds. Aldol addition joins two carbonyl compounds into one."},
    {2, "Aldol condensation follows when the aldol addition product loses water. Organic chemistry calls this "
        "elimination."},
};
static const struct library_passage biology[] = {
    {1, "Enzyme inhibition slows a reaction. A competitive inhibitor occupies the active site of the enzyme."},
    {2, "Mixed enzyme inhibition changes both the rate and the affinity. Enzyme kinetics measures them."},
};

static const char *put(const char *name, const char *value)
{
    static char kept[4][160];
    static unsigned next;
    char *out = kept[next++ % COUNT_OF(kept)];
    snprintf(out, sizeof kept[0], "%s=%s", name, value);
    return out;
}

static cJSON *result_of(struct ws *ws, const char *method, const char *params)
{
    cJSON *reply = harness_call(ws, method, params);
    if (!json_get(reply, "result"))
        fail_msg("%s %s: %s", method, params, reply ? json_text(json_get(reply, "error"), "message", "?") : "closed");
    cJSON *result = cJSON_DetachItemFromObjectCaseSensitive(reply, "result");
    cJSON_Delete(reply);
    return result;
}

static void search(struct ws *ws, const char *query, int times)
{
    char params[200];
    snprintf(params, sizeof params, "{\"query\":\"%s\"}", query);
    while (times--)
        cJSON_Delete(result_of(ws, "search.query", params));
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void open_school(const char *const *settings)
{
    char pdf[40];
    harness_start(&h, NULL, settings);
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "student", "oda", "Oda Other");
    harness_user(&h, "teacher", "tim", "Tim Teacher");
    library_put(h.directory, "Organic Chemistry", NULL, chemistry, COUNT_OF(chemistry), pdf);
    library_put(h.directory, "Biochemistry", NULL, biology, COUNT_OF(biology), pdf);
    free(library_sql(h.directory, "edurag_owner",
                     "update public.pdfs set outline = '[{\"title\":\"8.4 Enzyme inhibition\",\"page\":1,\"level\":2},"
                     "{\"title\":\"Aldol addition\",\"page\":1,\"level\":1},{\"title\":\"Carbonyl "
                     "compounds\",\"page\":2,\"level\":1}]'"));
    struct ws ws;
    harness_open(&h, &ws, "tim");
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_ms(50)) {
        AUTO(json_freep) cJSON *found = result_of(&ws, "search.query", "{\"query\":\"enzyme aldol\",\"preview\":true}");
        if (cJSON_GetArraySize(json_get(found, "results")) == 4)
            break;
    }
    ws_close(&ws);
}

static void what_is_searched_is_one_fact_with_a_count(void **state)
{
    (void)state;
    struct ws sue;
    harness_open(&h, &sue, "sue");
    search(&sue, "enzyme inhibition", 4);
    search(&sue, "Enzyme  Inhibition", 1);
    cJSON_Delete(result_of(&sue, "search.query", "{\"query\":\"aldol\",\"preview\":true}"));
    search(&sue, "zzyqx wvvut", 1); /* found nothing: not a success */
    AUTO(json_freep) cJSON *list = result_of(&sue, "memory.list", "{}");
    const cJSON *items = json_get(list, "items"), *fact = cJSON_GetArrayItem(items, 0);
    assert_int_equal(cJSON_GetArraySize(items), 1);
    assert_string_equal(json_text(fact, "fact", ""), "student searched for enzyme inhibition");
    assert_string_equal(json_text(fact, "source", ""), "search");
    assert_int_equal(json_int(fact, "count", 0), 5);
    ws_close(&sue);
}

static void facts_are_kept_without_what_identifies(void **state)
{
    (void)state;
    struct ws sue;
    harness_open(&h, &sue, "sue");
    AUTO(json_freep)
    cJSON *kept = result_of(
        &sue, "memory.retain",
        "{\"fact\":\"I am Sue Student, write to sue@school.example or call +49 30 1234567; exam on page 120-135\"}");
    const char *fact = json_text(kept, "fact", "");
    assert_null(strstr(fact, "sue@"));
    assert_null(strstr(fact, "1234567"));
    assert_null(strstr(fact, "Sue Student"));
    assert_non_null(strstr(fact, "page 120-135"));
    assert_true(json_int(kept, "redactions", 0) >= 3);
    search(&sue, "enzyme jonas@mail.example", 1);
    AUTO(mem_freep)
    char *leaks = library_sql(
        h.directory, "edurag_owner",
        "select count(*) from public.memory_facts where fact like '%@%' or topic like '%@%' or fact_key like '%@%'");
    assert_string_equal(leaks, "0");
    ws_close(&sue);
}

static void recall_finds_by_words_and_nobody_elses(void **state)
{
    (void)state;
    struct ws sue, oda;
    harness_open(&h, &sue, "sue");
    harness_open(&h, &oda, "oda");
    AUTO(json_freep) cJSON *mine = result_of(&sue, "memory.recall", "{\"query\":\"inhibiting enzymes\"}");
    assert_string_equal(json_text(mine, "provider", ""), "builtin");
    assert_false(json_bool(mine, "degraded", true));
    assert_non_null(strstr(json_text(cJSON_GetArrayItem(json_get(mine, "items"), 0), "fact", ""), "enzyme inhibition"));
    AUTO(json_freep) cJSON *hers = result_of(&oda, "memory.recall", "{\"query\":\"inhibiting enzymes\"}");
    assert_int_equal(cJSON_GetArraySize(json_get(hers, "items")), 0);
    AUTO(json_freep) cJSON *list = result_of(&sue, "memory.list", "{\"query\":\"enzyme\"}");
    char params[100];
    snprintf(params, sizeof params, "{\"fact_id\":\"%s\"}",
             json_text(cJSON_GetArrayItem(json_get(list, "items"), 0), "fact_id", ""));
    assert_string_equal(harness_reason(&oda, "memory.forget", params), "not_found");
    ws_close(&sue), ws_close(&oda);
}

static void recommendations_follow_each_persons_own_reading(void **state)
{
    (void)state;
    struct ws sue, oda;
    harness_open(&h, &sue, "sue");
    harness_open(&h, &oda, "oda");
    AUTO(json_freep) cJSON *fresh = result_of(&oda, "recommend.list", "{}");
    assert_string_not_equal(json_text(fresh, "source", ""), "memory");
    search(&oda, "aldol addition", 3);
    AUTO(json_freep) cJSON *hers = result_of(&oda, "recommend.list", "{}");
    AUTO(json_freep) cJSON *mine = result_of(&sue, "recommend.list", "{}");
    const cJSON *her = cJSON_GetArrayItem(json_get(hers, "items"), 0),
                *my = cJSON_GetArrayItem(json_get(mine, "items"), 0);
    assert_string_equal(json_text(hers, "source", ""), "memory");
    assert_string_equal(json_text(mine, "source", ""), "memory");
    assert_non_null(strstr(json_text(her, "reason", ""), "“aldol addition” three times"));
    assert_non_null(strstr(json_text(my, "reason", ""), "“enzyme inhibition” five times"));
    assert_string_equal(json_text(cJSON_GetArrayItem(json_get(her, "documents"), 0), "title", ""), "Organic Chemistry");
    assert_string_equal(json_text(cJSON_GetArrayItem(json_get(my, "documents"), 0), "title", ""), "Biochemistry");
    ws_close(&sue), ws_close(&oda);
}

/* No two letters alike in a row, so that nothing shrinks by being compressed. */
static void a_long_fact_in_any_script_is_kept(void **state)
{
    (void)state;
    struct ws ari;
    AUTO(buf_free) struct buf params = {0};
    uint32_t seed = 7;
    harness_open(&h, &ari, "ari");
    buf_text(&params, "{\"fact\":\"");
    for (int i = 0; i < 2000; i++) {
        seed = seed * 1103515245 + 12345;
        text_append(&params, 0x4E00 + (seed >> 8) % 20000);
    }
    buf_text(&params, "\"}");
    AUTO(json_freep)
    cJSON *first = result_of(&ari, "memory.retain", params.data),
          *again = result_of(&ari, "memory.retain", params.data);
    assert_string_not_equal(json_text(first, "fact_id", ""), "");
    assert_string_equal(json_text(first, "fact_id", ""), json_text(again, "fact_id", "?"));
    ws_close(&ari);
}

/* Five days after the search comes a word of one's own about the same: the search is as old as before. */
static void a_reason_mixes_no_kinds_and_no_wordings(void **state)
{
    (void)state;
    struct ws ari;
    harness_user(&h, "student", "ari", "Ari Reason");
    harness_open(&h, &ari, "ari");
    search(&ari, "aldol addition", 1);
    free(library_sql(h.directory, "edurag_owner",
                     "update public.memory_facts set at = now() - interval '5 days 1 hour', first_at = now() - "
                     "interval '5 days 1 hour' "
                     "where user_id = (select user_id from public.users where institution_id = 'ari')"));
    cJSON_Delete(result_of(&ari, "memory.retain", "{\"fact\":\"Aldol additions!\"}"));
    AUTO(json_freep) cJSON *once = result_of(&ari, "recommend.list", "{}");
    assert_string_equal(json_text(cJSON_GetArrayItem(json_get(once, "items"), 0), "reason", ""),
                        "You searched for “aldol addition” once 5 days ago.");
    search(&ari, "the aldol additions", 2);
    AUTO(json_freep) cJSON *similar = result_of(&ari, "recommend.list", "{}");
    assert_string_equal(json_text(cJSON_GetArrayItem(json_get(similar, "items"), 0), "reason", ""),
                        "You searched for “the aldol additions” and the like three times in the last seven days.");
    ws_close(&ari);
}

/* Searches of `people` accounts from p1 on, each in one of four wordings, and each with a slander of its own and one of
 * all. */
static void crowd(const char *people)
{
    char sql[800];
    snprintf(
        sql, sizeof sql,
        "insert into public.search_history (user_id, query) select u.user_id, q from public.users u, unnest(array["
        "(array['the inhibition of enzymes', 'enzyme inhibitors?', 'how are enzymes inhibited', 'ENZYME  "
        "inhibition'])[1 + substr(institution_id, 2)::int %% 4], 'tim is a thief', 'aldol of ' || institution_id]) q "
        "where institution_id ~ '^p[%s]$'",
        people);
    free(library_sql(h.directory, "edurag_owner", sql));
}

static char *trends(struct ws *ws)
{
    AUTO(json_freep) cJSON *list = result_of(ws, "trending.list", "{}");
    return cJSON_PrintUnformatted(list);
}

static void trending_tells_the_librarys_names_and_nobody_apart(void **state)
{
    (void)state;
    struct ws sue;
    char number[8];
    static const char nothing_yet[] = "{\"items\":[]}",
                      told[] = "{\"items\":[{\"topic\":\"Enzyme inhibition\",\"searches\":5,\"searchers\":5}]}";
    for (int i = 1; i <= 9; i++) {
        snprintf(number, sizeof number, "p%d", i);
        harness_user(&h, "student", number, "Somebody");
    }
    free(library_sql(h.directory, "edurag_owner", "delete from public.search_history"));
    harness_open(&h, &sue, "sue");
    crowd("1-2");   /* who act together */
    pause_ms(2200); /* counted every second here */
    AUTO(mem_freep) char *two = trends(&sue);
    crowd("3");
    pause_ms(2200);
    AUTO(mem_freep) char *third = trends(&sue);
    assert_string_equal(two, nothing_yet);
    assert_string_equal(third, nothing_yet);
    crowd("4-8");
    AUTO(mem_freep) char *many = NULL;
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end && (!many || !strcmp(many, nothing_yet)); pause_ms(100)) {
        free(many);
        many = trends(&sue);
    }
    assert_string_equal(many, told);
    crowd("9");
    pause_ms(2200);
    AUTO(mem_freep) char *with = trends(&sue);
    free(library_sql(h.directory, "edurag_owner",
                     "delete from public.search_history h using public.users u where u.user_id = h.user_id and "
                     "institution_id in ('p9', 'p8')"));
    pause_ms(2200);
    AUTO(mem_freep) char *without = trends(&sue);
    assert_string_equal(with, told);
    assert_string_equal(without, told);
    free(library_sql(
        h.directory, "edurag_owner",
        "update public.pdfs set outline = replace(outline::text, 'Enzyme inhibition', 'Another thing')::jsonb"));
    AUTO(mem_freep) char *gone = NULL;
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end && (!gone || !strcmp(gone, told)); pause_ms(100)) {
        free(gone);
        gone = trends(&sue);
    }
    assert_string_equal(gone, nothing_yet);
    free(library_sql(
        h.directory, "edurag_owner",
        "update public.pdfs set outline = replace(outline::text, 'Another thing', 'Enzyme inhibition')::jsonb"));
    free(library_sql(h.directory, "edurag_owner", "delete from public.search_history"));
    ws_close(&sue);
}

static void a_fact_is_the_same_in_capitals_of_any_script(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"Ärzte lernen Ökologie", "ärzte  lernen ÖKOLOGIE"},
                                           {"Теория вероятностей", "ТЕОРИЯ вероятностей"},
                                           {"ﬁnite Groups", "Finite groups"}};
    struct ws ari;
    char params[200];
    harness_open(&h, &ari, "ari");
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        snprintf(params, sizeof params, "{\"fact\":\"%s\"}", pairs[i][0]);
        AUTO(json_freep) cJSON *one = result_of(&ari, "memory.retain", params);
        snprintf(params, sizeof params, "{\"fact\":\"%s\"}", pairs[i][1]);
        AUTO(json_freep) cJSON *other = result_of(&ari, "memory.retain", params);
        assert_string_equal(json_text(other, "fact_id", "none"), json_text(one, "fact_id", ""));
    }
    ws_close(&ari);
}

static void a_reflection_is_true_and_leaves_a_trace(void **state)
{
    (void)state;
    struct ws sue, tim, oda;
    char params[700];
    harness_open(&h, &sue, "sue");
    harness_open(&h, &tim, "tim");
    harness_open(&h, &oda, "oda");
    AUTO(json_freep) cJSON *course = result_of(&tim, "courses.create", "{\"code\":\"BIO\",\"title\":\"Biology\"}");
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"sue\"]}",
             json_text(course, "course_id", ""));
    cJSON_Delete(result_of(&tim, "courses.enrol", params));
    AUTO(mem_freep) char *told = ws_wait(&sue, "courses.changed", WAIT_MS);
    assert_non_null(told);
    assert_non_null(strstr(told, json_text(course, "course_id", "?")));
    assert_non_null(strstr(told, "Tim Teacher"));
    AUTO(mem_freep)
    char *id =
        library_sql(h.directory, "edurag_owner", "select user_id from public.users where institution_id = 'sue'");
    free(library_sql(h.directory, "edurag_owner", "delete from public.search_history"));
    free(library_sql(h.directory, "edurag_owner", "delete from public.page_opens"));
    snprintf(params, sizeof params,
             "insert into public.search_history (user_id, course_id, query, at) select '%s', case when d < 61 then "
             "'%s'::uuid end, case when d > 60 then 'aldol of a secret wish' when d > 30 then 'which aldol addition?' "
             "else (array['the inhibition of enzymes', 'enzyme inhibitors', 'how are enzymes inhibited', 'Enzyme "
             "inhibition?'])[1 + d %% 4] end, now() - d * interval '1 day' from unnest(array[61, 60, 55, 50, 20, 19, "
             "18, 13, 9]) d",
             id, json_text(course, "course_id", ""));
    free(library_sql(h.directory, "edurag_owner", params));
    snprintf(params, sizeof params, "{\"user_id\":\"%s\"}", id);
    assert_string_equal(harness_reason(&oda, "memory.reflect", params), "not_found");
    AUTO(json_freep) cJSON *r = result_of(&tim, "memory.reflect", params);
    const cJSON *topics = json_get(r, "topics"), *first = cJSON_GetArrayItem(topics, 0), *week;
    assert_int_equal(cJSON_GetArraySize(topics), 2);
    assert_string_equal(json_text(first, "topic", ""), "Enzyme inhibition");
    assert_int_equal(json_int(first, "searches", 0), 5);
    assert_int_equal(json_int(r, "active_days", 0), 8);
    assert_non_null(json_text(r, "quiet_since", NULL));
    int counted = 0;
    cJSON_ArrayForEach (week, json_get(first, "weeks"))
        counted += (int)json_int(week, "searches", 0);
    assert_int_equal(counted, 5);
    AUTO(mem_freep) char *whole = cJSON_PrintUnformatted(r);
    assert_null(strstr(whole, "secret"));
    assert_null(strstr(whole, "which"));
    const char *summary = json_text(r, "summary", "");
    assert_non_null(strstr(summary, "“Enzyme inhibition”, searched 5 times"));
    assert_non_null(strstr(summary, "It has not come up since."));
    assert_non_null(strstr(summary, "Nothing was searched or read after"));
    AUTO(json_freep) cJSON *log = result_of(&sue, "memory.access_log", "{}");
    const cJSON *entry = cJSON_GetArrayItem(json_get(log, "items"), 0);
    assert_string_equal(json_text(entry, "by", ""), "Tim Teacher");
    assert_string_equal(json_text(entry, "action", ""), "reflection");
    AUTO(mem_freep)
    char *audited = library_sql(h.directory, "edurag_owner",
                                "select count(*) from public.audit_log where action = 'memory.reflect'");
    assert_string_equal(audited, "1");
    ws_close(&sue), ws_close(&tim), ws_close(&oda);
}

static void everything_can_be_taken_along_and_erased(void **state)
{
    (void)state;
    struct ws sue;
    harness_open(&h, &sue, "sue");
    search(&sue, "enzyme kinetics", 1);
    cJSON_Delete(result_of(&sue, "search.ask", "{\"query\":\"what does a competitive inhibitor occupy?\"}"));
    AUTO(json_freep) cJSON *all = result_of(&sue, "memory.export", "{}");
    const char *members[] = {"account",    "facts",    "searches",      "turns", "reflections", "chat",
                             "access_log", "sessions", "failed_logins", "audit", "erasures",    "kept"};
    for (size_t i = 0; i < COUNT_OF(members); i++)
        assert_non_null(json_get(all, members[i]));
    assert_true(cJSON_GetArraySize(json_get(all, "facts")) >= 2);
    assert_true(cJSON_GetArraySize(json_get(all, "sessions")) >= 1);
    assert_int_equal(cJSON_GetArraySize(json_get(all, "turns")), 1);
    AUTO(json_freep) cJSON *gone = result_of(&sue, "memory.forget", "{\"all\":true}");
    assert_true(json_int(json_get(gone, "forgotten"), "facts", 0) >= 2);
    assert_true(json_int(json_get(gone, "forgotten"), "searches", 0) >= 2);
    AUTO(mem_freep)
    char *left = library_sql(
        h.directory, "edurag_owner",
        "select (select count(*) from public.memory_facts f join public.users u using (user_id) where institution_id = "
        "'sue')"
        " + (select count(*) from public.search_history h join public.users u using (user_id) where institution_id = "
        "'sue')"
        " + (select count(*) from public.turns t join public.users u using (user_id) where institution_id = 'sue')"
        " + (select count(*) from public.page_opens o join public.users u using (user_id) where institution_id = "
        "'sue')");
    assert_string_equal(left, "0");
    AUTO(json_freep)
    cJSON *status = result_of(&sue, "memory.status", "{}"); /* nothing of hers ever left: nothing is waited for */
    assert_int_equal(json_int(status, "pending_sync", -1), 0);
    ws_close(&sue);
}

static void with_memory_off_nothing_is_kept_and_nothing_fails(void **state)
{
    (void)state;
    open_school((const char *const[]){"HINDSIGHT_ENABLED=false", "HINDSIGHT_URL=http://127.0.0.1:9", NULL});
    struct ws sue;
    harness_open(&h, &sue, "sue");
    search(&sue, "enzyme inhibition", 2);
    AUTO(json_freep) cJSON *kept = result_of(&sue, "memory.retain", "{\"fact\":\"likes short answers\"}");
    assert_true(cJSON_IsNull(json_get(kept, "fact_id")));
    AUTO(json_freep) cJSON *recalled = result_of(&sue, "memory.recall", "{\"query\":\"answers\"}");
    assert_int_equal(cJSON_GetArraySize(json_get(recalled, "items")), 0);
    AUTO(json_freep) cJSON *status = result_of(&sue, "memory.status", "{}");
    assert_false(json_bool(status, "enabled", true));
    assert_string_equal(json_text(status, "provider", ""), "off");
    assert_int_equal(json_int(status, "facts", -1), 0);
    AUTO(json_freep) cJSON *recommended = result_of(&sue, "recommend.list", "{}");
    assert_string_equal(json_text(recommended, "source", ""), "none");
    cJSON_Delete(result_of(&sue, "memory.reflect", "{}"));
    ws_close(&sue);
    harness_stop(&h);
}

static int documents_of(const char *id)
{
    char sql[100];
    snprintf(sql, sizeof sql, "select user_id from public.users where institution_id = '%s'", id);
    AUTO(mem_freep) char *bank = library_sql(h.directory, "edurag_owner", sql);
    return fake_hindsight_documents(fake, bank);
}

/* What waits for its next try gets it now: the pauses themselves are not what is tried here. */
static void wait_for_documents(const char *id, int count)
{
    for (int64_t end = now_ms() + WAIT_MS; documents_of(id) != count && now_ms() < end; pause_ms(300))
        free(library_sql(h.directory, "edurag_owner",
                         "update public.memory_facts set run_after = now() where state in ('pending', 'sent')"));
    assert_int_equal(documents_of(id), count);
}

/* The outage is short on the clock; what it shows is that nothing waits for it, is lost or comes twice. */
static void an_outage_of_hindsight_loses_nothing_and_slows_nobody(void **state)
{
    (void)state;
    char url[64];
    fake = fake_hindsight_start(0);
    fake_hindsight_completes(fake, 50, 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d", fake_hindsight_port(fake));
    open_school((const char *const[]){put("HINDSIGHT_URL", url), "HINDSIGHT_TIMEOUT=2", NULL});
    struct ws sue;
    harness_open(&h, &sue, "sue");
    search(&sue, "enzyme inhibition", 3);
    wait_for_documents("sue", 1);
    static const char *const troubles[] = {"hang", "cut_at_once", "503", "malformed", "500"};
    for (size_t i = 0; i < COUNT_OF(troubles); i++) {
        char query[60];
        fake_hindsight_behave(fake, troubles[i], 0);
        snprintf(query, sizeof query, "aldol addition number%zu", i);
        int64_t began = now_ms();
        search(&sue, query, 1);
        assert_true(now_ms() - began < 1900);
        AUTO(json_freep) cJSON *recalled = result_of(&sue, "memory.recall", "{\"query\":\"enzyme inhibition\"}");
        assert_true(now_ms() - began < 9000);
        assert_true(json_bool(recalled, "degraded", false));
        assert_string_equal(json_text(recalled, "provider", ""), "builtin");
        assert_int_equal(cJSON_GetArraySize(json_get(recalled, "items")) > 0, 1);
    }
    fake_hindsight_behave(fake, "fine", 0);
    wait_for_documents("sue", 1 + (int)COUNT_OF(troubles));
    ws_close(&sue);
}

enum { CLASS = 5, STEPS = 24 };

/* Five minutes on the clock of what waits: every pause and lease that began before is over. */
static void five_minutes_pass(void)
{
    free(library_sql(h.directory, "edurag_owner",
                     "update public.memory_facts set run_after = run_after - interval '5 minutes' where state in "
                     "('pending', 'sent')"));
}

static void in_time(struct ws *ws, const char *method, const char *params, int most_ms)
{
    int64_t began = now_ms();
    cJSON_Delete(result_of(ws, method, params));
    if (now_ms() - began >= most_ms)
        fail_msg("%s took %d ms", method, (int)(now_ms() - began));
}

static void every_fact_is_there_once(const char *id)
{
    AUTO(mem_freep)
    char *sql = mem_printf("select coalesce(string_agg(fact_id::text, ' '), '') from public.memory_facts f join "
                           "public.users u using (user_id) "
                           "where institution_id = '%s'",
                           id);
    AUTO(mem_freep) char *ids = library_sql(h.directory, "edurag_owner", sql);
    int count = 0;
    for (char *save = NULL, *fact = strtok_r(ids, " ", &save); fact; fact = strtok_r(NULL, " ", &save), count++)
        if (fake_hindsight_retains(fake, fact) != 1)
            fail_msg("a fact of %s arrived %d times", id, fake_hindsight_retains(fake, fact));
    assert_int_equal(count, STEPS + 1); /* a search in each step, and one question */
}

/* From 10:00 to 12:00 a class searches and asks, and the service is down in every way there is. */
static void two_hours_without_hindsight_in_the_middle_of_a_class(void **state)
{
    (void)state;
    static const char *const troubles[] = {"503", "cut_at_once", "hang", "500", "429", "malformed"};
    struct ws pupils[CLASS];
    char ids[CLASS][8], params[100];
    for (int i = 0; i < CLASS; i++) {
        snprintf(ids[i], sizeof ids[i], "pupil%c", 'a' + i);
        harness_user(&h, "student", ids[i], "Pupil");
        harness_open(&h, &pupils[i], ids[i]);
    }
    for (int step = 0; step < STEPS; step++, five_minutes_pass()) {
        fake_hindsight_behave(fake, troubles[(size_t)step % COUNT_OF(troubles)], 0);
        snprintf(params, sizeof params, "{\"query\":\"enzyme inhibition lesson %c\"}", 'a' + step);
        for (int i = 0; i < CLASS; i++)
            in_time(&pupils[i], "search.query", params, 1900);
        in_time(&pupils[step % CLASS], "memory.recall", params, 9000);
        if (step < CLASS)
            in_time(&pupils[step], "search.ask", "{\"query\":\"what does a competitive inhibitor occupy?\"}", 9000);
    }
    AUTO(mem_freep)
    char *waiting =
        library_sql(h.directory, "edurag_owner",
                    "select count(*) from public.memory_facts where state = 'pending' and failed_at is null");
    assert_int_equal(atoi(waiting), CLASS * (STEPS + 1));
    for (int i = 0; i < CLASS; i++)
        assert_int_equal(documents_of(ids[i]) > 0, 0);
    fake_hindsight_behave(fake, "fine", 0);
    for (int i = 0; i < CLASS; i++) {
        wait_for_documents(ids[i], STEPS + 1);
        every_fact_is_there_once(ids[i]);
        ws_close(&pupils[i]);
    }
}

static void forgetting_reaches_hindsight_too(void **state)
{
    (void)state;
    struct ws sue, oda;
    harness_open(&h, &sue, "sue");
    harness_open(&h, &oda, "oda");
    search(&oda, "aldol addition", 1);
    wait_for_documents("oda", 1);
    free(library_sql(h.directory, "edurag_owner", "update public.memory_facts set run_after = now()"));
    AUTO(json_freep) cJSON *list = result_of(&sue, "memory.list", "{\"limit\":1}");
    char params[100];
    snprintf(params, sizeof params, "{\"fact_id\":\"%s\"}",
             json_text(cJSON_GetArrayItem(json_get(list, "items"), 0), "fact_id", ""));
    cJSON_Delete(result_of(&sue, "memory.forget", params));
    wait_for_documents("sue", 5);
    cJSON_Delete(result_of(&sue, "memory.forget", "{\"all\":true}"));
    for (int64_t end = now_ms() + WAIT_MS; documents_of("sue") > 0 && now_ms() < end;)
        pause_ms(50);
    assert_true(documents_of("sue") <= 0);
    assert_int_equal(documents_of("oda"), 1);
    for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; pause_ms(50)) {
        AUTO(mem_freep)
        char *open = library_sql(h.directory, "edurag_owner",
                                 "select count(*) from public.erasures where kind = 'all' and state <> 'done'");
        if (!strcmp(open, "0"))
            break;
    }
    AUTO(mem_freep)
    char *open = library_sql(h.directory, "edurag_owner",
                             "select count(*) from public.erasures where kind = 'all' and state <> 'done'");
    assert_string_equal(open, "0");
    ws_close(&sue), ws_close(&oda);
    harness_stop(&h);
    fake_hindsight_stop(fake);
}

static int start(void **state)
{
    (void)state;
    open_school((const char *const[]){"EDURAG_TRENDING_INTERVAL=1", NULL});
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

static int nothing(void **state)
{
    (void)state;
    return 0;
}

int main(void)
{
    const struct CMUnitTest builtin[] = {
        cmocka_unit_test(what_is_searched_is_one_fact_with_a_count),
        cmocka_unit_test(facts_are_kept_without_what_identifies),
        cmocka_unit_test(recall_finds_by_words_and_nobody_elses),
        cmocka_unit_test(recommendations_follow_each_persons_own_reading),
        cmocka_unit_test(trending_tells_the_librarys_names_and_nobody_apart),
        cmocka_unit_test(a_reason_mixes_no_kinds_and_no_wordings),
        cmocka_unit_test(a_long_fact_in_any_script_is_kept),
        cmocka_unit_test(a_fact_is_the_same_in_capitals_of_any_script),
        cmocka_unit_test(a_reflection_is_true_and_leaves_a_trace),
        cmocka_unit_test(everything_can_be_taken_along_and_erased),
    };
    const struct CMUnitTest others[] = {
        cmocka_unit_test(with_memory_off_nothing_is_kept_and_nothing_fails),
        cmocka_unit_test(an_outage_of_hindsight_loses_nothing_and_slows_nobody),
        cmocka_unit_test(two_hours_without_hindsight_in_the_middle_of_a_class),
        cmocka_unit_test(forgetting_reaches_hindsight_too),
    };
    int failed = cmocka_run_group_tests(builtin, start, stop);
    return failed + cmocka_run_group_tests(others, nothing, nothing);
}
