/* headings.h - where sections begin: from the outline or, without one, from the fonts. */
#ifndef INGEST_HEADINGS_H
#define INGEST_HEADINGS_H

#include "server/ingest/document.h"

/* Fills headings and top_level, and marks the lines that bear them. Lines are in their final order. */
void headings_find(struct document *document);

#endif
