/* frames.c - what a hostile extractor may say is read without believing it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/text.h"
#include "server/ingest/frames.h"

static void u32(struct buf *b, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        buf_char(b, (char)(v >> 8 * i));
}

static void f32(struct buf *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    u32(b, bits);
}

static void text(struct buf *b, const char *t)
{
    u32(b, (uint32_t)strlen(t));
    buf_text(b, t);
}

/* A page that says "hé", with `boxes` boxes and one font run. */
static struct buf page(const char *words, uint32_t boxes, uint32_t start, uint32_t end)
{
    struct buf b = {0};
    u32(&b, 3);
    f32(&b, 595);
    f32(&b, 842);
    text(&b, "iii");
    text(&b, words);
    u32(&b, boxes);
    for (uint32_t i = 0; i < boxes; i++)
        for (int k = 0; k < 4; k++)
            f32(&b, k == 3 ? (float)(0.0 / 0.0) : (float)i);
    u32(&b, 1);
    u32(&b, start);
    u32(&b, end);
    f32(&b, 11);
    buf_char(&b, FONT_BOLD);
    return b;
}

static const unsigned char *bytes(const struct buf *b)
{
    return (const unsigned char *)b->data;
}

static void a_page_reads_back(void **state)
{
    (void)state;
    struct buf b = page("h\xc3\xa9", 2, 0, 900);
    struct frame_page p;
    assert_true(frames_page(bytes(&b), b.length, &p));
    assert_int_equal(p.number, 3);
    assert_int_equal(p.characters, 2);
    assert_int_equal(p.label_length, 3);
    assert_memory_equal(p.text, "h\xc3\xa9", 3);
    assert_true(frames_box(&p, 1).x1 == 1);
    assert_true(frames_box(&p, 1).y2 == 0); /* was not a number */
    struct frame_font font = frames_font(&p, 0);
    assert_int_equal(font.end, 2);
    assert_int_equal(font.flags, FONT_BOLD);
    buf_free(&b);
}

static void a_page_that_lies_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        uint32_t boxes;
    } cases[] = {
        {"h\xc3\xa9", 3}, {"h\xc3\xa9", 1}, {"\xff", 1}, {"\xed\xa0\x80", 1}, {"", 1},
    };
    struct frame_page p;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b = page(cases[i].words, cases[i].boxes, 0, 1);
        assert_false(frames_page(bytes(&b), b.length, &p));
        buf_free(&b);
    }
    /* Cut anywhere, or with a tail: refused. The copy has exactly as many bytes, for the sanitizer. */
    struct buf b = page("hello", 5, 0, 5);
    for (size_t cut = 0; cut < b.length; cut++) {
        unsigned char *copy = malloc(cut ? cut : 1);
        memcpy(copy, b.data, cut);
        assert_false(frames_page(copy, cut, &p));
        free(copy);
    }
    buf_char(&b, 'x');
    assert_false(frames_page(bytes(&b), b.length, &p));
    buf_free(&b);
}

static void frames_come_in_any_pieces(void **state)
{
    (void)state;
    static const unsigned char frame[] = {2, 0, 0, 0, 'O', 7, 8, 99};
    int type;
    const unsigned char *payload;
    size_t length, taken;
    for (size_t n = 0; n < 7; n++) {
        assert_true(frames_next(frame, n, &type, &payload, &length, &taken));
        assert_int_equal(taken, 0);
    }
    assert_true(frames_next(frame, sizeof frame, &type, &payload, &length, &taken));
    assert_int_equal(taken, 7);
    assert_int_equal(type, 'O');
    assert_int_equal(length, 2);
    static const unsigned char huge[] = {0, 0, 0, 0x7f, 'P'}, strange[] = {0, 0, 0, 0, 'Z'};
    assert_false(frames_next(huge, sizeof huge, &type, &payload, &length, &taken));
    assert_false(frames_next(strange, sizeof strange, &type, &payload, &length, &taken));
}

static void small_frames_are_checked(void **state)
{
    (void)state;
    uint32_t pages = 77;
    enum frame_refusal refusal;
    assert_true(frames_document((const unsigned char *)"\x05\0\0\0", 4, &pages));
    assert_int_equal(pages, 5);
    assert_false(frames_document((const unsigned char *)"\0\0\0\0", 4, &pages));
    assert_false(frames_document((const unsigned char *)"\xff\xff\xff\xff", 4, &pages));
    assert_false(frames_document((const unsigned char *)"\x05\0\0\0x", 5, &pages));
    assert_true(frames_refused((const unsigned char *)"\x01", 1, &refusal));
    assert_false(frames_refused((const unsigned char *)"\x09", 1, &refusal));
    struct buf b = {0};
    u32(&b, 4);
    buf_char(&b, (char)200);
    text(&b, "One");
    size_t at = 0;
    struct frame_item item;
    assert_true(frames_item(bytes(&b), b.length, &at, &item));
    assert_int_equal(item.level, FRAME_LEVELS - 1);
    assert_int_equal(item.length, 3);
    assert_false(frames_item(bytes(&b), b.length, &at, &item));
    buf_free(&b);
}

static void noise_never_reads_outside(void **state)
{
    (void)state;
    uint32_t seed = 11;
    for (int round = 0; round < 20000; round++) {
        struct buf b = page("some words", 10, 2, 5);
        for (int k = 0; k < 4; k++) {
            seed = seed * 1664525u + 1013904223u;
            b.data[(seed >> 8) % b.length] = (char)(seed >> 3);
        }
        struct frame_page p;
        if (frames_page(bytes(&b), b.length, &p)) {
            assert_true(text_valid_utf8(p.text, p.text_length));
            for (size_t i = 0; i < p.characters; i++)
                frames_box(&p, i);
            for (size_t i = 0; i < p.font_count; i++)
                assert_true(frames_font(&p, i).end <= p.characters);
        }
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_reads_back),         cmocka_unit_test(a_page_that_lies_is_refused),
        cmocka_unit_test(frames_come_in_any_pieces), cmocka_unit_test(small_frames_are_checked),
        cmocka_unit_test(noise_never_reads_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
