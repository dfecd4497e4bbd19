/* matrix.c - every method as nobody, student, teacher, admin and a stranger: the reason that comes back.
 *
 * The student (sue) is in the course of the teacher (tim); the stranger (tom) is a teacher of another course,
 * the outsider a student of none: rows that begin with '!' put the outsider in the last column. A cell is "ok" or a reason.
 * Params may hold @course (tim's), @new_course (a fresh one of tim's), @new_user, @sue, @tim (their user_id)
 * and @token (a fresh one of sue's). Each cell runs on a socket of its own.
 */
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

#define NO "unauthenticated"
#define FORBIDDEN "forbidden"
#define NOT_FOUND "not_found"
#define NOBODYS_ID "00000000-0000-4000-8000-000000000000"
#define ONE_PDF "{\"pdf_id\":\"" NOBODYS_ID "\"}"
#define ONE_UPLOAD "{\"upload_id\":\"" NOBODYS_ID "\"}"
#define ANY_HASH "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static const struct row {
    const char *method, *params;
    const char *nobody, *student, *teacher, *admin, *other;
} rows[] = {
    {"rpc.discover", "{}", "ok", "ok", "ok", "ok", "ok"},
    {"rpc.cancel", "{\"id\":1}", NO, "ok", "ok", "ok", "ok"},
    {"server.ping", "{}", "ok", "ok", "ok", "ok", "ok"},
    {"server.info", "{}", "ok", "ok", "ok", "ok", "ok"},
    {"auth.login", "{\"institution_id\":\"sue\",\"password\":\"sue-password\"}", "ok", "conflict", "conflict",
     "conflict", "conflict"},
    {"auth.login", "{\"institution_id\":\"nobody\",\"password\":\"wrong\"}", NO, "conflict", "conflict", "conflict",
     "conflict"},
    {"auth.resume", "{\"token\":\"@token\"}", "ok", "conflict", "conflict", "conflict", "conflict"},
    {"auth.resume", "{\"token\":\"x\"}", NO, "conflict", "conflict", "conflict", "conflict"},
    {"auth.refresh", "{}", NO, "ok", "ok", "ok", "ok"},
    {"auth.logout", "{}", NO, "ok", "ok", "ok", "ok"},
    {"auth.whoami", "{}", NO, "ok", "ok", "ok", "ok"},
    {"auth.change_password", "{\"old_password\":\"not that\",\"new_password\":\"long enough\"}", NO, "invalid_params",
     "invalid_params", "invalid_params", "invalid_params"},
    {"auth.devices", "{}", NO, "ok", "ok", "ok", "ok"},
    {"auth.forget_device", "{\"device_id\":\"" NOBODYS_ID "\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"profile.update", "{\"avatar\":\"ab\"}", NO, "ok", "ok", "ok", "ok"},
    {"users.list", "{}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.create", "{\"institution_id\":\"twice\",\"name\":\"Twice\",\"role\":\"student\"}", NO, FORBIDDEN, FORBIDDEN,
     "ok", FORBIDDEN},
    {"users.create", "{\"institution_id\":\"sue\",\"name\":\"Sue\",\"role\":\"admin\"}", NO, FORBIDDEN, FORBIDDEN,
     "conflict", FORBIDDEN},
    {"users.import", "{\"csv\":\"sue,Sue,student\"}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.import", "{\"csv\":\"\\n\"}", NO, FORBIDDEN, FORBIDDEN, "invalid_params", FORBIDDEN},
    {"users.update", "{\"user_id\":\"@new_user\",\"role\":\"admin\"}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.update", "{\"user_id\":\"" NOBODYS_ID "\",\"name\":\"X\"}", NO, FORBIDDEN, FORBIDDEN, NOT_FOUND, FORBIDDEN},
    {"users.reset_password", "{\"user_id\":\"@new_user\"}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.delete", "{\"user_id\":\"@new_user\"}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.delete", "{\"user_id\":\"" NOBODYS_ID "\"}", NO, FORBIDDEN, FORBIDDEN, NOT_FOUND, FORBIDDEN},
    {"courses.list", "{}", NO, "ok", "ok", "ok", "ok"},
    {"courses.members", "{\"course_id\":\"@course\"}", NO, FORBIDDEN, "ok", "ok", NOT_FOUND},
    {"!courses.members", "{\"course_id\":\"@course\"}", NO, FORBIDDEN, "ok", "ok", FORBIDDEN},
    {"courses.members", "{\"course_id\":\"" NOBODYS_ID "\"}", NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"courses.create", "{\"code\":\"NEW\",\"title\":\"New\"}", NO, FORBIDDEN, "ok", "ok", "ok"},
    {"courses.update", "{\"course_id\":\"@new_course\",\"title\":\"Other\"}", NO, FORBIDDEN, "ok", "ok", NOT_FOUND},
    {"courses.delete", "{\"course_id\":\"@new_course\"}", NO, FORBIDDEN, "ok", "ok", NOT_FOUND},
    {"courses.enrol", "{\"course_id\":\"@new_course\",\"institution_ids\":[\"sue\"]}", NO, FORBIDDEN, "ok", "ok",
     NOT_FOUND},
    {"courses.unenrol", "{\"course_id\":\"@new_course\",\"institution_ids\":[\"sue\"]}", NO, FORBIDDEN, "ok", "ok",
     NOT_FOUND},
    {"courses.leave", "{\"course_id\":\"@new_course\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"!courses.leave", "{\"course_id\":\"" NOBODYS_ID "\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.list", "{}", NO, "ok", "ok", "ok", "ok"},
    {"library.outline", ONE_PDF, NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.page", "{\"pdf_id\":\"" NOBODYS_ID "\",\"page\":1}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.jobs", "{}", NO, FORBIDDEN, "ok", "ok", "ok"},
    {"library.job", "{\"job_id\":\"" NOBODYS_ID "\"}", NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.retry", ONE_PDF, NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.update", ONE_PDF, NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.delete", ONE_PDF, NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.upload_begin", "{\"filename\":\"a.pdf\",\"size\":9,\"sha256\":\"" ANY_HASH "\"}", NO, FORBIDDEN, "ok",
     "ok", "ok"},
    {"library.upload_begin",
     "{\"filename\":\"a.pdf\",\"size\":9,\"sha256\":\"" ANY_HASH "\",\"course_id\":\"@course\"}", NO, FORBIDDEN, "ok",
     "ok", NOT_FOUND},
    {"library.upload_chunk", "{\"upload_id\":\"" NOBODYS_ID "\",\"offset\":0,\"data\":\"QUJD\"}", NO, FORBIDDEN,
     NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.quota", "{}", NO, FORBIDDEN, "ok", "ok", "ok"},
    {"users.quota", "{\"user_id\":\"@new_user\",\"bytes\":1000000}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"users.quota", "{\"user_id\":\"" NOBODYS_ID "\",\"bytes\":1}", NO, FORBIDDEN, FORBIDDEN, NOT_FOUND, FORBIDDEN},
    {"library.upload_commit", ONE_UPLOAD, NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"library.upload_abort", ONE_UPLOAD, NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"search.query", "{\"query\":\"enzyme\"}", NO, "ok", "ok", "ok", "ok"},
    {"search.query", "{\"query\":\"enzyme\",\"course_id\":\"@course\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"search.ask", "{\"query\":\"enzyme\"}", NO, "ok", "ok", "ok", "ok"},
    {"search.ask", "{\"query\":\"enzyme\",\"thread_id\":\"" NOBODYS_ID "\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND,
     NOT_FOUND},
    {"search.thread", "{\"thread_id\":\"" NOBODYS_ID "\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"search.history", "{}", NO, "ok", "ok", "ok", "ok"},
    {"search.clear_history", "{}", NO, "ok", "ok", "ok", "ok"},
    {"admin.audit", "{}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"admin.stats", "{}", NO, FORBIDDEN, FORBIDDEN, "ok", FORBIDDEN},
    {"recommend.list", "{}", NO, "ok", "ok", "ok", "ok"},
    {"trending.list", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.status", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.retain", "{\"fact\":\"prefers short answers\"}", NO, "ok", "ok", "ok", "ok"},
    {"memory.recall", "{\"query\":\"answers\"}", NO, "ok", "ok", "ok", "ok"},
    {"memory.list", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.forget", "{\"fact_id\":\"" NOBODYS_ID "\"}", NO, NOT_FOUND, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"memory.forget", "{}", NO, "invalid_params", "invalid_params", "invalid_params", "invalid_params"},
    {"memory.forget", "{\"all\":true}", NO, "ok", "ok", "ok", "ok"},
    {"memory.export", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.access_log", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.reflect", "{}", NO, "ok", "ok", "ok", "ok"},
    {"memory.reflect", "{\"user_id\":\"@sue\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"!memory.reflect", "{\"user_id\":\"@sue\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"memory.reflect", "{\"user_id\":\"@tim\"}", NO, NOT_FOUND, "ok", "ok", NOT_FOUND},
    {"admin.students", "{}", NO, FORBIDDEN, "ok", "ok", "ok"},
    {"chat.join", "{}", NO, "ok", "ok", "ok", "ok"},
    {"chat.join", "{\"room\":\"@course\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"!chat.join", "{\"room\":\"@course\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"chat.send", "{\"text\":\"hello\",\"room\":\"@course\"}", NO, "ok", "ok", "ok", NOT_FOUND},
    {"chat.leave", "{}", NO, "ok", "ok", "ok", "ok"},
    {"chat.delete", "{\"message_id\":\"" NOBODYS_ID "\"}", NO, FORBIDDEN, NOT_FOUND, NOT_FOUND, NOT_FOUND},
    {"chat.mute", "{\"room\":\"@course\",\"user_id\":\"@sue\",\"seconds\":1}", NO, FORBIDDEN, "ok", "ok", NOT_FOUND},
};

static struct harness h;
static struct ws tim, root;
static char course[40], sue_id[40], tim_id[40];

static void remember_id(struct ws *ws, const char *method, const char *params, const char *outer, const char *name,
                        char id[40])
{
    AUTO(json_freep) cJSON *reply = harness_call(ws, method, params);
    const cJSON *result = json_get(reply, "result");
    const char *text = json_text(outer ? json_get(result, outer) : result, name, NULL);
    if (!text)
        fail_msg("%s %s gave no %s", method, params, name);
    snprintf(id, 40, "%s", text);
}

static const char *replacement(const char *word, char id[40])
{
    static int number;
    char params[200];
    if (!strcmp(word, "@course"))
        return course;
    if (!strcmp(word, "@sue"))
        return sue_id;
    if (!strcmp(word, "@tim"))
        return tim_id;
    if (!strcmp(word, "@new_course")) {
        snprintf(params, sizeof params, "{\"code\":\"C%d\",\"title\":\"Course\"}", number++);
        remember_id(&tim, "courses.create", params, NULL, "course_id", id);
    } else if (!strcmp(word, "@new_user")) {
        snprintf(params, sizeof params, "{\"institution_id\":\"fresh%d\",\"name\":\"Fresh\",\"role\":\"student\"}",
                 number++);
        remember_id(&root, "users.create", params, "user", "user_id", id);
    } else {
        fail_msg("%s is no placeholder", word);
    }
    return id;
}

static char *fill_in(const char *params)
{
    struct buf out = {0};
    while (*params) {
        char word[24] = "", id[40];
        size_t n = strcspn(params, "@");
        buf_bytes(&out, params, n);
        params += n;
        if (!*params)
            break;
        n = 1 + strspn(params + 1, "abcdefghijklmnopqrstuvwxyz_");
        snprintf(word, sizeof word, "%.*s", (int)n, params);
        params += n;
        if (!strcmp(word, "@token")) {
            AUTO(mem_freep) char *token = harness_token(&h, "sue");
            buf_text(&out, token);
        } else {
            buf_text(&out, replacement(word, id));
        }
    }
    return buf_take(&out);
}

static void every_cell_is_as_it_should_be(void **state)
{
    (void)state;
    static const char *const who[] = {NULL, "sue", "tim", "root", "tom", "oda"};
    int wrong = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *const want[] = {rows[i].nobody, rows[i].student, rows[i].teacher, rows[i].admin, rows[i].other};
        bool outsider = rows[i].method[0] == '!';
        for (size_t j = 0; j < COUNT_OF(want); j++) {
            struct ws ws;
            const char *person = who[j == 4 && outsider ? 5 : j];
            AUTO(mem_freep) char *params = fill_in(rows[i].params);
            harness_open(&h, &ws, person);
            const char *got = harness_reason(&ws, rows[i].method + outsider, params);
            if (strcmp(got, want[j]) != 0) {
                print_error("%s %s as %s: %s instead of %s\n", rows[i].method, params, person ? person : "nobody", got,
                            want[j]);
                wrong++;
            }
            ws_close(&ws);
        }
    }
    assert_int_equal(wrong, 0);
}

static void every_method_has_a_row_and_every_row_a_method(void **state)
{
    (void)state;
    AUTO(json_freep) cJSON *reply = harness_call(&root, "rpc.discover", "{}");
    const cJSON *methods = json_get(json_get(reply, "result"), "methods"), *at;
    assert_true(cJSON_GetArraySize(methods) > 10);
    int missing = 0;
    cJSON_ArrayForEach (at, methods) {
        const char *name = json_text(at, "name", "");
        size_t i = 0;
        while (i < COUNT_OF(rows) && strcmp(rows[i].method, name) != 0)
            i++;
        if (i == COUNT_OF(rows)) {
            print_error("%s has no row\n", name);
            missing++;
        }
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool found = false;
        cJSON_ArrayForEach (at, methods)
            found = found || !strcmp(json_text(at, "name", ""), rows[i].method + (rows[i].method[0] == '!'));
        if (!found) {
            print_error("%s is no method\n", rows[i].method);
            missing++;
        }
    }
    assert_int_equal(missing, 0);
}

/* Enough for a tool to read: names are unique, params have schemas, everything says what it is and who may. */
static void the_table_describes_itself(void **state)
{
    (void)state;
    AUTO(json_freep) cJSON *reply = harness_call(&root, "rpc.discover", "{}");
    const cJSON *document = json_get(reply, "result"), *method, *param;
    const char *before = "";
    assert_memory_equal(json_text(document, "openrpc", ""), "1.", 2);
    assert_non_null(json_text(json_get(document, "info"), "title", NULL));
    assert_non_null(json_text(json_get(document, "info"), "version", NULL));
    cJSON_ArrayForEach (method, json_get(document, "methods")) {
        const char *name = json_text(method, "name", "");
        assert_true(strcmp(before, name) < 0);
        before = name;
        assert_true(strlen(json_text(method, "summary", "")) > 8);
        assert_non_null(strstr("anyone user teacher admin", json_text(method, "x-access", "?")));
        assert_true(cJSON_IsNumber(json_get(method, "x-cost")));
        if (!cJSON_IsObject(json_get(json_get(method, "result"), "schema")) ||
            !cJSON_IsArray(json_get(method, "params")))
            fail_msg("%s lacks its result or params", name);
        cJSON_ArrayForEach (param, json_get(method, "params")) {
            assert_non_null(json_text(param, "name", NULL));
            assert_true(cJSON_IsBool(json_get(param, "required")));
            assert_non_null(json_get(json_get(param, "schema"), "type"));
        }
    }
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "student", "oda", "Oda Outsider");
    harness_user(&h, "teacher", "tim", "Tim Teacher");
    harness_user(&h, "teacher", "tom", "Tom Stranger");
    harness_user(&h, "admin", "root", "Root Admin");
    harness_open(&h, &tim, "tim");
    harness_open(&h, &root, "root");
    remember_id(&tim, "courses.create", "{\"code\":\"MAIN\",\"title\":\"Main course\"}", NULL, "course_id", course);
    remember_id(&tim, "auth.whoami", "{}", NULL, "user_id", tim_id);
    char params[120];
    snprintf(params, sizeof params, "{\"course_id\":\"%s\",\"institution_ids\":[\"sue\"]}", course);
    AUTO(json_freep) cJSON *enrolled = harness_call(&tim, "courses.enrol", params);
    struct ws sue;
    harness_open(&h, &sue, "sue");
    remember_id(&sue, "auth.whoami", "{}", NULL, "user_id", sue_id);
    ws_close(&sue);
    return json_int(json_get(enrolled, "result"), "changed", 0) != 1;
}

static int stop(void **state)
{
    (void)state;
    ws_close(&tim);
    ws_close(&root);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_has_a_row_and_every_row_a_method),
        cmocka_unit_test(the_table_describes_itself),
        cmocka_unit_test(every_cell_is_as_it_should_be),
    };
    return cmocka_run_group_tests_name("matrix", tests, start, stop);
}
