/* question.h - what somebody typed, as the index understands it: stems, and the spelling that was meant. */
#ifndef SERVER_RETRIEVAL_QUESTION_H
#define SERVER_RETRIEVAL_QUESTION_H

#include "common/buf.h"
#include "server/retrieval/lexical.h"

struct question {
    struct lexical_question words;
    struct buf corrected; /* the whole text with corrected words in place; empty where none was */
};

/* `scope` says which texts count as known. The caller's to question_free. */
void question_read(struct question *question, const struct lexical *lexical, const struct lexical_scope *scope,
                   struct tokens *tokens, const char *text, size_t length);
void question_free(struct question *question);

#endif
