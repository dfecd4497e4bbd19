/* stock_search.c - one search in a stock: what the asker may see, the words that were meant, the ranking. */
#include <stdlib.h>

#include "common/mem.h"
#include "server/retrieval/question.h"
#include "server/retrieval/stock_state.h"

static struct desk *desk_take(struct stock *s)
{
    pthread_mutex_lock(&s->desks_lock);
    struct desk *desk = s->desks;
    if (desk)
        s->desks = desk->next;
    pthread_mutex_unlock(&s->desks_lock);
    if (!desk) {
        desk = mem_alloc(sizeof *desk);
        desk->tokens = tokens_new();
    }
    return desk;
}

static void desk_give(struct stock *s, struct desk *desk)
{
    pthread_mutex_lock(&s->desks_lock);
    desk->next = s->desks;
    s->desks = desk;
    pthread_mutex_unlock(&s->desks_lock);
}

/* Which courses this search may look into; false outside of the one asked for. */
static void open_courses(struct stock *s, const struct stock_asker *asker, struct desk *desk)
{
    if (s->course_count > desk->open_room) {
        desk->open_room = s->course_count * 2;
        desk->open = mem_grow(desk->open, desk->open_room, sizeof *desk->open);
    }
    for (size_t c = 0; c < s->course_count; c++) {
        desk->open[c] = false;
        for (size_t i = 0; i < asker->course_count && (!asker->only || stock_same(asker->only, &s->courses[c])); i++)
            desk->open[c] = desk->open[c] || stock_same(&asker->courses[i], &s->courses[c]);
    }
}

