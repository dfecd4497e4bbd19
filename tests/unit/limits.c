/* limits.c - token buckets, addresses behind proxies, caps on connections. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/net/limits.h"

static void begin(int64_t person, int64_t buckets, const char *proxies)
{
    struct err err = {0};
    struct limits_settings settings = {
        .person_per_minute = person,
        .address_per_minute = 600,
        .upload_burst = 1000,
        .upload_per_second = 100,
        .connections = 100,
        .connections_per_person = 3,
        .buckets = buckets,
        .trusted_proxies = proxies,
    };
    if (!limits_start(&settings, &err))
        fail_msg("%s", err.log);
}

static void a_bucket_holds_a_minute_and_refills(void **state)
{
    (void)state;
    long wait = 0;
    begin(60, 100, "");
    for (int i = 0; i < 60; i++)
        assert_true(limits_take(LIMITS_PERSON, "ada", 10, 5000, &wait));
    assert_false(limits_take(LIMITS_PERSON, "ada", 10, 5000, &wait));
    assert_in_range(wait, 990, 1010);
    assert_true(limits_take(LIMITS_PERSON, "bob", 10, 5000, &wait)); /* another person, another bucket */
    assert_false(limits_take(LIMITS_PERSON, "ada", 10, 5500, &wait));
    assert_in_range(wait, 490, 510);
    assert_true(limits_take(LIMITS_PERSON, "ada", 1, 5500, &wait)); /* a preview costs a tenth */
    assert_true(limits_take(LIMITS_PERSON, "ada", 10, 6200, &wait));
    for (int i = 0; i < 60; i++)
        assert_true(limits_take(LIMITS_PERSON, "ada", 10, 600000, &wait)); /* never more than a burst */
    assert_false(limits_take(LIMITS_PERSON, "ada", 10, 600000, &wait));
    limits_stop();
}

static void a_cost_above_the_burst_passes_when_full(void **state)
{
    (void)state;
    long wait = 0;
    begin(60, 100, "");
    assert_true(limits_take(LIMITS_UPLOAD, "ada", 5000, 0, &wait));
    assert_false(limits_take(LIMITS_UPLOAD, "ada", 1, 0, &wait));
    assert_false(limits_take(LIMITS_UPLOAD, "ada", 5000, 9000, &wait));
    assert_in_range(wait, 990, 1010);
    assert_true(limits_take(LIMITS_UPLOAD, "ada", 5000, 10001, &wait));
    assert_true(limits_take(LIMITS_UPLOAD, "ada", 0, 10001, &wait));
    limits_stop();
}

static void memory_is_bounded_and_full_buckets_make_room(void **state)
{
    (void)state;
    long wait = 0;
    char key[32];
    begin(60, 50, "");
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "a%d", i);
        limits_take(LIMITS_ADDRESS, key, 10, 1000, &wait);
    }
    assert_int_equal(limits_buckets(), 50);
    assert_false(limits_take(LIMITS_PERSON, "late", 10, 1001, &wait));
    assert_true(limits_take(LIMITS_PERSON, "late", 10, 100000, &wait)); /* the others have filled up again */
    assert_in_range(limits_buckets(), 1, 50);
    limits_stop();
}

/* 100 places: 8 in reserve, 20 for strangers, 10 for those of one address, 3 for a person. */
static void places_are_shared_out(void **state)
{
    (void)state;
    begin(60, 1000, "");
    for (int i = 0; i < 10; i++)
        assert_true(limits_enter("a", 0));
    assert_false(limits_enter("a", 0));
    for (int i = 0; i < 10; i++)
        assert_true(limits_enter("b", 0));
    assert_false(limits_enter("c", 0)); /* a fifth is the strangers' */
    assert_non_null(limits_full());
    for (int i = 0; i < 3; i++)
        assert_true(limits_settle("a", "ada", 0));
    assert_false(limits_settle("a", "ada", 0));
    assert_int_equal(limits_strangers(), 17);
    assert_null(limits_full());
    assert_true(limits_enter("c", 0));
    limits_leave("a", "ada");
    assert_true(limits_settle("a", "ada", 0));
    limits_leave("c", "");
    assert_int_equal(limits_strangers(), 16);
    limits_stop();
}

