/* document.h - a PDF as the server reads it: pages of lines, then pages of text.
 *
 * lines.c fills the lines of a page from the extractor's boxes; document_finish then looks at the whole
 * (repeats.c, hyphens.c, headings.c) and writes each page's text, in which every line knows its place.
 * All text is valid UTF-8 in NFC without control characters. Owned by its struct document; one thread.
 */
#ifndef INGEST_DOCUMENT_H
#define INGEST_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>

enum page_status { PAGE_OK, PAGE_EMPTY, PAGE_GARBAGE, PAGE_FAILED };

struct line {
    char *text;
    float x1, y1, x2, y2; /* points from the page's top left corner */
    float size;           /* of most of its characters */
    bool bold;
    bool repeated;     /* a running header or footer: in the page's text, in no passage */
    bool paragraph;    /* does not continue the line before */
    bool gap;          /* stands apart from it: shown with a blank line between */
    int heading;       /* level from 1; 0: none */
    size_t start, end; /* bytes of the page's text */
};

struct page {
    int number;  /* from 1 */
    char *label; /* as printed; "" where the PDF has none */
    enum page_status status;
    float width, height;
    struct line *lines; /* running headers first, footers last, once finished */
    size_t line_count;
    char *text; /* NULL before document_finish */
    size_t length;
    size_t body_start, body_end; /* bytes of text: what is neither header nor footer */
};

struct outline_item {
    char *title;
    int page, level; /* page 0: leads nowhere; level from 1 */
};

/* Where a section begins, in reading order; from the outline or, without one, from the fonts. */
struct heading {
    char *title;
    size_t page, line; /* indexes; the line is the page's first in its body where none bears the title */
    int level;         /* from 1 */
};

struct document {
    struct page *pages; /* all of them, failed ones too */
    size_t page_count;
    struct heading *headings;
    size_t heading_count;
    int top_level; /* headings up to here part the document: no passage crosses one */
    struct outline_item *outline;
    size_t outline_count;
    bool partial; /* memory or time ran out: what could be read is here */
};

struct document *document_new(size_t pages);
void document_free(struct document *document);
void document_freep(struct document **document);
/* Repeated lines, hyphens, headings, page texts. Once, when every page has come. */
void document_finish(struct document *document);
/* Pages that are not PAGE_OK. */
size_t document_without_text(const struct document *document);

#endif
