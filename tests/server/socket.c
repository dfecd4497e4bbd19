/* socket.c - the transport: handshakes, frames, headers, limits and the end, against a whole server. */
#include <setjmp.h>
#include <signal.h>
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

static struct harness h;

static const char *const security[] = {
    "content-security-policy: ", "strict-transport-security: ", "x-frame-options: ",
    "x-content-type-options: ",  "referrer-policy: ",
};

/* Each security header exactly once. */
static void assert_secure(const char *head)
{
    for (size_t i = 0; i < COUNT_OF(security); i++) {
        const char *at = strcasestr(head, security[i]);
        if (!at || strcasestr(at + 1, security[i]))
            fail_msg("%s is not there once in: %s", security[i], head);
    }
}

static void handshakes_are_answered_with_their_status(void **state)
{
    (void)state;
    static const struct {
        const char *path, *extra;
        int status;
        const char *in_head;
    } cases[] = {
        {"/ws", "Sec-WebSocket-Protocol: edurag.v1\r\n", 101, "Sec-WebSocket-Protocol: edurag.v1"},
        {"/ws", "", 101, ""},
        {"/ws", "Sec-WebSocket-Protocol: chat, edurag.v1\r\n", 101, "Sec-WebSocket-Protocol: edurag.v1"},
        {"/ws", "Sec-WebSocket-Protocol: edurag.v2\r\n", 400, ""},
        {"/ws", "Sec-WebSocket-Protocol: edurag.v1x,xedurag.v1\r\n", 400, ""},
        {"/ws", "Sec-WebSocket-Extensions: permessage-deflate\r\n", 101, ""},
        {"/ws?token=", "", 101, ""},
        {"/", "", 404, ""},
        {"/wsx", "", 404, ""},
        {"/ws/", "", 404, ""},
        {"/ws", "Origin: http://localhost\r\n", 101, ""},
        {"/ws", "Origin: http://localhost:5173\r\n", 101, ""},
        {"/ws", "Origin: https://127.0.0.1:9\r\n", 101, ""},
        {"/ws", "Origin: http://[::1]:80\r\n", 101, ""},
        {"/ws", "Origin: null\r\n", 403, ""},
        {"/ws", "Origin: http://localhost.evil.example\r\n", 403, ""},
        {"/ws", "Origin: http://evil.example\r\n", 403, ""},
        {"/ws", "Origin: http://localhost:1@evil.example\r\n", 403, ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct raw r;
        assert_true(raw_connect(&r, h.target, NULL));
        raw_handshake(&r, cases[i].path, cases[i].extra);
        if (r.status != cases[i].status || !strstr(r.head, cases[i].in_head))
            fail_msg("%s with %s gave: %s", cases[i].path, cases[i].extra, r.head);
        assert_secure(r.head);
        assert_null(strcasestr(r.head, "Sec-WebSocket-Extensions"));
        if (r.status == 101 && !strstr(cases[i].extra, "Protocol"))
            assert_null(strcasestr(r.head, "Sec-WebSocket-Protocol"));
        raw_close(&r);
    }
}

static void odd_requests_are_answered_with_their_status(void **state)
{
    (void)state;
#define UPGRADE "Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    static const struct {
        const char *request;
        int status;
        const char *in_head;
    } cases[] = {
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426, "sec-websocket-version: 13"},
        {"GET /ws HTTP/1.1\r\n" UPGRADE KEY "\r\n", 426, ""},
        {"GET /ws HTTP/1.1\r\n" UPGRADE "Sec-WebSocket-Version: 13\r\n\r\n", 400, ""},
        {"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 426, "upgrade: websocket"},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
        {"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
        {"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n", 200, ""},
        {"GET /openrpc.json HTTP/1.1\r\nHost: x\r\n\r\n", 200, "content-type: application/json"},
        {"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404, ""},
        {"POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405, "allow: GET"},
        {"GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost:3\r\n\r\n", 200,
         "access-control-allow-origin: http://localhost:3"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct raw r;
        assert_true(raw_connect(&r, h.target, NULL));
        raw_request(&r, cases[i].request);
        if (r.status != cases[i].status || !strcasestr(r.head, cases[i].in_head))
            fail_msg("%s gave: %s", cases[i].request, r.head);
        assert_secure(r.head);
        raw_close(&r);
    }
    struct raw r;
    assert_true(raw_connect(&r, h.target, NULL));
    raw_request(&r, "GET /healthz HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n\r\n");
    assert_null(strcasestr(r.head, "access-control"));
    raw_close(&r);
}

/* HEAD says what GET would, without its body; the connection goes on behind it. */
static void a_head_is_that_of_its_body(void **state)
{
    (void)state;
    static const char *const paths[] = {"/healthz", "/openrpc.json", "/nothing"};
    struct raw r;
    assert_true(raw_connect(&r, h.target, NULL));
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        char request[100];
        snprintf(request, sizeof request, "HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        raw_request(&r, request);
        AUTO(mem_freep) char *head = mem_dup(strcasestr(r.head, "content-length:"));
        head[strcspn(head, "\r")] = '\0';
        assert_string_not_equal(head, "content-length: 0");
        struct raw other;
        assert_true(raw_connect(&other, h.target, NULL));
        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
        raw_request(&other, request);
        if (!strcasestr(other.head, head))
            fail_msg("%s: HEAD says %s, GET %s", paths[i], head, other.head);
        raw_close(&other);
    }
    raw_close(&r);
}

static void broken_peers_are_closed_with_their_code(void **state)
{
    (void)state;
    static const struct {
        int first;
        const char *payload;
        size_t length;
        int code;
    } cases[] = {
        {0x82, "{}", 2, 1003}, {0x81, "\xff\xfe", 2, 1007}, {0x81, "\xed\xa0\x80", 3, 1007},
        {0x80, "x", 1, 1002}, /* a continuation of nothing */
        {0x83, "x", 1, 1002}, /* a reserved opcode */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct raw r;
        raw_open(&r, h.target, NULL);
        raw_frame(&r, cases[i].first, cases[i].payload, cases[i].length);
        int code = raw_close_code(&r, 8000);
        if (code != cases[i].code && !(cases[i].code == 1002 && code == 1006))
            fail_msg("case %zu: %d instead of %d", i, code, cases[i].code);
        raw_close(&r);
    }
}

static void a_message_over_the_limit_is_closed_with_1009(void **state)
{
    (void)state;
    struct raw r;
    AUTO(mem_freep) char *big = mem_alloc(1048577);
    memset(big, 'x', 1048577);
    raw_open(&r, h.target, NULL);
    raw_frame(&r, 0x81, big, 1048577);
    assert_int_equal(raw_close_code(&r, 8000), 1009);
    raw_close(&r);
    raw_open(&r, h.target, NULL); /* the same in fragments, none of them too big */
    raw_frame(&r, 0x01, big, 600000);
    raw_frame(&r, 0x00, big, 600000);
    assert_int_equal(raw_close_code(&r, 8000), 1009);
    raw_close(&r);
}

static void a_message_at_the_limit_and_in_fragments_is_served(void **state)
{
    (void)state;
    struct raw r;
    AUTO(mem_freep) char *big = mem_alloc(1048576);
    memset(big, ' ', 1048576);
    memcpy(big, PING, strlen(PING));
    raw_open(&r, h.target, NULL);
    raw_frame(&r, 0x81, big, 1048576);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"id\":1,\"result\""));
    raw_frame(&r, 0x01, big, 7);
    raw_frame(&r, 0x89, "tick", 4); /* a ping between fragments */
    raw_frame(&r, 0x00, big + 7, 0);
    raw_frame(&r, 0x80, big + 7, strlen(PING) - 7);
    assert_int_equal(raw_next(&r, 5000), 10);
    assert_string_equal(r.payload, "tick");
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"id\":1,\"result\""));
    raw_close(&r);
}

