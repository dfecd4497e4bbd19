/* answer.h - an answer as the protocol shows it: text, citations, and which sentence rests on which. */
#ifndef SERVER_METHODS_ANSWER_H
#define SERVER_METHODS_ANSWER_H

#include "server/methods/passage_search.h"

enum { ANSWER_SOURCES = 8 };

struct answer {
    struct buf text, citations, sentences; /* the last two as JSON arrays */
    bool grounded;
};

/* Word for word from what was found, or honestly nothing. */
void answer_make(struct answer *answer, const struct passage_search *found);
void answer_free(struct answer *answer);
/* Whether what was found speaks of what was asked, by measures that do not depend on the other passages. */
bool answer_grounded(const struct passage_search *found);

#endif
