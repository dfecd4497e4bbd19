/* origins.c - which pages may use the server, in each of the three environments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/net/http.h"

static void origins_follow_the_environment(void **state)
{
    (void)state;
#define LIST "https://app.school.example, https://*.preview.school.example http://plain.example:8080"
    static const struct {
        const char *environment, *origin;
        bool want;
    } cases[] = {
        {"development", "http://localhost", true},
        {"development", "https://localhost:5173", true},
        {"development", "http://LOCALHOST:1", true},
        {"development", "http://127.0.0.1:80", true},
        {"development", "http://[::1]:3000", true},
        {"development", "http://localhost.evil.example", false},
        {"development", "http://localhost:80x", false},
        {"development", "http://localhost:", false},
        {"development", "http://localhost/", false},
        {"development", "ftp://localhost", false},
        {"development", "http://127.0.0.2", false},
        {"development", "https://app.school.example", false},
        {"development", "null", false},
        {"development", "", false},
        {"staging", "https://app.school.example", true},
        {"staging", "https://a.preview.school.example", true},
        {"staging", "https://a.b.preview.school.example", true},
        {"staging", "https://preview.school.example", false},
        {"staging", "https://.preview.school.example", false},
        {"staging", "http://a.preview.school.example", false},
        {"staging", "https://a.preview.school.example:444", false},
        {"staging", "https://evil.example/.preview.school.example", false},
        {"staging", "https://evil.example#.preview.school.example", false},
        {"staging", "https://*.preview.school.example", false},
        {"staging", "https://apreview.school.example", false},
        {"staging", "http://localhost", false},
        {"staging", "null", false},
        {"production", "https://app.school.example", true},
        {"production", "https://APP.school.example", true},
        {"production", "http://plain.example:8080", true},
        {"production", "http://plain.example", false},
        {"production", "https://app.school.example:8443", false},
        {"production", "https://a.preview.school.example", false},
        {"production", "https://*.preview.school.example", false},
        {"production", "http://localhost", false},
        {"production", "null", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (http_origin_allowed(cases[i].environment, LIST, cases[i].origin) != cases[i].want)
            fail_msg("%s in %s", cases[i].origin, cases[i].environment);
    assert_false(http_origin_allowed("production", "", "https://app.school.example"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(origins_follow_the_environment)};
    return cmocka_run_group_tests_name("origins", tests, NULL, NULL);
}
