/* sentences.c - where sentences begin and end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/retrieval/sentences.h"

static void sentences_are_found_without_the_blanks_around_them(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sentences;
    } cases[] = {
        {"", ""},
        {"One.  Two? Three", "One.|Two?|Three"},
        {"A heading\nThen text.", "A heading|Then text."},
        {"It is 3.14 here. Next.", "It is 3.14 here.|Next."},
        {"第一句。第二句。", "第一句。|第二句。"},
        {"Первое. Второе.", "Первое.|Второе."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct sentence found[10];
        AUTO(buf_free) struct buf out = {0};
        size_t count = sentences_split(cases[i].text, strlen(cases[i].text), found, 10);
        for (size_t k = 0; k < count; k++)
            buf_printf(&out, "%s%.*s", k ? "|" : "", (int)(found[k].end - found[k].start),
                       cases[i].text + found[k].start);
        buf_reserve(&out, 0);
        assert_string_equal(out.data, cases[i].sentences);
    }
}

static void text_without_capitals_is_not_endless(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf text = {0};
    struct sentence found[100];
    for (int i = 0; i < 30; i++)
        buf_text(&text, "the flow past a blunt body in hypersonic air was computed . ");
    size_t count = sentences_split(text.data, text.length, found, 100);
    assert_in_range(count, 25, 30);
    for (size_t i = 0; i < count; i++)
        assert_memory_equal(text.data + found[i].start, "the flow", 8);
    assert_int_equal(sentences_split(text.data, text.length, found, 7), 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_found_without_the_blanks_around_them),
        cmocka_unit_test(text_without_capitals_is_not_endless),
    };
    return cmocka_run_group_tests_name("sentences", tests, NULL, NULL);
}
