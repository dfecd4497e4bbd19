/* spell.h - the word that was meant, among those that stand in the texts of a scope.
 *
 * Only for a word whose stem no text of the scope holds. One edit (a letter more, less, other, or two
 * swapped) is preferred to two, then the stem in the most texts; a word in no text of the scope is never
 * given, so a hidden or deleted document's words stay its own.
 */
#ifndef SERVER_RETRIEVAL_SPELL_H
#define SERVER_RETRIEVAL_SPELL_H

#include "server/retrieval/lexical.h"

/* A word of the vocabulary, or VOCABULARY_NONE. `word` is normalised. */
uint32_t spell_correct(const struct lexical *lexical, const uint64_t *bits, const char *word, size_t length);
/* Edits between two words of code points, or `most` + 1 where there are more. */
unsigned spell_distance(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length, unsigned most);

#endif
