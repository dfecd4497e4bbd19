/* passage_index.c - the passages that a node searches in memory: postings, vectors, and whose they are. */
#include "server/retrieval/passage_index.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/scan_helper.h"
#include "server/retrieval/passage_index_state.h"

enum {
    GROUP = 16,          /* passages added under one write lock, so that searches wait under a millisecond */
    REMOVED_LEAST = 1000 /* rebuild from here on, when a third is removed */
};

bool passage_index_id_read(struct passage_index_id *id, const char *text)
{
    struct passage_index_id read = {{0}};
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

void passage_index_id_text(const struct passage_index_id *id, char text[37])
{
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text[at++] = '-';
        snprintf(text + at, 37 - at, "%02x", id->bytes[i]);
        at += 2;
    }
}

struct passage_index *passage_index_new(void)
{
    struct passage_index *s = mem_alloc(sizeof *s);
    pthread_mutex_init(&s->update, NULL);
    pthread_mutex_init(&s->scratches_lock, NULL);
    pthread_rwlockattr_t kind;
    pthread_rwlockattr_init(&kind);
    pthread_rwlockattr_setkind_np(&kind, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&s->lock, &kind);
    pthread_rwlockattr_destroy(&kind);
    s->lexical = lexical_new();
    s->tokens = tokens_new();
    s->helper = scan_helper_new();
    return s;
}

void passage_index_free(struct passage_index *s)
{
    if (!s)
        return;
    scan_helper_free(s->helper);
    for (struct search_scratch *scratch = s->scratches, *next; scratch; scratch = next) {
        next = scratch->next;
        tokens_free(scratch->tokens);
        fuse_work_free(&scratch->work);
        free(scratch->bits);
        free(scratch->spans);
        free(scratch->open);
        free(scratch);
    }
    for (size_t i = 0; i < s->model_count; i++) {
        vectors_free(s->models[i]->vectors);
        free(s->models[i]);
    }
    vectors_free(s->stand_in.vectors);
    vectors_free(s->coming.vectors);
    lexical_free(s->lexical);
    tokens_free(s->tokens);
    free(s->ids);
    free(s->owners);
    free(s->entries);
    free(s->buckets);
    free(s->courses);
    pthread_mutex_destroy(&s->update);
    pthread_mutex_destroy(&s->scratches_lock);
    pthread_rwlock_destroy(&s->lock);
    free(s);
}

static uint32_t *bucket_of(struct passage_index *s, const struct passage_index_id *id)
{
    uint64_t hash;
    memcpy(&hash, id->bytes, sizeof hash);
    return &s->buckets[(hash * 0x9E3779B97F4A7C15u >> 32) % s->capacity];
}

static struct entry *find(struct passage_index *s, const struct passage_index_id *id)
{
    for (uint32_t at = s->capacity ? *bucket_of(s, id) : LEXICAL_NONE; at != LEXICAL_NONE; at = s->entries[at].next)
        if (passage_index_same(&s->entries[at].document.id, id))
            return &s->entries[at];
    return NULL;
}

static void link_entry(struct passage_index *s, uint32_t place)
{
    uint32_t *bucket = bucket_of(s, &s->entries[place].document.id);
    s->entries[place].next = *bucket;
    *bucket = place;
}

static void unlink_entry(struct passage_index *s, uint32_t place)
{
    uint32_t *link = bucket_of(s, &s->entries[place].document.id);
    while (*link != place)
        link = &s->entries[*link].next;
    *link = s->entries[place].next;
}

static uint32_t course_place(struct passage_index *s, const struct passage_index_id *course)
{
    size_t i = 0;
    while (i < s->course_count && !passage_index_same(&s->courses[i], course))
        i++;
    if (i == s->course_count) {
        s->courses = mem_grow(s->courses, ++s->course_count, sizeof *s->courses);
        s->courses[i] = *course;
    }
    return (uint32_t)i;
}

/* The model by its name, new or not; NULL where there are too many. */
static struct model *model_for(struct passage_index *s, const char *name, size_t dimensions)
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

static void drop_unused_models(struct passage_index *s)
{
    for (size_t i = s->model_count; i-- > 0;)
        if (!s->models[i]->documents) {
            vectors_free(s->models[i]->vectors);
            free(s->models[i]);
            s->models[i] = s->models[--s->model_count];
        }
}

