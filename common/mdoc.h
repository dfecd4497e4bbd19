/* mdoc.h - text for man pages: escaped, and one sentence a line. */
#ifndef COMMON_MDOC_H
#define COMMON_MDOC_H

#include "common/buf.h"

/* A paragraph of text lines, ended by a newline. */
void mdoc_prose(struct buf *out, const char *text);
/* One argument of a macro, in quotation marks. */
void mdoc_argument(struct buf *out, const char *text);

#endif
