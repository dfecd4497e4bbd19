/* hostile.h - PDFs that were made to hurt whoever opens them, and how each must end.
 */
#ifndef TESTS_LIB_HOSTILE_H
#define TESTS_LIB_HOSTILE_H

#include <stdbool.h>

#include "common/buf.h"

enum hostile_end {
    HOSTILE_INDEXED, /* its text is found */
    HOSTILE_REFUSED, /* a sentence that holds `word` */
    HOSTILE_EITHER,  /* what libraries make of it differs: text or any sentence */
};

struct hostile {
    const char *name;
    struct buf (*make)(void);
    enum hostile_end end;
    const char *word; /* INDEXED: of the text; REFUSED: of the sentence */
    bool server;      /* also sent to a whole server */
};

extern const struct hostile hostile_files[]; /* ended by a row with name NULL */

#endif
