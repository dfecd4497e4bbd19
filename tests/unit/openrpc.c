/* openrpc.c - the OpenRPC document: what it says about every method there is, and about each kind of param. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/rpc/openrpc.h"
#include "server/rpc/rpc.h"
#include "server/rpc/shape.h"

#define ALL_PARAMS(P, S)                                             \
    P(S, TEXT, word, OPTIONAL, .one_of = "one|two")                  \
    P(S, TEXT, text, REQUIRED, .min = 1, .max = 1000)                \
    P(S, TEXT, secret, REQUIRED, .bytes = true, .min = 8, .max = 72) \
    P(S, UUID_GIVEN, id, OPTIONAL, .nullable = true)                 \
    P(S, INT, number, REQUIRED, .min = 0, .max = 9)                  \
    P(S, INT, limit, OPTIONAL, .min = 1, .max = 200, .fallback = 50) \
    P(S, BOOL, yes, OPTIONAL)                                        \
    P(S, TEXTS, texts, REQUIRED, .min = 1)                           \
    P(S, UUIDS, ids, REQUIRED, .max = 20)                            \
    P(S, ID, any, OPTIONAL)
METHOD_PARAMS(all, ALL_PARAMS);

METHOD_HANDLER(kind, all)
{
    (void)call, (void)params, (void)err;
    buf_text(result, "null");
    return true;
}

static const struct method kinds[] = {
    {METHOD_CALL("a.kinds", all, kind), .summary = "All kinds.", .access = ACCESS_TEACHER, .lane = LANE_INLINE,
     .cost = 1, .result = "null"},
    {0},
};
static const struct method *const tables[] = {
    kinds,           methods_server,  methods_auth, methods_users,  methods_courses,
    methods_profile, methods_library, methods_chat, methods_search, methods_recommend,
    methods_memory,  methods_admin,   NULL,
};

static cJSON *document;

static const cJSON *method_called(const char *name)
{
    const cJSON *at;
    cJSON_ArrayForEach (at, json_get(document, "methods"))
        if (!strcmp(json_text(at, "name", ""), name))
            return at;
    fail_msg("%s is not there", name);
    return NULL;
}

static void each_kind_of_param_has_its_schema(void **state)
{
    (void)state;
    static const struct {
        const char *name, *schema;
        bool required;
    } want[] = {
        {"text", "{\"type\":\"string\",\"minLength\":1,\"maxLength\":1000}", true},
        {"secret", "{\"type\":\"string\",\"minLength\":2,\"maxLength\":72,\"description\":\"8 to 72 bytes of UTF-8\"}",
         true},
        {"number", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":9}", true},
        {"texts",
         "{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,\"items\":{\"type\":\"string\",\"minLength\":1,"
         "\"maxLength\":4096}}",
         true},
        {"ids", "{\"type\":\"array\",\"maxItems\":20,\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}", true},
        {"word", "{\"type\":\"string\",\"enum\":[\"one\",\"two\"]}", false},
        {"id", "{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}", false},
        {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200,\"default\":50}", false},
        {"yes", "{\"type\":\"boolean\"}", false},
        {"any", "{\"type\":[\"string\",\"number\"]}", false},
    };
    const cJSON *params = json_get(method_called("a.kinds"), "params"), *at;
    size_t i = 0;
    cJSON_ArrayForEach (at, params) {
        AUTO(buf_free) struct buf schema = {0};
        assert_true(i < COUNT_OF(want));
        json_write(&schema, json_get(at, "schema"));
        assert_string_equal(json_text(at, "name", ""), want[i].name);
        assert_string_equal(schema.data, want[i].schema);
        assert_int_equal(json_bool(at, "required", !want[i].required), want[i].required);
        i++;
    }
    assert_int_equal(i, COUNT_OF(want));
}

static bool may_end_in(const cJSON *method, const char *reason)
{
    const cJSON *at;
    AUTO(mem_freep) char *place = mem_printf("#/components/errors/%s", reason);
    cJSON_ArrayForEach (at, json_get(method, "errors"))
        if (!strcmp(json_text(at, "$ref", ""), place))
            return true;
    return false;
}

static void access_cost_and_errors_follow_from_the_row(void **state)
{
    (void)state;
    static const struct {
        const char *name, *access;
        double cost;
        const char *may, *may_not;
    } want[] = {
        {"a.kinds", "teacher", 0.1, "forbidden", "not_found"},
        {"server.ping", "anyone", 1, "rate_limited", "unauthenticated"},
        {"rpc.cancel", "user", 0.1, "unauthenticated", "conflict"},
        {"auth.login", "anyone", 1, "unauthenticated", "upstream"},
        {"users.list", "admin", 1, "forbidden", "upstream"},
        {"search.ask", "user", 1, "cancelled", "parse"},
    };
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        const cJSON *method = method_called(want[i].name);
        assert_string_equal(json_text(method, "x-access", ""), want[i].access);
        if (strcmp(want[i].name, "search.ask") != 0)
            assert_float_equal(json_double(method, "x-cost", -1), want[i].cost, 1e-9);
        if (!may_end_in(method, want[i].may) || may_end_in(method, want[i].may_not))
            fail_msg("%s: not %s, or %s", want[i].name, want[i].may, want[i].may_not);
    }
}

/* What the meta-schema asks for, as far as it can be seen without it; tests/server/npm.sh asks the thing itself. */
static void every_method_is_whole(void **state)
{
    (void)state;
    const cJSON *method, *at;
    int count = 0;
    assert_string_equal(json_text(document, "openrpc", ""), "1.4.1");
    assert_true(*json_text(json_get(document, "info"), "title", "") &&
                *json_text(json_get(document, "info"), "version", ""));
    cJSON_ArrayForEach (method, json_get(document, "methods")) {
        const char *name = json_text(method, "name", "");
        const cJSON *result = json_get(method, "result");
        bool optional = false;
        count++;
        if (!strchr(name, '.') || !*json_text(method, "summary", "") ||
            strcmp(json_text(method, "paramStructure", ""), "by-name") || !cJSON_IsArray(json_get(method, "params")) ||
            !*json_text(result, "name", "") || !cJSON_IsObject(json_get(result, "schema")) ||
            !json_get(json_get(result, "schema"), "type") || !cJSON_IsArray(json_get(method, "examples")))
            fail_msg("%s is not whole", name);
        cJSON_ArrayForEach (at, json_get(method, "params")) {
            if (!*json_text(at, "name", "") || !json_get(json_get(at, "schema"), "type") ||
                (json_bool(at, "required", true) && optional))
                fail_msg("%s: %s is not whole, or required and behind an optional one", name,
                         json_text(at, "name", "?"));
            optional = !json_bool(at, "required", true);
        }
        cJSON_ArrayForEach (at, json_get(method, "errors")) {
            const char *reason = strrchr(json_text(at, "$ref", "/?"), '/') + 1;
            const cJSON *error = json_get(json_get(json_get(document, "components"), "errors"), reason);
            if (json_int(error, "code", 0) >= 0 || !*json_text(error, "message", ""))
                fail_msg("%s: the error %s is not there", name, reason);
        }
    }
    assert_true(count > 50);
}

