/* text.c - what may reach a terminal, and how wide it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/text.h"

static void cleaning_removes_what_could_move_or_hide_text(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"a\x1b[31mred\x1b[0m", "ared"},
        {"a\x1b]0;title\x07z", "az"},
        {"a\x1b]0;title\x1b\\z", "az"},
        {"a\x1bPq payload \x1b\\z", "az"},
        {"a\xc2\x9b"
         "2Jz",
         "az"},
        {"\x1b", ""},
        {"\x1b]never ended", ""},
        {"\x1b(Bz", "z"},
        {"a\tb", "a b"},
        {"a\nb", "a b"},
        {"a\r\nb", "a b"},
        {"\xe2\x80\xaeright\xe2\x80\xac", "right"},
        {"zero\xe2\x80\x8bwidth", "zerowidth"},
        {"\xcc\x81x", "\xe2\x97\x8c\xcc\x81x"},
        {"a\xcc\x81\xcc\x81\xcc\x81\xcc\x81\xcc\x81", "a\xcc\x81\xcc\x81\xcc\x81"},
        {"bad\xff\xfe\xff"
         "end",
         "bad?end"},
        {"\xed\xa0\x80", "?"},
        {"\xf3\xb0\x80\x80private", "private"},
        {"\xe4\xb8\xad\xe6\x96\x87", "\xe4\xb8\xad\xe6\x96\x87"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};
        text_clean(&out, cases[i].in, strlen(cases[i].in), TEXT_ONE_LINE);
        buf_reserve(&out, 0);
        assert_string_equal(out.data, cases[i].out);
        buf_free(&out);
    }
}

static void any_bytes_come_out_as_valid_text_of_known_width(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 2000; round++) {
        char in[64];
        for (size_t i = 0; i < sizeof in; i++) {
            seed = seed * 1664525u + 1013904223u;
            in[i] = (char)(seed >> 24);
        }
        struct buf out = {0}, again = {0};
        text_clean(&out, in, sizeof in, TEXT_KEEP_NEWLINES);
        buf_reserve(&out, 0);
        assert_true(text_valid_utf8(out.data, out.length));
        for (size_t i = 0; i < out.length; i++)
            assert_true((unsigned char)out.data[i] >= 0x20 || out.data[i] == '\n');
        text_clean(&again, out.data, out.length, TEXT_KEEP_NEWLINES);
        buf_reserve(&again, 0);
        assert_string_equal(again.data, out.data);
        buf_free(&out);
        buf_free(&again);
    }
}

static void widths_are_those_of_terminals(void **state)
{
    (void)state;
    assert_int_equal(text_width('a'), 1);
    assert_int_equal(text_width(0x4E2D), 2);
    assert_int_equal(text_width(0x301), 0);
    assert_int_equal(text_width(0x5D0), 1);
    assert_int_equal(text_width(0x1F600), 2);
    assert_int_equal(text_width(0x202E), 0);
    assert_int_equal(text_cells("\xe4\xb8\xad"
                                "a",
                                4),
                     3);
    assert_int_equal(text_count("\xe4\xb8\xad"
                                "a",
                                4),
                     2);
    assert_int_equal(text_offset("\xe4\xb8\xad"
                                 "a",
                                 4, 1),
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleaning_removes_what_could_move_or_hide_text),
        cmocka_unit_test(any_bytes_come_out_as_valid_text_of_known_width),
        cmocka_unit_test(widths_are_those_of_terminals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
