/* stock.c - the passages that a node searches in memory: postings, vectors, and whose they are. */
#include "server/retrieval/stock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/question.h"

enum {
    GROUP = 16,          /* passages added under one write lock, so that searches wait under a millisecond */
    REMOVED_LEAST = 1000 /* rebuild from here on, when a third is removed */
};

struct model {
    char name[STOCK_MODEL_MOST];
    struct vectors *vectors;
    size_t documents;
};

struct entry {
    struct stock_document document;
    uint32_t from, to; /* texts of the index */
    uint32_t course;   /* place in courses */
    uint32_t next;     /* in its bucket */
    struct model *model;
};

/* What one search needs for itself, kept between searches. */
struct desk {
    struct tokens *tokens;
    struct fuse_work work;
    uint64_t *bits;
    size_t words;
    struct vectors_span *spans;
    size_t spans_room;
    bool *open;              /* by course: whether this search may look into it */
    size_t open_room;
    struct desk *next;
};

struct stock {
    pthread_mutex_t update;  /* one change at a time; taken before `lock` */
    pthread_rwlock_t lock;   /* everything below */
    struct lexical *lexical;
    struct tokens *tokens;   /* of whoever changes */
    struct stock_id *ids;    /* by text */
    uint32_t *owners;        /* by text: place in entries; LEXICAL_NONE: removed */
    size_t ids_room;
    struct entry *entries;
    uint32_t *buckets;       /* by document id, as many as there is room for entries */
    size_t count, room;
    struct stock_id *courses; /* every one met so far */
    size_t course_count;
    struct model *models[FUSE_MODELS_MOST];
    size_t model_count, removed;
    uint64_t changes;        /* a search that finds the same number again need not look again */
    pthread_mutex_t desks_lock;
    struct desk *desks;
};

bool stock_id_read(struct stock_id *id, const char *text)
{
    struct stock_id read = {{0}};
    size_t digits = 0;
    for (; *text; text++) {
        if (*text == '-')
            continue;
        int value = *text >= '0' && *text <= '9' ? *text - '0' : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10 : -1;
        if (value < 0 || digits == 32)
            return false;
        read.bytes[digits / 2] = (uint8_t)(read.bytes[digits / 2] << 4 | value);
        digits++;
    }
    if (digits != 32)
        return false;
    *id = read;
    return true;
}

void stock_id_text(const struct stock_id *id, char text[37])
{
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        snprintf(text + at, 37 - at, "%02x", id->bytes[i]);
        at += 2;
    }
}

static bool same(const struct stock_id *a, const struct stock_id *b)
{
    return !memcmp(a, b, sizeof *a);
}

struct stock *stock_new(void)
{
    struct stock *s = mem_alloc(sizeof *s);
    pthread_mutex_init(&s->update, NULL);
    pthread_mutex_init(&s->desks_lock, NULL);
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->lock, &kind);
    pthread_rwlockattr_destroy(&kind);
    s->lexical = lexical_new();
    s->tokens = tokens_new();
    return s;
}

