/* frames.h - what the extractor says about a PDF, and how the server reads it without believing it.
 *
 * A frame is a u32 length of its payload, a type byte, the payload; all numbers little-endian, text as
 * UTF-8 behind its length. First DOCUMENT (or REFUSED, and nothing more), then OUTLINE, a PAGE for each
 * page in order, END. A PDF may own the process that writes them: the readers here bound every
 * count by the bytes that are there, and hand out nothing that points outside the payload.
 *
 *   DOCUMENT  u32 pages
 *   OUTLINE   items: u32 page (0: none), u8 level (from 0), text title
 *   PAGE      u32 number (from 1), f32 width, f32 height (points), text label, text32 text,
 *             u32 boxes: f32 x1 y1 x2 y2 a code point of text, from the page's top left corner,
 *             u32 fonts: u32 start, u32 end (code points, end exclusive), f32 size, u8 flags
 *   REFUSED   u8 enum frame_refusal
 */
#ifndef INGEST_FRAMES_H
#define INGEST_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum frame_type { FRAME_DOCUMENT = 'D', FRAME_OUTLINE = 'O', FRAME_PAGE = 'P', FRAME_END = 'E', FRAME_REFUSED = 'R' };
enum frame_refusal { REFUSED_ENCRYPTED = 1, REFUSED_BROKEN = 2, REFUSED_PAGELESS = 3 };
enum frame_font_flags { FONT_BOLD = 1, FONT_ITALIC = 2 };

enum {
    FRAME_HEAD = 5,
    FRAME_MOST = 24 << 20,     /* bytes of a payload */
    FRAME_CHARACTERS = 400000, /* of a page; the rest of a longer one is left out */
    FRAME_OUTLINE_MOST = 5000, /* items */
    FRAME_TITLE_MOST = 400,    /* bytes of a title or label */
    FRAME_LEVELS = 8,
    EXTRACTOR_PDF_FD = 3, /* where the extractor finds the PDF; frames leave on 1 */
};

struct frame_box {
    float x1, y1, x2, y2;
};

struct frame_font {
    uint32_t start, end;
    float size;
    uint8_t flags;
};

struct frame_item {
    uint32_t page;
    int level;
    const char *title; /* `length` bytes of valid UTF-8, lent by the payload, not terminated */
    size_t length;
};

struct frame_page {
    uint32_t number;
    float width, height;
    const char *label, *text; /* valid UTF-8, lent by the payload */
    size_t label_length, text_length, characters;
    const unsigned char *boxes, *fonts; /* read by frames_box, frames_font */
    size_t font_count;
};

/* The next whole frame of `bytes`: its type and payload; `taken` counts what it used, 0 where more bytes
 * are needed. false: no extractor of ours writes this. */
bool frames_next(const unsigned char *bytes, size_t length, int *type, const unsigned char **payload,
                 size_t *payload_length, size_t *taken);
bool frames_document(const unsigned char *payload, size_t length, uint32_t *pages);
bool frames_refused(const unsigned char *payload, size_t length, enum frame_refusal *refusal);
bool frames_page(const unsigned char *payload, size_t length, struct frame_page *page);
/* Item by item from *at = 0; false at the end and for what is damaged. */
bool frames_item(const unsigned char *payload, size_t length, size_t *at, struct frame_item *item);
struct frame_box frames_box(const struct frame_page *page, size_t i);   /* finite numbers only */
struct frame_font frames_font(const struct frame_page *page, size_t i); /* start <= end <= characters */

#endif
