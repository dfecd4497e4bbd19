/* passage.h - a found passage as the database gave it, read for showing: words that match, pages it lies on. */
#ifndef SERVER_RETRIEVAL_PASSAGE_H
#define SERVER_RETRIEVAL_PASSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "server/retrieval/sentences.h"
#include "server/retrieval/tokens.h"

enum { PASSAGE_WORDS_MOST = 64, PASSAGE_SENTENCES_MOST = 200, PASSAGE_SPANS_MOST = 32, PASSAGE_SAID_MOST = 32 };

/* The question's stems and what each weighs (its idf); and its words as they were asked, stop words too. */
struct passage_words {
    const char *said[PASSAGE_SAID_MOST]; /* normalised; none where there were more */
    size_t said_count;
    const char *stems[PASSAGE_WORDS_MOST];
    float weights[PASSAGE_WORDS_MOST];
    size_t count;
};

/* A word of the text that is one of the question's. */
struct passage_match {
    size_t start, end; /* bytes */
    uint8_t word;      /* place in passage_words */
};

/* From this byte on the text is that of this page, up to the next span. */
struct passage_span {
    size_t start;
    int page;
};

struct passage {
    const char *text; /* lent */
    size_t length;
    struct passage_match *matches;
    size_t match_count;
    size_t run, run_start; /* the longest row of words as they were asked: how many, and its first byte */
    struct sentence *sentences;
    size_t sentence_count;
    struct passage_span spans[PASSAGE_SPANS_MOST];
    size_t span_count; /* at least 1 */
};

/* `spans`: pdf_chunks.spans as JSON; where it says nothing all of the text is page `first_page`. The
 * caller's to passage_free. */
void passage_read(struct passage *passage, struct tokens *tokens, const struct passage_words *words, const char *text,
                  const char *spans, int first_page);
void passage_free(struct passage *passage);
/* The span that holds the byte, and where it ends. */
const struct passage_span *passage_span_at(const struct passage *passage, size_t byte, size_t *end);

#endif
