/* support.h - whether each cited sentence of an answer is borne out by the passage that it cites.
 *
 * Pure. "quoted": the sentence, or a quotation in it, stands in the passage word for word. "close": most of
 * its words of meaning do, all its figures among them, by stem. "none": neither. This compares words; it
 * cannot tell a sentence from its denial.
 */
#ifndef SERVER_RETRIEVAL_SUPPORT_H
#define SERVER_RETRIEVAL_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>

enum support_kind { SUPPORT_NONE, SUPPORT_CLOSE, SUPPORT_QUOTED };

struct support_passage {
    const char *text;
    size_t length;
};

/* A sentence of the answer and one number that it cites. */
struct support_claim {
    size_t start, end; /* code points of the answer, without the numbers around it */
    size_t n;          /* passages[n - 1] */
    enum support_kind kind;
    size_t from, to; /* bytes of the passage: the part that bears it out best */
};

struct support {
    struct support_claim *claims; /* in the order of the answer */
    size_t count;
    bool grounded; /* one claim at least is borne out */
};

/* `answer` has passed citations.h. The caller's to support_free. */
void support_check(struct support *support, const char *answer, const struct support_passage *passages, size_t count);
void support_free(struct support *support);
const char *support_word(enum support_kind kind); /* "quoted" "close" "none" */

#endif
