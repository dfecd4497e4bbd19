/* filling.h - a big library for benchmarks: passages out of words of a judged set, with latent vectors fitted on them.
 *
 * Passages are runs of words, 170 words each, in documents of 200; the same each time. They are stored by SQL,
 * for uploading as many would take an hour. What fails ends the program with a sentence.
 */
#ifndef TESTS_LIB_FILLING_H
#define TESTS_LIB_FILLING_H

#include "common/buf.h"
#include "server/retrieval/latent.h"
#include "server/retrieval/lexical.h"
#include "server/retrieval/tokens.h"
#include "server/retrieval/vectors.h"
#include "tests/lib/judged.h"

enum { FILLING_BATCH = 1000 }; /* sizes are multiples of it */

struct filling {
    struct judged judged;
    char **words; /* of all judged passages, in their order */
    size_t word_count, passages;
    struct tokens *tokens;
    struct lexical *lexical; /* of this process, as is what follows */
    struct latent *latent;
    struct vectors *vectors;
    uint64_t random;
};

/* false: the judged set is not here. */
bool filling_load(struct filling *filling);
void filling_free(struct filling *filling);
/* All passages into the index of this process, and the latent model from them. */
void filling_fit(struct filling *filling, size_t passages);
/* Into the database of a running harness on `directory`; a server that starts afterwards finds it. */
void filling_store(struct filling *filling, const char *directory);
/* Frees what filling_fit and filling_store made here. */
void filling_clear(struct filling *filling);
size_t filling_below(struct filling *filling, size_t limit); /* a random number, the same ones each time */
/* Parameters of search.query with a judged question; free them. */
char *filling_question(struct filling *filling, bool preview);

#endif
