/* lines.c - lines from boxes, running headers, cut words, headings, and what is no text. */
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
#include "server/ingest/document.h"
#include "server/ingest/frames.h"
#include "server/ingest/lines.h"
#include "server/retrieval/normal.h"
#include "tests/lib/paper.h"

static void gaps_become_blanks_and_pieces_lines(void **state)
{
    (void)state;
    struct document *d = document_new(1);
    struct paper paper = {0};
    paper_line(&paper, 70, 100, 10, 0, "1.1"); /* its heading stands 15 points on */
    paper_line(&paper, 100, 100, 10, 0, "Overview of cells");
    paper_line(&paper, 70, 120, 10, 0, "left column"); /* the right column starts level with it */
    paper_line(&paper, 300, 120, 10, 0, "right column");
    paper_line(&paper, 70, 140, 24, 0, "T"); /* a large initial */
    paper_line(&paper, 84, 147, 10, 0, "HIS is");
    paper_page(&paper, 1, "iv", &d->pages[0]);
    const struct page *page = &d->pages[0];
    static const char *const expected[] = {"1.1 Overview of cells", "left column", "right column", "THIS is"};
    assert_int_equal(page->line_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(page->lines[i].text, expected[i]);
    assert_string_equal(page->label, "iv");
    assert_int_equal(page->status, PAGE_OK);
    document_free(d);
}

static void a_wide_gap_in_a_line_is_a_blank(void **state)
{
    (void)state;
    struct document *d = document_new(1);
    struct paper paper = {0};
    paper_line(&paper, 70, 100, 10, 0, "Overview2");
    float left = 400, right = 405; /* the page number stands at the right edge */
    memcpy(paper.boxes.data + 8 * 16, &left, sizeof left);
    memcpy(paper.boxes.data + 8 * 16 + 8, &right, sizeof right);
    paper_page(&paper, 1, "", &d->pages[0]);
    assert_string_equal(d->pages[0].lines[0].text, "Overview 2");
    document_free(d);
}

static void controls_and_unknown_glyphs_are_dropped(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"a\x01"
         "b\x7f"
         "c",
         "abc"},
        {"a\xc2\xa0\xe2\x80\x83"
         "b",
         "a b"},
        {"e\xcc\x81t\xcc\x81", "\xc3\xa9t\xcc\x81"},
        {"co\xc2\xad"
         "operate",
         "cooperate"},
        {"soft\xc2\xad", "soft-"},
        {"\xef\xbb\xbfmark", "mark"},
        {"x\xee\x80\x80y and more", "xy and more"},
        {"\xef\xac\x81sh", "\xef\xac\x81sh"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct document *d = document_new(1);
        struct paper paper = {0};
        paper_line(&paper, 70, 100, 10, 0, cases[i].in);
        paper_page(&paper, 1, "", &d->pages[0]);
        assert_string_equal(d->pages[0].lines[0].text, cases[i].out);
        document_free(d);
    }
}

static void search_copies_are_folded(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"The \xef\xac\x81rst  o\xef\xac\x83"
         "ce\n",
         "the first office"},
        {"STRASSE Stra\xc3\x9f"
         "e",
         "strasse strasse"},
        {"\xef\xbc\xa1\xef\xbc\xa2", "ab"},
        {"H\xe2\x82\x82O", "h2o"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *out = normal_search(cases[i].in, strlen(cases[i].in));
        assert_string_equal(out, cases[i].out);
        free(out);
    }
}

/* Pages with a header, a page number, and `body` in the middle. */
static struct document *book(size_t pages, const char *const *body)
{
    struct document *d = document_new(pages);
    for (size_t i = 0; i < pages; i++) {
        struct paper paper = {0};
        char header[64], number[16];
        snprintf(header, sizeof header, "%zu Introduction to cells", i + 1);
        snprintf(number, sizeof number, "%zu", i + 7);
        paper_line(&paper, 70, 40, 9, 0, header);
        for (const char *const *line = body; *line; line++)
            paper_line(&paper, 70, 120 + 14 * (float)(line - body), 10, 0, *line);
        paper_line(&paper, 290, 800, 9, 0, number);
        paper_page(&paper, (uint32_t)i + 1, number, &d->pages[i]);
    }
    return d;
}

static void running_lines_stay_in_the_page_but_not_in_its_body(void **state)
{
    (void)state;
    static const char *const body[] = {"Cells are small.", "They divide.", NULL};
    struct document *d = book(4, body);
    document_finish(d);
    for (size_t i = 0; i < 4; i++) {
        const struct page *page = &d->pages[i];
        char *text = mem_dupn(page->text + page->body_start, page->body_end - page->body_start);
        assert_string_equal(text, "Cells are small.\nThey divide.");
        free(text);
        assert_non_null(strstr(page->text, "Introduction to cells"));
    }
    document_free(d);
    d = book(2, body); /* on two pages only it may be anything */
    document_finish(d);
    assert_false(d->pages[0].lines[0].repeated);
    document_free(d);
}

