/* passage_index_search.c - one search in a passage index: what the searcher may see, the words that were meant, the ranking. */
#include <stdlib.h>

#include "common/mem.h"
#include "server/retrieval/question.h"
#include "server/retrieval/passage_index_state.h"

static struct search_scratch *scratch_take(struct passage_index *s)
{
    pthread_mutex_lock(&s->scratches_lock);
    struct search_scratch *scratch = s->scratches;
    if (scratch)
        s->scratches = scratch->next;
    pthread_mutex_unlock(&s->scratches_lock);
    if (!scratch) {
        scratch = mem_alloc(sizeof *scratch);
        scratch->tokens = tokens_new();
    }
    return scratch;
}

static void scratch_give(struct passage_index *s, struct search_scratch *scratch)
{
    pthread_mutex_lock(&s->scratches_lock);
    scratch->next = s->scratches;
    s->scratches = scratch;
    pthread_mutex_unlock(&s->scratches_lock);
}

/* Which courses this search may look into; false outside of the one asked for. */
static void open_courses(struct passage_index *s, const struct passage_index_searcher *searcher,
                         struct search_scratch *scratch)
{
    if (s->course_count > scratch->open_capacity) {
        scratch->open_capacity = s->course_count * 2;
        scratch->open = mem_grow(scratch->open, scratch->open_capacity, sizeof *scratch->open);
    }
    for (size_t c = 0; c < s->course_count; c++) {
        scratch->open[c] = false;
        for (size_t i = 0;
             i < searcher->course_count && (!searcher->only || passage_index_same(searcher->only, &s->courses[c])); i++)
            scratch->open[c] = scratch->open[c] || passage_index_same(&searcher->courses[i], &s->courses[c]);
    }
}

static bool may_see(const struct passage_index_searcher *searcher, const struct search_scratch *scratch,
                    const struct entry *entry)
{
    static const struct passage_index_id nobody;
    return scratch->open[entry->course] ||
           (passage_index_same(&entry->document.uploader, &searcher->person) &&
            !passage_index_same(&searcher->person, &nobody) &&
            (!searcher->only || passage_index_same(searcher->only, &entry->document.course)));
}

static void set_bits(uint64_t *bits, uint32_t from, uint32_t to)
{
    for (; from < to && from % 64; from++)
        bits[from / 64] |= 1ull << from % 64;
    for (; from + 64 <= to; from += 64)
        bits[from / 64] = ~0ull;
    for (; from < to; from++)
        bits[from / 64] |= 1ull << from % 64;
}

/* The visible texts as bits and, model after model, as spans; `ends[m]` is where the spans of model m end. */
static void look(struct passage_index *s, const struct passage_index_searcher *searcher, struct search_scratch *scratch,
                 struct lexical_scope *scope, size_t *ends)
{
    size_t words = lexical_count(s->lexical) / 64 + 1, spans = 0;
    uint64_t sum = 0;
    scope->count = 0;
    if (words > scratch->words) {
        scratch->words = words + words / 4;
        scratch->bits = mem_grow(scratch->bits, scratch->words, sizeof *scratch->bits);
    }
    memset(scratch->bits, 0, words * sizeof *scratch->bits);
    if (s->count > scratch->spans_capacity) {
        scratch->spans_capacity = s->count * 2;
        scratch->spans = mem_grow(scratch->spans, scratch->spans_capacity, sizeof *scratch->spans);
    }
    open_courses(s, searcher, scratch);
    for (size_t m = 0; m <= s->model_count; m++) {
        const struct model *model = m < s->model_count ? s->models[m] : NULL;
        for (size_t i = 0; i < s->count; i++) {
            const struct entry *entry = &s->entries[i];
            if (entry->model != model || !may_see(searcher, scratch, entry))
                continue;
            set_bits(scratch->bits, entry->from, entry->to);
            scope->count += entry->to - entry->from;
            sum += entry->words;
            if (spans > (m ? ends[m - 1] : 0) && scratch->spans[spans - 1].to == entry->from)
                scratch->spans[spans - 1].to = entry->to;
            else
                scratch->spans[spans++] = (struct vectors_span){entry->from, entry->to};
        }
        ends[m] = spans;
    }
    scope->bits = scratch->bits;
    scope->mean_length = scope->count ? (double)sum / scope->count : 0;
}

struct asked {
    char name[PASSAGE_INDEX_MODEL_MOST];
    float *vector;
    double weight;
};

/* Every model that serves gets the question; without any lock, since one may be far away. Where one does not embed it
 * the stand-in gets it too. */
static size_t embed_all(struct passage_index *s, const char *text, passage_index_embed *embed, void *context,
                        struct asked *asked)
{
    size_t dimensions[FUSE_MODELS_MOST + 1], count, kept = 0;
    pthread_rwlock_rdlock(&s->lock);
    count = s->model_count;
    for (size_t i = 0; i < count; i++) {
        memcpy(asked[i].name, s->models[i]->name, PASSAGE_INDEX_MODEL_MOST);
        dimensions[i] = vectors_dimensions(s->models[i]->vectors);
    }
    bool stands_in = s->stand_in.vectors;
    if (stands_in) {
        memcpy(asked[count].name, s->stand_in.name, PASSAGE_INDEX_MODEL_MOST);
        dimensions[count] = vectors_dimensions(s->stand_in.vectors);
    }
    pthread_rwlock_unlock(&s->lock);
    for (size_t i = 0; i < count || (i == count && stands_in && kept < count); i++) {
        if (i != kept)
            memcpy(asked[kept].name, asked[i].name, PASSAGE_INDEX_MODEL_MOST);
        asked[kept].vector = mem_array(dimensions[i], sizeof(float));
        if (embed && embed(asked[kept].name, text, asked[kept].vector, &asked[kept].weight, context))
            kept++;
        else
            free(asked[kept].vector);
    }
    return kept;
}

