/* lines.c - the lines of a page, rebuilt from where its characters stand.
 *
 * poppler orders characters by blocks, so columns come one after the other; but it breaks a line at every
 * wide gap ("1.1" and its heading) and glues what a gap keeps apart ("Overview" and its page number).
 * Boxes decide: a gap of more than an em is a blank, and a short piece is joined to what follows it on
 * the same baseline.
 */
#include "server/ingest/lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/normal.h"

enum { LINES_MOST = 4000 }; /* of a page; behind them a line's end is a blank */

struct builder {
    const struct frame_page *frame;
    struct page *page;
    size_t capacity;
    struct buf text;            /* of the line that is being built */
    struct frame_box box, last; /* of the line; of its last character */
    size_t count, bold;         /* its characters that are not blank */
    double sizes;
    size_t font, last_font;     /* run at or behind the current character; of the last one */
    size_t unknown, characters; /* of the page, not blank */
    size_t controls;            /* characters that no text has: in shifted alphabets the blank is one */
};

static struct frame_font font_at(struct builder *b, size_t i)
{
    while (b->font + 1 < b->frame->font_count && frames_font(b->frame, b->font).end <= i)
        b->font++;
    return b->frame->font_count ? frames_font(b->frame, b->font) : (struct frame_font){0};
}

static float height(struct frame_box box)
{
    return fabsf(box.y2 - box.y1);
}

static bool single_capital(const struct line *line)
{
    size_t at = 0, length = strlen(line->text);
    return length && normal_upper(text_next(line->text, length, &at)) && at == length;
}

/* Whether `next` stands on the line of `line`, to its right, and belongs to it. */
static bool continues(const struct line *line, const struct line *next)
{
    float top = fmaxf(line->y1, next->y1), bottom = fminf(line->y2, next->y2);
    float least = fminf(line->y2 - line->y1, next->y2 - next->y1);
    float em = fmaxf(next->size, 1), gap = next->x1 - line->x2, width = line->x2 - line->x1;
    if (least <= 0 || bottom - top < 0.6f * least || gap < -0.3f * em)
        return false;
    return gap < 1.5f * em || (width < 6 * em && gap < 8 * em);
}

static void join(struct line *line, struct line *next)
{
    size_t at = 0;
    /* A large initial belongs to its word. */
    bool initial = line->size > 1.5f * next->size && single_capital(line) && *next->text &&
                   normal_upper(text_next(next->text, strlen(next->text), &at));
    char *text = mem_printf(initial ? "%s%s" : "%s %s", line->text, next->text);
    free(line->text);
    free(next->text);
    line->text = text;
    if (next->x2 - next->x1 > line->x2 - line->x1) {
        line->size = next->size;
        line->bold = next->bold;
    }
    line->x2 = fmaxf(line->x2, next->x2);
    line->y1 = fminf(line->y1, next->y1);
    line->y2 = fmaxf(line->y2, next->y2);
}

static void end_line(struct builder *b)
{
    while (b->text.length && b->text.data[b->text.length - 1] == ' ')
        b->text.data[--b->text.length] = '\0';
    if (b->text.length) {
        struct line line = {
            .text = normal_display(b->text.data, b->text.length),
            .x1 = b->box.x1,
            .y1 = b->box.y1,
            .x2 = b->box.x2,
            .y2 = b->box.y2,
            .size = b->count ? (float)(b->sizes / (double)b->count) : 0,
            .bold = b->bold * 2 > b->count,
        };
        struct page *page = b->page;
        if (page->line_count && continues(&page->lines[page->line_count - 1], &line)) {
            join(&page->lines[page->line_count - 1], &line);
        } else {
            if (page->line_count == b->capacity) {
                b->capacity = b->capacity ? b->capacity * 2 : 64;
                page->lines = mem_grow(page->lines, b->capacity, sizeof *page->lines);
            }
            page->lines[page->line_count++] = line;
        }
    }
    buf_clear(&b->text);
    b->count = b->bold = 0;
    b->sizes = 0;
}

