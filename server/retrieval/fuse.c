/* fuse.c - one ranking from several: BM25, cosines and pairs of neighbouring words, weighted. */
#include "server/retrieval/fuse.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/scan_helper.h"

static const float PAIRS = 0.1f, RUN = 0.5f;

void fuse_work_free(struct fuse_work *work)
{
    free(work->lexical);
    free(work->cosine);
    free(work->scratch);
    *work = (struct fuse_work){0};
}

static void work_reserve(struct fuse_work *work, size_t texts)
{
    if (texts + 64 <= work->capacity) /* whole blocks of 64 are read */
        return;
    fuse_work_free(work);
    work->capacity = texts + texts / 4 + 64;
    work->lexical = mem_array(work->capacity, sizeof *work->lexical);
    work->cosine = mem_array(work->capacity, sizeof *work->cosine);
    work->scratch = mem_array(work->capacity + 1, 2 * sizeof *work->scratch);
}

struct scale {
    float least, factor;
};

static float scaled(const struct scale *scale, float cosine)
{
    return scale->factor * (cosine - scale->least);
}

/* Loops over all texts go in steps of LANES, each lane with a result of its own: so they become vector instructions. */
enum { LANES = 8 };

static float most_of(const float *values, size_t count)
{
    float most[LANES] = {0}, all = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            most[k] = values[i + k] > most[k] ? values[i + k] : most[k];
    for (size_t k = 0; k < LANES; k++)
        all = most[k] > all ? most[k] : all;
    for (; i < count; i++)
        all = values[i] > all ? values[i] : all;
    return all;
}

struct range {
    float least[LANES], most[LANES];
};

static void stretch(struct range *range, const float *values, size_t count)
{
    struct range r = *range;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            r.least[k] = values[i + k] < r.least[k] ? values[i + k] : r.least[k];
            r.most[k] = values[i + k] > r.most[k] ? values[i + k] : r.most[k];
        }
    for (; i < count; i++) {
        r.least[0] = values[i] < r.least[0] ? values[i] : r.least[0];
        r.most[0] = values[i] > r.most[0] ? values[i] : r.most[0];
    }
    *range = r;
}

/* From the least visible cosine of the model to its best, which counts as much as its weight. */
static struct scale scale_of(const struct fuse_model *model, const float *cosine)
{
    struct range range;
    float least = 2, best = -2;
    for (size_t k = 0; k < LANES; k++) {
        range.least[k] = least;
        range.most[k] = best;
    }
    for (size_t s = 0; s < model->span_count; s++)
        stretch(&range, cosine + model->spans[s].from, model->spans[s].to - model->spans[s].from);
    for (size_t k = 0; k < LANES; k++) {
        least = range.least[k] < least ? range.least[k] : least;
        best = range.most[k] > best ? range.most[k] : best;
    }
    return (struct scale){least, best > least ? (float)model->weight / (best - least) : 0};
}

static void rescale(const struct scale *scale, float *cosine, size_t count)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            cosine[i + k] = scaled(scale, cosine[i + k]);
    for (; i < count; i++)
        cosine[i] = scaled(scale, cosine[i]);
}

static int by_score(const void *x, const void *y)
{
    const struct fuse_hit *a = x, *b = y;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->text < b->text ? -1 : a->text > b->text;
}

/* A heap with the worst on top. */
static void heap_down(struct fuse_hit *heap, size_t count, size_t at)
{
    for (size_t child; (child = 2 * at + 1) < count; at = child) {
        if (child + 1 < count && by_score(&heap[child + 1], &heap[child]) > 0)
            child++;
        if (by_score(&heap[at], &heap[child]) >= 0)
            return;
        struct fuse_hit spare = heap[at];
        heap[at] = heap[child];
        heap[child] = spare;
    }
}

