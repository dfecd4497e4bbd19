/* fuse.h - one ranking from several: BM25, cosines and pairs of neighbouring words, weighted.
 *
 * Scores are scaled per question: BM25 by its best; cosines between the least and the best of their model, so that
 * two models can serve side by side. A text is ranked by
 *     BM25/best + weight * scaled cosine + 0.1 * pairs/best + 0.5 * (share of the question that stands there in a row)^2
 * (weight: the embedder's own; 0.35 for the built-in latent vectors). Chosen by measuring on judged
 * sets; reciprocal-rank fusion lost on each of them.
 */
#ifndef SERVER_RETRIEVAL_FUSE_H
#define SERVER_RETRIEVAL_FUSE_H

#include "server/retrieval/lexical.h"
#include "server/retrieval/vectors.h"

#define FUSE_LATENT_WEIGHT 0.35
#define FUSE_ALONE 0.25f /* cosine from which a text without a word of the question has something in common with it */
struct scan_helper;
enum { FUSE_MODELS_MOST = 4, FUSE_POOL = 100 };

struct fuse_model {
    const struct vectors *vectors;
    const float *question; /* embedded with this model; all zero or NULL: it has no say */
    double weight;
    bool wordless; /* finds also where no visible text holds a word of the question: not for models that
                                            know their words from texts which the searcher may not see */
    const struct vectors_span *spans; /* the visible texts that this model serves */
    size_t span_count;
};

struct fuse_input {
    const struct lexical *lexical;
    const struct lexical_scope *scope;
    struct lexical_question *words;
    const struct fuse_model *models;
    size_t model_count;
    struct scan_helper *helper; /* helps where it is free; NULL: nobody does */
};

struct fuse_hit {
    uint32_t text;
    float score;
    float lexical; /* BM25 */
    float cosine;  /* exact; 0 without a vector */
};

/* Memory for one search at a time, kept between searches. {0} is an empty one. */
struct fuse_work {
    float *lexical, *cosine;
    uint32_t *scratch;
    size_t capacity;
};
void fuse_work_free(struct fuse_work *work);

/* The best `most` (at most FUSE_POOL), best first; fewer where fewer have anything in common with the question. */
size_t fuse_rank(const struct fuse_input *input, struct fuse_work *work, struct fuse_hit *best, size_t most);

#endif
