/* redact.c - what identifies people goes, what they study stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "common/mem.h"
#include "server/memory/redact.h"
#include "tests/lib/redact_cases.h"

static char *redacted(const struct redact_person *who, const char *text, struct redact_counts *counts)
{
    struct buf out = {0};
    struct err err = {0};
    assert_true(redact_text(who, text, strlen(text), &out, counts, &err));
    return buf_take(&out);
}

static void what_identifies_a_person_goes(void **state)
{
    (void)state;
    int wrong = 0;
    for (const struct redact_case *c = redact_cases_go; c->text; c++) {
        AUTO(mem_freep) char *got = redacted(&redact_case_person, c->text, NULL);
        if (strcmp(got, c->want)) {
            print_message("“%s” became “%s”, not “%s”\n", c->text, got, c->want);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void what_is_studied_stays(void **state)
{
    (void)state;
    int wrong = 0;
    for (const char *const *c = redact_cases_stay; *c; c++) {
        AUTO(mem_freep) char *got = redacted(&redact_case_person, *c, NULL);
        if (strcmp(got, *c)) {
            print_message("“%s” became “%s”\n", *c, got);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

static void kinds_are_counted(void **state)
{
    (void)state;
    struct redact_counts counts = {0};
    AUTO(mem_freep)
    char *got = redacted(&redact_case_person,
                         "Maya Okafor, maya@x.org, +49 30 1234567 and 555-123-4567, 4111 1111 1111 1111", &counts);
    assert_string_equal(got, "[name], [email], [phone] and [phone], [card]");
    assert_int_equal(counts.of[REDACT_PHONE], 2);
    assert_int_equal(counts.of[REDACT_EMAIL], 1);
    assert_int_equal(counts.of[REDACT_NAME], 1);
    assert_int_equal(redact_total(&counts), 5);
    assert_string_equal(redact_word(REDACT_IBAN), "iban");
}

static void nobody_in_particular_is_fine(void **state)
{
    (void)state;
    static const struct redact_person nameless = {.name = "", .institution_id = ""},
                                      short_ones = {.name = "Li B", .institution_id = "7"};
    AUTO(mem_freep) char *a = redacted(NULL, "Maya, 7 and Li: jane@x.org", NULL);
    AUTO(mem_freep) char *b = redacted(&nameless, "Maya, 7 and Li", NULL);
    AUTO(mem_freep) char *c = redacted(&short_ones, "Li has 7 and Li B", NULL);
    assert_string_equal(a, "Maya, 7 and Li: [email]");
    assert_string_equal(b, "Maya, 7 and Li");
    assert_string_equal(c, "Li has 7 and [name]");
}

/* ------------------------------------------------------------------ the property */

/* Independent of the patterns under test: what a reader would call a telephone number or an address. */
static const char *const suspects[] = {
    "[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}",
    "\\+\\d{1,3}[ .-]?\\(?\\d{1,4}\\)?[ .-]?\\d{2,4}[ .-]?\\d{2,9}",
    "\\(\\d{3}\\) ?\\d{3}[-. ]\\d{4}",
    "(?<!\\d)\\d{3}[-.]\\d{3}[-.]\\d{4}(?!\\d)",
    "(?<![\\d.])0\\d{2,4}[ /-]\\d{6,}",
};
static pcre2_code *suspect_code[COUNT_OF(suspects)];

static void suspects_compile(void)
{
    for (size_t i = 0; i < COUNT_OF(suspects); i++) {
        int number;
        PCRE2_SIZE offset;
        suspect_code[i] =
            pcre2_compile((PCRE2_SPTR)suspects[i], PCRE2_ZERO_TERMINATED, PCRE2_UTF, &number, &offset, NULL);
        assert_non_null(suspect_code[i]);
    }
}