void stock_free(struct stock *s)
{
    if (!s)
        return;
    for (struct desk *desk = s->desks, *next; desk; desk = next) {
        next = desk->next;
        tokens_free(desk->tokens);
        fuse_work_free(&desk->work);
        free(desk->bits);
        free(desk->spans);
        free(desk->open);
        free(desk);
    }
    for (size_t i = 0; i < s->model_count; i++) {
        vectors_free(s->models[i]->vectors);
        free(s->models[i]);
    }
    lexical_free(s->lexical);
    tokens_free(s->tokens);
    free(s->ids);
    free(s->owners);
    free(s->entries);
    free(s->buckets);
    free(s->courses);
    pthread_mutex_destroy(&s->update);
    pthread_mutex_destroy(&s->desks_lock);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

static uint32_t *bucket_of(struct stock *s, const struct stock_id *id)
{
    uint64_t hash;
    memcpy(&hash, id->bytes, sizeof hash);
    return &s->buckets[(hash * 0x9E3779B97F4A7C15u >> 32) % s->room];
}

static struct entry *find(struct stock *s, const struct stock_id *id)
{
    for (uint32_t at = s->room ? *bucket_of(s, id) : LEXICAL_NONE; at != LEXICAL_NONE; at = s->entries[at].next)
        if (same(&s->entries[at].document.id, id))
            return &s->entries[at];
    return NULL;
}

static void link_entry(struct stock *s, uint32_t place)
{
    uint32_t *bucket = bucket_of(s, &s->entries[place].document.id);
    s->entries[place].next = *bucket;
    *bucket = place;
}

static void unlink_entry(struct stock *s, uint32_t place)
{
    uint32_t *link = bucket_of(s, &s->entries[place].document.id);
    while (*link != place)
        link = &s->entries[*link].next;
    *link = s->entries[place].next;
}

static uint32_t course_place(struct stock *s, const struct stock_id *course)
{
    size_t i = 0;
    while (i < s->course_count && !same(&s->courses[i], course))
        i++;
    if (i == s->course_count) {
        s->courses = mem_grow(s->courses, ++s->course_count, sizeof *s->courses);
        s->courses[i] = *course;
    }
    return (uint32_t)i;
}

/* The model by its name, new or not; NULL where there are too many. */
static struct model *model_for(struct stock *s, const char *name, size_t dimensions)
{
    for (size_t i = 0; i < s->model_count; i++)
        if (!strcmp(s->models[i]->name, name) && vectors_dimensions(s->models[i]->vectors) == dimensions)
            return s->models[i];
    if (s->model_count == FUSE_MODELS_MOST)
        return NULL;
    struct model *model = mem_alloc(sizeof *model);
    snprintf(model->name, sizeof model->name, "%s", name);
    model->vectors = vectors_new(dimensions);
    s->models[s->model_count++] = model;
    return model;
}

static void drop_unused_models(struct stock *s)
{
    for (size_t i = s->model_count; i-- > 0;)
        if (!s->models[i]->documents) {
            vectors_free(s->models[i]->vectors);
            free(s->models[i]);
            s->models[i] = s->models[--s->model_count];
        }
}

static void remove_entry(struct stock *s, struct entry *entry)
{
    s->changes++;
    for (uint32_t text = entry->from; text < entry->to; text++)
        s->owners[text] = LEXICAL_NONE;
    s->removed += entry->to - entry->from;
    if (entry->model)
        entry->model->documents--;
    uint32_t place = (uint32_t)(entry - s->entries), last = (uint32_t)--s->count;
    unlink_entry(s, place);
    if (place != last) {
        unlink_entry(s, last);
        *entry = s->entries[last];
        link_entry(s, place);
        for (uint32_t text = entry->from; text < entry->to; text++)
            s->owners[text] = place;
    }
    drop_unused_models(s);
}

/* A new index without what was removed, made beside the old one that goes on serving. Under `update`. */
static void rebuild_if_many(struct stock *s)
{
    pthread_rwlock_rdlock(&s->lock);
    if (s->removed <= REMOVED_LEAST || s->removed * 3 <= lexical_count(s->lexical)) {
        pthread_rwlock_unlock(&s->lock);
        return;
    }
    uint32_t texts = lexical_count(s->lexical), next = 0;
    AUTO(mem_freep) uint64_t *keep = mem_array(texts / 64 + 1, sizeof *keep);
    struct stock_id *ids = mem_array(texts + 1u, sizeof *ids);
    uint32_t *owners = mem_array(texts + 1u, sizeof *owners);
    AUTO(mem_freep) uint32_t *starts = mem_array(s->count + 1, sizeof *starts);
    for (uint32_t text = 0; text < texts; text++)
        if (s->owners[text] != LEXICAL_NONE) {
            keep[text / 64] |= 1ull << text % 64;
            if (text == s->entries[s->owners[text]].from)
                starts[s->owners[text]] = next;
            ids[next] = s->ids[text];
            owners[next++] = s->owners[text];
        }
    struct lexical *lexical = lexical_copy(s->lexical, keep, s->tokens), *old = s->lexical;
    struct vectors *vectors[FUSE_MODELS_MOST];
    for (size_t i = 0; i < s->model_count; i++)
        vectors[i] = vectors_copy(s->models[i]->vectors, keep, texts);
    pthread_rwlock_unlock(&s->lock);

    pthread_rwlock_wrlock(&s->lock);
    s->lexical = lexical;
    s->changes++;
    free(s->ids);
    free(s->owners);
    s->ids = ids;
    s->owners = owners;
    s->ids_room = texts + 1u;
    for (size_t i = 0; i < s->count; i++) {
        s->entries[i].to = starts[i] + s->entries[i].to - s->entries[i].from;
        s->entries[i].from = starts[i];
    }
    for (size_t i = 0; i < s->model_count; i++) {
        vectors_free(s->models[i]->vectors);
        s->models[i]->vectors = vectors[i];
    }
    s->removed = 0;
    pthread_rwlock_unlock(&s->lock);
    lexical_free(old);
}

static void add_passage(struct stock *s, const struct stock_passage *passage, struct model *model)
{
    const struct token *words;
    enum language language;
    size_t count = tokens_split(s->tokens, passage->text, passage->length, &words, &language);
    s->changes++;
    uint32_t text = lexical_add(s->lexical, s->tokens, language, words, count);
    if (text >= s->ids_room) {
        s->ids_room = s->ids_room + s->ids_room / 2 + 256;
        s->ids = mem_grow(s->ids, s->ids_room, sizeof *s->ids);
        s->owners = mem_grow(s->owners, s->ids_room, sizeof *s->owners);
    }
    s->ids[text] = passage->id;
    s->owners[text] = LEXICAL_NONE;
    if (model)
        vectors_put(model->vectors, text, passage->vector);
}

static void enter(struct stock *s, const struct stock_document *document, uint32_t from, uint32_t to, struct model *model)
{
    struct entry *old = find(s, &document->id);
    s->changes++;
    if (old)
        remove_entry(s, old);
    if (s->count == s->room) {
        s->room = s->room ? s->room * 2 : 16;
        s->entries = mem_grow(s->entries, s->room, sizeof *s->entries);
        s->buckets = mem_grow(s->buckets, s->room, sizeof *s->buckets);
        memset(s->buckets, 0xFF, s->room * sizeof *s->buckets);
        for (uint32_t i = 0; i < s->count; i++)
            link_entry(s, i);
    }
    for (uint32_t text = from; text < to; text++)
        s->owners[text] = (uint32_t)s->count;
    s->entries[s->count] = (struct entry){*document, from, to, course_place(s, &document->course), LEXICAL_NONE, model};
    link_entry(s, (uint32_t)s->count++);
}

void stock_put(struct stock *s, const struct stock_document *document, size_t dimensions,
               const struct stock_passage *passages, size_t count)
{
    pthread_mutex_lock(&s->update);
    pthread_rwlock_wrlock(&s->lock);
    struct model *model = model_for(s, document->model, dimensions);
    if (model)
        model->documents++; /* from here on, so that nobody drops it */
    uint32_t from = lexical_count(s->lexical);
    for (size_t i = 0; i < count; i++) {
        if (i && i % GROUP == 0) {
            pthread_rwlock_unlock(&s->lock);
            pthread_rwlock_wrlock(&s->lock);
        }
        add_passage(s, &passages[i], model);
    }
    enter(s, document, from, from + (uint32_t)count, model);
    pthread_rwlock_unlock(&s->lock);
    rebuild_if_many(s);
    pthread_mutex_unlock(&s->update);
}

bool stock_switch(struct stock *s, const struct stock_document *document, size_t dimensions,
                  const struct stock_passage *passages, size_t count)
{
    pthread_mutex_lock(&s->update);
    pthread_rwlock_wrlock(&s->lock);
    struct entry *entry = find(s, &document->id);
    bool fits = entry && entry->document.version == document->version && entry->to - entry->from == count;
    for (size_t i = 0; fits && i < count; i++)
        fits = same(&s->ids[entry->from + i], &passages[i].id);
    struct model *model = fits ? model_for(s, document->model, dimensions) : NULL;
    if (model) {
        s->changes++;
        for (size_t i = 0; i < count; i++)
            vectors_put(model->vectors, entry->from + (uint32_t)i, passages[i].vector);
        model->documents++;
        if (entry->model)
            entry->model->documents--;
        entry->model = model;
        entry->document = *document;
        entry->course = course_place(s, &document->course);
        drop_unused_models(s);
    }
    pthread_rwlock_unlock(&s->lock);
    pthread_mutex_unlock(&s->update);
    return model != NULL;
}

void stock_move(struct stock *s, const struct stock_document *document)
{
    pthread_mutex_lock(&s->update);
    pthread_rwlock_wrlock(&s->lock);
    struct entry *entry = find(s, &document->id);
    if (entry) {
        s->changes++;
        entry->document.course = document->course;
        entry->document.uploader = document->uploader;
        entry->course = course_place(s, &document->course);
    }
    pthread_rwlock_unlock(&s->lock);
    pthread_mutex_unlock(&s->update);
}

void stock_remove(struct stock *s, const struct stock_id *id)
{
    pthread_mutex_lock(&s->update);
    pthread_rwlock_wrlock(&s->lock);
    struct entry *entry = find(s, id);
    if (entry)
        remove_entry(s, entry);
    pthread_rwlock_unlock(&s->lock);
    rebuild_if_many(s);
    pthread_mutex_unlock(&s->update);
}

bool stock_find(struct stock *s, const struct stock_id *id, struct stock_document *document)
{
    pthread_rwlock_rdlock(&s->lock);
    struct entry *entry = find(s, id);
    if (entry)
        *document = entry->document;
    pthread_rwlock_unlock(&s->lock);
    return entry != NULL;
}

struct stock_document *stock_documents(struct stock *s, size_t *count)
{
    pthread_rwlock_rdlock(&s->lock);
    struct stock_document *documents = mem_array(s->count + 1, sizeof *documents);
    *count = s->count;
    for (size_t i = 0; i < s->count; i++)
        documents[i] = s->entries[i].document;
    pthread_rwlock_unlock(&s->lock);
    return documents;
}

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
        for (size_t i = 0; i < asker->course_count && (!asker->only || same(asker->only, &s->courses[c])); i++)
            desk->open[c] = desk->open[c] || same(&asker->courses[i], &s->courses[c]);
    }
}

