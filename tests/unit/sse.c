/* sse.c - server-sent events come out whole, however they were cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/models/sse.h"

static bool collect(void *context, const char *data, size_t length, struct err *err)
{
    (void)err;
    struct buf *all = context;
    buf_char(all, '<');
    buf_bytes(all, data, length);
    buf_char(all, '>');
    return true;
}

static bool refuse(void *context, const char *data, size_t length, struct err *err)
{
    (void)data;
    (void)length;
    ++*(int *)context;
    return err_set(err, ERR_UPSTREAM, "enough");
}

static const struct {
    const char *stream, *events;
} cases[] = {
    {"data: a\n\n", "<a>"},
    {"data:a\n\ndata:  b\n\n", "<a>< b>"},
    {"data: a\r\n\r\ndata: b\r\n\r\n", "<a><b>"},
    {"data: a\r\rdata: b\r\r", "<a><b>"},
    {"data: a\ndata: b\n\n", "<a\nb>"},
    {": comment\n\n:\n\ndata: a\n\n", "<a>"},
    {"event: x\nid: 7\nretry: 10\ndata: a\n\n", "<a>"},
    {"event: only\n\n", ""},
    {"data\n\n", "<>"},
    {"data: \n\n", "<>"},
    {"data: käse ünd 日本 😀\n\n", "<käse ünd 日本 😀>"},
    {"\xEF\xBB\xBF"
     "data: a\n\n",
     "<a>"},
    {"datax: a\n\ndata: b\n\n", "<b>"},
    {"data: {\"a\":\"b: c\"}\n\n", "<{\"a\":\"b: c\"}>"},
    {"data: last, without its blank line", "<last, without its blank line>"},
    {"data: last\n", "<last>"},
    {"\n\n\r\n\r\n", ""},
    {"", ""},
    {"data: [DONE]\n\ntrailing", "<[DONE]>"},
};

static void every_fragmentation_gives_the_same_events(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t length = strlen(cases[i].stream);
        for (size_t piece = 1; piece <= length + 1; piece++) {
            AUTO(buf_free) struct buf got = {0};
            AUTO(sse_free) struct sse sse = {0};
            for (size_t at = 0; at < length; at += piece)
                assert_true(sse_feed(&sse, cases[i].stream + at, length - at < piece ? length - at : piece, collect,
                                     &got, NULL));
            assert_true(sse_end(&sse, collect, &got, NULL));
            if (strcmp(got.data ? got.data : "", cases[i].events))
                fail_msg("case %zu in pieces of %zu: %s", i, piece, got.data ? got.data : "");
        }
    }
}

static void a_line_without_end_is_refused(void **state)
{
    (void)state;
    AUTO(sse_free) struct sse sse = {0};
    AUTO(buf_free) struct buf got = {0};
    struct err err = {0};
    char piece[65536];
    memset(piece, 'x', sizeof piece);
    assert_true(sse_feed(&sse, "data: ", 6, collect, &got, &err));
    size_t sent = 0;
    while (sent < (10u << 20) && sse_feed(&sse, piece, sizeof piece, collect, &got, &err))
        sent += sizeof piece;
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_true(sent <= SSE_EVENT_MOST);
    assert_null(got.data);
}

static void many_lines_of_one_event_are_bounded_too(void **state)
{
    (void)state;
    AUTO(sse_free) struct sse sse = {.most = 100};
    AUTO(buf_free) struct buf got = {0};
    struct err err = {0};
    int lines = 0;
    while (lines < 1000 && sse_feed(&sse, "data: 0123456789\n", 17, collect, &got, &err))
        lines++;
    assert_int_equal(err.code, ERR_TOO_LARGE);
    assert_in_range(lines, 5, 10);
}

static void a_listener_that_refuses_ends_it(void **state)
{
    (void)state;
    AUTO(sse_free) struct sse sse = {0};
    struct err err = {0};
    int calls = 0;
    assert_false(sse_feed(&sse, "data: a\n\ndata: b\n\n", 18, refuse, &calls, &err));
    assert_int_equal(calls, 1);
    assert_int_equal(err.code, ERR_UPSTREAM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fragmentation_gives_the_same_events),
        cmocka_unit_test(a_line_without_end_is_refused),
        cmocka_unit_test(many_lines_of_one_event_are_bounded_too),
        cmocka_unit_test(a_listener_that_refuses_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