static void a_document_of_running_lines_alone_keeps_them(void **state)
{
    (void)state;
    struct document *d = document_new(3);
    for (uint32_t i = 0; i < 3; i++) {
        struct paper paper = {0};
        paper_line(&paper, 70, 40, 10, 0, "Potato");
        paper_page(&paper, i + 1, "", &d->pages[i]);
    }
    document_finish(d);
    assert_int_equal(d->pages[1].body_end - d->pages[1].body_start, strlen("Potato"));
    document_free(d);
}

static void cut_words_are_joined_where_the_document_knows_them(void **state)
{
    (void)state;
    static const struct {
        const char *first, *second, *elsewhere, *out;
    } cases[] = {
        {"much infor-", "mation here", "information", "much information\nhere"},
        {"much infor-", "mation, here", "Information", "much information,\nhere"},
        {"a floating-", "point number", "floating-point", "a floating-point\nnumber"},
        {"old di-", "nosaurs run", "cells", "old di-\nnosaurs run"},
        {"pages 3-", "mation", "information", "pages 3-\nmation"},
        {"the Max-", "Planck law", "maxplanck", "the Max-\nPlanck law"},
        {"the infor\xe2\x80\x90", "mation", "information", "the information"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct document *d = document_new(1);
        struct paper paper = {0};
        paper_line(&paper, 70, 400, 10, 0, cases[i].first);
        paper_line(&paper, 70, 412, 10, 0, cases[i].second);
        paper_line(&paper, 70, 424, 10, 0, cases[i].elsewhere);
        paper_page(&paper, 1, "", &d->pages[0]);
        document_finish(d);
        char *expected = mem_printf("%s\n%s", cases[i].out, cases[i].elsewhere);
        assert_string_equal(d->pages[0].text, expected);
        free(expected);
        document_free(d);
    }
}

static void headings_come_from_fonts_or_the_outline(void **state)
{
    (void)state;
    for (int outlined = 0; outlined < 2; outlined++) {
        struct document *d = document_new(1);
        struct paper paper = {0};
        paper_line(&paper, 70, 120, 20, 0, "The Cell");
        paper_line(&paper, 70, 160, 12, FONT_BOLD, "1 Membranes");
        for (int i = 0; i < 4; i++)
            paper_line(&paper, 70, 180 + 12 * (float)i, 10, 0, "A membrane keeps inside and outside apart.");
        paper_line(&paper, 70, 250, 12, FONT_BOLD, "2 Nuclei");
        paper_line(&paper, 70, 270, 10, 0, "A nucleus holds the genes.");
        paper_page(&paper, 1, "", &d->pages[0]);
        if (outlined) {
            static const char *const titles[] = {"The Cell", "Membranes", "Nuclei"};
            d->outline = mem_array(3, sizeof *d->outline);
            for (; d->outline_count < 3; d->outline_count++)
                d->outline[d->outline_count] =
                    (struct outline_item){mem_dup(titles[d->outline_count]), 1, d->outline_count ? 2 : 1};
        }
        document_finish(d);
        assert_int_equal(d->heading_count, 3);
        assert_int_equal(d->headings[0].level, 1);
        assert_int_equal(d->headings[1].level, 2);
        assert_int_equal(d->headings[2].line, 6);
        assert_int_equal(d->top_level, 2);
        document_free(d);
    }
}

static void garbage_is_told_from_text(void **state)
{
    (void)state;
    struct buf shifted = {0}, protein = {0}, text = {0};
    static const char english[] = "The quick brown fox jumps over the lazy dog and comes back at night to sleep. ";
    for (int round = 0; round < 6; round++)
        for (const char *p = english; *p; p++) {
            buf_char(&text, *p);
            buf_char(&shifted, *p == ' ' ? ' ' : (char)(*p - 29)); /* glyph numbers of an ordinary font */
        }
    for (int round = 0; round < 8; round++)
        buf_text(&protein, "MVHLTPEEKSAVTALWGKVNVDEVGGEALGRLLVVYPWTQRFFESFGDLSTPDAVMGNPKVKAHGKKVLGAFSDGLAHLDNL\n");
    assert_true(lines_garbage(shifted.data, shifted.length, 0, shifted.length));
    assert_false(lines_garbage(protein.data, protein.length, 0, protein.length));
    assert_false(lines_garbage(text.data, text.length, 0, text.length));
    assert_true(lines_garbage(text.data, text.length, text.length, text.length * 2));
    buf_free(&shifted);
    buf_free(&protein);
    buf_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gaps_become_blanks_and_pieces_lines),
        cmocka_unit_test(a_wide_gap_in_a_line_is_a_blank),
        cmocka_unit_test(controls_and_unknown_glyphs_are_dropped),
        cmocka_unit_test(search_copies_are_folded),
        cmocka_unit_test(running_lines_stay_in_the_page_but_not_in_its_body),
        cmocka_unit_test(a_document_of_running_lines_alone_keeps_them),
        cmocka_unit_test(cut_words_are_joined_where_the_document_knows_them),
        cmocka_unit_test(headings_come_from_fonts_or_the_outline),
        cmocka_unit_test(garbage_is_told_from_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
