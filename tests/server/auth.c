/* auth.c - tokens and sessions: handshakes, logins, renewals, ends on every socket, and what a person may spend. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"
#include "tests/lib/raw.h"

#define WHOAMI "{\"jsonrpc\":\"2.0\",\"id\":\"w\",\"method\":\"auth.whoami\"}"

static struct harness h;

static struct ws open_with(const char *token)
{
    struct ws ws;
    struct err err = {0};
    if (!ws_open(&ws, h.target, NULL, token, &err))
        fail_msg("%s", err.log);
    return ws;
}

static void a_token_travels_in_the_header_or_the_address(void **state)
{
    (void)state;
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    AUTO(mem_freep) char *path = mem_printf("/ws?token=%s", token);
    AUTO(mem_freep) char *header = mem_printf("Authorization: bearer %s\r\n", token);
    const char *const ways[][2] = {{"/ws", header}, {path, ""}};
    for (size_t i = 0; i < COUNT_OF(ways); i++) {
        struct raw r;
        assert_true(raw_connect(&r, h.target, NULL));
        raw_handshake(&r, ways[i][0], ways[i][1]);
        assert_int_equal(r.status, 101);
        raw_text(&r, WHOAMI); /* before the token can have been verified: it waits */
        assert_int_equal(raw_next(&r, 5000), 1);
        assert_non_null(strstr(r.payload, "\"institution_id\": \"sue\""));
        raw_close(&r);
    }
}

static void a_bad_token_closes_with_4401_and_serves_nothing(void **state)
{
    (void)state;
    AUTO(mem_freep) char *good = harness_token(&h, "sue");
    AUTO(mem_freep) char *forged = mem_dup(good);
    size_t last = strlen(forged) - 4;
    forged[last] = forged[last] == 'A' ? 'B' : 'A';
    AUTO(mem_freep) char *longest = mem_alloc(3001);
    memset(longest, 'x', 3000);
    const char *const bad[] = {"x", "eyJhbGciOiJub25lIn0.e30.", forged, "a.b.c", longest};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct raw r;
        AUTO(mem_freep) char *header = mem_printf("Authorization: Bearer %s\r\n", bad[i]);
        assert_true(raw_connect(&r, h.target, NULL));
        raw_handshake(&r, "/ws", header);
        raw_text(&r, WHOAMI);
        assert_int_equal(raw_close_code(&r, 5000), 4401);
        assert_non_null(strstr(r.payload + 2, "token is bad"));
        raw_close(&r);
    }
}

static void wrong_number_and_wrong_password_look_the_same(void **state)
{
    (void)state;
    struct ws ws;
    harness_open(&h, &ws, NULL);
    AUTO(json_freep)
    cJSON *unknown = harness_call(&ws, "auth.login", "{\"institution_id\":\"nobody1\",\"password\":\"x\"}");
    AUTO(json_freep) cJSON *wrong = harness_call(&ws, "auth.login", "{\"institution_id\":\"sue\",\"password\":\"x\"}");
    assert_true(cJSON_Compare(json_get(unknown, "error"), json_get(wrong, "error"), true));
    assert_string_equal(harness_reason(&ws, "auth.login", "{\"institution_id\":\"SUE\",\"password\":\"sue-password\"}"),
                        "ok");
    ws_close(&ws);
}

static void failed_logins_must_wait_and_a_success_forgives(void **state)
{
    (void)state;
    struct ws ws;
    harness_open(&h, &ws, NULL);
    static const char *const ids[] = {"tim", "unknown-one"};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"wrong\"}", ids[i]);
        for (int n = 0; n < 5; n++)
            assert_string_equal(harness_reason(&ws, "auth.login", params), "unauthenticated");
        AUTO(json_freep) cJSON *reply = harness_call(&ws, "auth.login", params);
        const cJSON *data = json_get(json_get(reply, "error"), "data");
        assert_string_equal(json_text(data, "reason", ""), "rate_limited");
        assert_in_range(json_int(data, "retry_after_ms", 0), 1, 1000);
    }
    usleep(1100000);
    assert_string_equal(harness_reason(&ws, "auth.login", "{\"institution_id\":\"tim\",\"password\":\"tim-password\"}"),
                        "ok");
    ws_close(&ws);
}

