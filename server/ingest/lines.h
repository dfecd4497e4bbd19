/* lines.h - the lines of a page, rebuilt from where its characters stand. */
#ifndef INGEST_LINES_H
#define INGEST_LINES_H

#include "server/ingest/document.h"
#include "server/ingest/frames.h"

/* Fills `page` (lines, label, size, status) from what the extractor said. */
void lines_build(const struct frame_page *frame, struct page *page);
/* Whether this text is what fonts without a table of characters leave: nothing a person could read.
 * `unknown` and `characters` count code points before the unknown ones were dropped. */
bool lines_garbage(const char *text, size_t length, size_t unknown, size_t characters);

#endif
