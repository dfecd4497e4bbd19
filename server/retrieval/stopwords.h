/* stopwords.h - the little words that tell a language and say nothing else. */
#ifndef SERVER_RETRIEVAL_STOPWORDS_H
#define SERVER_RETRIEVAL_STOPWORDS_H

#include <stddef.h>
#include <stdint.h>

/* One bit a language (1 << LANGUAGE_X) for each whose stop word this normalised word is; `hash` is its word_hash. Any thread. */
uint32_t stopwords_languages(const char *word, size_t length, uint32_t hash);

#endif
