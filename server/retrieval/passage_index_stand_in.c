/* passage_index_stand_in.c - vectors of a built-in model beside those that serve, made from the stems that the index holds. */
#include <stdio.h>
#include <stdlib.h>

#include "common/mem.h"
#include "server/retrieval/passage_index_state.h"

enum { TEXTS_A_CALL = 128 /* a few milliseconds, for which changes wait */, STEMS_MOST = 4096 };

struct folding {
    passage_index_fold *fold;
    uint32_t *stems;
    const char **words;
    float *vector;
};

static void folding_free(struct folding *f)
{
    free(f->stems);
    free(f->words);
    free(f->vector);
}

/* Under `update`: nobody changes the index, searches go on beside. */
static bool fold_one(struct passage_index *s, struct stand_in *to, uint32_t text, struct folding *f)
{
    size_t count = lexical_stems(s->lexical, text, f->stems, STEMS_MOST);
    for (size_t i = 0; i < count; i++)
        f->words[i] = vocabulary_stem_text(lexical_vocabulary(s->lexical), f->stems[i]);
    if (!f->fold(to->name, f->words, count, f->vector))
        return false;
    bool seen = to == &s->stand_in;
    if (seen)
        pthread_rwlock_wrlock(&s->lock);
    vectors_put(to->vectors, text, f->vector);
    if (seen)
        pthread_rwlock_unlock(&s->lock);
    return true;
}

/* Those that searches see change under `lock`. */
static void replace(struct passage_index *s, struct stand_in by)
{
    pthread_rwlock_wrlock(&s->lock);
    struct vectors *old = s->stand_in.vectors;
    s->stand_in = by;
    pthread_rwlock_unlock(&s->lock);
    vectors_free(old);
}

static struct stand_in *target(struct passage_index *s, const char *model, size_t dimensions)
{
    if (s->stand_in.vectors && !strcmp(s->stand_in.name, model))
        return &s->stand_in;
    if (!s->coming.vectors || strcmp(s->coming.name, model) != 0) {
        vectors_free(s->coming.vectors);
        s->coming = (struct stand_in){.vectors = vectors_new_packed(dimensions)};
        snprintf(s->coming.name, sizeof s->coming.name, "%s", model);
    }
    return &s->coming;
}

static bool fold_some(struct passage_index *s, struct stand_in *to, size_t dimensions, passage_index_fold *fold)
{
    uint32_t texts = lexical_count(s->lexical), from = to->done;
    if (from == texts)
        return true;
    AUTO(folding_free)
    struct folding f = {fold, mem_array(STEMS_MOST, sizeof *f.stems), mem_array(STEMS_MOST, sizeof *f.words),
                        mem_array(dimensions, sizeof *f.vector)};
    for (; to->done < texts && to->done - from < TEXTS_A_CALL; to->done++)
        if (s->owners[to->done] != LEXICAL_NONE && !fold_one(s, to, to->done, &f))
            return false;
    return to->done == texts;
}

bool passage_index_stand_in(struct passage_index *s, const char *model, size_t dimensions, passage_index_fold *fold)
{
    pthread_mutex_lock(&s->update);
    bool whole = true;
    if (!model) {
        vectors_free(s->coming.vectors);
        s->coming = (struct stand_in){0};
        replace(s, s->coming);
    } else {
        struct stand_in *to = target(s, model, dimensions);
        whole = fold_some(s, to, dimensions, fold);
        if (whole && to == &s->coming) {
            replace(s, s->coming);
            s->coming = (struct stand_in){0};
        }
    }
    pthread_mutex_unlock(&s->update);
    return whole;
}