static bool suspicious(const char *text)
{
    bool found = false;
    pcre2_match_data *data = pcre2_match_data_create(4, NULL);
    for (size_t i = 0; i < COUNT_OF(suspects) && !found; i++)
        found = pcre2_match(suspect_code[i], (PCRE2_SPTR)text, strlen(text), 0, 0, data, NULL) >= 0;
    pcre2_match_data_free(data);
    return found;
}

static void no_address_or_telephone_number_survives_embedding(void **state)
{
    (void)state;
    suspects_compile();
    int wrong = 0;
    for (int round = 0; round < 30000 && wrong < 10; round++) {
        AUTO(buf_free) struct buf secret = {0}, text = {0}, out = {0};
        if (!redact_case_embed(&secret, &text))
            continue;
        assert_true(redact_text(NULL, text.data, text.length, &out, NULL, NULL));
        if (strstr(out.data, secret.data) || suspicious(out.data)) {
            print_message("“%s” became “%s”\n", text.data, out.data);
            wrong++;
        }
    }
    for (size_t i = 0; i < COUNT_OF(suspects); i++)
        pcre2_code_free(suspect_code[i]);
    assert_int_equal(wrong, 0);
}

static void redacting_twice_changes_nothing_more(void **state)
{
    (void)state;
    for (const struct redact_case *c = redact_cases_go; c->text; c++) {
        AUTO(mem_freep) char *once = redacted(&redact_case_person, c->text, NULL);
        AUTO(mem_freep) char *twice = redacted(&redact_case_person, once, NULL);
        assert_string_equal(once, twice);
    }
}

static void hostile_text_ends_soon(void **state)
{
    (void)state;
    static const char *const pieces[] = {"0 ",     "1-",    "a@", "((((", "+1", "12.", "://",
                                         " (at) ", "DE89 ", "x.", "9",    "@",  "ab",  "\xEF\xBC\x8B"};
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        AUTO(buf_free) struct buf text = {0}, out = {0};
        while (text.length < 8000)
            buf_text(&text, pieces[i]);
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        bool fine = redact_text(&redact_case_person, text.data, text.length, &out, NULL, NULL);
        clock_gettime(CLOCK_MONOTONIC, &to);
        assert_true(fine || !out.length);
        double ms = (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
        if (ms > 2000)
            fail_msg("“%s…” took %.0f ms", pieces[i], ms);
    }
}

static void a_fact_takes_microseconds(void **state)
{
    (void)state;
    static const char *const facts[] = {
        "student searched for enzyme inhibition mechanisms in Biochemistry 101 and opened page 120-135 of Principles "
        "of Biochemistry, "
        "the section on competitive inhibitors from 1914-1918, then asked about Km values",
        "student Maya Okafor (maya@okafor.net, +49 30 1234567) searched for enzyme inhibition in Biochemistry 101 and "
        "opened pages "
        "120-135 of Principles of Biochemistry, call 555-123-4567 ext. 12 for the notes of 2024-01-15",
    };
    for (size_t f = 0; f < COUNT_OF(facts); f++) {
        struct timespec from, to;
        AUTO(buf_free) struct buf out = {0};
        int rounds = 2000;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &from);
        for (int i = 0; i < rounds; i++) {
            buf_clear(&out);
            assert_true(redact_text(&redact_case_person, facts[f], strlen(facts[f]), &out, NULL, NULL));
        }
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &to);
        double us = ((double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3) / rounds;
        print_message("%zu characters: %.1f µs (limit 20)\n", strlen(facts[f]), us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_identifies_a_person_goes),
        cmocka_unit_test(what_is_studied_stays),
        cmocka_unit_test(kinds_are_counted),
        cmocka_unit_test(nobody_in_particular_is_fine),
        cmocka_unit_test(no_address_or_telephone_number_survives_embedding),
        cmocka_unit_test(redacting_twice_changes_nothing_more),
        cmocka_unit_test(hostile_text_ends_soon),
        cmocka_unit_test(a_fact_takes_microseconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