static void the_last_places_are_for_who_looks_after_the_server(void **state)
{
    (void)state;
    char person[16];
    begin(60, 1000, "");
    for (int i = 0; i < 92; i++) {
        snprintf(person, sizeof person, "person %d", i / 3);
        assert_true(limits_enter("a", 0) && limits_settle("a", person, 0));
    }
    assert_false(limits_enter("a", 0));
    assert_non_null(limits_full());
    for (int i = 0; i < 8; i++)
        assert_true(limits_enter("uid:0", 0));
    assert_false(limits_enter("uid:0", 0));
    assert_false(limits_trusted_peer("uid:1234567"));
    limits_stop();
}

static void who_does_not_shake_hands_is_counted_too(void **state)
{
    (void)state;
    begin(60, 1000, "");
    for (int i = 0; i < 10; i++)
        assert_true(limits_knock("a", 0));
    assert_false(limits_knock("a", 0));
    limits_knocked("a");
    assert_true(limits_knock("a", 0));
    for (int i = 0; i < 10; i++)
        assert_true(limits_knock("b", 0));
    assert_false(limits_knock("c", 0));
    assert_true(limits_knock("uid:0", 0));
    limits_stop();
}

/* A flood of calls before login leaves the attempts to log in alone. */
static void logins_have_a_bucket_of_their_own(void **state)
{
    (void)state;
    long wait;
    begin(60, 1000, "");
    while (limits_take(LIMITS_ADDRESS, "a", 10, 1000, &wait))
        ;
    assert_true(limits_take(LIMITS_LOGIN, "a", 10, 1000, &wait));
    limits_stop();
}

static void only_trusted_proxies_are_believed(void **state)
{
    (void)state;
    static const struct {
        const char *peer, *forwarded, *want;
    } cases[] = {
        {"192.0.2.1", "", "192.0.2.1"},
        {"192.0.2.1", "198.51.100.7", "192.0.2.1"},
        {"10.1.2.3", "198.51.100.7", "198.51.100.7"},
        {"10.1.2.3", "203.0.113.9, 198.51.100.7", "198.51.100.7"},
        {"10.1.2.3", "203.0.113.9, 198.51.100.7,10.9.9.9", "198.51.100.7"},
        {"10.1.2.3", "10.4.4.4, 10.9.9.9", "10.4.4.4"},
        {"10.1.2.3", "rubbish", "10.1.2.3"},
        {"10.1.2.3", "198.51.100.7, rubbish", "10.1.2.3"},
        {"10.1.2.3", "", "10.1.2.3"},
        {"::ffff:10.1.2.3", "198.51.100.7", "198.51.100.7"},
        {"11.1.2.3", "198.51.100.7", "11.1.2.3"},
        {"2001:db8::5", "2001:db8:ffff::1", "2001:db8:ffff::1"},
        {"2001:db8:1::5", "203.0.113.9", "2001:db8:1::5"},
        {"192.0.2.77", "203.0.113.9", "203.0.113.9"},
        {"192.0.2.78", "203.0.113.9", "192.0.2.78"},
        {"uid:1000", "203.0.113.9", "uid:1000"},
    };
    begin(60, 100, "10.0.0.0/8, 2001:db8::/48 192.0.2.77");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char address[64];
        limits_address(cases[i].peer, cases[i].forwarded, address, sizeof address);
        assert_string_equal(address, cases[i].want);
    }
    limits_stop();
    char address[64];
    begin(60, 100, "unix");
    limits_address("uid:33", "203.0.113.9", address, sizeof address);
    assert_string_equal(address, "203.0.113.9");
    limits_stop();
}

static void wrong_proxies_are_refused_with_their_word(void **state)
{
    (void)state;
    static const char *const wrong[] = {"10.0.0.0/33",   "10.0.0/8",  "::1/129",
                                        "proxy.example", "10.0.0.0/", "10.0.0.0/x"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct err err = {0};
        struct limits_settings settings = {.trusted_proxies = wrong[i], .buckets = 10};
        assert_false(limits_start(&settings, &err));
        assert_non_null(strstr(err_sentence(&err), "EDURAG_TRUSTED_PROXIES"));
        limits_stop();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_holds_a_minute_and_refills),
        cmocka_unit_test(a_cost_above_the_burst_passes_when_full),
        cmocka_unit_test(memory_is_bounded_and_full_buckets_make_room),
        cmocka_unit_test(places_are_shared_out),
        cmocka_unit_test(the_last_places_are_for_who_looks_after_the_server),
        cmocka_unit_test(who_does_not_shake_hands_is_counted_too),
        cmocka_unit_test(logins_have_a_bucket_of_their_own),
        cmocka_unit_test(only_trusted_proxies_are_believed),
        cmocka_unit_test(wrong_proxies_are_refused_with_their_word),
    };
    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
