/* people.h - a list of people read from a file, before it is sent: what would happen. */
#ifndef TUI_VIEWS_PEOPLE_H
#define TUI_VIEWS_PEOPLE_H

#include "tui/views/rows.h"

enum { PEOPLE_BYTES = 900000 };

/* The file's text, the caller's to free; NULL with a sentence. */
char *people_read(const char *path, struct err *err) MUST_CHECK;
/* `24 new, 3 known, 1 wrong (line 9: no role)`; the number of new ones. The server tells who is known only
 * when it adds them: where `known` is not `all` the school has, it says `up to 24 new`. */
long people_preview(const char *csv, const struct rows *known, bool all, char *out, size_t size);
/* The rows of a reply of the server as lines of `label  value`, whatever they hold. */
void people_lines(const cJSON *value, const char *label, int depth, time_t now, struct buf *out);

#endif