/* A message that comes in the same packet as the handshake, and one byte at a time. */
static void hurried_and_hesitant_peers_are_served(void **state)
{
    (void)state;
    struct raw r;
    assert_true(raw_connect(&r, h.target, NULL));
    AUTO(buf_free) struct buf all = {0};
    buf_text(&all, "GET /ws HTTP/1.1\r\n" UPGRADE KEY "Sec-WebSocket-Version: 13\r\n\r\n\x81\xaf\1\1\1\1");
    assert_int_equal(strlen(PING), 0x2f);
    for (const char *p = PING; *p; p++)
        buf_char(&all, (char)(*p ^ 1));
    raw_request(&r, all.data);
    assert_int_equal(r.status, 101);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"result\""));
    for (const char *p = all.data + all.length - strlen(PING) - 6; p < all.data + all.length; p++)
        raw_bytes(&r, p, 1);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"result\""));
    raw_close(&r);
}

/* Many replies at once: the frames that we join ourselves arrive whole and in order. */
static void replies_joined_in_one_send_are_whole(void **state)
{
    (void)state;
    struct raw r;
    raw_open(&r, h.target, NULL);
    AUTO(buf_free) struct buf burst = {0};
    for (int i = 0; i < 100; i++) {
        char text[80];
        snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"server.info\"}", i);
        assert_true(raw_text(&r, text));
    }
    for (int i = 0; i < 100; i++) {
        char start[60];
        snprintf(start, sizeof start, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"result\":{", i);
        assert_int_equal(raw_next(&r, 8000), 1);
        assert_true(r.final);
        assert_memory_equal(r.payload, start, strlen(start));
        assert_memory_equal(r.payload + r.length - 3, "}}}", 3);
    }
    raw_close(&r);
}

