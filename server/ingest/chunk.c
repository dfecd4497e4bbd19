/* chunk.c - passages: whole sentences, cut evenly within a section. */
#include "server/ingest/chunk.h"

#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/normal.h"

enum { PIECE_WORDS_MOST = 200, PATH_LEVELS = 9 };

/* The running text of a section: its lines, with where each came from. */
struct part {
    size_t at;         /* byte of the section's text */
    size_t page;       /* index */
    size_t start, end; /* bytes of the page's text */
};

struct section {
    struct buf text;
    struct part *parts;
    size_t part_count, part_capacity;
};

/* What is never cut: a sentence, or a piece of one that is longer than a passage may be. */
struct sentence {
    size_t start, end; /* bytes of the section's text; white space at the end left out */
    size_t words;
};

struct maker {
    const struct document *document;
    UBreakIterator *sentences, *words;
    struct section section;
    struct sentence *list;
    size_t list_count, list_capacity;
    struct chunk *chunks;
    size_t count, capacity;
};

static size_t count_words(UBreakIterator *words, const char *text, size_t length)
{
    UErrorCode status = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text, (int64_t)length, &status);
    ubrk_setUText(words, view, &status);
    size_t count = 0;
    while (U_SUCCESS(status) && ubrk_next(words) != UBRK_DONE)
        count += ubrk_getRuleStatus(words) >= UBRK_WORD_NONE_LIMIT;
    utext_close(view);
    return count;
}

static void add_sentence(struct maker *m, size_t start, size_t end, size_t words)
{
    const char *text = m->section.text.data;
    while (end > start && (text[end - 1] == ' ' || text[end - 1] == '\n'))
        end--;
    while (start < end && (text[start] == ' ' || text[start] == '\n'))
        start++;
    if (start == end)
        return;
    if (m->list_count == m->list_capacity)
        m->list = mem_grow(m->list, m->list_capacity = m->list_capacity ? m->list_capacity * 2 : 64, sizeof *m->list);
    m->list[m->list_count++] = (struct sentence){start, end, words};
}

/* Tables and code go on for pages without a full stop: such a sentence is cut between words, at the end
 * of a line where one is near. */
static void add_pieces(struct maker *m, size_t start, size_t end)
{
    const char *text = m->section.text.data + start;
    size_t length = end - start, words = 0, from = 0;
    UErrorCode status = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text, (int64_t)length, &status);
    ubrk_setUText(m->words, view, &status);
    for (int32_t at; U_SUCCESS(status) && (at = ubrk_next(m->words)) != UBRK_DONE;) {
        words += ubrk_getRuleStatus(m->words) >= UBRK_WORD_NONE_LIMIT;
        bool line_end = (size_t)at < length && text[at] == '\n';
        if (words >= PIECE_WORDS_MOST || (words > 0 && (size_t)at - from > 4000) ||
            (line_end && words >= PIECE_WORDS_MOST / 2)) {
            add_sentence(m, start + from, start + (size_t)at, words);
            from = (size_t)at;
            words = 0;
        }
    }
    add_sentence(m, start + from, end, words);
    utext_close(view);
}

static void find_sentences(struct maker *m)
{
    m->list_count = 0;
    const struct buf *text = &m->section.text;
    UErrorCode status = U_ZERO_ERROR;
    UText *view = utext_openUTF8(NULL, text->data, (int64_t)text->length, &status);
    ubrk_setUText(m->sentences, view, &status);
    size_t from = 0;
    for (int32_t at; U_SUCCESS(status) && (at = ubrk_next(m->sentences)) != UBRK_DONE; from = (size_t)at) {
        size_t words = count_words(m->words, text->data + from, (size_t)at - from);
        if (words > PIECE_WORDS_MOST || (size_t)at - from > 4000)
            add_pieces(m, from, (size_t)at);
        else
            add_sentence(m, from, (size_t)at, words);
    }
    utext_close(view);
}

/* The headings in force at a place, outermost first, joined. */
static char *heading_path(const struct document *document, size_t page, size_t byte)
{
    const char *path[PATH_LEVELS] = {NULL};
    for (size_t i = 0; i < document->heading_count; i++) {
        const struct heading *h = &document->headings[i];
        const struct page *of = &document->pages[h->page];
        size_t start = h->line < of->line_count ? of->lines[h->line].start : 0;
        if (h->page > page || (h->page == page && start > byte))
            break;
        int level = h->level < 1 ? 1 : h->level > PATH_LEVELS ? PATH_LEVELS : h->level;
        path[level - 1] = h->title;
        for (int deeper = level; deeper < PATH_LEVELS; deeper++)
            path[deeper] = NULL;
    }
    struct buf out = {0};
    for (int i = 0; i < PATH_LEVELS; i++)
        if (path[i] && *path[i]) {
            buf_text(&out, out.length ? " > " : "");
            buf_text(&out, path[i]);
        }
    return buf_take(&out);
}