static bool may_see(const struct stock_asker *asker, const struct desk *desk, const struct entry *entry)
{
    static const struct stock_id nobody;
    return desk->open[entry->course] ||
           (same(&entry->document.uploader, &asker->person) && !same(&asker->person, &nobody) &&
            (!asker->only || same(asker->only, &entry->document.course)));
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
            desk->spans[spans++] = (struct vectors_span){entry->from, entry->to};
        }
        ends[m] = spans;
    }
    scope->bits = desk->bits;
    lexical_scope(s->lexical, scope);
}

struct asked {
    char name[STOCK_MODEL_MOST];
    float *vector;
    double weight;
};

/* Every model that serves gets the question; without any lock, since one may be far away. */
static size_t embed_all(struct stock *s, const char *text, stock_embed *embed, void *context, struct asked *asked)
{
    size_t dimensions[FUSE_MODELS_MOST], count, kept = 0;
    pthread_rwlock_rdlock(&s->lock);
    count = s->model_count;
    for (size_t i = 0; i < count; i++) {
        memcpy(asked[i].name, s->models[i]->name, STOCK_MODEL_MOST);
        dimensions[i] = vectors_dimensions(s->models[i]->vectors);
    }
    pthread_rwlock_unlock(&s->lock);
    for (size_t i = 0; i < count; i++) {
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

static void rank(struct stock *s, struct desk *desk, const size_t *ends, const struct asked *asked, size_t asked_count,
                 struct question *question, const struct lexical_scope *scope, size_t most, struct stock_answer *answer)
{
    struct fuse_model models[FUSE_MODELS_MOST];
    answer->compared = asked_count > 0;
    for (size_t m = 0; m < s->model_count; m++) {
        size_t from = m ? ends[m - 1] : 0;
        models[m] = (struct fuse_model){.vectors = s->models[m]->vectors, .spans = desk->spans + from, .span_count = ends[m] - from};
        for (size_t i = 0; i < asked_count; i++)
            if (!strcmp(asked[i].name, s->models[m]->name)) {
                models[m].question = asked[i].vector;
                models[m].weight = asked[i].weight;
            }
    }
    struct fuse_hit *hits = mem_array(FUSE_POOL, sizeof *hits);
    struct fuse_input input = {s->lexical, scope, &question->words, models, s->model_count};
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
    struct asked asked[FUSE_MODELS_MOST];
    size_t ends[FUSE_MODELS_MOST + 1];
    *answer = (struct stock_answer){0};

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
}

void stock_answer_free(struct stock_answer *answer)
{
    buf_free(&answer->corrected);
    buf_free(&answer->stems);
}

void stock_figures(struct stock *s, struct stock_figures *figures)
{
    pthread_rwlock_rdlock(&s->lock);
    *figures = (struct stock_figures){.documents = s->count, .passages = lexical_count(s->lexical) - s->removed, .removed = s->removed,
                                      .bytes = lexical_bytes(s->lexical) + s->ids_room * (sizeof *s->ids + sizeof *s->owners)};
    for (size_t i = 0; i < s->model_count; i++)
        figures->bytes += vectors_bytes(s->models[i]->vectors);
    pthread_rwlock_unlock(&s->lock);
}

bool stock_served_by_others(struct stock *s, const char *model)
{
    bool others = false;
    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->model_count; i++)
        others |= s->models[i]->documents && strcmp(s->models[i]->name, model) != 0;
    pthread_rwlock_unlock(&s->lock);
    return others;
}

struct latent_sample *stock_sample(struct stock *s, size_t least, size_t *passages)
{
    pthread_rwlock_rdlock(&s->lock);
    uint32_t texts = lexical_count(s->lexical);
    AUTO(mem_freep) uint64_t *bits = mem_array(texts / 64 + 1, sizeof *bits);
    *passages = 0;
    for (uint32_t text = 0; text < texts; text++)
        if (s->owners[text] != LEXICAL_NONE) {
            bits[text / 64] |= 1ull << text % 64;
            ++*passages;
        }
    struct latent_sample *sample = *passages >= least ? latent_sample(s->lexical, bits) : NULL;
    pthread_rwlock_unlock(&s->lock);
    return sample;
}
