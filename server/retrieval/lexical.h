/* lexical.h - an inverted index in memory over any set of texts, ranked by BM25 (k1 1.2, b 0.75).
 *
 * Texts are numbered in the order in which they come; numbers are not reused. Removing is the owner's
 * business: what is not in the scope of a search is as if it were not there, in the counts too, so that
 * nobody's ranking depends on what they may not see. lexical_copy leaves the removed ones behind.
 *
 * No locks inside: the owner lets searches run side by side, and nothing beside lexical_add.
 */
#ifndef SERVER_RETRIEVAL_LEXICAL_H
#define SERVER_RETRIEVAL_LEXICAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/retrieval/tokens.h"
#include "server/retrieval/vocabulary.h"

enum { LEXICAL_TERMS_MOST = 64, LEXICAL_NONE = UINT32_MAX };

/* Which texts count: one bit each. Filled by the owner, completed by lexical_scope. */
struct lexical_scope {
    const uint64_t *bits;
    uint32_t count;
    double mean_length;
};

struct lexical_term {
    uint32_t stem;  /* LEXICAL_NONE: stands in no text of the scope */
    uint32_t texts; /* in the scope that hold it: set by lexical_score */
    float idf;      /* set by lexical_score; for an unknown one that of a word in no text */
};

struct lexical_question {
    struct lexical_term terms[LEXICAL_TERMS_MOST];
    size_t count;
    uint16_t order[LEXICAL_TERMS_MOST * 2]; /* the terms as they follow each other, for pairs */
    size_t length;
};

struct lexical;
struct lexical *lexical_new(void);
void lexical_free(struct lexical *l);
/* The number of the new text. */
uint32_t lexical_add(struct lexical *l, struct tokens *tokens, enum language language, const struct token *words,
                     size_t count);
uint32_t lexical_count(const struct lexical *l);
const struct vocabulary *lexical_vocabulary(const struct lexical *l);
/* A new index with only the texts whose bit is set, in the same order. */
struct lexical *lexical_copy(const struct lexical *l, const uint64_t *keep, struct tokens *tokens);

void lexical_scope(const struct lexical *l, struct lexical_scope *scope);
/* How many words, stop words left out, some texts in a row have: what an owner needs to complete a scope itself. */
uint64_t lexical_words(const struct lexical *l, uint32_t from, uint32_t to);
/* Adds a word's stem, or LEXICAL_NONE, to a question that starts as {0}; past the limit it is left out. A word
 * counts once however often it is asked: on judged sets that ranks better. */
void lexical_ask(struct lexical_question *question, uint32_t stem);
/* scores[text] for every text of the index: 0 where outside the scope or without a term. `scratch` holds
 * 2 * lexical_count + 2 numbers. */
void lexical_score(const struct lexical *l, struct lexical_question *question, const struct lexical_scope *scope,
                   float *scores, uint32_t *scratch);
/* How much pairs of neighbours in the question are neighbours in this text too, as BM25 would count them.
 * `run` gets the longest run of neighbours in the text, stop words left out, that are neighbours in the question
 * in the same order. After lexical_score. */
float lexical_pairs(const struct lexical *l, const struct lexical_question *question, const struct lexical_scope *scope,
                    uint32_t text, size_t *run);
/* The share of the question's idf weight whose words stand in the text. After lexical_score. */
float lexical_share(const struct lexical *l, const struct lexical_question *question, uint32_t text);
/* Texts of the scope that hold the stem, counted up to `most`. */
uint32_t lexical_holders(const struct lexical *l, uint32_t stem, const uint64_t *bits, uint32_t most);
/* Whether a word, spelt like this, stands in a text of the scope. */
bool lexical_word_visible(const struct lexical *l, uint32_t word, const uint64_t *bits);
/* The stems of a text, without stop words, in reading order; at most `most`. */
size_t lexical_stems(const struct lexical *l, uint32_t text, uint32_t *stems, size_t most);
size_t lexical_bytes(const struct lexical *l);

#endif
