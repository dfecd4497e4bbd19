/* format.h - times as a person would say them, and the sentences for what went wrong. */
#ifndef TUI_FORMAT_H
#define TUI_FORMAT_H

#include <time.h>

#include "common/err.h"
#include "common/json.h"

time_t format_time(const char *rfc3339); /* -1: none */
enum format_style {
    FORMAT_WHEN,       /* today 14:02 - yesterday - Thu 19 Nov */
    FORMAT_WHEN_CLOCK, /* today 14:02 - yesterday 14:02 - Thu 19 Nov 14:02 */
    FORMAT_DAY,        /* 12 Sep, with the day in two cells */
    FORMAT_CLOCK,      /* 14:02 */
    FORMAT_DAY_CLOCK,  /* 12 Nov 16:40 */
};
/* `out` is 32 bytes; empty where there is no such time. Local time; `now` decides what today is. */
void format_when(time_t at, time_t now, enum format_style style, char *out);
/* What the person reads about an error: the server's own sentence where it is more than a code's. */
void format_error(const struct err *err, char *out, size_t size);
void format_count(long n, const char *one, const char *many, char *out, size_t size);
void format_size(double bytes, char *out, size_t size); /* "44 MB" */
/* "p. 212", from page_label, else page. */
/* How a person is called among others: the first word of the name that is no title or initial. */
void format_first(const char *name, char *out, size_t size);
void format_page(const cJSON *place, char *out, size_t size);

#endif
