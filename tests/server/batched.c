/* batched.c - lines that wait for the same room are stored in one transaction, each as its own person. */
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
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

enum { LINES = 60, WAIT_MS = 20000 };

static struct harness h;
static struct ws tim, sue, joe;
static char course[40];

static void say(struct ws *ws, int id, const char *room)
{
    char text[240], place[60] = "";
    if (room)
        snprintf(place, sizeof place, ",\"room\":\"%s\"", room);
    snprintf(text, sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"chat.send\",\"params\":{\"text\":\"line %d\"%s}}", id, id,
             place);
    assert_true(ws_send(ws, text, strlen(text)));
}

/* The replies of one connection; they come in the order of its requests. */
struct answers {
    char reasons[LINES + 1][16]; /* by id; "": none yet */
    int count, last;
};

static void hear(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)ws;
    struct answers *answers = context;
    struct err err = {0};
    AUTO(json_freep) cJSON *reply = json_parse(text, length, &err);
    int id = (int)json_int(reply, "id", 0);
    if (!id)
        return;
    assert_in_range(id, answers->last + 1, LINES);
    answers->last = id;
    answers->count++;
    bool stored = json_int(json_get(reply, "result"), "seq", 0) > 0;
    snprintf(answers->reasons[id], sizeof answers->reasons[id], "%s",
             stored ? "stored" : json_text(json_get(json_get(reply, "error"), "data"), "reason", "?"));
}

static void wait_answers(struct ws *ws, int count, struct answers *answers)
{
    *answers = (struct answers){0};
    for (int ms = 0; answers->count < count && ms < WAIT_MS; ms++) {
        assert_true(ws_read(ws, hear, answers));
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    assert_int_equal(answers->count, count);
}

static void sql_says(const char *wanted, const char *sql)
{
    AUTO(mem_freep) char *said = library_sql(h.directory, "edurag_owner", sql);
    assert_string_equal(said, wanted);
}

static void what_waits_is_stored_together_in_its_order(void **state)
{
    (void)state;
    struct answers answers;
    for (int i = 1; i <= LINES; i++)
        say(&sue, i, NULL);
    wait_answers(&sue, LINES, &answers);
    for (int i = 1; i <= LINES; i++)
        assert_string_equal(answers.reasons[i], "stored");
    sql_says("60", "select count(*) from public.chat_messages where text = 'line ' || seq");
    sql_says("t", "select count(distinct xmin::text) < 60 from public.chat_messages");
}

static void who_is_refused_holds_up_nobody(void **state)
{
    (void)state;
    char params[300];
    struct answers answers;
    AUTO(mem_freep)
    char *joe_id =
        library_sql(h.directory, "edurag_owner", "select user_id from public.users where institution_id = 'joe'");
    snprintf(params, sizeof params, "{\"room\":\"%s\",\"user_id\":\"%s\",\"seconds\":600}", course, joe_id);
    assert_string_equal(harness_reason(&tim, "chat.mute", params), "ok");
    for (int i = 1; i <= LINES; i++) /* by turns: Sue, and Joe, who may not speak; and Joe in the room where he may */
        say(i % 3 == 1 ? &sue : &joe, i, i % 3 ? course : NULL);
    wait_answers(&sue, LINES / 3, &answers);
    for (int i = 1; i <= LINES; i += 3)
        assert_string_equal(answers.reasons[i], "stored");
    wait_answers(&joe, 2 * LINES / 3, &answers);
    for (int i = 2; i <= LINES; i += 3) {
        assert_string_equal(answers.reasons[i], "forbidden");
        assert_string_equal(answers.reasons[i + 1], "stored");
    }
    snprintf(params, sizeof params,
             "select string_agg(substr(text, 6), ' ' order by seq) = (select string_agg(n::text, ' ' order by n) "
             "from generate_series(1, 60, 3) n) from public.chat_messages where room_id = '%s'",
             course);
    sql_says("t", params);
    snprintf(
        params, sizeof params,
        "select count(*) = 20 and bool_and(user_id = '%s') from public.chat_messages where seq > 60 and text <> ''",
        joe_id);
    sql_says("t", params);
}

static int start(void **state)
{
    (void)state;
    char params[120];
    harness_start(&h, NULL, NULL);
    harness_user(&h, "teacher", "tim", "Tim Teacher");
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "student", "joe", "Joe Student");
    harness_open(&h, &tim, "tim");
    harness_open(&h, &sue, "sue");
    harness_open(&h, &joe, "joe");
    AUTO(json_freep) cJSON *made = harness_call(&tim, "courses.create", "{\"code\":\"C\",\"title\":\"Course\"}");
    snprintf(course, sizeof course, "%s", json_text(json_get(made, "result"), "course_id", ""));
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"sue\",\"joe\"]}", course);
    return strcmp(harness_reason(&tim, "courses.enrol", params), "ok") != 0;
}

static int stop(void **state)
{
    (void)state;
    ws_close(&tim);
    ws_close(&sue);
    ws_close(&joe);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_waits_is_stored_together_in_its_order),
        cmocka_unit_test(who_is_refused_holds_up_nobody),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
