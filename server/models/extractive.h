/* extractive.h - an answer without a language model: the best sentences of what was found, word for word.
 *
 * No key, no network, nothing invented. Sentences are chosen for what they hold of the question and no earlier
 * one does, and stand in reading order, each followed by its number in brackets.
 */
#ifndef SERVER_MODELS_EXTRACTIVE_H
#define SERVER_MODELS_EXTRACTIVE_H

#include <stdint.h>

#include "common/buf.h"

enum { EXTRACTIVE_MOST = 4, EXTRACTIVE_WORDS = 64 };

/* A sentence that may be chosen; its text is lent. */
struct extractive_candidate {
    const char *text;
    size_t length;
    uint64_t holds;      /* which of the question's words, one bit each */
    float score;         /* of its passage, as the search ranked it */
    int document, order; /* reading order: documents by rank, their passages in order, */
    size_t start;        /* and its place in the passage */
    size_t source;       /* the caller's own number of the passage */
};

struct extractive_sentence {
    const struct extractive_candidate *from;
    size_t answer_start, answer_end; /* code points of the answer, without the number */
};

struct extractive_answer {
    struct buf text;
    struct extractive_sentence sentences[EXTRACTIVE_MOST]; /* number n is sentences[n - 1] */
    size_t count;
};

/* `weights`: of the question's words. No sentence chosen: text stays empty. The caller's to extractive_free. */
void extractive_make(struct extractive_answer *answer, const struct extractive_candidate *candidates, size_t count,
                     const float weights[EXTRACTIVE_WORDS]);
void extractive_free(struct extractive_answer *answer);

#endif