static size_t pool_add(struct fuse_hit *pool, size_t count, uint32_t text, float score)
{
    struct fuse_hit hit = {.text = text, .score = score};
    if (count < FUSE_POOL) {
        pool[count++] = hit;
        if (count == FUSE_POOL)
            for (size_t i = count / 2; i-- > 0;)
                heap_down(pool, count, i);
    } else if (by_score(&hit, &pool[0]) < 0) {
        pool[0] = hit;
        heap_down(pool, count, 0);
    }
    return count;
}

static const struct fuse_model *model_of(const struct fuse_input *input, uint32_t text)
{
    for (size_t m = 0; m < input->model_count; m++)
        if (input->models[m].question && vectors_has(input->models[m].vectors, text))
            return &input->models[m];
    return NULL;
}

/* Somebody who asks for words in a row as they stand in a text means that text. */
static float run_bonus(size_t run, size_t length)
{
    if (run < 2)
        return 0;
    float share = (float)(run - 1) / (float)(length - 1);
    return RUN * share * share;
}

/* The pool again, now with exact cosines, with pairs and runs. */
static void finish(const struct fuse_input *input, const struct scale *scales, float per_best, struct fuse_hit *pool,
                   size_t count, const struct fuse_work *work)
{
    size_t length = input->words->length, run;
    for (size_t i = 0; i < count; i++) {
        const struct fuse_model *model = model_of(input, pool[i].text);
        pool[i].lexical = work->lexical[pool[i].text];
        pool[i].cosine = model ? vectors_score(model->vectors, model->question, pool[i].text) : 0;
        pool[i].score =
            pool[i].lexical * per_best + (model ? scaled(&scales[model - input->models], pool[i].cosine) : 0);
        if (length < 2 || per_best <= 0)
            continue;
        float pairs = lexical_pairs(input->lexical, input->words, input->scope, pool[i].text, &run);
        pool[i].score += PAIRS * pairs * per_best + run_bonus(run, length);
    }
    qsort(pool, count, sizeof *pool, by_score);
}

static bool has_say(const struct fuse_model *model, bool wordless)
{
    return model->question && model->weight > 0 && (model->wordless || !wordless);
}

/* Without a common word the vectors must be near, and not just the nearest. */
static size_t drop_far(struct fuse_hit *pool, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (pool[i].cosine >= FUSE_ALONE)
            pool[kept++] = pool[i];
    return kept;
}

/* The best of the visible texts by what is known of all: 64 at a time, most of which hold none that is good enough. */
static size_t fill_pool(const struct fuse_input *input, const struct fuse_work *work, float per_best,
                        struct fuse_hit *pool)
{
    uint32_t texts = lexical_count(input->lexical);
    float bar = 0, scores[64];
    size_t count = 0;
    for (uint32_t word = 0; word * 64 < texts; word++) {
        uint64_t bits = input->scope->bits[word];
        if (!bits)
            continue;
        const float *lexical = work->lexical + word * 64, *cosine = work->cosine + word * 64;
        for (size_t k = 0; k < 64; k++)
            scores[k] = lexical[k] * per_best + cosine[k];
        if (most_of(scores, 64) <= bar)
            continue;
        for (; bits; bits &= bits - 1) {
            unsigned k = (unsigned)__builtin_ctzll(bits);
            if (scores[k] <= bar)
                continue;
            count = pool_add(pool, count, word * 64 + k, scores[k]);
            bar = count == FUSE_POOL ? pool[0].score : 0;
        }
    }
    return count;
}

/* The scans of all models in pieces, which whoever is free takes: the caller after it has scored the words, the helper
 * meanwhile. */
enum { PIECE = 4096, HELP_FROM = 16384 /* texts: with fewer, the helper would wake for nothing */ };

struct scans {
    const struct fuse_input *input;
    float *cosine;
    pthread_mutex_t lock;
    size_t model, span; /* the next to be given out, */
    uint32_t begun;     /* and how many texts of that span have been */
};

