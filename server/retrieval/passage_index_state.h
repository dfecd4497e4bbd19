/* passage_index_state.h - what a passage index is made of, for the two files that share it: passage_index.c changes, passage_index_search.c looks. */
#ifndef SERVER_RETRIEVAL_PASSAGE_INDEX_STATE_H
#define SERVER_RETRIEVAL_PASSAGE_INDEX_STATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "server/retrieval/passage_index.h"

struct model {
    char name[PASSAGE_INDEX_MODEL_MOST];
    struct vectors *vectors;
    size_t documents;
};

struct entry {
    struct passage_index_document document;
    uint32_t from, to; /* texts of the index */
    uint64_t words;    /* in them */
    uint32_t course;   /* place in courses */
    uint32_t next;     /* in its bucket */
    struct model *model;
};

/* Vectors of one built-in model for every text, whatever model serves its document. */
struct stand_in {
    char name[PASSAGE_INDEX_MODEL_MOST];
    struct vectors *vectors; /* NULL: none */
    uint32_t done;           /* texts that have been looked at */
};

/* What one search needs for itself, kept between searches. */
struct search_scratch {
    struct tokens *tokens;
    struct fuse_work work;
    uint64_t *bits;
    size_t words;
    struct vectors_span *spans;
    size_t spans_capacity;
    bool *open; /* by course: whether this search may look into it */
    size_t open_capacity;
    struct search_scratch *next;
};

struct passage_index {
    pthread_mutex_t update; /* one change at a time; taken before `lock` */
    pthread_rwlock_t lock;  /* everything below */
    struct lexical *lexical;
    struct tokens *tokens;        /* of whoever changes */
    struct passage_index_id *ids; /* by text */
    uint32_t *owners;             /* by text: place in entries; LEXICAL_NONE: removed */
    size_t ids_capacity;
    struct entry *entries;
    uint32_t *buckets; /* by document id, as many as there is room for entries */
    size_t count, capacity;
    struct passage_index_id *courses; /* every one met so far */
    size_t course_count;
    struct model *models[FUSE_MODELS_MOST];
    size_t model_count, removed;
    struct stand_in stand_in;
    struct stand_in coming; /* that of another model, until it is whole: whoever has `update` */
    uint64_t changes;       /* a search that finds the same number again need not look again */
    pthread_mutex_t scratches_lock;
    struct search_scratch *scratches;
    struct scan_helper *helper;
    atomic_size_t searching;
};

static inline bool passage_index_same(const struct passage_index_id *a, const struct passage_index_id *b)
{
    return !memcmp(a, b, sizeof *a);
}

#endif