static bool may_see(const struct stock_asker *asker, const struct desk *desk, const struct entry *entry)
{
    static const struct stock_id nobody;
    return desk->open[entry->course] ||
           (stock_same(&entry->document.uploader, &asker->person) && !stock_same(&asker->person, &nobody) &&
            (!asker->only || stock_same(asker->only, &entry->document.course)));
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
static void look(struct stock *s, const struct stock_asker *asker, struct desk *desk, struct lexical_scope *scope, size_t *ends)
{
    size_t words = lexical_count(s->lexical) / 64 + 1, spans = 0;
    uint64_t sum = 0;
    scope->count = 0;
    if (words > desk->words) {
        desk->words = words + words / 4;
        desk->bits = mem_grow(desk->bits, desk->words, sizeof *desk->bits);
    }
    memset(desk->bits, 0, words * sizeof *desk->bits);
    if (s->count > desk->spans_room) {
        desk->spans_room = s->count * 2;
        desk->spans = mem_grow(desk->spans, desk->spans_room, sizeof *desk->spans);
    }
    open_courses(s, asker, desk);
    for (size_t m = 0; m <= s->model_count; m++) {
        const struct model *model = m < s->model_count ? s->models[m] : NULL;
        for (size_t i = 0; i < s->count; i++) {
            const struct entry *entry = &s->entries[i];
            if (entry->model != model || !may_see(asker, desk, entry))
                continue;
            set_bits(desk->bits, entry->from, entry->to);
            scope->count += entry->to - entry->from;
            sum += entry->words;
            if (spans > (m ? ends[m - 1] : 0) && desk->spans[spans - 1].to == entry->from)
                desk->spans[spans - 1].to = entry->to;
            else
                desk->spans[spans++] = (struct vectors_span){entry->from, entry->to};
        }
        ends[m] = spans;
    }
    scope->bits = desk->bits;
    scope->mean_length = scope->count ? (double)sum / scope->count : 0;
}

struct asked {
    char name[STOCK_MODEL_MOST];
    float *vector;
    double weight;
};

/* Every model that serves gets the question; without any lock, since one may be far away. Where one does not embed it
 * the stand-in gets it too. */
static size_t embed_all(struct stock *s, const char *text, stock_embed *embed, void *context, struct asked *asked)
{
    size_t dimensions[FUSE_MODELS_MOST + 1], count, kept = 0;
    pthread_rwlock_rdlock(&s->lock);
    count = s->model_count;
    for (size_t i = 0; i < count; i++) {
        memcpy(asked[i].name, s->models[i]->name, STOCK_MODEL_MOST);
        dimensions[i] = vectors_dimensions(s->models[i]->vectors);
    }
    bool stands_in = s->stand_in.vectors;
    if (stands_in) {
        memcpy(asked[count].name, s->stand_in.name, STOCK_MODEL_MOST);
        dimensions[count] = vectors_dimensions(s->stand_in.vectors);
    }
    pthread_rwlock_unlock(&s->lock);
    for (size_t i = 0; i < count || (i == count && stands_in && kept < count); i++) {
        if (i != kept)
            memcpy(asked[kept].name, asked[i].name, STOCK_MODEL_MOST);
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
static struct fuse_model fuse_model_of(struct stock *s, const struct model *model, const struct asked *asked, size_t asked_count)
{
    const struct asked *own = asked_of(asked, asked_count, model->name);
    const struct asked *other = own || !s->stand_in.vectors ? NULL : asked_of(asked, asked_count, s->stand_in.name);
    if (!own && !other)
        return (struct fuse_model){.vectors = model->vectors};
    return (struct fuse_model){.vectors = own ? model->vectors : s->stand_in.vectors, .question = own ? own->vector : other->vector,
                               .weight = own ? own->weight : other->weight,
                               .alone = own && strncmp(model->name, STOCK_BUILTIN, strlen(STOCK_BUILTIN)) != 0};
}

static void rank(struct stock *s, struct desk *desk, const size_t *ends, const struct asked *asked, size_t asked_count,
                 struct question *question, const struct lexical_scope *scope, size_t most, struct stock_answer *answer)
{
    struct fuse_model models[FUSE_MODELS_MOST];
    answer->compared = asked_count > 0;
    for (size_t m = 0; m < s->model_count; m++) {
        size_t from = m ? ends[m - 1] : 0;
        models[m] = fuse_model_of(s, s->models[m], asked, asked_count);
        models[m].spans = desk->spans + from;
        models[m].span_count = ends[m] - from;
    }
    struct fuse_hit *hits = mem_array(FUSE_POOL, sizeof *hits);
    struct fuse_input input = {s->lexical, scope, &question->words, models, s->model_count,
                               atomic_load(&s->searching) > 1 ? NULL : s->aide /* where many search, no core is idle */};
    answer->count = fuse_rank(&input, &desk->work, hits, most);
    for (size_t i = 0; i < answer->count; i++)
        answer->hits[i] = (struct stock_hit){
            .passage = s->ids[hits[i].text], .document = s->entries[s->owners[hits[i].text]].document.id,
            .score = hits[i].score, .cosine = hits[i].cosine,
            .share = lexical_share(s->lexical, &question->words, hits[i].text)};
    for (size_t i = 0; i < question->words.count; i++)
        if (question->words.terms[i].stem != LEXICAL_NONE) {
            const char *stem = vocabulary_stem_text(lexical_vocabulary(s->lexical), question->words.terms[i].stem);
            buf_bytes(&answer->stems, stem, strlen(stem) + 1);
            answer->weights[answer->stem_count++] = question->words.terms[i].idf;
        }
    free(hits);
}

void stock_search(struct stock *s, const struct stock_asker *asker, const char *query, stock_embed *embed, void *context,
                  size_t most, struct stock_answer *answer)
{
    struct desk *desk = desk_take(s);
    struct lexical_scope scope;
    struct question question;
    struct asked asked[FUSE_MODELS_MOST + 1];
    size_t ends[FUSE_MODELS_MOST + 1];
    *answer = (struct stock_answer){0};

    atomic_fetch_add(&s->searching, 1);
    pthread_rwlock_rdlock(&s->lock);
    look(s, asker, desk, &scope, ends);
    question_read(&question, s->lexical, &scope, desk->tokens, query, strlen(query));
    uint64_t changes = s->changes;
    pthread_rwlock_unlock(&s->lock);
    answer->corrected = question.corrected;
    question.corrected = (struct buf){0};

    const char *meant = answer->corrected.length ? answer->corrected.data : query;
    size_t asked_count = embed_all(s, meant, embed, context, asked);

    /* Where the library has changed while the embedder was asked: again, with the words that were meant. */
    pthread_rwlock_rdlock(&s->lock);
    if (s->changes != changes) {
        look(s, asker, desk, &scope, ends);
        question_free(&question);
        question_read(&question, s->lexical, &scope, desk->tokens, meant, strlen(meant));
    }
    rank(s, desk, ends, asked, asked_count, &question, &scope, most < FUSE_POOL ? most : FUSE_POOL, answer);
    pthread_rwlock_unlock(&s->lock);

    question_free(&question);
    for (size_t i = 0; i < asked_count; i++)
        free(asked[i].vector);
    desk_give(s, desk);
    atomic_fetch_sub(&s->searching, 1);
}
