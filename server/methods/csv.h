/* csv.h - a list of people as spreadsheets save it: lines of fields, quoted where they must be.
 *
 * Commas separate, CRLF, LF or CR ends a line, "" inside quotes is a quote, and a byte order mark at the start
 * is passed over. Empty lines are none.
 */
#ifndef SERVER_METHODS_CSV_H
#define SERVER_METHODS_CSV_H

#include <stdbool.h>

#include "common/buf.h"

enum { CSV_FIELDS_MOST = 8 };

struct csv {
    const char *at; /* what is still to be read */
    int line;       /* where that is; from 1 */
};

struct csv_row {
    int line, count;                     /* count: of fields, also those past the most that are kept */
    const char *fields[CSV_FIELDS_MOST]; /* without blanks around, unless quoted; in `text` */
    const char *problem;                 /* NULL, or a sentence: the row can't be read */
    struct buf text;
};

void csv_start(struct csv *csv, const char *text); /* `text` is lent */
/* The next line; false at the end. `row` begins as {0} and is used again. */
bool csv_next(struct csv *csv, struct csv_row *row);
void csv_row_free(struct csv_row *row); /* for AUTO */

#endif
