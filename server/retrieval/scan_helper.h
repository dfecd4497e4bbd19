/* scan_helper.h - a second thread for half a millisecond: it helps whoever searches alone on a machine with cores to spare.
 *
 * Its work must be such that the caller could also do it without help, as pieces that both take from one counter:
 * the helper may wake late or not at all. It is lent to one at a time; who finds it lent works alone. Any thread.
 */
#ifndef SERVER_RETRIEVAL_SCAN_HELPER_H
#define SERVER_RETRIEVAL_SCAN_HELPER_H

#include <stdbool.h>

struct scan_helper;

struct scan_helper *scan_helper_new(
    void); /* NULL where there is one processor, or no thread to be had; NULL is allowed below */
void scan_helper_free(struct scan_helper *helper);

/* Whether work(context) now runs beside the caller, or will; then scan_helper_end must follow. */
bool scan_helper_begin(struct scan_helper *helper, void (*work)(void *context), void *context);
/* When this returns the work is over, or never began. */
void scan_helper_end(struct scan_helper *helper);

#endif
