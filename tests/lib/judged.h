/* judged.h - the judged collections of ../shared/retrieval: passages, questions, and which answers which. */
#ifndef TESTS_LIB_JUDGED_H
#define TESTS_LIB_JUDGED_H

#include <stdbool.h>
#include <stddef.h>

struct judged_text {
    char *id, *text;
};

struct judged {
    struct judged_text *passages, *questions;
    size_t passage_count, question_count;
    size_t *relevant_of, *relevant; /* pairs: question, passage (places) */
    size_t relevant_count;
};

/* false: there is no such set here (EDURAG_SHARED, or ../shared). */
bool judged_load(struct judged *judged, const char *set);
void judged_free(struct judged *judged);
/* nDCG@10 and recall@10 of a ranking of passages (places) for one question; false where nothing is judged. */
bool judged_score(const struct judged *judged, size_t question, const size_t *ranking, size_t count, double *ndcg,
                  double *recall);
/* One random edit in about a quarter of the words of four letters or more; free it. The state of the
 * random numbers starts as any constant. */
char *judged_mistype(const char *question, unsigned long long *state);

#endif
