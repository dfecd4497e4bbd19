/* hyphens.h - words that a line's end has cut in two. */
#ifndef INGEST_HYPHENS_H
#define INGEST_HYPHENS_H

#include "server/ingest/document.h"

/* Joins them where the document has the joined word elsewhere ("infor-" "mation"), or keeps the hyphen
 * where it has the compound ("floating-" "point"); else leaves both lines as they are. */
void hyphens_join(struct document *document);

#endif