static void requests_behind_a_login_wait_for_it(void **state)
{
    (void)state;
    struct raw r;
    raw_open(&r, h.socket, NULL);
    raw_text(&r, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":{\"institution_id\":\"sue\","
                 "\"password\":\"sue-password\"}}");
    raw_text(&r, WHOAMI);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"token\""));
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"id\":\"w\",\"result\""));
    raw_close(&r);
}

static void refresh_kills_the_old_token_everywhere(void **state)
{
    (void)state;
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    struct ws one = open_with(token), two = open_with(token);
    assert_string_equal(harness_reason(&two, "auth.whoami", NULL), "ok");
    AUTO(json_freep) cJSON *reply = harness_call(&one, "auth.refresh", NULL);
    const char *fresh = json_text(json_get(reply, "result"), "token", NULL);
    assert_non_null(fresh);
    assert_string_not_equal(fresh, token);
    assert_int_equal(harness_closed(&two, 5000), 4401);
    assert_string_equal(harness_reason(&one, "auth.whoami", NULL), "ok");
    struct ws three = open_with(fresh);
    assert_string_equal(harness_reason(&three, "auth.whoami", NULL), "ok");
    struct ws four = open_with(token);
    assert_int_equal(harness_closed(&four, 5000), 4401);
    ws_close(&one);
    ws_close(&three);
}

static void logout_answers_then_closes_one_or_all(void **state)
{
    (void)state;
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    struct ws one = open_with(token), other;
    harness_open(&h, &other, "sue");
    assert_string_equal(harness_reason(&one, "auth.logout", NULL), "ok");
    assert_int_equal(harness_closed(&one, 5000), 4401);
    assert_string_equal(harness_reason(&other, "auth.whoami", NULL), "ok");
    struct ws all;
    harness_open(&h, &all, "sue");
    assert_string_equal(harness_reason(&all, "auth.logout", "{\"everywhere\":true}"), "ok");
    assert_int_equal(harness_closed(&all, 5000), 4401);
    assert_int_equal(harness_closed(&other, 5000), 4401);
}

static void a_changed_password_ends_the_others(void **state)
{
    (void)state;
    struct ws one, other;
    harness_user(&h, "student", "pat", "Pat");
    harness_open(&h, &one, "pat");
    harness_open(&h, &other, "pat");
    assert_string_equal(harness_reason(&one, "auth.change_password",
                                       "{\"old_password\":\"pat-password\",\"new_password\":"
                                       "\"something new\"}"),
                        "ok");
    assert_int_equal(harness_closed(&other, 5000), 4401);
    assert_string_equal(harness_reason(&one, "auth.whoami", NULL), "ok");
    ws_close(&one);
}

static void a_disabled_person_is_out_at_once_and_a_new_role_counts_at_once(void **state)
{
    (void)state;
    struct ws root, pat;
    harness_user(&h, "student", "kim", "Kim");
    harness_open(&h, &root, "root");
    harness_open(&h, &pat, "kim");
    AUTO(json_freep) cJSON *me = harness_call(&pat, "auth.whoami", NULL);
    const char *id = json_text(json_get(me, "result"), "user_id", "");
    AUTO(mem_freep) char *promote = mem_printf("{\"user_id\":\"%s\",\"role\":\"teacher\"}", id);
    AUTO(mem_freep) char *disable = mem_printf("{\"user_id\":\"%s\",\"disabled\":true}", id);
    assert_string_equal(harness_reason(&pat, "admin.students", NULL), "forbidden");
    assert_string_equal(harness_reason(&root, "users.update", promote), "ok");
    const char *reason = "forbidden";
    for (int tries = 0; tries < 100 && !strcmp(reason, "forbidden"); tries++) {
        usleep(20000);
        reason = harness_reason(&pat, "admin.students", NULL);
    }
    assert_string_equal(reason, "ok");
    assert_string_equal(harness_reason(&root, "users.update", disable), "ok");
    assert_int_equal(harness_closed(&pat, 5000), 4401);
    ws_close(&root);
}

