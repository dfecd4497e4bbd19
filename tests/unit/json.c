/* json.c - strict JSON in, tidy JSON out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/json.h"

static void what_is_ambiguous_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        {"{}", true},
        {"[]", true},
        {" {\"a\":1} \n", true},
        {"{\"a\":1,\"A\":2}", true},
        {"\"\\ud83d\\ude00\"", true},
        {"1", true},
        {"", false},
        {"{", false},
        {"{}x", false},
        {"{} {}", false},
        {"{\"a\":1,\"a\":2}", false},
        {"{\"x\":{\"b\":1,\"b\":1}}", false},
        {"\"\\u0000\"", false},
        {"\"\\ud800\"", false},
        {"\"\\udc00\"", false},
        {"\"a\nb\"", false},
        {"\"\xff\"", false},
        {"nul", false},
        {"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        cJSON *json = json_parse(cases[i].text, strlen(cases[i].text), &err);
        if ((json != NULL) != cases[i].fine)
            fail_msg("%s", cases[i].text);
        assert_int_equal(err.code, cases[i].fine ? ERR_NONE : ERR_PARSE);
        cJSON_Delete(json);
    }
}

static void whole_numbers_are_whole(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool fine;
    } cases[] = {
        {"0", true},    {"-5", true},     {"9007199254740991", true}, {"9007199254740993000", false},
        {"1.5", false}, {"1e400", false}, {"\"1\"", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cJSON *json = json_parse(cases[i].text, strlen(cases[i].text), NULL);
        int64_t n;
        assert_int_equal(json_is_int(json, &n), cases[i].fine);
        cJSON_Delete(json);
    }
}

static void written_text_reads_back(void **state)
{
    (void)state;
    struct buf b = {0};
    buf_json_open(&b, '{');
    buf_json_member(&b, "a", "quote \" slash \\ line\n [,{: bell\x07");
    buf_json_key(&b, "list");
    buf_json_open(&b, '[');
    buf_json_int(&b, -3);
    buf_json_double(&b, 0.25);
    buf_json_bool(&b, true);
    buf_json_null(&b);
    buf_json_close(&b, ']');
    buf_json_member_int(&b, "n", 7);
    buf_json_close(&b, '}');
    assert_string_equal(
        b.data, "{\"a\":\"quote \\\" slash \\\\ line\\n [,{: bell\\u0007\",\"list\":[-3,0.25,true,null],\"n\":7}");
    cJSON *json = json_parse(b.data, b.length, NULL);
    assert_non_null(json);
    assert_string_equal(json_text(json, "a", ""), "quote \" slash \\ line\n [,{: bell\x07");
    cJSON_Delete(json);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_ambiguous_is_refused),
        cmocka_unit_test(whole_numbers_are_whole),
        cmocka_unit_test(written_text_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