static void remove_entry(struct passage_index *s, struct entry *entry)
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
static void rebuild_if_many(struct passage_index *s)
{
    pthread_rwlock_rdlock(&s->lock);
    if (s->removed <= REMOVED_LEAST || s->removed * 3 <= lexical_count(s->lexical)) {
        pthread_rwlock_unlock(&s->lock);
        return;
    }
    uint32_t texts = lexical_count(s->lexical), next = 0;
    AUTO(mem_freep) uint64_t *keep = mem_array(texts / 64 + 1, sizeof *keep);
    struct passage_index_id *ids = mem_array(texts + 1u, sizeof *ids);
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
    struct vectors *stand_in = s->stand_in.vectors ? vectors_copy(s->stand_in.vectors, keep, texts) : NULL;
    pthread_rwlock_unlock(&s->lock);

    pthread_rwlock_wrlock(&s->lock);
    s->lexical = lexical;
    s->changes++;
    free(s->ids);
    free(s->owners);
    s->ids = ids;
    s->owners = owners;
    s->ids_capacity = texts + 1u;
    for (size_t i = 0; i < s->count; i++) {
        s->entries[i].to = starts[i] + s->entries[i].to - s->entries[i].from;
        s->entries[i].from = starts[i];
    }
    for (size_t i = 0; i < s->model_count; i++) {
        vectors_free(s->models[i]->vectors);
        s->models[i]->vectors = vectors[i];
    }
    vectors_free(s->stand_in.vectors);
    vectors_free(s->coming.vectors);
    s->stand_in.vectors = stand_in;
    s->stand_in.done = 0;
    s->coming = (struct stand_in){0};
    s->removed = 0;
    pthread_rwlock_unlock(&s->lock);
    lexical_free(old);
}

/* A passage's words, cut before any lock is taken: two threads that load share the work. */
struct prepared {
    struct token *words; /* stop words left out */
    char *text;
    size_t count;
    enum language language;
};

static struct prepared *prepare(const struct passage_index_passage *passages, size_t count)
{
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    struct prepared *all = mem_array(count + 1, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        const struct token *words;
        size_t found = tokens_split(tokens, passages[i].text, passages[i].length, &words, &all[i].language), used = 0,
               capacity = 1;
        for (size_t k = 0; k < found; k++)
            capacity += words[k].stop ? 0 : words[k].length + 1;
        all[i].words = mem_array(found + 1, sizeof *words);
        all[i].text = mem_alloc(capacity);
        for (size_t k = 0; k < found; k++) {
            if (words[k].stop)
                continue;
            struct token *kept = &all[i].words[all[i].count++];
            *kept = words[k];
            kept->word = memcpy(all[i].text + used, words[k].word, words[k].length + 1);
            used += words[k].length + 1;
        }
    }
    return all;
}

static void prepared_free(struct prepared *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(all[i].words);
        free(all[i].text);
    }
    free(all);
}

static void add_passage(struct passage_index *s, const struct passage_index_passage *passage,
                        const struct prepared *prepared, struct model *model)
{
    s->changes++;
    uint32_t text = lexical_add(s->lexical, s->tokens, prepared->language, prepared->words, prepared->count);
    if (text >= s->ids_capacity) {
        s->ids_capacity = s->ids_capacity + s->ids_capacity / 2 + 256;
        s->ids = mem_grow(s->ids, s->ids_capacity, sizeof *s->ids);
        s->owners = mem_grow(s->owners, s->ids_capacity, sizeof *s->owners);
    }
    s->ids[text] = passage->id;
    s->owners[text] = LEXICAL_NONE;
    if (model)
        vectors_put(model->vectors, text, passage->vector);
}

static void enter(struct passage_index *s, const struct passage_index_document *document, uint32_t from, uint32_t to,
                  struct model *model)
{
    struct entry *old = find(s, &document->id);
    s->changes++;
    if (old)
        remove_entry(s, old);
    if (s->count == s->capacity) {
        s->capacity = s->capacity ? s->capacity * 2 : 16;
        s->entries = mem_grow(s->entries, s->capacity, sizeof *s->entries);
        s->buckets = mem_grow(s->buckets, s->capacity, sizeof *s->buckets);
        memset(s->buckets, 0xFF, s->capacity * sizeof *s->buckets);
        for (uint32_t i = 0; i < s->count; i++)
            link_entry(s, i);
    }
    for (uint32_t text = from; text < to; text++)
        s->owners[text] = (uint32_t)s->count;
    s->entries[s->count] = (struct entry){.document = *document,
                                          .from = from,
                                          .to = to,
                                          .words = lexical_words(s->lexical, from, to),
                                          .course = course_place(s, &document->course),
                                          .next = LEXICAL_NONE,
                                          .model = model};
    link_entry(s, (uint32_t)s->count++);
}