static void who_does_not_log_in_is_closed_and_who_tries_is_not(void **state)
{
    (void)state;
    struct raw idle, trying;
    raw_open(&idle, h.target, NULL);
    raw_open(&trying, h.target, NULL);
    usleep(1200000);
    raw_text(&trying, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":{\"institution_id\":\"late\","
                      "\"password\":\"wrong\"}}");
    assert_int_equal(raw_close_code(&idle, 4000), 4401);
    assert_non_null(strstr(idle.payload + 2, "no login in time"));
    assert_int_equal(raw_next(&trying, 100), 1);
    raw_text(&trying, "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"server.ping\"}");
    assert_int_equal(raw_next(&trying, 500), 1);
    assert_int_equal(raw_close_code(&trying, 5000), 4401);
    raw_close(&idle);
    raw_close(&trying);
}

static void an_ending_login_is_announced_and_ends(void **state)
{
    (void)state;
    char error[200];
    struct ws ws;
    harness_user(&h, "student", "eve", "Eve");
    harness_open(&h, &ws, "eve");
    AUTO(mem_freep) char *news = ws_wait(&ws, "auth.expiring", 20000); /* the token lives 61 s: less than 5 minutes */
    assert_non_null(news);
    AUTO(mem_freep)
    char *done = pg_try(pg_url_in(h.directory, "edurag_owner"),
                        "update auth.sessions set expires_at = now() - interval '1 second' where user_id = "
                        "(select user_id from public.users where institution_id = 'eve') returning 'x'",
                        error, sizeof error);
    assert_string_equal(error, "");
    assert_string_equal(harness_reason(&ws, "auth.whoami", NULL), "unauthenticated");
    ws_close(&ws);
}

/* The reason of a close says what became of the token. */
static void a_dead_token_is_told_what_it_died_of(void **state)
{
    (void)state;
    static const struct {
        const char *sql, *word;
    } ends[] = {
        {"update auth.sessions s set revoked_at = now() from public.users u where u.user_id = s.user_id and "
         "u.institution_id = 'gus' returning 'x'",
         "revoked"},
        {"update public.users set disabled = true where institution_id = 'gus' returning 'x'", "disabled"},
    };
    harness_user(&h, "student", "gus", "Gus");
    AUTO(mem_freep) char *token = harness_token(&h, "gus");
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        char error[200];
        AUTO(mem_freep) char *done = pg_try(pg_url_in(h.directory, "edurag_owner"), ends[i].sql, error, sizeof error);
        assert_string_equal(error, "");
        struct raw r;
        AUTO(mem_freep) char *header = mem_printf("Authorization: Bearer %s\r\n", token);
        assert_true(raw_connect(&r, h.target, NULL));
        raw_handshake(&r, "/ws", header);
        assert_int_equal(raw_close_code(&r, 5000), 4401);
        assert_non_null(strstr(r.payload + 2, ends[i].word));
        raw_close(&r);
    }
}

static void a_person_has_a_minutes_worth_and_an_address_throttles_strangers_only(void **state)
{
    (void)state;
    struct harness small;
    harness_start(&small, NULL, (const char *[]){"EDURAG_RATE_PERSON=5", "EDURAG_RATE_ADDRESS=8", NULL});
    AUTO(mem_freep)
    char *password = harness_command(&small, (const char *[]){"user", "add", "--role", "student", "amy", "Amy", NULL});
    AUTO(mem_freep) char *login = mem_printf("{\"institution_id\":\"amy\",\"password\":\"%s\"}", password);
    struct ws amy, stranger;
    harness_open(&small, &amy, NULL);
    harness_open(&small, &stranger, NULL);
    assert_string_equal(harness_reason(&amy, "auth.login", login), "ok");
    for (int i = 0; i < 8; i++) /* the login was paid out of a bucket of its own */
        assert_string_equal(harness_reason(&stranger, "server.ping", NULL), "ok");
    assert_string_equal(harness_reason(&stranger, "server.ping", NULL), "rate_limited");
    for (int i = 0; i < 5; i++)
        assert_string_equal(harness_reason(&amy, "auth.whoami", NULL), "ok");
    AUTO(json_freep) cJSON *reply = harness_call(&amy, "auth.whoami", "{\"x\":1}"); /* checked before the params */
    const cJSON *data = json_get(json_get(reply, "error"), "data");
    assert_string_equal(json_text(data, "reason", ""), "rate_limited");
    assert_in_range(json_int(data, "retry_after_ms", 0), 1, 12100);
    assert_string_equal(harness_reason(&amy, "users.list", NULL), "forbidden"); /* and the role before both */
    ws_close(&amy);
    ws_close(&stranger);
    assert_int_equal(harness_stop(&small), 0);
}

