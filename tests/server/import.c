/* import.c - users.import against a whole server: who is made, who is not, and that it is all or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"

static struct harness h;
static struct ws root;

static cJSON *import(const char *csv, bool partial)
{
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "csv", csv);
    buf_json_member_bool(&params, "partial", partial);
    buf_json_close(&params, '}');
    return harness_call(&root, "users.import", params.data);
}

static int accounts(const char *query)
{
    AUTO(mem_freep) char *params = mem_printf("{\"query\":\"%s\"}", query);
    AUTO(json_freep) cJSON *reply = harness_call(&root, "users.list", params);
    return cJSON_GetArraySize(json_get(json_get(reply, "result"), "items"));
}

/* How many were made and passed over, and which lines were wrong. */
static void lists_come_out_as_they_should(void **state)
{
    (void)state;
    static const struct {
        const char *csv;
        bool partial;
        const char *created, *wrong;
        int skipped;
    } cases[] = {
        {"\xEF\xBB\xBFinstitution_id,name,role\r\n l1 ,\"Last, First\",Student\r\n\"l2\",\"Say "
         "\"\"Hi\"\"\",teacher\r\n",
         false, "l1 l2 ", "", 0},
        {"l3,Name,student", false, "l3 ", "", 0},
        {"L1,Other,admin\nl4,Name,student", false, "l4 ", "", 1},
        {"l5,Name,student\nl6,Name,king\n\nl7,Name\n\"l8,Name,student", false, "", "2 4 5 ", 0},
        {"l5,Name,student\nl6,Name,king\n\nl7,Name\n\"l8,Name,student", true, "l5 ", "2 4 5 ", 0},
        {"m1,Name,student\nM1,Again,student\nm2,,student\nm 3,Name,student\nm4,Name,student\nl1,X,student", true,
         "m1 m4 ", "2 3 4 ", 1},
        {"m5,Name,student\nm6,two\nlines,student", false, "", "2 3 ", 0},
        /* Twins: a Cyrillic letter in a number and in a name, one in a list itself; and what can't be seen. */
        {"a9,Ann,student", false, "a9 ", "", 0},
        {"\xd0\xb0"
         "9,Other,student\nb9,\xd0\x90nn,student\nc\xe2\x80\x8b"
         "9,X,student\nd9,X\xe2\x80\xaey,student",
         true, "", "3 4 1 2 ", 0},
        {"e9,Ann,student\n\xd0\xb5"
         "9,Eve,student",
         false, "", "2 ", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(json_freep) cJSON *reply = import(cases[i].csv, cases[i].partial);
        AUTO(buf_free) struct buf created = {0}, wrong = {0};
        const cJSON *result = json_get(reply, "result"), *at;
        buf_text(&created, "");
        buf_text(&wrong, "");
        cJSON_ArrayForEach (at, json_get(result, "created"))
            buf_printf(&created, "%s ", json_text(at, "institution_id", "?"));
        cJSON_ArrayForEach (at, json_get(result, "errors")) {
            buf_printf(&wrong, "%d ", (int)json_int(at, "line", 0));
            assert_true(strlen(json_text(at, "message", "")) > 10);
        }
        if (strcmp(created.data, cases[i].created) || strcmp(wrong.data, cases[i].wrong) ||
            json_int(result, "skipped", -1) != cases[i].skipped)
            fail_msg("case %zu: made %s, wrong %s, skipped %d", i, created.data, wrong.data,
                     (int)json_int(result, "skipped", -1));
    }
    assert_int_equal(accounts("l6"), 0);
    assert_int_equal(accounts("m5"), 0);
}

static void its_passwords_open_the_door_and_it_is_in_the_audit_log(void **state)
{
    (void)state;
    struct ws ws;
    AUTO(json_freep) cJSON *reply = import("p1,Pia,teacher", false);
    const char *password = json_text(json_get(json_get(reply, "result"), "created")->child, "password", "");
    AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"p1\",\"password\":\"%s\"}", password);
    harness_open(&h, &ws, NULL);
    AUTO(json_freep) cJSON *login = harness_call(&ws, "auth.login", params);
    assert_string_equal(json_text(json_get(json_get(login, "result"), "user"), "name", ""), "Pia");
    ws_close(&ws);
    AUTO(json_freep) cJSON *audit = harness_call(&root, "admin.audit", "{\"limit\":2}");
    AUTO(buf_free) struct buf text = {0};
    json_write(&text, audit);
    assert_non_null(strstr(text.data, "\"users.import\""));
    assert_non_null(strstr(text.data, "\"created\":1"));
    assert_null(strstr(text.data, password));
    AUTO(mem_freep) char *log = harness_log(&h);
    assert_null(strstr(log, password));
}

static void a_long_list_is_made_whole_and_a_longer_one_refused(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf csv = {0};
    for (int i = 0; i < 1001; i++)
        buf_printf(&csv, "big%d,Name %d,student\n", i, i);
    AUTO(json_freep) cJSON *reply = import(csv.data, true);
    const cJSON *data = json_get(json_get(reply, "error"), "data");
    assert_string_equal(json_text(data, "reason", ""), "too_large");
    assert_int_equal(json_int(data, "limit", 0), 1000);
    assert_int_equal(accounts("big"), 0);
    *strstr(csv.data, "big100,") = '\0';
    AUTO(json_freep) cJSON *made = import(csv.data, false);
    assert_int_equal(cJSON_GetArraySize(json_get(json_get(made, "result"), "created")), 100);
    assert_int_equal(accounts("big99"), 1);
}

/* Minutes pass at the cost of a real hash: who asked hears how far it is, and nobody sees a half. */
static void how_far_it_is_is_told_and_a_half_is_never_seen(void **state)
{
    (void)state;
    struct ws other;
    AUTO(buf_free) struct buf csv = {0};
    for (int i = 0; i < 100; i++)
        buf_printf(&csv, "far%d,Name,student\\n", i);
    AUTO(mem_freep)
    char *request = mem_printf(
        "{\"jsonrpc\":\"2.0\",\"id\":\"list\",\"method\":\"users.import\",\"params\":{\"csv\":\"%s\"}}", csv.data);
    harness_open(&h, &other, "root");
    free(library_sql(h.directory, "edurag_owner", "select auth.configure('{\"bcrypt_cost\": 10}')"));
    assert_true(ws_send(&other, request, strlen(request)));
    AUTO(mem_freep) char *told = ws_wait(&other, "\"users.progress\"", 20000);
    assert_non_null(told);
    assert_non_null(strstr(told, "\"params\":{\"done\":8,\"total\":100,\"id\":\"list\"}"));
    assert_int_equal(accounts("far"), 0);
    ws_close(&other); /* nobody would get the passwords */
    free(library_sql(h.directory, "edurag_owner", "select auth.configure('{\"bcrypt_cost\": 4}')"));
    AUTO(json_freep) cJSON *again = import("far0,Name,student", false);
    assert_int_equal(cJSON_GetArraySize(json_get(json_get(again, "result"), "created")), 1);
    assert_int_equal(accounts("far"), 1);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "admin", "root", "Root Admin");
    harness_open(&h, &root, "root");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    ws_close(&root);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_come_out_as_they_should),
        cmocka_unit_test(its_passwords_open_the_door_and_it_is_in_the_audit_log),
        cmocka_unit_test(how_far_it_is_is_told_and_a_half_is_never_seen),
        cmocka_unit_test(a_long_list_is_made_whole_and_a_longer_one_refused),
    };
    return cmocka_run_group_tests_name("import", tests, start, stop);
}
