/* tokens.h - text into words: where they stand, how they are spelt for search, and their stems.
 *
 * A word is a run of letters, digits and their marks, in NFKC with case folded and, in Latin script,
 * accents removed from the stem, so that "résumé" and "resume" meet. Han, kana and their kin give single characters and
 * pairs; Thai and other scripts without blanks are cut by ICU's dictionaries. Stems are Snowball's, in
 * the language that the words themselves betray (stop words for Latin script, else the script).
 *
 * A struct tokens belongs to one thread at a time; what it returns is lent until its next call.
 */
#ifndef SERVER_RETRIEVAL_TOKENS_H
#define SERVER_RETRIEVAL_TOKENS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/retrieval/language.h"

struct token {
    uint32_t start, end; /* bytes of the text */
    const char *word;    /* normalised, NUL-terminated */
    uint32_t length;     /* of word */
    uint32_t hash;       /* word_hash of word, taken while it is made */
    uint32_t languages;  /* whose stop word it would be, one bit each */
    bool stop;           /* a stop word of the text's language */
    bool pair;           /* two characters of a script without blanks; overlaps its neighbours */
};

enum { TOKENS_WORD_MOST = 64 }; /* bytes; longer words are cut */

struct tokens;
struct tokens *tokens_new(void);
void tokens_free(struct tokens *tokens);
void tokens_freep(struct tokens **tokens);

/* The words of valid UTF-8 text in order; `language` (may be NULL) gets the detected one, and decides
 * which are stop words. */
size_t tokens_split(struct tokens *tokens, const char *text, size_t length, const struct token **words,
                    enum language *language);
/* The stem of a normalised word. Words of other scripts ignore `language`. */
const char *tokens_stem(struct tokens *tokens, enum language language, const char *word, size_t *length);

#endif