static char *owner(const char *sql)
{
    char error[200];
    char *value = pg_try(pg_url_in(h.directory, "edurag_owner"), sql, error, sizeof error);
    assert_string_equal(error, "");
    return value;
}

/* The failures so far count as many more, or a slow machine's next try would find the wait over. */
static void wait_long(void)
{
    free(owner("update auth.login_failures set failures = 12, last_at = clock_timestamp() where failures = 5"));
}

static cJSON *log_in(struct ws *ws, const char *id, const char *password, const char *device)
{
    AUTO(mem_freep)
    char *params =
        mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s\",\"device\":\"%s\",\"device_name\":\"desk\"}", id,
                   password, device);
    return harness_call(ws, "auth.login", params);
}

static void expect_login(const char *id, const char *password, const char *device, const char *reason)
{
    struct ws ws;
    harness_open(&h, &ws, NULL);
    AUTO(json_freep) cJSON *reply = log_in(&ws, id, password, device);
    const cJSON *error = json_get(reply, "error");
    assert_string_equal(error ? json_text(json_get(error, "data"), "reason", "?") : "ok", reason);
    ws_close(&ws);
}

/* In a lab everybody is one address: who has logged in from here before does not wait for what others typed. */
static void others_wrong_passwords_do_not_hold_a_known_device(void **state)
{
    (void)state;
    struct ws dan;
    harness_user(&h, "student", "dan", "Dan");
    harness_user(&h, "student", "eli", "Eli");
    harness_open(&h, &dan, NULL);
    AUTO(json_freep) cJSON *first = log_in(&dan, "dan", "dan-password", "chosen by the client");
    const char *device = json_text(json_get(first, "result"), "device", "");
    assert_int_equal(strlen(device), 43);
    for (int i = 0; i < 5; i++)
        expect_login("dan", "wrong", "somebody's", "unauthenticated");
    wait_long();
    for (int i = 0; i < 2; i++) {
        expect_login("dan", "dan-password", "chosen by the client", "rate_limited");
        expect_login("dan", "dan-password", device, "ok");
    }
    for (int i = 0; i < 5; i++) /* its own count, and to another it is worth nothing */
        expect_login("dan", "wrong", device, "unauthenticated");
    wait_long();
    expect_login("dan", "dan-password", device, "rate_limited");
    for (int i = 0; i < 5; i++)
        expect_login("eli", "wrong", "x", "unauthenticated");
    wait_long();
    expect_login("eli", "eli-password", device, "rate_limited");

    AUTO(json_freep) cJSON *list = harness_call(&dan, "auth.devices", NULL);
    const cJSON *item = json_get(json_get(list, "result"), "items")->child;
    assert_non_null(item);
    assert_null(item->next);
    assert_string_equal(json_text(item, "name", ""), "desk");
    AUTO(mem_freep) char *forget = mem_printf("{\"device_id\":\"%s\"}", json_text(item, "device_id", ""));
    assert_string_equal(harness_reason(&dan, "auth.forget_device", forget), "ok");
    assert_string_equal(harness_reason(&dan, "auth.forget_device", forget), "not_found");
    expect_login("dan", "dan-password", device, "rate_limited");
    ws_close(&dan);
}

