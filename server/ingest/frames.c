/* frames.c - reads what a process says that a hostile PDF may own. Pure: bytes in, views of them out. */
#include "server/ingest/frames.h"

#include <math.h>
#include <string.h>

#include "common/text.h"

enum { BOX_BYTES = 16, FONT_BYTES = 13 };

struct reader {
    const unsigned char *bytes;
    size_t length, at;
    bool broken;
};

static const unsigned char *take(struct reader *r, size_t n)
{
    if (r->broken || n > r->length - r->at) {
        r->broken = true;
        return NULL;
    }
    r->at += n;
    return r->bytes + r->at - n;
}

static uint32_t le32(const unsigned char *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint32_t take_u32(struct reader *r)
{
    const unsigned char *p = take(r, 4);
    return p ? le32(p) : 0;
}

static float as_float(const unsigned char *p)
{
    uint32_t bits = le32(p);
    float value;
    memcpy(&value, &bits, sizeof value);
    /* Nothing on a page is further out than this; it also keeps sums of coordinates finite. */
    return isfinite(value) && fabsf(value) < 1e6f ? value : 0;
}

static float take_float(struct reader *r)
{
    const unsigned char *p = take(r, 4);
    return p ? as_float(p) : 0;
}

static const char *take_text(struct reader *r, size_t most, size_t *length)
{
    uint32_t n = take_u32(r);
    const char *text = (const char *)take(r, n);
    if (!text || n > most || !text_valid_utf8(text, n)) {
        r->broken = true;
        return NULL;
    }
    *length = n;
    return text;
}

bool frames_next(const unsigned char *bytes, size_t length, int *type, const unsigned char **payload,
                 size_t *payload_length, size_t *taken)
{
    *taken = 0;
    if (length < FRAME_HEAD)
        return true;
    uint32_t size = le32(bytes);
    if (size > FRAME_MOST || !memchr("DOPER", bytes[4], 5))
        return false;
    if (length - FRAME_HEAD < size)
        return true;
    *type = bytes[4];
    *payload = bytes + FRAME_HEAD;
    *payload_length = size;
    *taken = FRAME_HEAD + (size_t)size;
    return true;
}

bool frames_document(const unsigned char *payload, size_t length, uint32_t *pages)
{
    struct reader r = {payload, length, 0, false};
    uint32_t count = take_u32(&r);
    if (r.broken || r.at != length || count == 0 || count > INT32_MAX)
        return false;
    *pages = count;
    return true;
}

bool frames_refused(const unsigned char *payload, size_t length, enum frame_refusal *refusal)
{
    if (length != 1 || payload[0] < REFUSED_ENCRYPTED || payload[0] > REFUSED_PAGELESS)
        return false;
    *refusal = (enum frame_refusal)payload[0];
    return true;
}

bool frames_page(const unsigned char *payload, size_t length, struct frame_page *page)
{
    struct reader r = {payload, length, 0, false};
    struct frame_page p = {0};
    p.number = take_u32(&r);
    p.width = take_float(&r);
    p.height = take_float(&r);
    p.label = take_text(&r, FRAME_TITLE_MOST, &p.label_length);
    p.text = take_text(&r, (size_t)FRAME_CHARACTERS * 4, &p.text_length);
    size_t boxes = take_u32(&r);
    p.boxes = take(&r, boxes * BOX_BYTES);
    p.font_count = take_u32(&r);
    p.fonts = take(&r, p.font_count * FONT_BYTES);
    if (r.broken || r.at != length)
        return false;
    p.characters = text_count(p.text, p.text_length);
    if (boxes != p.characters || boxes > FRAME_CHARACTERS)
        return false;
    *page = p;
    return true;
}

bool frames_item(const unsigned char *payload, size_t length, size_t *at, struct frame_item *item)
{
    struct reader r = {payload, length, *at, false};
    struct frame_item out = {.page = take_u32(&r)};
    const unsigned char *level = take(&r, 1);
    out.title = take_text(&r, FRAME_TITLE_MOST, &out.length);
    if (r.broken)
        return false;
    out.level = *level < FRAME_LEVELS ? *level : FRAME_LEVELS - 1;
    *item = out;
    *at = r.at;
    return true;
}

struct frame_box frames_box(const struct frame_page *page, size_t i)
{
    const unsigned char *p = page->boxes + i * BOX_BYTES;
    return (struct frame_box){as_float(p), as_float(p + 4), as_float(p + 8), as_float(p + 12)};
}

struct frame_font frames_font(const struct frame_page *page, size_t i)
{
    const unsigned char *p = page->fonts + i * FONT_BYTES;
    uint32_t most = (uint32_t)page->characters, start = le32(p), end = le32(p + 4);
    if (end > most)
        end = most;
    if (start > end)
        start = end;
    return (struct frame_font){start, end, as_float(p + 8), p[12]};
}