static size_t part_at(const struct section *section, size_t byte)
{
    size_t low = 0, high = section->part_count;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (section->parts[middle].at <= byte)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* One span a page: parts of a page that follow each other lie together in its text. */
static void add_spans(const struct maker *m, struct chunk *chunk, size_t start, size_t end)
{
    const struct section *s = &m->section;
    for (size_t i = part_at(s, start); i < s->part_count && s->parts[i].at < end; i++) {
        const struct part *part = &s->parts[i];
        const struct page *page = &m->document->pages[part->page];
        size_t skip = start > part->at ? start - part->at : 0;
        size_t length = part->end - part->start;
        size_t stop = end < part->at + length ? end - part->at : length;
        if (skip >= stop)
            continue;
        struct chunk_span *last = chunk->span_count ? &chunk->spans[chunk->span_count - 1] : NULL;
        if (!last || last->page != page->number) {
            chunk->spans = mem_grow(chunk->spans, chunk->span_count + 1, sizeof *chunk->spans);
            last = &chunk->spans[chunk->span_count++];
            *last = (struct chunk_span){page->number, text_count(s->text.data + start, part->at + skip - start),
                                        text_count(page->text, part->start + skip), 0};
        }
        last->end = part->start + stop; /* bytes until all are known */
    }
    for (size_t i = 0; i < chunk->span_count; i++)
        chunk->spans[i].end = text_count(m->document->pages[chunk->spans[i].page - 1].text, chunk->spans[i].end);
}

/* Sentences `first` to `last` (exclusive) as a passage; `fresh` is the first that the one before had not. */
static void add_chunk(struct maker *m, size_t first, size_t fresh, size_t last)
{
    size_t start = m->list[first].start, end = m->list[last - 1].end;
    struct chunk chunk = {.text = mem_dupn(m->section.text.data + start, end - start)};
    chunk.search = normal_search(chunk.text, end - start);
    for (size_t i = first; i < last; i++)
        chunk.words += m->list[i].words;
    add_spans(m, &chunk, start, end);
    const struct part *part = &m->section.parts[part_at(&m->section, m->list[fresh].start)];
    chunk.heading = heading_path(m->document, part->page, part->start);
    chunk.first_label = m->document->pages[chunk.spans[0].page - 1].label;
    chunk.last_label = m->document->pages[chunk.spans[chunk.span_count - 1].page - 1].label;
    if (m->count == m->capacity)
        m->chunks = mem_grow(m->chunks, m->capacity = m->capacity ? m->capacity * 2 : 64, sizeof *m->chunks);
    m->chunks[m->count++] = chunk;
}

/* How many words the next passage should have, with `left` to come: all that fits, else even shares. */
static size_t target(size_t left)
{
    size_t share = (size_t)(CHUNK_WORDS_LEAST + CHUNK_WORDS_MOST) / 2;
    if (left <= CHUNK_WORDS_MOST)
        return left;
    return left < 2 * share ? (left + 1) / 2 : share;
}

/* The one or two last sentences that the next passage repeats; `end` where they are too long. */
static size_t overlap(const struct maker *m, size_t first, size_t end)
{
    size_t from = end, words = 0;
    while (from > first + 1 && end - from < 2 && words + m->list[from - 1].words <= CHUNK_OVERLAP_WORDS)
        words += m->list[--from].words;
    return from;
}

static void cut_section(struct maker *m)
{
    if (!m->section.text.length)
        return;
    find_sentences(m);
    size_t left = 0;
    for (size_t i = 0; i < m->list_count; i++)
        left += m->list[i].words;
    for (size_t first = 0, fresh = 0; fresh < m->list_count;) {
        size_t repeated = 0, words, last = fresh;
        for (size_t i = first; i < fresh; i++)
            repeated += m->list[i].words;
        words = repeated;
        size_t wanted = target(repeated + left);
        while (last < m->list_count && (last == fresh || words + m->list[last].words <= CHUNK_WORDS_MOST) &&
               (words < wanted || m->list[last].words == 0)) {
            words += m->list[last].words;
            left -= m->list[last].words;
            last++;
        }
        add_chunk(m, first, fresh, last);
        first = overlap(m, first, last);
        fresh = last;
    }
}

static void section_clear(struct section *section)
{
    buf_clear(&section->text);
    section->part_count = 0;
}

static void section_add(struct section *section, const struct line *line, size_t page)
{
    if (section->text.length)
        buf_char(&section->text, line->paragraph ? '\n' : ' ');
    if (section->part_count == section->part_capacity) {
        section->part_capacity = section->part_capacity ? section->part_capacity * 2 : 256;
        section->parts = mem_grow(section->parts, section->part_capacity, sizeof *section->parts);
    }
    section->parts[section->part_count++] = (struct part){section->text.length, page, line->start, line->end};
    buf_text(&section->text, line->text);
}

static bool parts_document(const struct document *document, size_t *heading, size_t page, size_t line)
{
    bool top = false;
    for (; *heading < document->heading_count; ++*heading) {
        const struct heading *h = &document->headings[*heading];
        if (h->page > page || (h->page == page && h->line > line))
            break;
        top = top || h->level <= document->top_level;
    }
    return top;
}

struct chunk *chunk_document(const struct document *document, size_t *count)
{
    UErrorCode status = U_ZERO_ERROR;
    struct maker m = {.document = document};
    m.sentences = ubrk_open(UBRK_SENTENCE, "", NULL, 0, &status);
    m.words = ubrk_open(UBRK_WORD, "", NULL, 0, &status);
    size_t heading = 0;
    for (size_t p = 0; U_SUCCESS(status) && p < document->page_count; p++) {
        const struct page *page = &document->pages[p];
        for (size_t i = 0; page->status == PAGE_OK && i < page->line_count; i++) {
            if (page->lines[i].repeated)
                continue;
            if (parts_document(document, &heading, p, i)) {
                cut_section(&m);
                section_clear(&m.section);
            }
            section_add(&m.section, &page->lines[i], p);
        }
    }
    cut_section(&m);
    if (m.sentences)
        ubrk_close(m.sentences);
    if (m.words)
        ubrk_close(m.words);
    buf_free(&m.section.text);
    free(m.section.parts);
    free(m.list);
    *count = m.count;
    return m.chunks;
}

void chunk_free(struct chunk *chunks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(chunks[i].text);
        free(chunks[i].search);
        free(chunks[i].heading);
        free(chunks[i].spans);
    }
    free(chunks);
}
