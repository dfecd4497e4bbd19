/* lagged.c - one member of a room stops reading: the others lose nothing, and it learns what it missed. */
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
#include "tests/lib/harness.h"
#include "tests/lib/raw.h"

enum { READERS = 5, LINES = 600, LINE = 2000 };

static struct harness h;

struct heard {
    int lines;
    int64_t last; /* seq */
    bool disorder;
};

static void on_message(struct ws *ws, const char *text, size_t length, void *context)
{
    struct heard *heard = context;
    struct err err;
    (void)ws;
    AUTO(json_freep) cJSON *json = json_parse(text, length, &err);
    if (strcmp(json_text(json, "method", ""), "chat.message") != 0)
        return;
    int64_t seq = json_int(json_get(json, "params"), "seq", 0);
    heard->disorder = heard->disorder || seq <= heard->last;
    heard->last = seq;
    heard->lines++;
}

static struct raw slow_member(void)
{
    struct raw slow;
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    AUTO(mem_freep) char *header = mem_printf("Authorization: Bearer %s\r\n", token);
    assert_true(raw_connect(&slow, h.socket, NULL));
    raw_handshake(&slow, "/ws", header);
    raw_text(&slow, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"chat.join\"}");
    while (raw_next(&slow, 5000) == 1 && !strstr(slow.payload, "\"id\":1,"))
        ;
    assert_non_null(strstr(slow.payload, "\"messages\""));
    return slow;
}

/* It is still served, and joins again from its last line. */
static void catches_up(struct raw *slow, int64_t last)
{
    AUTO(mem_freep)
    char *join = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"chat.join\",\"params\":{\"after_seq\":%lld}}",
                            (long long)last);
    raw_text(slow, join);
    AUTO(buf_free) struct buf reply = {0};
    for (int opcode; (opcode = raw_next(slow, 5000)) >= 0;) { /* a long reply comes in frames */
        if (opcode == 1)
            buf_clear(&reply);
        buf_bytes(&reply, slow->payload, slow->length);
        if (slow->final && strstr(reply.data, "\"id\":2,"))
            break;
    }
    struct err err;
    AUTO(json_freep) cJSON *json = json_parse(reply.data, reply.length, &err);
    const cJSON *line;
    cJSON_ArrayForEach (line, json_get(json_get(json, "result"), "messages"))
        assert_int_equal(json_int(line, "seq", 0), ++last);
    assert_int_equal(last, LINES);
}

static void a_slow_reader_costs_the_others_nothing_and_is_told(void **state)
{
    (void)state;
    struct ws readers[READERS], speaker;
    struct heard heard[READERS] = {0};
    char line[LINE + 1], params[LINE + 20];
    memset(line, 'x', LINE);
    line[LINE] = '\0';
    snprintf(params, sizeof params, "{\"text\":\"%s\"}", line);
    struct raw slow = slow_member();
    harness_open(&h, &speaker, "tim");
    for (int i = 0; i < READERS; i++) {
        harness_open(&h, &readers[i], "sue");
        assert_string_equal(harness_reason(&readers[i], "chat.join", NULL), "ok");
    }
    for (int n = 0; n < LINES; n++) {
        assert_string_equal(harness_reason(&speaker, "chat.send", params), "ok");
        for (int i = 0; i < READERS; i++)
            assert_true(ws_read(&readers[i], on_message, &heard[i]));
    }
    for (int i = 0; i < READERS; i++) {
        for (int tries = 0; heard[i].lines < LINES && tries < 2000; tries++, usleep(10000))
            assert_true(ws_read(&readers[i], on_message, &heard[i]));
        assert_int_equal(heard[i].lines, LINES);
        assert_false(heard[i].disorder);
        ws_close(&readers[i]);
    }
    int got = 0, dropped = 0, told = 0, last = 0;
    while (raw_next(&slow, 1000) >= 0) {
        const char *at = strstr(slow.payload, "\"dropped\":"), *seq = strstr(slow.payload, "\"seq\":");
        if (strstr(slow.payload, "\"chat.message\"") && seq) {
            assert_int_equal(told, 0); /* what it lacks is one piece, behind the last line it has got */
            last = atoi(seq + strspn(seq, "\"seq: "));
            assert_int_equal(last, ++got);
        }
        if (strstr(slow.payload, "\"chat.lagged\"") && at && ++told)
            dropped += atoi(at + strlen("\"dropped\":"));
    }
    assert_int_equal(told, 1);
    assert_true(dropped > 0);
    assert_int_equal(got + dropped, LINES);
    catches_up(&slow, last);
    raw_close(&slow);
    ws_close(&speaker);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue");
    harness_user(&h, "teacher", "tim", "Tim");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_slow_reader_costs_the_others_nothing_and_is_told)};
    return cmocka_run_group_tests_name("lagged", tests, start, stop);
}
