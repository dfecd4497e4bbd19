/* snippet.h - the few lines of a passage that show why it was found.
 *
 * Starts where a sentence starts that holds a word of the question, with the one whose following 280
 * characters hold most of them, or with one that has three or more of them in a row as they were asked;
 * ends where its page ends; white space is single blanks. Marks count code points of the snippet.
 */
#ifndef SERVER_RETRIEVAL_SNIPPET_H
#define SERVER_RETRIEVAL_SNIPPET_H

#include "common/buf.h"
#include "server/retrieval/passage.h"

enum { SNIPPET_MOST = 280, SNIPPET_MARKS_MOST = 40 };

struct snippet {
    struct buf text;
    size_t marks[SNIPPET_MARKS_MOST][2], mark_count;
    int page;
};

void snippet_make(struct snippet *snippet, const struct passage *passage, const struct passage_words *words);
/* Bytes start..end of the passage as a snippet, cut at the end of the page where they start. */
void snippet_cut(struct snippet *snippet, const struct passage *passage, size_t start, size_t end);
void snippet_free(struct snippet *snippet);

#endif