static void what_comes_unasked_stands_beside_the_methods(void **state)
{
    (void)state;
    const cJSON *at;
    int count = 0;
    cJSON_ArrayForEach (at, json_get(document, "x-notifications")) {
        const cJSON *params = json_get(at, "params"), *name;
        count++;
        assert_true(*json_text(at, "name", "") && *json_text(at, "summary", ""));
        assert_string_equal(json_text(params, "type", ""), "object");
        assert_true(cJSON_GetArraySize(json_get(params, "required")) > 0);
        cJSON_ArrayForEach (name, json_get(params, "required"))
            if (!json_get(json_get(params, "properties"), cJSON_GetStringValue(name)))
                fail_msg("%s: %s is required but not there", json_text(at, "name", "?"), cJSON_GetStringValue(name));
    }
    assert_int_equal(count, 12);
}

/* Slips that a compiler can't see, each in a table of its own: the server does not start with them. */
#define TWO_PARAMS(P, S)            \
    P(S, UUID, course_id, REQUIRED) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(two, TWO_PARAMS);
#define MISSPELT_PARAMS(P, S)      \
    P(S, UUID, courseid, REQUIRED) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(misspelt, MISSPELT_PARAMS);
#define MORE_PARAMS(P, S) \
    TWO_PARAMS(P, S)      \
    P(S, TEXT, unread, OPTIONAL)
METHOD_PARAMS(more, MORE_PARAMS);

