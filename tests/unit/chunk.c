/* chunk.c - passages lie where they say, lose nothing, have their size, and stay within their section. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/ingest/chunk.h"
#include "server/ingest/frames.h"
#include "tests/lib/paper.h"

static uint32_t seed;

static uint32_t pick(uint32_t below)
{
    seed = seed * 1664525u + 1013904223u;
    return (seed >> 8) % below;
}

/* Text of `lines` lines: sentences of made-up words, each word once in the whole document. */
static size_t write_lines(struct paper *paper, float y, int lines, size_t word, bool stops)
{
    bool stop = true;
    for (int i = 0; i < lines; i++) {
        struct buf line = {0};
        for (int k = 0; k < 9; k++, word++) {
            const char *start = stop ? "\xc3\x89W" : pick(6) ? "w" : "\xc3\xa9";
            stop = stops && pick(9) == 0;
            buf_printf(&line, "%s%s%zu%s", k ? " " : "", start, word, stop ? "." : "");
        }
        paper_line(paper, 70, y + 12 * (float)i, 10, 0, line.data);
        buf_free(&line);
    }
    return word;
}

static struct document *book(size_t pages, int headings, bool stops)
{
    struct document *d = document_new(pages);
    size_t word = 1;
    for (size_t p = 0; p < pages; p++) {
        struct paper paper = {0};
        char number[40];
        paper_line(&paper, 70, 40, 9, 0, "A running header");
        if (headings && p % (size_t)headings == 0) {
            snprintf(number, sizeof number, "Chapter x%zu", p);
            paper_line(&paper, 70, 110, 20, FONT_BOLD, number);
        }
        word = write_lines(&paper, 140, 20 + (int)pick(25), word, stops);
        snprintf(number, sizeof number, "%zu", p + 1);
        paper_line(&paper, 290, 800, 9, 0, number);
        paper_page(&paper, (uint32_t)p + 1, number, &d->pages[p]);
    }
    document_finish(d);
    return d;
}

/* White space as single blanks. */
static char *flat(const char *text, size_t length)
{
    struct buf out = {0};
    for (size_t i = 0; i < length; i++) {
        bool blank = text[i] == ' ' || text[i] == '\n';
        if (!blank)
            buf_char(&out, text[i]);
        else if (out.length && out.data[out.length - 1] != ' ')
            buf_char(&out, ' ');
    }
    while (out.length && out.data[out.length - 1] == ' ')
        out.data[--out.length] = '\0';
    return buf_take(&out);
}

static void check_spans(const struct document *d, const struct chunk *c)
{
    size_t length = strlen(c->text), characters = text_count(c->text, length);
    assert_true(text_valid_utf8(c->text, length));
    assert_int_equal(c->spans[0].at, 0);
    for (size_t i = 0; i < c->span_count; i++) {
        const struct chunk_span *span = &c->spans[i];
        const struct page *page = &d->pages[span->page - 1];
        size_t until = i + 1 < c->span_count ? c->spans[i + 1].at : characters;
        assert_true(span->at < until && until <= characters);
        assert_true(i == 0 || span->page > c->spans[i - 1].page);
        size_t from = text_offset(c->text, length, span->at), to = text_offset(c->text, length, until);
        size_t start = text_offset(page->text, page->length, span->start),
               end = text_offset(page->text, page->length, span->end);
        char *mine = flat(c->text + from, to - from), *theirs = flat(page->text + start, end - start);
        assert_string_equal(mine, theirs);
        free(mine);
        free(theirs);
    }
    assert_string_equal(c->first_label, d->pages[c->spans[0].page - 1].label);
}

static void check_nothing_lost(const struct document *d, const struct chunk *chunks, size_t count)
{
    struct buf all = {0};
    for (size_t i = 0; i < count; i++)
        buf_printf(&all, " %s ", chunks[i].text);
    for (char *p = all.data; p && *p; p++)
        if (*p == '\n')
            *p = ' ';
    for (size_t p = 0; p < d->page_count; p++) {
        const struct page *page = &d->pages[p];
        char *body = flat(page->text + page->body_start, page->body_end - page->body_start), *rest = NULL;
        for (char *word = strtok_r(body, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
            char *wanted = mem_printf(" %s ", word);
            if (!strstr(all.data, wanted))
                fail_msg("\"%s\" of page %zu is in no passage", word, p + 1);
            free(wanted);
        }
        free(body);
    }
    buf_free(&all);
}

static void passages_lie_where_they_say(void **state)
{
    (void)state;
    static const struct {
        size_t pages;
        int headings;
        bool stops;
    } cases[] = {
        {1, 0, true}, {2, 0, true},  {7, 0, true},   {9, 3, true},
        {6, 1, true}, {5, 0, false}, {12, 2, false}, {30, 5, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        seed = (uint32_t)i + 5;
        struct document *d = book(cases[i].pages, cases[i].headings, cases[i].stops);
        size_t count = 0;
        struct chunk *chunks = chunk_document(d, &count);
        assert_true(count > 0);
        for (size_t k = 0; k < count; k++) {
            check_spans(d, &chunks[k]);
            assert_true(chunks[k].words <= CHUNK_WORDS_MOST);
            assert_true(cases[i].pages < 3 || !strstr(chunks[k].text, "running header"));
        }
        check_nothing_lost(d, chunks, count);
        chunk_free(chunks, count);
        document_free(d);
    }
}

static void passages_have_their_size(void **state)
{
    (void)state;
    seed = 3;
    struct document *d = book(20, 0, true);
    size_t count = 0, small = 0;
    struct chunk *chunks = chunk_document(d, &count);
    for (size_t k = 0; k < count; k++) {
        small += chunks[k].words < CHUNK_WORDS_LEAST;
        assert_true(chunks[k].words >= CHUNK_WORDS_LEAST * 3 / 4);
    }
    assert_true(count > 10 && small <= 2);
    chunk_free(chunks, count);
    document_free(d);
}

static void neighbours_share_a_sentence_within_a_section_only(void **state)
{
    (void)state;
    seed = 9;
    struct document *d = book(12, 4, true);
    assert_int_equal(d->heading_count, 3);
    size_t count = 0, crossing = 0;
    struct chunk *chunks = chunk_document(d, &count);
    for (size_t k = 0; k < count; k++) {
        assert_non_null(strstr(chunks[k].heading, "Chapter x"));
        const char *found = strstr(chunks[k].text, "Chapter x");
        assert_true(!found || found == chunks[k].text); /* a chapter begins its passage */
        crossing += chunks[k].span_count > 1;
        if (!k || found)
            continue;
        size_t shared = strcspn(chunks[k].text, "\n");
        char *head = mem_dupn(chunks[k].text, shared < 20 ? shared : 20);
        assert_non_null(strstr(chunks[k - 1].text, head));
        free(head);
    }
    assert_true(crossing > 0);
    chunk_free(chunks, count);
    document_free(d);
}

static void pages_without_text_have_no_passages(void **state)
{
    (void)state;
    struct document *d = document_new(3);
    document_finish(d);
    size_t count = 7;
    struct chunk *chunks = chunk_document(d, &count);
    assert_int_equal(count, 0);
    chunk_free(chunks, count);
    document_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passages_lie_where_they_say),
        cmocka_unit_test(passages_have_their_size),
        cmocka_unit_test(neighbours_share_a_sentence_within_a_section_only),
        cmocka_unit_test(pages_without_text_have_no_passages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