static const struct asked *asked_of(const struct asked *asked, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(asked[i].name, name))
            return &asked[i];
    return NULL;
}

/* What compares the question with a model's documents: its own vectors, else the stand-in's, else nothing. */
static struct fuse_model fuse_model_of(struct passage_index *s, const struct model *model, const struct asked *asked,
                                       size_t asked_count)
{
    const struct asked *own = asked_of(asked, asked_count, model->name);
    const struct asked *other = own || !s->stand_in.vectors ? NULL : asked_of(asked, asked_count, s->stand_in.name);
    if (!own && !other)
        return (struct fuse_model){.vectors = model->vectors};
    return (struct fuse_model){
        .vectors = own ? model->vectors : s->stand_in.vectors,
        .question = own ? own->vector : other->vector,
        .weight = own ? own->weight : other->weight,
        .wordless = own && strncmp(model->name, PASSAGE_INDEX_BUILTIN, strlen(PASSAGE_INDEX_BUILTIN)) != 0};
}

static void rank(struct passage_index *s, struct search_scratch *scratch, const size_t *ends, const struct asked *asked,
                 size_t asked_count, struct question *question, const struct lexical_scope *scope, size_t most,
                 struct passage_index_result *answer)
{
    struct fuse_model models[FUSE_MODELS_MOST];
    answer->compared = asked_count > 0;
    for (size_t m = 0; m < s->model_count; m++) {
        size_t from = m ? ends[m - 1] : 0;
        models[m] = fuse_model_of(s, s->models[m], asked, asked_count);
        models[m].spans = scratch->spans + from;
        models[m].span_count = ends[m] - from;
    }
    struct fuse_hit *hits = mem_array(FUSE_POOL, sizeof *hits);
    struct fuse_input input = {
        s->lexical,       scope,
        &question->words, models,
        s->model_count,   atomic_load(&s->searching) > 1 ? NULL : s->helper /* where many search, no core is idle */};
    answer->count = fuse_rank(&input, &scratch->work, hits, most);
    for (size_t i = 0; i < answer->count; i++)
        answer->hits[i] =
            (struct passage_index_hit){.passage = s->ids[hits[i].text],
                                       .document = s->entries[s->owners[hits[i].text]].document.id,
                                       .score = hits[i].score,
                                       .cosine = hits[i].cosine,
                                       .share = lexical_share(s->lexical, &question->words, hits[i].text)};
    for (size_t i = 0; i < question->words.count; i++)
        if (question->words.terms[i].stem != LEXICAL_NONE) {
            const char *stem = vocabulary_stem_text(lexical_vocabulary(s->lexical), question->words.terms[i].stem);
            buf_bytes(&answer->stems, stem, strlen(stem) + 1);
            answer->weights[answer->stem_count++] = question->words.terms[i].idf;
        }
    free(hits);
}

void passage_index_search(struct passage_index *s, const struct passage_index_searcher *searcher, const char *query,
                          passage_index_embed *embed, void *context, size_t most, struct passage_index_result *answer)
{
    struct search_scratch *scratch = scratch_take(s);
    struct lexical_scope scope;
    struct question question;
    struct asked asked[FUSE_MODELS_MOST + 1];
    size_t ends[FUSE_MODELS_MOST + 1];
    *answer = (struct passage_index_result){0};

    atomic_fetch_add(&s->searching, 1);
    pthread_rwlock_rdlock(&s->lock);
    look(s, searcher, scratch, &scope, ends);
    question_read(&question, s->lexical, &scope, scratch->tokens, query, strlen(query));
    uint64_t changes = s->changes;
    pthread_rwlock_unlock(&s->lock);
    answer->corrected = question.corrected;
    question.corrected = (struct buf){0};

    const char *meant = answer->corrected.length ? answer->corrected.data : query;
    size_t asked_count = embed_all(s, meant, embed, context, asked);

    /* Where the library has changed while the embedder was asked: again, with the words that were meant. */
    pthread_rwlock_rdlock(&s->lock);
    if (s->changes != changes) {
        look(s, searcher, scratch, &scope, ends);
        question_free(&question);
        question_read(&question, s->lexical, &scope, scratch->tokens, meant, strlen(meant));
    }
    rank(s, scratch, ends, asked, asked_count, &question, &scope, most < FUSE_POOL ? most : FUSE_POOL, answer);
    pthread_rwlock_unlock(&s->lock);

    question_free(&question);
    for (size_t i = 0; i < asked_count; i++)
        free(asked[i].vector);
    scratch_give(s, scratch);
    atomic_fetch_sub(&s->searching, 1);
}
