/* headings.c - where sections begin: from the outline or, without one, from the fonts. */
#include "server/ingest/headings.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/normal.h"

enum { TITLE_MOST = 200, LEVELS = 8, PREFIX_MOST = 14 };

/* Letters and digits, folded: what stays the same between an outline's title and its line. */
static char *bare(const char *text)
{
    char *folded = normal_search(text, strlen(text));
    struct buf out = {0};
    for (size_t at = 0, length = strlen(folded); at < length;) {
        uint32_t c = text_next(folded, length, &at);
        if (normal_letter(c) || (c >= '0' && c <= '9') || c > 0x2E80)
            text_append(&out, c);
    }
    free(folded);
    return buf_take(&out);
}

static size_t body_first(const struct page *page)
{
    size_t i = 0;
    while (i < page->line_count && page->lines[i].repeated && page->lines[i].y2 < page->height / 2)
        i++;
    return i;
}

/* `text` is `title`, or has only a number ("Chapter 3") before it. */
static bool bears(const char *text, const char *title)
{
    size_t length = strlen(text), wanted = strlen(title);
    if (length < wanted || length > wanted + PREFIX_MOST || strcmp(text + length - wanted, title) != 0)
        return false;
    return length == wanted || wanted >= 4;
}

/* The line of the page that bears the title, alone or with its next; line_count where none does. */
static size_t line_of(const struct page *page, char *const *keys, const char *title)
{
    size_t best = page->line_count;
    float size = 0;
    for (size_t i = 0; *title && i < page->line_count; i++) {
        if (page->lines[i].repeated || page->lines[i].heading || !*keys[i])
            continue;
        bool found = bears(keys[i], title);
        if (!found && i + 1 < page->line_count && strlen(keys[i]) < strlen(title)) {
            char *both = mem_printf("%s%s", keys[i], keys[i + 1]);
            found = bears(both, title);
            free(both);
        }
        if (found && page->lines[i].size > size) {
            best = i;
            size = page->lines[i].size;
        }
    }
    return best;
}

static void add(struct document *document, const char *title, size_t page, size_t line, int level)
{
    document->headings = mem_grow(document->headings, document->heading_count + 1, sizeof *document->headings);
    struct buf clean = {0};
    text_clean(&clean, title, strlen(title), TEXT_ONE_LINE);
    document->headings[document->heading_count++] = (struct heading){buf_take(&clean), page, line, level};
}

static void from_outline(struct document *document)
{
    char **keys = NULL;
    size_t keyed = SIZE_MAX, key_count = 0;
    for (size_t i = 0; i < document->outline_count; i++) {
        const struct outline_item *item = &document->outline[i];
        if (item->page < 1 || (size_t)item->page > document->page_count)
            continue;
        size_t p = (size_t)item->page - 1;
        struct page *page = &document->pages[p];
        if (page->status != PAGE_OK)
            continue;
        if (p != keyed) { /* items of one page mostly come together */
            for (size_t k = 0; k < key_count; k++)
                free(keys[k]);
            key_count = page->line_count;
            keys = mem_grow(keys, key_count + 1, sizeof *keys);
            for (size_t k = 0; k < key_count; k++)
                keys[k] = bare(page->lines[k].text);
            keyed = p;
        }
        AUTO(mem_freep) char *title = bare(item->title);
        size_t line = line_of(page, keys, title);
        if (line < page->line_count)
            page->lines[line].heading = item->level;
        else
            line = body_first(page);
        add(document, item->title, p, line, item->level);
    }
    for (size_t k = 0; k < key_count; k++)
        free(keys[k]);
    free(keys);
}

/* The size of most characters, in half points. */
static int body_size(const struct document *document)
{
    size_t counts[200] = {0}, best = 0;
    for (size_t p = 0; p < document->page_count; p++)
        for (size_t i = 0; i < document->pages[p].line_count; i++) {
            const struct line *line = &document->pages[p].lines[i];
            long half = lroundf(line->size * 2);
            if (!line->repeated && half > 0 && half < (long)COUNT_OF(counts))
                counts[half] += strlen(line->text);
        }
    for (size_t i = 1; i < COUNT_OF(counts); i++)
        if (counts[i] > counts[best])
            best = i;
    return (int)best;
}

static bool ends_sentence(const char *text)
{
    size_t length = strlen(text);
    return length && strchr(".,;:", text[length - 1]);
}

static bool starts_with_letter_or_number(const char *text)
{
    size_t at = 0, length = strlen(text);
    uint32_t c = length ? text_next(text, length, &at) : 0;
    return normal_letter(c) || (c >= '0' && c <= '9');
}

/* A heading's size in half points, one more where it is bold; 0 for what is none. */
static int heading_rank(const struct line *line, int body)
{
    int half = (int)lroundf(line->size * 2);
    size_t length = strlen(line->text);
    if (line->repeated || length < 3 || length > TITLE_MOST / 2 || !starts_with_letter_or_number(line->text))
        return 0;
    if (half * 100 >= body * 115 && half >= body + 2)
        return half * 2 + line->bold;
    return line->bold && half >= body && !ends_sentence(line->text) ? half * 2 + 1 : 0;
}

static int down(const void *a, const void *b)
{
    return *(const int *)b - *(const int *)a;
}

static void from_fonts(struct document *document)
{
    int body = body_size(document), ranks[LEVELS + 1] = {0}, count = 0;
    for (size_t p = 0; p < document->page_count; p++)
        for (size_t i = 0; i < document->pages[p].line_count; i++) {
            int rank = heading_rank(&document->pages[p].lines[i], body), k = 0;
            while (k < count && ranks[k] != rank)
                k++;
            if (!rank || k < count)
                continue;
            ranks[count < LEVELS ? count++ : LEVELS] = rank;
            qsort(ranks, (size_t)count, sizeof *ranks, down);
        }
    for (size_t p = 0; p < document->page_count; p++) {
        struct page *page = &document->pages[p];
        int before = 0;
        for (size_t i = 0; page->status == PAGE_OK && i < page->line_count; i++) {
            int rank = heading_rank(&page->lines[i], body), level = 1;
            while (rank && level < count && ranks[level - 1] != rank)
                level++;
            page->lines[i].heading = rank ? level : 0;
            /* A title of two lines is one heading. */
            struct heading *last = document->heading_count ? &document->headings[document->heading_count - 1] : NULL;
            if (rank && rank == before && last && strlen(last->title) + strlen(page->lines[i].text) < TITLE_MOST) {
                char *both = mem_printf("%s %s", last->title, page->lines[i].text);
                free(last->title);
                last->title = both;
            } else if (rank) {
                add(document, page->lines[i].text, p, i, level);
            }
            before = rank;
        }
    }
}

static int by_place(const void *a, const void *b)
{
    const struct heading *x = a, *y = b;
    if (x->page != y->page)
        return x->page < y->page ? -1 : 1;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    return x->level - y->level;
}

void headings_find(struct document *document)
{
    from_outline(document);
    if (!document->heading_count)
        from_fonts(document);
    if (document->heading_count)
        qsort(document->headings, document->heading_count, sizeof *document->headings, by_place);
    /* A single one on top is the document's title and parts nothing. */
    size_t counts[LEVELS + 2] = {0};
    for (size_t i = 0; i < document->heading_count; i++) {
        int level = document->headings[i].level;
        counts[level < 1 ? 1 : level > LEVELS ? LEVELS + 1 : level]++;
    }
    document->top_level = 0;
    for (int level = 1; level <= LEVELS && !document->top_level; level++)
        if (counts[level] > 1)
            document->top_level = level;
}
