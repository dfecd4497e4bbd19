/* document.c - a PDF as the server reads it: pages of lines, then pages of text. */
#include "server/ingest/document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/ingest/headings.h"
#include "server/ingest/hyphens.h"
#include "server/ingest/repeats.h"

struct document *document_new(size_t pages)
{
    struct document *document = mem_alloc(sizeof *document);
    document->pages = mem_array(pages, sizeof *document->pages);
    document->page_count = pages;
    for (size_t i = 0; i < pages; i++) {
        document->pages[i].number = (int)i + 1;
        document->pages[i].status = PAGE_FAILED;
        document->pages[i].label = mem_dup("");
    }
    return document;
}

void document_free(struct document *document)
{
    if (!document)
        return;
    for (size_t p = 0; p < document->page_count; p++) {
        struct page *page = &document->pages[p];
        for (size_t i = 0; i < page->line_count; i++)
            free(page->lines[i].text);
        free(page->lines);
        free(page->label);
        free(page->text);
    }
    for (size_t i = 0; i < document->outline_count; i++)
        free(document->outline[i].title);
    for (size_t i = 0; i < document->heading_count; i++)
        free(document->headings[i].title);
    free(document->outline);
    free(document->headings);
    free(document->pages);
    free(document);
}

void document_freep(struct document **document)
{
    document_free(*document);
    *document = NULL;
}

/* The usual distance between two lines, as a multiple of their size. */
static float usual_pitch(const struct document *document)
{
    size_t counts[40] = {0}, best = 12;
    for (size_t p = 0; p < document->page_count; p++)
        for (size_t i = 1; i < document->pages[p].line_count; i++) {
            const struct line *a = &document->pages[p].lines[i - 1], *b = a + 1;
            float step = b->size > 0 ? (b->y2 - a->y2) / b->size : 0;
            if (step > 0.5f && step < 3.9f && fabsf(a->size - b->size) < 0.6f)
                counts[lroundf(step * 10)]++;
        }
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        if (counts[i] > counts[best])
            best = i;
    return (float)best / 10;
}

static bool bullet(const char *text)
{
    static const uint32_t marks[] = {0x2022, 0x25B6, 0x25CF, 0x25AA, 0x25E6, 0x2013,
                                     0x2014, 0x2023, 0x25BA, 0x00B7, '*',    '-'};
    size_t at = 0, length = strlen(text);
    uint32_t first = length ? text_next(text, length, &at) : 0;
    for (size_t i = 0; i < COUNT_OF(marks); i++)
        if (first == marks[i] && at < length && text[at] == ' ')
            return true;
    return false;
}

static bool ends_sentence(const char *text)
{
    size_t length = strlen(text);
    return length && strchr(".!?:", text[length - 1]);
}

static bool breaks(const struct line *before, const struct line *line, float right)
{
    float size = fmaxf(line->size, 1);
    if (line->heading || before->heading)
        return !(line->heading && line->heading == before->heading);
    if (bullet(line->text) || fabsf(line->size - before->size) > 0.13f * size)
        return true;
    if (line->bold != before->bold && ends_sentence(before->text))
        return true;
    if (line->gap)
        return true;
    bool same_column = line->y1 > before->y1;
    if (!same_column || !ends_sentence(before->text))
        return false;
    return before->x2 < right - 4 * size || line->x1 > before->x1 + 0.8f * size;
}

/* Which lines begin something new, also across the page's edge: `last` is the line before, or NULL. */
static void mark_paragraphs(struct page *page, const struct line *last, float pitch)
{
    float right = 0;
    for (size_t i = 0; i < page->line_count; i++)
        right = fmaxf(right, page->lines[i].x2);
    for (size_t i = 0; i < page->line_count; i++) {
        struct line *line = &page->lines[i];
        const struct line *before = i ? line - 1 : NULL;
        if (before && before->repeated == line->repeated) {
            float step = line->y2 - before->y2, size = fmaxf(line->size, 1);
            line->gap = step > size * fmaxf(pitch * 1.35f, pitch + 0.3f);
            line->paragraph = breaks(before, line, right);
        } else {
            line->gap = before != NULL;
            line->paragraph = line->repeated || !last || breaks(last, line, right);
        }
    }
}

static void write_text(struct page *page)
{
    struct buf text = {0};
    bool body = false;
    for (size_t i = 0; i < page->line_count; i++) {
        struct line *line = &page->lines[i];
        if (i)
            buf_text(&text, line->gap ? "\n\n" : "\n");
        line->start = text.length;
        buf_text(&text, line->text);
        line->end = text.length;
        if (line->repeated)
            continue;
        if (!body)
            page->body_start = line->start;
        body = true;
        page->body_end = line->end;
    }
    page->length = text.length;
    page->text = buf_take(&text);
}

void document_finish(struct document *document)
{
    repeats_mark(document);
    hyphens_join(document);
    headings_find(document);
    float pitch = usual_pitch(document);
    const struct line *last = NULL;
    for (size_t p = 0; p < document->page_count; p++) {
        struct page *page = &document->pages[p];
        mark_paragraphs(page, last, pitch);
        write_text(page);
        for (size_t i = 0; i < page->line_count; i++)
            if (!page->lines[i].repeated)
                last = &page->lines[i];
    }
}

size_t document_without_text(const struct document *document)
{
    size_t count = 0;
    for (size_t p = 0; p < document->page_count; p++)
        count += document->pages[p].status != PAGE_OK;
    return count;
}