static void add(struct builder *b, uint32_t c, size_t i)
{
    struct frame_box box = frames_box(b->frame, i);
    struct frame_font font = font_at(b, i);
    float size = font.size > 0 ? font.size : height(box);
    bool after_blank = !b->text.length || b->text.data[b->text.length - 1] == ' ';
    b->characters++;
    if (normal_unknown(c)) {
        b->unknown++;
        return;
    }
    /* Where the font changes a smaller gap parts too: an item's number and its text, an option and what it does. */
    float gap = box.x1 - b->last.x2, parting = b->font == b->last_font ? fmaxf(size, 1) : 0.2f * fmaxf(size, 1);
    if (!after_blank && gap > parting)
        buf_char(&b->text, ' ');
    b->last_font = b->font;
    if (!b->count) {
        b->box = box;
    } else {
        b->box.x1 = fminf(b->box.x1, box.x1);
        b->box.y1 = fminf(b->box.y1, box.y1);
        b->box.x2 = fmaxf(b->box.x2, box.x2);
        b->box.y2 = fmaxf(b->box.y2, box.y2);
    }
    b->last = box;
    b->count++;
    b->bold += (font.flags & FONT_BOLD) != 0;
    b->sizes += size;
    text_append(&b->text, c);
}

static bool blank(uint32_t c)
{
    return c == ' ' || c == '\t' || c == 0xA0 || c == 0x3000 || (c >= 0x2000 && c <= 0x200B) || c == 0x202F;
}

static int vowel(char c)
{
    return c && strchr("aeiouAEIOU", c) != NULL;
}

bool lines_garbage(const char *text, size_t length, size_t unknown, size_t characters)
{
    if (unknown * 10 > characters * 3)
        return true;
    size_t letters = 0, latin = 0, vowels = 0, seen = 0;
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(text, length, &at);
        if (c == ' ' || c == '\n')
            continue;
        seen++;
        letters += normal_letter(c) || (c >= '0' && c <= '9');
        latin += c < 0x80 && normal_letter(c);
        vowels += c < 0x80 && vowel((char)c);
    }
    /* Codes of glyphs taken for characters: signs instead of letters, or Latin letters with hardly a
     * vowel. Languages have more than 30 % of them, globins 14.6, alphabets shifted by 29 (the glyph numbers
     * of many fonts) 12 to 14. */
    if (seen >= 100 && letters * 4 < seen && latin * 20 < seen)
        return true;
    return latin >= 200 && latin * 10 > letters * 9 && vowels * 1000 < latin * 143;
}

static void set_status(struct builder *b)
{
    struct buf all = {0};
    for (size_t i = 0; i < b->page->line_count; i++) {
        buf_text(&all, b->page->lines[i].text);
        buf_char(&all, '\n');
    }
    if (!b->characters)
        b->page->status = PAGE_EMPTY;
    else if (lines_garbage(all.data ? all.data : "", all.length, b->unknown, b->characters) ||
             b->controls * 12 > b->characters)
        b->page->status = PAGE_GARBAGE;
    else
        b->page->status = PAGE_OK;
    buf_free(&all);
}

void lines_build(const struct frame_page *frame, struct page *page)
{
    struct builder b = {.frame = frame, .page = page};
    page->width = frame->width;
    page->height = frame->height;
    struct buf label = {0};
    text_clean(&label, frame->label, frame->label_length, TEXT_ONE_LINE);
    free(page->label);
    page->label = buf_take(&label);
    size_t i = 0;
    for (size_t at = 0; at < frame->text_length; i++) {
        uint32_t c = text_next(frame->text, frame->text_length, &at);
        if (b.page->line_count >= LINES_MOST && c < ' ')
            c = ' ';
        if (c == '\n' || c == '\r' || c == '\f' || c == 0x2028 || c == 0x2029) {
            end_line(&b);
        } else if (blank(c)) {
            if (b.text.length && b.text.data[b.text.length - 1] != ' ')
                buf_char(&b.text, ' ');
        } else if (c == 0xAD) { /* a soft hyphen shows at the end of a line only */
            if (at == frame->text_length || frame->text[at] == '\n')
                add(&b, '-', i);
        } else if (!normal_control(c)) {
            add(&b, c, i);
        } else {
            b.controls++;
        }
    }
    end_line(&b);
    set_status(&b);
    buf_free(&b.text);
}
