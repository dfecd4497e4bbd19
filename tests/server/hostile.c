/* hostile.c - input made to break a server: each is answered or closed as promised, and others are served all along. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harness.h"
#include "tests/lib/raw.h"

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}"
#define PARSE "\"id\":null,\"error\":{\"code\":-32700"
#define INVALID "\"id\":null,\"error\":{\"code\":-32600"
#define PARAMS "\"error\":{\"code\":-32602"
#define LOGIN(params) "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":" params "}"

static struct harness h;

static void assert_serves(struct raw *r)
{
    assert_true(raw_text(r, PING));
    assert_int_equal(raw_next(r, 8000), 1);
    if (!strstr(r->payload, "\"id\":1,\"result\":{\"time\""))
        fail_msg("no answer to a ping but %.200s", r->payload);
}

/* Somebody: who is nobody for long is closed, and a slow machine makes these tests long. */
static void open_logged_in(struct raw *r)
{
    AUTO(mem_freep) char *token = harness_token(&h, "sue"), *header = mem_printf("Authorization: Bearer %s\r\n", token);
    assert_true(raw_connect(r, h.target, NULL));
    raw_handshake(r, "/ws", header);
    assert_int_equal(r->status, 101);
}

static void odd_messages_are_answered_and_the_socket_stays(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer;
    } cases[] = {
        {PING " ", "\"id\":1,\"result\""},
        {PING "x", PARSE},
        {PING PING, PARSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"server.ping\"}", PARSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\",\"method\":\"auth.whoami\"}", PARSE},
        {LOGIN("{\"institution_id\":\"a\",\"institution_id\":\"b\",\"password\":\"x\"}"), PARSE},
        {LOGIN("{\"institution_id\":\"a\\u0000b\",\"password\":\"x\"}"), PARSE},
        {LOGIN("{\"institution_id\":\"\\ud800\",\"password\":\"x\"}"), PARSE},
        {LOGIN("{\"institution_id\":1e999,\"password\":\"x\"}"), PARAMS},
        {LOGIN("{\"institution_id\":{},\"password\":\"x\"}"), PARAMS},
        {LOGIN("{\"Institution_Id\":\"a\",\"password\":\"x\"}"), PARAMS},
        {"{\"jsonrpc\":\"2.0\",\"id\":123456789012345678901234567890,\"method\":\"server.ping\"}",
         "\"id\":123456789012345678901234567890,\"result\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1e400,\"method\":\"server.ping\"}", "\"id\":1e400,\"result\""},
        {"{\"jsonrpc\":2.0,\"id\":1,\"method\":\"server.ping\"}", "\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":{},\"method\":\"server.ping\"}", INVALID},
        {"[[[[[[[[]]]]]]]]", "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600"},
        {"[1,[],{}]", "\"code\":-32600"},
        {"nul", PARSE},
        {"NaN", PARSE},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\",}", PARSE},
        {"/* hello */" PING, PARSE},
        {"\xEF\xBB\xBF" PING, NULL}, /* a byte order mark: either answer, but one */
    };
    struct raw r;
    open_logged_in(&r);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(raw_text(&r, cases[i].text));
        if (raw_next(&r, 8000) != 1 || (cases[i].answer && !strstr(r.payload, cases[i].answer)))
            fail_msg("%s gave %s", cases[i].text, r.payload ? r.payload : "nothing");
    }
    assert_serves(&r);
    raw_close(&r);
}

/* `head`, then `piece` over and over up to `bytes` in all, then `tail`, in one message. */
static void send_long(struct raw *r, const char *head, const char *piece, size_t bytes, const char *tail)
{
    AUTO(buf_free) struct buf text = {0};
    buf_text(&text, head);
    while (text.length + strlen(piece) + strlen(tail) <= bytes)
        buf_text(&text, piece);
    buf_text(&text, tail);
    assert_true(raw_frame(r, 0x81, text.data, text.length));
}

static void a_whole_megabyte_of_anything_is_refused_in_no_time(void **state)
{
    (void)state;
    enum { MOST = 1048576 };
    static const struct {
        const char *head, *piece, *tail, *answer;
    } cases[] = {
        {"", "[", "", PARSE},
        {"", "{\"a\":", "", PARSE},
        {"", "[{\"a\":", "", PARSE},
        {"{\"id\":", "9", "}", "{\"jsonrpc\":\"2.0\",\"id\":999"},
        {"{\"id\":0.", "0", "1}", "{\"jsonrpc\":\"2.0\",\"id\":0.0"},
        {"[", "1,", "1]", "\"code\":-32008"},
        {"[", "[],", "[]]", "\"code\":-32008"},
        {"{", "\"a\":1,", "\"b\":2}", PARSE},
        {"\"", "\\\\", "\"", INVALID},
        {"\"", "\\u00e4", "", PARSE},
        {"", " ", "", PARSE},
    };
    struct raw r;
    open_logged_in(&r);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct timespec from, to;
        clock_gettime(CLOCK_MONOTONIC, &from);
        send_long(&r, cases[i].head, cases[i].piece, MOST, cases[i].tail);
        if (raw_next(&r, 8000) != 1 || !strstr(r.payload, cases[i].answer))
            fail_msg("case %zu gave %.200s", i, r.payload ? r.payload : "nothing");
        while (!r.final && raw_next(&r, 8000) == 0) /* an id comes back whole, however long */
            ;
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (to.tv_sec - from.tv_sec > 20)
            fail_msg("case %zu took %ld s", i, (long)(to.tv_sec - from.tv_sec));
    }
    assert_serves(&r);
    raw_close(&r);
}

