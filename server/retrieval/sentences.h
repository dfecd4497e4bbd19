/* sentences.h - where the sentences of a text begin and end (ICU; endless ones cut at their marks). */
#ifndef SERVER_RETRIEVAL_SENTENCES_H
#define SERVER_RETRIEVAL_SENTENCES_H

#include <stddef.h>

struct sentence {
    size_t start, end; /* bytes, without the blanks around it */
};

/* At most `most`, in order; what follows the last one is left out. */
size_t sentences_split(const char *text, size_t length, struct sentence *sentences, size_t most);

#endif