void passage_index_put(struct passage_index *s, const struct passage_index_document *document, size_t dimensions,
                       const struct passage_index_passage *passages, size_t count)
{
    struct prepared *prepared = prepare(passages, count);
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
        add_passage(s, &passages[i], &prepared[i], model);
    }
    enter(s, document, from, from + (uint32_t)count, model);
    pthread_rwlock_unlock(&s->lock);
    rebuild_if_many(s);
    pthread_mutex_unlock(&s->update);
    prepared_free(prepared, count);
}

bool passage_index_switch(struct passage_index *s, const struct passage_index_document *document, size_t dimensions,
                          const struct passage_index_passage *passages, size_t count)
{
    pthread_mutex_lock(&s->update);
    pthread_rwlock_wrlock(&s->lock);
    struct entry *entry = find(s, &document->id);
    bool fits = entry && entry->document.version == document->version && entry->to - entry->from == count;
    for (size_t i = 0; fits && i < count; i++)
        fits = passage_index_same(&s->ids[entry->from + i], &passages[i].id);
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

void passage_index_move(struct passage_index *s, const struct passage_index_document *document)
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

void passage_index_remove(struct passage_index *s, const struct passage_index_id *id)
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

bool passage_index_find(struct passage_index *s, const struct passage_index_id *id,
                        struct passage_index_document *document)
{
    pthread_rwlock_rdlock(&s->lock);
    struct entry *entry = find(s, id);
    if (entry)
        *document = entry->document;
    pthread_rwlock_unlock(&s->lock);
    return entry != NULL;
}

struct passage_index_document *passage_index_documents(struct passage_index *s, size_t *count)
{
    pthread_rwlock_rdlock(&s->lock);
    struct passage_index_document *documents = mem_array(s->count + 1, sizeof *documents);
    *count = s->count;
    for (size_t i = 0; i < s->count; i++)
        documents[i] = s->entries[i].document;
    pthread_rwlock_unlock(&s->lock);
    return documents;
}

void passage_index_result_free(struct passage_index_result *answer)
{
    buf_free(&answer->corrected);
    buf_free(&answer->stems);
}

void passage_index_stats(struct passage_index *s, struct passage_index_stats *stats)
{
    pthread_rwlock_rdlock(&s->lock);
    *stats = (struct passage_index_stats){.documents = s->count,
                                          .passages = lexical_count(s->lexical) - s->removed,
                                          .removed = s->removed,
                                          .bytes = lexical_bytes(s->lexical) +
                                                   s->ids_capacity * (sizeof *s->ids + sizeof *s->owners)};
    for (size_t i = 0; i < s->model_count; i++)
        stats->bytes += vectors_bytes(s->models[i]->vectors);
    stats->bytes += s->stand_in.vectors ? vectors_bytes(s->stand_in.vectors) : 0;
    pthread_rwlock_unlock(&s->lock);
}

bool passage_index_served_by_others(struct passage_index *s, const char *model)
{
    bool others = false;
    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->model_count; i++)
        others |= s->models[i]->documents && strcmp(s->models[i]->name, model) != 0;
    pthread_rwlock_unlock(&s->lock);
    return others;
}

bool passage_index_served_outside(struct passage_index *s)
{
    bool outside = false;
    pthread_rwlock_rdlock(&s->lock);
    for (size_t i = 0; i < s->model_count; i++)
        outside |= s->models[i]->documents &&
                   strncmp(s->models[i]->name, PASSAGE_INDEX_BUILTIN, strlen(PASSAGE_INDEX_BUILTIN)) != 0;
    pthread_rwlock_unlock(&s->lock);
    return outside;
}

struct latent_sample *passage_index_sample(struct passage_index *s, size_t least, size_t *passages)
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