/* Members that all differ, so that nothing is refused before the whole was looked at. */
static void many_members_cost_no_more_than_they_weigh(void **state)
{
    (void)state;
    struct raw r;
    struct timespec from, to;
    AUTO(buf_free) struct buf text = {0};
    buf_text(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"auth.login\",\"params\":{");
    for (int i = 0; text.length < 1000000; i++)
        buf_printf(&text, "%s\"m%d\":0", i ? "," : "", i);
    buf_text(&text, "}}");
    open_logged_in(&r);
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_true(raw_frame(&r, 0x81, text.data, text.length));
    assert_int_equal(raw_next(&r, 20000), 1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_non_null(strstr(r.payload, "\"error\":{\"code\":-32"));
    if (to.tv_sec - from.tv_sec > 20)
        fail_msg("it took %ld s", (long)(to.tv_sec - from.tv_sec));
    raw_close(&r);
}

static void broken_frames_end_their_connection_alone(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t length;
        int code;
    } cases[] = {
        {"\x81\xff\x3f\xff\xff\xff\xff\xff\xff\xff\1\1\1\1z", 15, 1009}, /* 2^62 bytes, of which one comes */
        {"\x81\xff\x00\x00\x00\x00\x00\x10\x00\x01\1\1\1\1z", 15, 1009}, /* one more than the limit */
        {"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\1\1\1\1", 14, 0},     /* a length below nothing */
        {"\xc1\x81\1\1\1\1y", 7, 1002},                                  /* a reserved bit */
        {"\x81\x02{}", 4, 0},                                            /* not masked */
        {"\x89\xfe\x00\x80\1\1\1\1", 8, 0},                              /* a ping too long for one */
        {"\x09\x80\1\1\1\1", 6, 0},                                      /* a ping in pieces */
        {"\x88\x81\1\1\1\1x", 7, 0},                                     /* half a close code */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct raw r, other;
        raw_open(&r, h.target, NULL);
        raw_bytes(&r, cases[i].bytes, cases[i].length);
        int code = raw_close_code(&r, 12000);
        if (!code || (cases[i].code == 1009 && code != 1009))
            fail_msg("case %zu: closed with %d", i, code);
        raw_close(&r);
        raw_open(&other, h.target, NULL);
        assert_serves(&other);
        raw_close(&other);
    }
}

/* A frame announced and never finished, and a message of empty fragments without an end: who has not logged in
 * is closed in time all the same, and nobody waits for them. */
static void frames_that_never_end_hold_nobody_up(void **state)
{
    (void)state;
    struct raw half, empty, other;
    raw_open(&half, h.target, NULL);
    raw_open(&empty, h.target, NULL);
    raw_bytes(&half, "\x81\xfe\x10\x00\1\1\1\1{\"jso", 13);
    raw_frame(&empty, 0x01, "", 0);
    for (int i = 0; i < 20000 && raw_frame(&empty, 0x00, "", 0); i++)
        ;
    raw_open(&other, h.target, NULL);
    assert_serves(&other);
    assert_int_not_equal(raw_close_code(&half, 15000), 0);
    assert_int_not_equal(raw_close_code(&empty, 15000), 0);
    raw_close(&half);
    raw_close(&empty);
    raw_close(&other);
}

/* A byte at a time, as a hundred at once do it to use up connections: none gets more time than another. */
static void slow_handshakes_run_out_of_time(void **state)
{
    (void)state;
    enum { SLOW = 40 };
    static struct raw slow[SLOW];
    static const char request[] = "GET /ws HTTP/1.1\r\nHost: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
    struct raw other;
    int ended = 0;
    for (int i = 0; i < SLOW; i++)
        assert_true(raw_connect(&slow[i], h.target, NULL));
    raw_open(&other, h.target, NULL);
    for (size_t at = 0; at < 25; at++) {
        for (int i = 0; i < SLOW; i++)
            raw_bytes(&slow[i], &request[at], 1);
        usleep(500000);
        if (at == 5)
            assert_serves(&other);
    }
    for (int i = 0; i < SLOW; i++) {
        ended += raw_next(&slow[i], 100) == -1;
        raw_close(&slow[i]);
    }
    assert_int_equal(ended, SLOW);
    raw_close(&other);
    raw_open(&other, h.target, NULL);
    assert_serves(&other);
    raw_close(&other);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, (const char *[]){"EDURAG_RATE_ADDRESS=1000000", "EDURAG_LOGIN_TIMEOUT=4", NULL});
    harness_user(&h, "student", "sue", "Sue Student");
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
        cmocka_unit_test(odd_messages_are_answered_and_the_socket_stays),
        cmocka_unit_test(a_whole_megabyte_of_anything_is_refused_in_no_time),
        cmocka_unit_test(many_members_cost_no_more_than_they_weigh),
        cmocka_unit_test(broken_frames_end_their_connection_alone),
        cmocka_unit_test(frames_that_never_end_hold_nobody_up),
        cmocka_unit_test(slow_handshakes_run_out_of_time),
    };
    return cmocka_run_group_tests_name("hostile", tests, start, stop);
}
