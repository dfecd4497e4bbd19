/* redaction.c - the two locks agree: what redaction lets through, the database's constraint lets in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/pg.h"
#include "tests/lib/redact_cases.h"

/* Adds a row of a VALUES list. */
static void add(struct buf *sql, const char *text)
{
    buf_printf(sql, "%s($case$%s$case$)", sql->length ? "," : "", text);
}

static void add_redacted(struct buf *sql, const char *text)
{
    AUTO(buf_free) struct buf out = {0};
    assert_true(redact_text(&redact_case_person, text, strlen(text), &out, NULL, NULL));
    add(sql, out.data);
}

static char *refused(const struct buf *values)
{
    return pg_sqlf("edurag_owner",
                   "select coalesce(string_agg(t, E'\\n'), '') from (values %s) v(t) where auth.has_contact(t)",
                   values->data);
}

static void what_redaction_lets_through_may_be_stored(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf values = {0}, secret = {0}, text = {0};
    for (const struct redact_case *c = redact_cases_go; c->text; c++)
        add_redacted(&values, c->text);
    for (const char *const *c = redact_cases_stay; *c; c++)
        add_redacted(&values, *c);
    for (int i = 0; i < 3000; i++)
        if (redact_case_embed(&secret, &text))
            add_redacted(&values, text.data);
    AUTO(mem_freep) char *wrong = refused(&values);
    assert_string_equal(wrong, "");
}

static void the_second_lock_is_a_lock(void **state)
{
    (void)state;
    static const char *const secrets[] = {"jane@school.edu", "+49 30 1234567", "0049 30 1234567", "(030) 1234567",
                                          "030/1234567",     "555-123-4567",   "(555) 123-4567"};
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        AUTO(buf_free) struct buf values = {0};
        add(&values, secrets[i]);
        AUTO(mem_freep) char *found = refused(&values);
        assert_string_equal(found, secrets[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_redaction_lets_through_may_be_stored),
        cmocka_unit_test(the_second_lock_is_a_lock),
    };
    return cmocka_run_group_tests(tests, pg_setup, pg_teardown);
}
