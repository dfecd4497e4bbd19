/* paper.c - pages for tests, as an extractor would send them. */
#include "tests/lib/paper.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"
#include "server/ingest/frames.h"
#include "server/ingest/lines.h"

static void u32(struct buf *b, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        buf_char(b, (char)(v >> 8 * i));
}

static void f32(struct buf *b, float v)
{
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    u32(b, bits);
}

static void box(struct paper *paper, float x, float y, float size)
{
    f32(&paper->boxes, x);
    f32(&paper->boxes, y);
    f32(&paper->boxes, x + size / 2);
    f32(&paper->boxes, y + size);
    paper->characters++;
}

void paper_line(struct paper *paper, float x, float y, float size, int flags, const char *text)
{
    if (paper->characters) {
        buf_char(&paper->text, '\n');
        box(paper, x, y, size);
    }
    u32(&paper->fonts, paper->characters);
    for (size_t at = 0, length = strlen(text); at < length; x += size / 2) {
        text_append(&paper->text, text_next(text, length, &at));
        box(paper, x, y, size);
    }
    u32(&paper->fonts, paper->characters);
    f32(&paper->fonts, size);
    buf_char(&paper->fonts, (char)flags);
    paper->font_count++;
}

static void put(struct buf *b, struct buf *part, uint32_t count)
{
    u32(b, count);
    buf_bytes(b, part->data ? part->data : "", part->length);
    buf_free(part);
}

struct buf paper_payload(struct paper *paper, uint32_t number, const char *label)
{
    struct buf b = {0};
    u32(&b, number);
    f32(&b, 595);
    f32(&b, 842);
    u32(&b, (uint32_t)strlen(label));
    buf_text(&b, label);
    put(&b, &paper->text, (uint32_t)paper->text.length);
    put(&b, &paper->boxes, paper->characters);
    put(&b, &paper->fonts, paper->font_count);
    *paper = (struct paper){0};
    return b;
}

void paper_page(struct paper *paper, uint32_t number, const char *label, struct page *page)
{
    struct buf payload = paper_payload(paper, number, label);
    struct frame_page frame;
    if (!frames_page((const unsigned char *)payload.data, payload.length, &frame))
        abort();
    lines_build(&frame, page);
    buf_free(&payload);
}
