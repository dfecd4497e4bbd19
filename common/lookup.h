/* lookup.h - the addresses of a host, without waiting for them: name servers may take half a minute.
 *
 * A thread asks, and writes its answer into a pipe that the caller's loop watches. A lookup that is not
 * wanted any more is simply freed; its thread ends by itself.
 */
#ifndef COMMON_LOOKUP_H
#define COMMON_LOOKUP_H

#include <stdbool.h>

enum { LOOKUP_MOST = 4, LOOKUP_TEXT = 64 };

struct lookup {
    int fd; /* to watch; readable or hung up when the answer is there */
    int count;
    char found[LOOKUP_MOST][LOOKUP_TEXT]; /* numeric, in the system's order */
};

/* Whether `host` needs no lookup: an address already, or localhost. */
bool lookup_needless(const char *host);
/* NULL where no thread or pipe is to be had. lookup_free it. */
struct lookup *lookup_start(const char *host);
/* Takes the answer once fd is ready: how many addresses there are, 0 for none. */
int lookup_take(struct lookup *l);
void lookup_free(struct lookup *l);

#endif
