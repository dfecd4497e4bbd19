/* aide.h - a second thread for half a millisecond: it helps whoever searches alone on a machine with cores to spare.
 *
 * Its work must be such that the caller could also do it without help, as pieces that both take from one counter:
 * the aide may wake late or not at all. It is lent to one at a time; who finds it lent works alone. Any thread.
 */
#ifndef SERVER_RETRIEVAL_AIDE_H
#define SERVER_RETRIEVAL_AIDE_H

#include <stdbool.h>

struct aide;

struct aide *aide_new(void); /* NULL where there is one processor, or no thread to be had; NULL is allowed below */
void aide_free(struct aide *aide);

/* Whether work(context) now runs beside the caller, or will; then aide_end must follow. */
bool aide_begin(struct aide *aide, void (*work)(void *context), void *context);
/* When this returns the work is over, or never began. */
void aide_end(struct aide *aide);

#endif
