/* params.c - the params of a request against a sample_spec: what binds, what is refused, and with which field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/rpc/envelope.h"
#include "server/rpc/params.h"

#define SAMPLE_PARAMS(P, S)                                                       \
    P(S, TEXT, text, REQUIRED, .min = 1, .max = 4)                                \
    P(S, UUID, id, OPTIONAL)                                                      \
    P(S, TEXT, role, OPTIONAL, .one_of = "student|teacher")                       \
    P(S, TEXT, pass, OPTIONAL, .bytes = true, .min = 2, .max = 4, .secret = true) \
    P(S, INT, limit, OPTIONAL, .min = 1, .max = 200, .fallback = 50)              \
    P(S, BOOL, flag, OPTIONAL)                                                    \
    P(S, UUID_GIVEN, course, OPTIONAL, .nullable = true)                          \
    P(S, TEXTS, list, OPTIONAL, .max = 2)                                         \
    P(S, ID, any, OPTIONAL)                                                       \
    P(S, TEXT, title, OPTIONAL, .line = true, .min = 1, .max = 40)
METHOD_PARAMS(sample, SAMPLE_PARAMS);
#define UUID1 "01234567-89ab-cdef-0123-456789abcdef"

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *json, *field;
    } cases[] = {
        {"{}", "text"},
        {"[]", "text"},
        {"[1]", "params"},
        {"{\"text\":null}", "text"},
        {"{\"text\":7}", "text"},
        {"{\"text\":\"\"}", "text"},
        {"{\"text\":\"abcde\"}", "text"},
        {"{\"text\":\"äöüß\",\"texts\":1}", "texts"},
        {"{\"Text\":\"a\"}", "Text"},
        {"{\"text\":\"a\",\"id\":\"x\"}", "id"},
        {"{\"text\":\"a\",\"id\":\"" UUID1 "0\"}", "id"},
        {"{\"text\":\"a\",\"id\":\"01234567089ab-cdef-0123-456789abcdef\"}", "id"},
        {"{\"text\":\"a\",\"role\":\"stud\"}", "role"},
        {"{\"text\":\"a\",\"role\":\"student|teacher\"}", "role"},
        {"{\"text\":\"a\",\"role\":\"\"}", "role"},
        {"{\"text\":\"a\",\"pass\":\"äöü\"}", "pass"},
        {"{\"text\":\"a\",\"limit\":0}", "limit"},
        {"{\"text\":\"a\",\"limit\":201}", "limit"},
        {"{\"text\":\"a\",\"limit\":1.5}", "limit"},
        {"{\"text\":\"a\",\"limit\":\"5\"}", "limit"},
        {"{\"text\":\"a\",\"limit\":1e300}", "limit"},
        {"{\"text\":\"a\",\"flag\":1}", "flag"},
        {"{\"text\":\"a\",\"list\":\"x\"}", "list"},
        {"{\"text\":\"a\",\"list\":[\"x\",\"y\",\"z\"]}", "list"},
        {"{\"text\":\"a\",\"list\":[1]}", "list"},
        {"{\"text\":\"a\",\"any\":true}", "any"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err err = {0};
        struct sample_params bound = {0};
        AUTO(json_freep) cJSON *json = json_parse(cases[i].json, strlen(cases[i].json), &err);
        assert_non_null(json);
        if (params_read(sample_spec, json, &bound, &err))
            fail_msg("%s was accepted", cases[i].json);
        assert_int_equal(err.code, ERR_INVALID_PARAMS);
        assert_string_equal(err.field, cases[i].field);
    }
}

static cJSON *read_ok(const char *text, struct sample_params *bound)
{
    struct err err = {0};
    cJSON *json = json_parse(text, strlen(text), &err);
    assert_non_null(json);
    *bound = (struct sample_params){0};
    if (!params_read(sample_spec, json, bound, &err))
        fail_msg("%s: %s", text, err.log);
    return json;
}

static void what_is_right_is_bound(void **state)
{
    (void)state;
    struct sample_params bound;
    cJSON *json = read_ok("{\"text\":\"äöüß\",\"id\":\"01234567-89AB-CDEF-0123-456789abcdef\",\"role\":\"teacher\","
                          "\"pass\":\"öö\",\"limit\":7,\"flag\":true,\"list\":[\"x\"],\"any\":0}",
                          &bound);
    assert_string_equal(bound.text, "äöüß");
    assert_string_equal(bound.id, UUID1);
    assert_string_equal(bound.role, "teacher");
    assert_int_equal(bound.limit, 7);
    assert_true(bound.flag);
    assert_false(bound.course_given);
    assert_non_null(bound.list);
    assert_non_null(bound.any);
    params_wipe(sample_spec, json);
    assert_string_equal(bound.pass, "");
    cJSON_Delete(json);
    json = read_ok("{\"text\":\"a\",\"course\":null,\"limit\":null}", &bound);
    assert_true(bound.course_given);
    assert_null(bound.course);
    assert_int_equal(bound.limit, 50);
    cJSON_Delete(json);
}

static void a_method_without_params_takes_none(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(json_freep) cJSON *json = json_parse("{\"x\":1}", 7, &err);
    assert_false(params_read(NULL, json, NULL, &err));
    assert_string_equal(err.field, "x");
    assert_true(params_read(NULL, NULL, NULL, &err));
}

static void ids_come_back_byte_for_byte(void **state)
{
    (void)state;
    static const struct {
        const char *json, *id;
    } cases[] = {
        {"{\"id\":0}", "0"},
        {"{\"id\" : 1.50 , \"a\":1}", "1.50"},
        {"{\"a\":{\"id\":7},\"b\":[\"id\",{\"id\":8}],\"id\":-3e2}", "-3e2"},
        {"{\"a\":\"\\\"id\\\":9,\",\"id\":\"x\\\"y\\u00e4\"}", "\"x\\\"y\\u00e4\""},
        {"{\"id\":12345678901234567890}", "12345678901234567890"},
        {"{\"id\":null}", "null"},
        {"{\"method\":\"id\"}", NULL},
        {"[]", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(mem_freep) char *id = envelope_id(cases[i].json);
        if (cases[i].id)
            assert_string_equal(id, cases[i].id);
        else
            assert_null(id);
    }
    const char *second = envelope_next(envelope_first(" [ {\"a\":\"],[\"} , {\"id\":2} ] "));
    AUTO(mem_freep) char *id = envelope_id(second);
    assert_string_equal(id, "2");
    assert_null(envelope_next(second));
    assert_null(envelope_first("[ ]"));
}

static void one_line_stays_one_line(void **state)
{
    (void)state;
    static const struct {
        const char *sent, *read; /* NULL: refused */
    } cases[] = {
        {"{\"text\":\"a\",\"title\":\"Enzymes\"}", "Enzymes"},
        {"{\"text\":\"a\",\"title\":\"one\\ntwo\\tthree\"}", "one two three"},
        {"{\"text\":\"a\",\"title\":\"a\\u2028b\\u0085c\\u001b[31m\"}", "a bc[31m"},
        {"{\"text\":\"a\",\"title\":\"\\u202egnp.exe\"}", "gnp.exe"},
        {"{\"text\":\"a\",\"title\":\"\\n\\u202e\"}", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sample_params bound = {0};
        struct err err = {0};
        AUTO(json_freep) cJSON *json = json_parse(cases[i].sent, strlen(cases[i].sent), &err);
        assert_int_equal(params_read(sample_spec, json, &bound, &err), cases[i].read != NULL);
        if (cases[i].read)
            assert_string_equal(bound.title, cases[i].read);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_line_stays_one_line),     cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(what_is_right_is_bound),      cmocka_unit_test(a_method_without_params_takes_none),
        cmocka_unit_test(ids_come_back_byte_for_byte),
    };
    return cmocka_run_group_tests_name("params", tests, NULL, NULL);
}