static void slow_readers_slow_nobody_and_are_closed(void **state)
{
    (void)state;
    struct raw slow, other;
    raw_open(&slow, h.socket, NULL);
    raw_open(&other, h.socket, NULL);
    int sent = 0; /* replies of some 50 KB each, never read: far over the bound */
    while (sent < 2000 && raw_text(&slow, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rpc.discover\"}"))
        sent++;
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    raw_text(&other, PING);
    assert_int_equal(raw_next(&other, 5000), 1);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 0, 2);
    AUTO(mem_freep) char *log = NULL;
    for (int tries = 0; tries < 100 && !(log && strstr(log, "code=4408")); tries++) {
        mem_freep(&log);
        usleep(100000);
        log = harness_log(&h);
    }
    assert_non_null(strstr(log, "code=4408"));
    raw_close(&slow);
    raw_close(&other);
}

static void the_unix_socket_serves_and_knows_its_peer(void **state)
{
    (void)state;
    struct raw r;
    char expected[60];
    raw_open(&r, h.socket, NULL);
    raw_text(&r, PING);
    assert_int_equal(raw_next(&r, 5000), 1);
    raw_close(&r);
    snprintf(expected, sizeof expected, "address=uid:%d\n", (int)getuid());
    AUTO(mem_freep) char *log = harness_log(&h);
    assert_non_null(strstr(log, expected));
}

static void a_token_in_the_address_is_never_logged(void **state)
{
    (void)state;
    struct raw r;
    assert_true(raw_connect(&r, h.target, NULL));
    raw_handshake(&r, "/ws?token=sekrit.sekrit.sekrit", "");
    assert_int_equal(r.status, 101);
    assert_int_equal(raw_close_code(&r, 8000), 4401);
    raw_close(&r);
    assert_true(raw_connect(&r, h.target, NULL));
    raw_request(&r, "GET /nothing?token=sekrit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer sekrit\r\n\r\n");
    raw_close(&r);
    AUTO(mem_freep) char *log = harness_log(&h);
    assert_null(strstr(log, "sekrit"));
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, (const char *[]){"EDURAG_RATE_ADDRESS=1000000", NULL});
    return 0;
}

/* With peers still connected, one of them deaf: it tells them, and ends in time. */
static void sigterm_says_goodbye_and_ends_in_time(void **state)
{
    (void)state;
    struct raw r, deaf;
    struct timespec from, to;
    raw_open(&r, h.target, NULL);
    raw_open(&deaf, h.target, NULL);
    clock_gettime(CLOCK_MONOTONIC, &from);
    assert_int_equal(kill(h.pid, SIGTERM), 0);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_string_equal(r.payload,
                        "{\"jsonrpc\":\"2.0\",\"method\":\"server.closing\",\"params\":{\"reason\":\"shutdown\"}}");
    assert_int_equal(raw_close_code(&r, 5000), 1001);
    raw_close(&r);
    assert_int_equal(harness_stop(&h), 0);
    clock_gettime(CLOCK_MONOTONIC, &to);
    assert_in_range(to.tv_sec - from.tv_sec, 0, 11);
    raw_close(&deaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_are_answered_with_their_status),
        cmocka_unit_test(odd_requests_are_answered_with_their_status),
        cmocka_unit_test(a_head_is_that_of_its_body),
        cmocka_unit_test(broken_peers_are_closed_with_their_code),
        cmocka_unit_test(a_message_over_the_limit_is_closed_with_1009),
        cmocka_unit_test(a_message_at_the_limit_and_in_fragments_is_served),
        cmocka_unit_test(hurried_and_hesitant_peers_are_served),
        cmocka_unit_test(replies_joined_in_one_send_are_whole),
        cmocka_unit_test(slow_readers_slow_nobody_and_are_closed),
        cmocka_unit_test(the_unix_socket_serves_and_knows_its_peer),
        cmocka_unit_test(a_token_in_the_address_is_never_logged),
        cmocka_unit_test(sigterm_says_goodbye_and_ends_in_time),
    };
    return cmocka_run_group_tests_name("socket", tests, start, NULL);
}