/* A session that ends between its commit and its answer: the news comes while nobody is on the socket yet. */
static void who_is_ended_while_on_the_way_in_is_out(void **state)
{
    (void)state;
    static const char *const slow[] = {
        "create function auth.test_slow() returns trigger language plpgsql as $$ begin if new.user_id = (select "
        "user_id "
        "from public.users where institution_id = 'ivy') then perform pg_advisory_xact_lock(7, 7); perform "
        "pg_sleep(1); end if; return new; end $$",
        "create function auth.test_ended() returns trigger language plpgsql security definer as $$ begin delete from "
        "auth.sessions s using "
        "public.users u where s.session_id = new.session_id and u.user_id = s.user_id and u.institution_id = 'ivy'; "
        "return null; end $$",
        "create trigger test_slow before insert on auth.sessions for each row execute function auth.test_slow()",
        "create constraint trigger test_ended after insert on auth.sessions deferrable initially deferred for each row "
        "execute function auth.test_ended()",
    };
    harness_user(&h, "student", "ivy", "Ivy");
    for (size_t i = 0; i < COUNT_OF(slow); i++)
        free(owner(slow[i]));
    struct raw r;
    raw_open(&r, h.target, NULL);
    raw_text(&r, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":{\"institution_id\":\"ivy\","
                 "\"password\":\"ivy-password\"}}");
    for (int i = 0; i < 1000; i++) {
        AUTO(mem_freep) char *free_still = owner("select pg_try_advisory_xact_lock(7, 7)");
        if (!strcmp(free_still, "f"))
            break;
        usleep(5000);
    }
    free(
        owner("select pg_notify('edurag_session', 'user ' || user_id) from public.users where institution_id = 'ivy'"));
    assert_int_equal(raw_next(&r, 8000), 1);
    assert_non_null(strstr(r.payload, "\"token\""));
    assert_int_equal(raw_close_code(&r, 8000), 4401);
    assert_non_null(strstr(r.payload + 2, "revoked"));
    raw_close(&r);
    free(owner("drop function auth.test_slow() cascade"));
    free(owner("drop function auth.test_ended() cascade"));
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, (const char *[]){"EDURAG_LOGIN_TIMEOUT=2", "EDURAG_TOKEN_TTL=61", NULL});
    harness_user(&h, "student", "sue", "Sue");
    harness_user(&h, "teacher", "tim", "Tim");
    harness_user(&h, "admin", "root", "Root");
    return 0;
}

/* Whatever went on above, no secret is in the log. */
static int stop(void **state)
{
    (void)state;
    AUTO(mem_freep) char *log = harness_log(&h);
    if (strstr(log, "-password") || strstr(log, "eyJ") || strstr(log, "something new")) {
        print_error("a secret is in the log\n");
        return 1;
    }
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_travels_in_the_header_or_the_address),
        cmocka_unit_test(a_bad_token_closes_with_4401_and_serves_nothing),
        cmocka_unit_test(wrong_number_and_wrong_password_look_the_same),
        cmocka_unit_test(failed_logins_must_wait_and_a_success_forgives),
        cmocka_unit_test(requests_behind_a_login_wait_for_it),
        cmocka_unit_test(refresh_kills_the_old_token_everywhere),
        cmocka_unit_test(logout_answers_then_closes_one_or_all),
        cmocka_unit_test(a_changed_password_ends_the_others),
        cmocka_unit_test(a_disabled_person_is_out_at_once_and_a_new_role_counts_at_once),
        cmocka_unit_test(who_does_not_log_in_is_closed_and_who_tries_is_not),
        cmocka_unit_test(an_ending_login_is_announced_and_ends),
        cmocka_unit_test(a_dead_token_is_told_what_it_died_of),
        cmocka_unit_test(others_wrong_passwords_do_not_hold_a_known_device),
        cmocka_unit_test(who_is_ended_while_on_the_way_in_is_out),
        cmocka_unit_test(a_person_has_a_minutes_worth_and_an_address_throttles_strangers_only),
    };
    return cmocka_run_group_tests_name("auth", tests, start, stop);
}
