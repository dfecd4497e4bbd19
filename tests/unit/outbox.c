/* outbox.c - what waits to be sent: framing, joining, fragments, and the bound. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/net/outbox.h"

static unsigned char space[OUTBOX_SEND];

static void put(struct outbox *box, size_t length, char fill)
{
    char *text = mem_alloc(length + 1);
    memset(text, fill, length);
    struct frame *frame = frame_take(text, length);
    assert_int_equal(outbox_put(box, frame, false), OUTBOX_PUT);
    frame_unref(frame);
}

static void frames_are_joined_as_the_protocol_wants_them(void **state)
{
    (void)state;
    struct outbox box = {0};
    put(&box, 3, 'a');
    put(&box, 126, 'b');
    put(&box, 0, 'c');
    size_t n = outbox_gather(&box, space, sizeof space);
    assert_int_equal(n, 2 + 3 + 4 + 126 + 2);
    assert_memory_equal(space,
                        "\x81\x03"
                        "aaa"
                        "\x81\x7e\x00\x7e"
                        "bb",
                        11);
    assert_memory_equal(space + n - 2, "\x81\x00", 2);
    assert_true(outbox_empty(&box));
    assert_int_equal(box.bytes, 0);
}

/* Every send ends where a frame ends, so that a ping of the library's may stand behind it. */
static void big_messages_become_fragments(void **state)
{
    (void)state;
    struct outbox box = {0};
    size_t total = 3 * OUTBOX_PIECE + 5, payload = 0, frames = 0;
    put(&box, total, 'x');
    put(&box, 1, 'y');
    while (!outbox_empty(&box)) {
        size_t n = outbox_gather(&box, space, sizeof space), at = 0;
        assert_true(n > 0);
        while (at < n) {
            int first = space[at];
            size_t length = space[at + 1], head = 2;
            if (length == 126) {
                length = (size_t)space[at + 2] << 8 | space[at + 3];
                head = 4;
            }
            assert_true(length < 127 || head == 4);
            if (frames < 4)
                assert_int_equal(first, (frames == 0 ? 0x01 : frames == 3 ? 0x80 : 0x00));
            else
                assert_int_equal(first, 0x81);
            frames++;
            payload += length;
            at += head + length;
        }
        assert_int_equal(at, n);
    }
    assert_int_equal(frames, 5);
    assert_int_equal(payload, total + 1);
}

static void a_frame_is_shared_not_copied(void **state)
{
    (void)state;
    struct outbox boxes[100] = {0};
    struct frame *frame = frame_new("hello", 5);
    for (size_t i = 0; i < COUNT_OF(boxes); i++)
        assert_int_equal(outbox_put(&boxes[i], frame, true), OUTBOX_PUT);
    frame_unref(frame);
    for (size_t i = 0; i < 50; i++) {
        assert_int_equal(outbox_gather(&boxes[i], space, sizeof space), 7);
        assert_memory_equal(space, "\x81\x05hello", 7);
    }
    for (size_t i = 50; i < 100; i++)
        outbox_clear(&boxes[i]); /* the leak checker sees whether the last one freed it */
}

static void chat_is_dropped_first_and_the_bound_holds(void **state)
{
    (void)state;
    struct outbox box = {0};
    struct frame *line = frame_new("line", 4);
    put(&box, OUTBOX_CHAT - 4, 'x');
    assert_int_equal(outbox_put(&box, line, true), OUTBOX_PUT);
    assert_int_equal(outbox_put(&box, line, true), OUTBOX_DROPPED);
    assert_int_equal(outbox_put(&box, line, false), OUTBOX_PUT); /* a reply is not chat */
    put(&box, OUTBOX_MOST - box.bytes, 'x');
    assert_int_equal(outbox_put(&box, line, false), OUTBOX_OVER);
    assert_int_equal(box.bytes, OUTBOX_MOST);
    outbox_clear(&box);
    assert_int_equal(box.bytes, 0);
    put(&box, OUTBOX_MOST * 2, 'x'); /* one single message may be longer */
    assert_int_equal(outbox_put(&box, line, false), OUTBOX_OVER);
    outbox_clear(&box);
    frame_unref(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_joined_as_the_protocol_wants_them),
        cmocka_unit_test(big_messages_become_fragments),
        cmocka_unit_test(a_frame_is_shared_not_copied),
        cmocka_unit_test(chat_is_dropped_first_and_the_bound_holds),
    };
    return cmocka_run_group_tests_name("outbox", tests, NULL, NULL);
}