struct piece {
    const struct fuse_model *model;
    const struct vectors_span *spans; /* whole ones; or `part` of one that is long */
    size_t count;
    struct vectors_span part;
};

/* From the spans of one model, about PIECE texts. */
static void cut(struct scans *scans, const struct fuse_model *model, struct piece *piece)
{
    const struct vectors_span *first = &model->spans[scans->span];
    *piece = (struct piece){.model = model, .spans = first, .part = {first->from + scans->begun, first->to}};
    if (piece->part.to - piece->part.from > PIECE) {
        piece->part.to = piece->part.from + PIECE;
        scans->begun += PIECE;
        return;
    }
    size_t texts = 0;
    if (scans->begun) {
        scans->span++;
        scans->begun = 0;
        return;
    }
    for (; scans->span < model->span_count && texts + (first[piece->count].to - first[piece->count].from) <= PIECE;
         scans->span++, piece->count++)
        texts += first[piece->count].to - first[piece->count].from;
}

static bool take(struct scans *scans, struct piece *piece)
{
    bool found = false;
    pthread_mutex_lock(&scans->lock);
    while (!found && scans->model < scans->input->model_count) {
        const struct fuse_model *model = &scans->input->models[scans->model];
        found = has_say(model, false) && scans->span < model->span_count;
        if (found) {
            cut(scans, model, piece);
        } else {
            scans->model++;
            scans->span = 0;
        }
    }
    pthread_mutex_unlock(&scans->lock);
    return found;
}

static void scan_pieces(void *context)
{
    struct scans *scans = context;
    struct piece p;
    while (take(scans, &p))
        vectors_scan(p.model->vectors, p.model->question, p.count ? p.spans : &p.part, p.count ? p.count : 1,
                     scans->cosine);
}

/* Words and vectors of all visible texts. */
static void score_all(const struct fuse_input *input, struct fuse_work *work)
{
    uint32_t texts = lexical_count(input->lexical);
    struct scans scans = {.input = input, .cosine = work->cosine, .lock = PTHREAD_MUTEX_INITIALIZER};
    memset(work->cosine, 0, texts * sizeof *work->cosine);
    bool helped = texts >= HELP_FROM && scan_helper_begin(input->helper, scan_pieces, &scans);
    lexical_score(input->lexical, input->words, input->scope, work->lexical, work->scratch);
    scan_pieces(&scans);
    if (helped)
        scan_helper_end(input->helper);
    pthread_mutex_destroy(&scans.lock);
}

static void scale_model(const struct fuse_model *model, bool wordless, struct scale *scale, float *cosine)
{
    *scale = !has_say(model, wordless) ? (struct scale){0, 0}
             : wordless                ? (struct scale){0, (float)model->weight}
                                       : scale_of(model, cosine);
    for (size_t s = 0; s < model->span_count; s++)
        rescale(scale, cosine + model->spans[s].from, model->spans[s].to - model->spans[s].from);
}

size_t fuse_rank(const struct fuse_input *input, struct fuse_work *work, struct fuse_hit *best, size_t most)
{
    struct fuse_hit pool[FUSE_POOL];
    struct scale scales[FUSE_MODELS_MOST] = {0};
    uint32_t texts = lexical_count(input->lexical);
    if (!texts)
        return 0;
    work_reserve(work, texts);
    score_all(input, work);
    float best_lexical = most_of(work->lexical, texts);
    bool wordless = best_lexical <= 0; /* no word of the question stands in what the caller may see */
    for (size_t m = 0; m < input->model_count; m++)
        scale_model(&input->models[m], wordless, &scales[m], work->cosine);
    float per_best = wordless ? 0 : 1 / best_lexical;
    size_t count = fill_pool(input, work, per_best, pool);
    finish(input, scales, per_best, pool, count, work);
    count = wordless ? drop_far(pool, count) : count;
    count = count < most ? count : most;
    memcpy(best, pool, count * sizeof *best);
    return count;
}
