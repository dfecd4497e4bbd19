/* repeats.h - running headers and footers: lines at a page's edge that nearby pages have too. */
#ifndef INGEST_REPEATS_H
#define INGEST_REPEATS_H

#include "server/ingest/document.h"

/* Marks the lines that repeat on three or more nearby pages (numbers count as equal) and orders each
 * page's lines: headers, body, footers. */
void repeats_mark(struct document *document);

#endif
