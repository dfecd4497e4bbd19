/* vocabulary.h - the words of the indexed texts, as they are spelt, and the stems they come down to.
 *
 * Numbers are dense, given in order of appearance, and never reused; words live until the vocabulary
 * is freed (an index that is rebuilt gets a new one). Whoever owns it also owns the lock: lookups may
 * run side by side, vocabulary_add may not.
 */
#ifndef SERVER_RETRIEVAL_VOCABULARY_H
#define SERVER_RETRIEVAL_VOCABULARY_H

#include <stddef.h>
#include <stdint.h>

#include "server/retrieval/tokens.h"

enum { VOCABULARY_NONE = UINT32_MAX };

struct vocabulary;
struct vocabulary *vocabulary_new(void);
void vocabulary_free(struct vocabulary *v);

/* The number of a word in a text of that language, new or not. */
uint32_t vocabulary_add(struct vocabulary *v, struct tokens *tokens, enum language language, const struct token *word);
/* VOCABULARY_NONE where it never stood in a text. */
uint32_t vocabulary_stem(const struct vocabulary *v, const char *stem, size_t length);

uint32_t vocabulary_stem_of(const struct vocabulary *v, uint32_t word);
const uint32_t *vocabulary_stems_of(const struct vocabulary *v); /* by word; until the next vocabulary_add */
enum language vocabulary_language_of(const struct vocabulary *v, uint32_t word);
const char *vocabulary_word_text(const struct vocabulary *v, uint32_t word);
const char *vocabulary_stem_text(const struct vocabulary *v, uint32_t stem);
uint32_t vocabulary_words(const struct vocabulary *v);
uint32_t vocabulary_stems(const struct vocabulary *v);
/* The languages met so far, one bit each. */
uint32_t vocabulary_languages(const struct vocabulary *v);
/* For spelling: per word its bytes and which letters it has (one bit of 32 each, by their low bits). */
const uint8_t *vocabulary_lengths(const struct vocabulary *v);
const uint32_t *vocabulary_letters(const struct vocabulary *v);
uint32_t vocabulary_letters_of(const char *word, size_t length);
size_t vocabulary_bytes(const struct vocabulary *v);

#endif