static void a_row_that_does_not_hold_together_is_refused(void **state)
{
    (void)state;
#define ROW .summary = "s", .example_result = "{}"
#define GOOD ROW, .result = "{items: [text]}", .example = "{'course_id': '01234567-89ab-cdef-0123-456789abcdef'}"
    static const struct {
        const char *why;
        struct method table[3];
    } cases[] = {
        {NULL, {{METHOD_QUERY("t.fine", two, SQL_COURSES_MEMBERS), GOOD}}},
        {"nothing binds the query's course_id",
         {{METHOD_QUERY("t.slip", misspelt, SQL_COURSES_MEMBERS), ROW, .result = "{}", .example = "{}"}}},
        {"its query does not use unread", {{METHOD_QUERY("t.more", more, SQL_COURSES_MEMBERS), GOOD}}},
        {"no readable shape",
         {{METHOD_QUERY("t.shape", two, SQL_COURSES_MEMBERS), ROW, .result = "{items: [txt]}", .example = "{}"}}},
        {"no readable shape", {{METHOD_QUERY("t.bare", two, SQL_COURSES_MEMBERS), ROW, .example = "{}"}}},
        {"its example is refused: course_id is missing.",
         {{METHOD_QUERY("t.example", two, SQL_COURSES_MEMBERS), ROW, .result = "{}", .example = "{}"}}},
        {"lacks an example", {{METHOD_QUERY("t.none", two, SQL_COURSES_MEMBERS), ROW, .result = "{}"}}},
        {"stands twice",
         {{METHOD_QUERY("t.twice", two, SQL_COURSES_MEMBERS), GOOD},
          {METHOD_QUERY("t.twice", two, SQL_COURSES_MEMBERS), GOOD}}},
        {"either a handler or a query", {{.name = "t.neither", GOOD}}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        const struct method *const table[] = {cases[i].table, NULL};
        bool fine = rpc_check(table, &err);
        if (fine != !cases[i].why || (!fine && !strstr(err.log, cases[i].why)))
            fail_msg("%zu: “%s” instead of “%s”", i, err.log, cases[i].why ? cases[i].why : "nothing");
    }
}

static void the_tables_of_the_server_hold_together(void **state)
{
    (void)state;
    struct err err = {0};
    if (!rpc_check(tables + 1, &err))
        fail_msg("%s", err.log);
}

static void a_shape_becomes_a_schema(void **state)
{
    (void)state;
    static const struct {
        const char *shape, *schema;
    } cases[] = {
        {"text", "{\"type\":\"string\"}"},
        {"[uuid]", "{\"type\":\"array\",\"items\":{\"type\":\"string\",\"format\":\"uuid\"}}"},
        {"int | null", "{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"null\"}]}"},
        {"{a: 'x' | 'y', b?: any}",
         "{\"type\":\"object\",\"properties\":{\"a\":{\"anyOf\":[{\"const\":\"x\"},{\"const\":\"y\"}]},\"b\":{}},"
         "\"required\":[\"a\"],\"additionalProperties\":false}"},
        {"{}", "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"},
        {"txt", NULL},
        {"{a text}", NULL},
        {"{a: text", NULL},
        {"[text", NULL},
        {"text text", NULL},
        {"text |", NULL},
        {"'open", NULL},
        {"", NULL},
        {"[[[[[[[[[[[[[text]]]]]]]]]]]]]", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(buf_free) struct buf out = {0};
        struct err err = {0};
        bool fine = shape_schema(&out, cases[i].shape, true, &err);
        assert_int_equal(fine, cases[i].schema != NULL);
        if (fine)
            assert_string_equal(out.data, cases[i].schema);
        else
            assert_int_equal(err.code, ERR_INTERNAL);
    }
}

static int start(void **state)
{
    (void)state;
    static const struct rpc_doors none;
    rpc_start(&none, tables);
    const char *text = openrpc_document();
    document = json_parse(text, strlen(text), &(struct err){0});
    return document ? 0 : -1;
}

static int stop(void **state)
{
    (void)state;
    cJSON_Delete(document);
    rpc_stop();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_of_param_has_its_schema),
        cmocka_unit_test(access_cost_and_errors_follow_from_the_row),
        cmocka_unit_test(every_method_is_whole),
        cmocka_unit_test(what_comes_unasked_stands_beside_the_methods),
        cmocka_unit_test(a_shape_becomes_a_schema),
        cmocka_unit_test(a_row_that_does_not_hold_together_is_refused),
        cmocka_unit_test(the_tables_of_the_server_hold_together),
    };
    return cmocka_run_group_tests_name("openrpc", tests, start, stop);
}
