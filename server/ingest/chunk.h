/* chunk.h - passages: what search finds and answers cite.
 *
 * Whole sentences (ICU), 200 to 300 words where the section has so many, beginning with the last one or
 * two sentences of the passage before; across page breaks, never across a top heading. Text has
 * single blanks, and a line end where a paragraph ends; each part knows its place in its page's text.
 */
#ifndef INGEST_CHUNK_H
#define INGEST_CHUNK_H

#include "server/ingest/document.h"

enum { CHUNK_WORDS_LEAST = 200, CHUNK_WORDS_MOST = 300, CHUNK_OVERLAP_WORDS = 60 };

/* A passage's part on one page: its text from code point `at` on is the page's text from start to end. */
struct chunk_span {
    int page;
    size_t at, start, end; /* code points */
};

struct chunk {
    char *text, *search, *heading;        /* shown; NFKC and folded; "Chapter > Section", may be "" */
    const char *first_label, *last_label; /* lent by the document */
    size_t words;
    struct chunk_span *spans;
    size_t span_count;
};

/* In reading order; pages without text have none. The caller's to chunk_free. */
struct chunk *chunk_document(const struct document *document, size_t *count);
void chunk_free(struct chunk *chunks, size_t count);

#endif
