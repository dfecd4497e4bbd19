/* breaker.c - a dead service is left alone, and found again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "server/models/breaker.h"

static void goes_wrong(struct breaker *b, int times, int64_t now)
{
    while (times--) {
        assert_true(breaker_ask(b, now));
        breaker_tell(b, false, now);
    }
}

static void it_opens_after_failures_in_a_row(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b, 3, 1000, 4000);
    goes_wrong(&b, 2, 0);
    assert_true(breaker_ask(&b, 0));
    breaker_tell(&b, true, 0);
    goes_wrong(&b, 2, 0);
    assert_true(breaker_closed(&b));
    goes_wrong(&b, 1, 0);
    assert_false(breaker_closed(&b));
    assert_false(breaker_ask(&b, 999));
    assert_int_equal(breaker_wait(&b, 400), 600);
    breaker_destroy(&b);
}

static void one_probe_at_a_time_and_longer_pauses(void **state)
{
    (void)state;
    struct breaker b;
    breaker_init(&b, 1, 1000, 4000);
    goes_wrong(&b, 1, 0);
    static const int64_t pauses[] = {1000, 2000, 4000, 4000};
    int64_t now = 0;
    for (size_t i = 0; i < sizeof pauses / sizeof *pauses; i++) {
        assert_int_equal(breaker_wait(&b, now), pauses[i]);
        now += pauses[i];
        assert_true(breaker_ask(&b, now));
        assert_false(breaker_ask(&b, now));
        breaker_tell(&b, false, now);
    }
    now += 4000;
    assert_true(breaker_ask(&b, now));
    breaker_drop(&b);
    assert_true(breaker_ask(&b, now));
    breaker_tell(&b, true, now);
    assert_true(breaker_closed(&b));
    goes_wrong(&b, 1, now);
    assert_int_equal(breaker_wait(&b, now), 1000);
    breaker_destroy(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_opens_after_failures_in_a_row),
        cmocka_unit_test(one_probe_at_a_time_and_longer_pauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
