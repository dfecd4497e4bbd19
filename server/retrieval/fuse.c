/* fuse.c - one ranking from several: BM25, cosines and pairs of neighbouring words, weighted. */
#include "server/retrieval/fuse.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

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
    if (texts <= work->room)
        return;
    fuse_work_free(work);
    work->room = texts + texts / 4 + 64;
    work->lexical = mem_array(work->room, sizeof *work->lexical);
    work->cosine = mem_array(work->room, sizeof *work->cosine);
    work->scratch = mem_array(work->room + 1, 2 * sizeof *work->scratch);
}

struct scale {
    float least, factor;
};

static float scaled(const struct scale *scale, float cosine)
{
    return scale->factor * (cosine - scale->least);
}

/* From the least visible cosine of the model to its best, which counts as much as its weight. */
static struct scale scale_of(const struct fuse_model *model, const float *cosine)
{
    float least = 2, best = -2;
    for (size_t s = 0; s < model->span_count; s++)
        for (uint32_t text = model->spans[s].from; text < model->spans[s].to; text++) {
            least = cosine[text] < least ? cosine[text] : least;
            best = cosine[text] > best ? cosine[text] : best;
        }
    return (struct scale){least, best > least ? (float)model->weight / (best - least) : 0};
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
        pool[i].score = pool[i].lexical * per_best + (model ? scaled(&scales[model - input->models], pool[i].cosine) : 0);
        if (length < 2 || per_best <= 0)
            continue;
        float pairs = lexical_pairs(input->lexical, input->words, input->scope, pool[i].text, &run);
        pool[i].score += PAIRS * pairs * per_best + run_bonus(run, length);
    }
    qsort(pool, count, sizeof *pool, by_score);
}

static bool has_say(const struct fuse_model *model, bool alone)
{
    return model->question && model->weight > 0 && (model->alone || !alone);
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

size_t fuse_rank(const struct fuse_input *input, struct fuse_work *work, struct fuse_hit *best, size_t most)
{
    struct fuse_hit pool[FUSE_POOL];
    struct scale scales[FUSE_MODELS_MOST] = {0};
    size_t count = 0;
    uint32_t texts = lexical_count(input->lexical);
    if (!texts)
        return 0;
    work_reserve(work, texts);
    lexical_score(input->lexical, input->words, input->scope, work->lexical, work->scratch);
    float best_lexical = 0;
    for (uint32_t text = 0; text < texts; text++)
        best_lexical = work->lexical[text] > best_lexical ? work->lexical[text] : best_lexical;
    bool alone = best_lexical <= 0; /* no word of the question stands in what the caller may see */
    memset(work->cosine, 0, texts * sizeof *work->cosine);
    for (size_t m = 0; m < input->model_count; m++) {
        const struct fuse_model *model = &input->models[m];
        if (!has_say(model, alone))
            continue;
        vectors_scan(model->vectors, model->question, model->spans, model->span_count, work->cosine);
        scales[m] = alone ? (struct scale){0, (float)model->weight} : scale_of(model, work->cosine);
        for (size_t s = 0; s < model->span_count; s++)
            for (uint32_t text = model->spans[s].from; text < model->spans[s].to; text++)
                work->cosine[text] = scaled(&scales[m], work->cosine[text]);
    }
    float per_best = alone ? 0 : 1 / best_lexical, bar = 0;
    for (uint32_t word = 0; word * 64 < texts; word++)
        for (uint64_t bits = input->scope->bits[word]; bits; bits &= bits - 1) {
            uint32_t text = word * 64 + (uint32_t)__builtin_ctzll(bits);
            float score = work->lexical[text] * per_best + work->cosine[text];
            if (score <= bar)
                continue;
            count = pool_add(pool, count, text, score);
            bar = count == FUSE_POOL ? pool[0].score : 0;
        }
    finish(input, scales, per_best, pool, count, work);
    count = alone ? drop_far(pool, count) : count;
    count = count < most ? count : most;
    memcpy(best, pool, count * sizeof *best);
    return count;
}
