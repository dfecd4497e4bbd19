/* paper.h - pages for tests, as an extractor would send them: lines of text at places. */
#ifndef TESTS_PAPER_H
#define TESTS_PAPER_H

#include "common/buf.h"
#include "server/ingest/document.h"

/* {0} is an empty page of 595 x 842 points. Characters are half an em wide. */
struct paper {
    struct buf text, boxes, fonts;
    uint32_t characters, font_count;
};

void paper_line(struct paper *paper, float x, float y, float size, int flags, const char *text);
/* The page as a PAGE payload, and the paper is empty again. */
struct buf paper_payload(struct paper *paper, uint32_t number, const char *label);
/* The same, read and built into `page`. */
void paper_page(struct paper *paper, uint32_t number, const char *label, struct page *page);

#endif
