/* repeats.c - running headers and footers: lines at a page's edge that nearby pages have too. */
#include "server/ingest/repeats.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/retrieval/normal.h"

enum { PAGES_LEAST = 3, PAGES_AROUND = 4, CANDIDATES_MOST = 24 /* of a page */ };
static const float edge = 0.13f; /* share of a page's height where running lines stand */

struct candidate {
    char *key;
    bool top;
    size_t page, line;
};

static bool roman(const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!strchr("ivxlcdm", word[i]))
            return false;
    return length > 0 && length < 9;
}

/* The line as its neighbours would have it: each number, roman ones too, is '#'. */
static char *key_of(const char *text)
{
    char *folded = normal_search(text, strlen(text));
    struct buf key = {0};
    for (const char *p = folded; *p;) {
        size_t word = strcspn(p, " ");
        size_t digits = strspn(p, "0123456789");
        if (roman(p, word)) {
            buf_char(&key, '#');
            p += word;
        } else if (digits) {
            buf_char(&key, '#');
            p += digits;
        } else {
            if (*p != ' ')
                buf_char(&key, *p);
            p++;
        }
    }
    free(folded);
    return buf_take(&key);
}

/* How many rows of the page are further out than this line. */
static int rows_outside(const struct page *page, const struct line *line, bool top)
{
    int rows = 0;
    float last = -1e9f, middle = (line->y1 + line->y2) / 2, half = (line->y2 - line->y1) / 2;
    for (size_t i = 0; i < page->line_count; i++) {
        float other = (page->lines[i].y1 + page->lines[i].y2) / 2;
        bool outside = top ? other < middle - half : other > middle + half;
        if (outside && (other > last + half || other < last - half)) {
            rows++;
            last = other;
        }
    }
    return rows;
}

static bool consider(const struct page *page, size_t index, struct candidate *c)
{
    const struct line *line = &page->lines[index];
    bool top = line->y2<page->height * edge, bottom = line->y1> page->height * (1 - edge);
    if (!top && !bottom)
        return false;
    int rows = rows_outside(page, line, top);
    if (rows > 1)
        return false;
    c->key = key_of(line->text);
    c->top = top;
    c->line = index;
    /* A bare number is a page's number only at the very edge; else it may be a table's. */
    if (!*c->key || (rows > 0 && strspn(c->key, "#/-.") == strlen(c->key))) {
        free(c->key);
        return false;
    }
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    int order = strcmp(x->key, y->key);
    if (!order)
        order = (int)x->top - (int)y->top;
    if (!order)
        order = x->page < y->page ? -1 : x->page > y->page;
    return order;
}

static bool same(const struct candidate *a, const struct candidate *b)
{
    return a->top == b->top && !strcmp(a->key, b->key);
}

/* Different pages among the sorted candidates that have the line of `all[at]` and are near it. */
static size_t pages_near(const struct candidate *all, size_t count, size_t at)
{
    size_t pages = 1, last = all[at].page;
    for (size_t i = at; i-- > 0 && same(&all[i], &all[at]) && all[at].page - all[i].page <= PAGES_AROUND;)
        if (all[i].page != last) {
            pages++;
            last = all[i].page;
        }
    last = all[at].page;
    for (size_t i = at + 1; i < count && same(&all[i], &all[at]) && all[i].page - all[at].page <= PAGES_AROUND; i++)
        if (all[i].page != last) {
            pages++;
            last = all[i].page;
        }
    return pages;
}

/* Headers first, footers last, each in the order they were. */
static void order(struct page *page)
{
    struct line *sorted = mem_array(page->line_count, sizeof *sorted);
    size_t n = 0;
    for (int part = 0; part < 3; part++)
        for (size_t i = 0; i < page->line_count; i++) {
            const struct line *line = &page->lines[i];
            int mine = !line->repeated ? 1 : line->y2 < page->height / 2 ? 0 : 2;
            if (mine == part)
                sorted[n++] = *line;
        }
    free(page->lines);
    page->lines = sorted;
}

void repeats_mark(struct document *document)
{
    struct candidate *all = NULL;
    size_t count = 0, capacity = 0;
    for (size_t p = 0; p < document->page_count; p++) {
        const struct page *page = &document->pages[p];
        int found = 0;
        for (size_t i = 0; page->status == PAGE_OK && i < page->line_count && found < CANDIDATES_MOST; i++) {
            struct candidate c = {.page = p};
            if (!consider(page, i, &c))
                continue;
            found++;
            if (count == capacity)
                all = mem_grow(all, capacity = capacity ? capacity * 2 : 256, sizeof *all);
            all[count++] = c;
        }
    }
    if (count)
        qsort(all, count, sizeof *all, by_key);
    size_t lines = 0, marked = 0;
    for (size_t i = 0; i < count; i++)
        if (pages_near(all, count, i) >= PAGES_LEAST) {
            document->pages[all[i].page].lines[all[i].line].repeated = true;
            marked++;
        }
    for (size_t p = 0; p < document->page_count; p++)
        lines += document->pages[p].line_count;
    /* A document that says nothing else means what it repeats. */
    for (size_t i = 0; marked == lines && i < count; i++)
        document->pages[all[i].page].lines[all[i].line].repeated = false;
    for (size_t i = 0; i < count; i++)
        free(all[i].key);
    free(all);
    for (size_t p = 0; p < document->page_count; p++)
        order(&document->pages[p]);
}
