/* extractive.h - an answer without a language model: the best sentences of the passages, word for word.
 *
 * No key, no network, nothing invented. Sentences are chosen for what they hold of the question and no earlier
 * one does, and stand in reading order, each followed by its number in brackets.
 */
#ifndef SERVER_MODELS_EXTRACTIVE_H
#define SERVER_MODELS_EXTRACTIVE_H

#include "common/buf.h"
#include "server/retrieval/passage.h"

enum { EXTRACTIVE_MOST = 4, EXTRACTIVE_PASSAGES_MOST = 10 };

struct extractive_source {
    struct passage passage;
    float score;    /* as the search ranked it */
    int document;   /* sources of one document share a number, by its best rank */
    int order;      /* of the passage in its document */
};

struct extractive_sentence {
    size_t source, start, end;             /* bytes of that passage */
    size_t answer_start, answer_end;       /* code points of the answer, without the number */
};

struct extractive_answer {
    struct buf text;
    struct extractive_sentence sentences[EXTRACTIVE_MOST]; /* number n is sentences[n - 1] */
    size_t count;
};

/* No sentence chosen: text stays empty. The caller's to extractive_free. */
void extractive_make(struct extractive_answer *answer, const struct extractive_source *sources, size_t count,
                     const struct passage_words *words);
void extractive_free(struct extractive_answer *answer);

#endif
