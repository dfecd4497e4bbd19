/* places.c - nobody can take everybody's places, fill the log, or hold memory with what is never finished. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/raw.h"

enum { PLACES = 200, STRANGERS = PLACES / 5, OF_ADDRESS = STRANGERS / 2, OF_PERSON = 5, CLASS = 25 };
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}"

static struct harness h;

/* Reads frames until the other side closes; its code. */
static int closed_with(struct raw *r, int ms)
{
    int code = 0;
    for (int opcode; (opcode = raw_next(r, ms)) > 0;)
        if (opcode == 8 && r->length >= 2)
            code = (unsigned char)r->payload[0] << 8 | (unsigned char)r->payload[1];
    return code;
}

static void one_person_takes_a_few_places(void **state)
{
    (void)state;
    struct ws mine[OF_PERSON + 3];
    struct err err = {0};
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    int in = 0;
    for (int i = 0; i < OF_PERSON + 3; i++) {
        assert_true(ws_open(&mine[i], h.target, NULL, token, &err));
        AUTO(mem_freep) char *reply = ws_call(&mine[i], i + 1, "auth.whoami", "{}", 5000);
        int code = reply && i < OF_PERSON ? 0 : harness_closed(&mine[i], 5000);
        assert_true(code == 0 || code == 4429);
        in += code == 0;
    }
    assert_int_equal(in, OF_PERSON);
    struct ws other;
    harness_open(&h, &other, "tim"); /* nobody else suffers */
    ws_close(&other);
    for (int i = 0; i < OF_PERSON + 3; i++)
        ws_close(&mine[i]);
}

static void strangers_take_a_fifth_and_the_administrator_gets_in(void **state)
{
    (void)state;
    struct raw strangers[PLACES];
    int in = 0, tried = 0;
    for (; tried < PLACES; tried++) {
        if (!raw_connect(&strangers[tried], h.target, NULL))
            break;
        raw_handshake(&strangers[tried], "/ws", "");
        if (strangers[tried].status != 101)
            break;
        in++;
    }
    assert_int_equal(strangers[in].status, 503);
    assert_int_equal(in, OF_ADDRESS);
    struct ws admin;
    harness_open(&h, &admin, "root"); /* over the Unix socket */
    assert_string_equal(harness_reason(&admin, "auth.whoami", "{}"), "ok");
    ws_close(&admin);
    for (int i = 0; i <= in; i++)
        raw_close(&strangers[i]);
}

static void who_connects_and_says_nothing_is_counted(void **state)
{
    (void)state;
    struct raw silent[OF_ADDRESS + 5];
    for (int i = 0; i < OF_ADDRESS + 5; i++)
        raw_connect(&silent[i], h.target, NULL);
    usleep(300000);
    struct raw one;
    bool answered = raw_connect(&one, h.target, NULL);
    if (answered)
        raw_handshake(&one, "/ws", "");
    assert_true(!answered || one.status != 101);
    raw_close(&one);
    for (int i = 0; i < OF_ADDRESS + 5; i++)
        raw_close(&silent[i]);
    for (int tries = 0; tries < 200; tries++) {
        assert_true(raw_connect(&one, h.target, NULL));
        raw_handshake(&one, "/ws", "");
        if (one.status == 101)
            break;
        raw_close(&one);
        usleep(20000);
    }
    assert_int_equal(one.status, 101);
    raw_close(&one);
}

static size_t lines_of(const char *words)
{
    AUTO(mem_freep) char *log = harness_log(&h);
    size_t count = 0;
    for (const char *at = log; (at = strstr(at, words)) != NULL; at++)
        count++;
    return count;
}

/* Each kind of call that has no price of its own, far more often than anybody may: few lines, and out. */
static void refusals_cost_and_write_no_log(void **state)
{
    (void)state;
    static const char *const calls[] = {
        "{", "[]", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no.such\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"users.list\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.cancel\",\"params\":{\"id\":1}}"};
    for (size_t c = 0; c < COUNT_OF(calls); c++) {
        struct raw r;
        size_t before = lines_of("event=request") + lines_of("event=refused_again");
        raw_open(&r, h.target, NULL);
        for (int i = 0; i < 1200; i++)
            if (!raw_text(&r, calls[c]))
                break;
        int code = closed_with(&r, 10000);
        raw_close(&r);
        size_t lines = lines_of("event=request") + lines_of("event=refused_again") - before;
        if (code != 4429 || lines > 40)
            fail_msg("%s: closed with %d after %zu lines of the log", calls[c], code, lines);
    }
}

/* A lab is one address: its flood of pings keeps none of its people from logging in. */
static void a_flood_keeps_nobody_from_logging_in(void **state)
{
    (void)state;
    struct raw flood;
    struct ws class[CLASS];
    struct err err = {0};
    int64_t began = bench_now_us();
    raw_open(&flood, h.target, NULL);
    for (int i = 0; i < 650; i++)
        raw_text(&flood, PING);
    for (int i = 0; i < CLASS; i++) {
        char params[120];
        snprintf(params, sizeof params, "{\"institution_id\":\"c%d\",\"password\":\"c%d-password\"}", i, i);
        AUTO(mem_freep) char *reply = NULL;
        for (int tries = 0; tries < 100 && !ws_open(&class[i], h.target, NULL, NULL, &err); tries++)
            usleep(50000);
        raw_text(&flood, PING);
        reply = ws_call(&class[i], 1, "auth.login", params, 15000);
        if (!reply || !strstr(reply, "\"token\""))
            fail_msg("number %d: %s", i, reply ? reply : "nothing");
    }
    assert_true(bench_now_us() - began < 15000000);
    for (int i = 0; i < CLASS; i++)
        ws_close(&class[i]);
    raw_close(&flood);
}

static void a_message_that_never_ends_is_given_up(void **state)
{
    (void)state;
    struct raw r;
    raw_open(&r, h.target, NULL);
    AUTO(mem_freep) char *half = mem_alloc(32 * 1024);
    memset(half, ' ', 32 * 1024);
    assert_true(raw_frame(&r, 0x01, half, 32 * 1024)); /* a text frame that others follow */
    assert_int_equal(closed_with(&r, 10000), 4408);
    raw_close(&r);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL,
                  (const char *[]){"EDURAG_CONNECTIONS=200", "EDURAG_CONNECTIONS_PERSON=5", "EDURAG_RATE_ADDRESS=600",
                                   "EDURAG_MESSAGE_SECONDS=2", "EDURAG_LOG=info", "EDURAG_LOGIN_TIMEOUT=30", NULL});
    harness_user(&h, "student", "sue", "Sue");
    harness_user(&h, "teacher", "tim", "Tim");
    harness_user(&h, "admin", "root", "Root");
    for (int i = 0; i < CLASS; i++) {
        char id[8];
        snprintf(id, sizeof id, "c%d", i);
        harness_user(&h, "student", id, "Somebody");
    }
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flood_keeps_nobody_from_logging_in),
        cmocka_unit_test(one_person_takes_a_few_places),
        cmocka_unit_test(strangers_take_a_fifth_and_the_administrator_gets_in),
        cmocka_unit_test(who_connects_and_says_nothing_is_counted),
        cmocka_unit_test(a_message_that_never_ends_is_given_up),
        cmocka_unit_test(refusals_cost_and_write_no_log),
    };
    return cmocka_run_group_tests_name("places", tests, start, stop);
}
