/* retry.c - when a service says to come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/models/retry.h"

static void what_a_service_says_is_understood(void **state)
{
    (void)state;
    static const time_t now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
    static const struct {
        const char *ms, *header, *body;
        long want;
    } cases[] = {
        {NULL, NULL, NULL, RETRY_UNSAID},
        {"", "", "", RETRY_UNSAID},
        {NULL, "30", NULL, 30000},
        {NULL, "0", NULL, 0},
        {NULL, "1.5", NULL, 1500},
        {"250", "30", NULL, 250},
        {"nonsense", "30", NULL, 30000},
        {NULL, "soon", NULL, RETRY_UNSAID},
        {NULL, "-5", NULL, RETRY_UNSAID},
        {NULL, "Sun, 06 Nov 1994 08:50:37 GMT", NULL, 60000},
        {NULL, "Sun, 06 Nov 1994 08:49:00 GMT", NULL, 0},
        {NULL, "Sunday, 06-Nov-94 08:50:07 GMT", NULL, 30000},
        {NULL, "Sun, 06 Foo 1994 08:50:37 GMT", NULL, RETRY_UNSAID},
        {NULL, NULL,
         "{\"error\":{\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.Help\"},"
         "{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"26s\"}]}}",
         26000},
        {NULL, NULL, "{\"error\":{\"details\":[{\"@type\":\"x.RetryInfo\",\"retryDelay\":\"36.4s\"}]}}", 36400},
        {NULL, NULL, "[{\"error\":{\"details\":[{\"@type\":\"x.RetryInfo\",\"retryDelay\":\"1s\"}]}}]", 1000},
        {NULL, NULL, "{\"error\":{\"message\":\"Please retry in 2.5s.\",\"details\":[{\"@type\":\"x.Help\"}]}}", 2500},
        {NULL, NULL, "{\"error\":{\"message\":\"Slow down\"}}", RETRY_UNSAID},
        {NULL, NULL,
         "{\"error\":{\"details\":[{\"violations\":[{\"quotaId\":\"GenerateRequestsPerDayPerProject\"}]},"
         "{\"@type\":\"x.RetryInfo\",\"retryDelay\":\"26s\"}]}}",
         RETRY_NEVER},
        {NULL, NULL, "{\"error\":{\"message\":\"quota exceeded, limit: 0, model: x\"}}", RETRY_NEVER},
        {NULL, "5", "{\"error\":{\"type\":\"insufficient_quota\"}}", RETRY_NEVER},
        {NULL, "5", "not json", 5000},
        {NULL, NULL, "{\"error\":{\"details\":[{\"@type\":\"x.RetryInfo\",\"retryDelay\":\"later\"}]}}", RETRY_UNSAID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *body = cases[i].body;
        long got = retry_after(cases[i].ms, cases[i].header, body, body ? strlen(body) : 0, now);
        if (got != cases[i].want)
            fail_msg("case %zu: %ld, not %ld", i, got, cases[i].want);
    }
}

static void pauses_grow_and_stay_bounded(void **state)
{
    (void)state;
    assert_int_equal(retry_pause(1, 0.5), 500);
    assert_int_equal(retry_pause(2, 0.5), 1000);
    assert_int_equal(retry_pause(30, 0.5), 8000);
    assert_in_range(retry_pause(1, 0), 375, 500);
    assert_in_range(retry_pause(30, 1), 8000, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_service_says_is_understood),
        cmocka_unit_test(pauses_grow_and_stay_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
