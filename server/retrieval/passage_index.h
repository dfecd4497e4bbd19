/* passage_index.h - the passages that a node searches in memory: postings, vectors, and whose they are.
 *
 * Knows nothing of the database: index_sync.c fills it and keeps it true. Any thread may search at any time;
 * changes come one after another (they wait for each other) and appear whole: a document is there with all
 * its passages or not at all. Passages of removed documents are never seen again and leave memory when
 * they are many.
 */
#ifndef SERVER_RETRIEVAL_PASSAGE_INDEX_H
#define SERVER_RETRIEVAL_PASSAGE_INDEX_H

#include "common/buf.h"
#include "common/err.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/latent.h"

struct passage_index_id {
    uint8_t bytes[16];
};
bool passage_index_id_read(struct passage_index_id *id, const char *text); /* a UUID as text; false where it is none */
void passage_index_id_text(const struct passage_index_id *id, char text[37]);

enum { PASSAGE_INDEX_MODEL_MOST = 124 };

struct passage_index_document {
    struct passage_index_id id, course, uploader; /* course all zero: the open library; uploader all zero: nobody */
    int64_t version;                              /* when it was indexed: another one has other passages */
    char model[PASSAGE_INDEX_MODEL_MOST];         /* that serves it */
};

struct passage_index_passage {
    struct passage_index_id id;
    const char *text;
    size_t length;
    const float *vector; /* `dimensions` of the model */
};

#define PASSAGE_INDEX_BUILTIN "builtin-" /* so begin the names of models that know no words but this library's */

struct passage_index;
struct passage_index *passage_index_new(void);
void passage_index_free(struct passage_index *index);

/* Adds a document, or replaces it. */
void passage_index_put(struct passage_index *index, const struct passage_index_document *document, size_t dimensions,
                       const struct passage_index_passage *passages, size_t count);
/* The same passages with vectors of another model (texts are not read). False where the passages are not
 * those that are here: put the document anew. */
bool passage_index_switch(struct passage_index *index, const struct passage_index_document *document, size_t dimensions,
                          const struct passage_index_passage *passages, size_t count);
/* Course and uploader alone. */
void passage_index_move(struct passage_index *index, const struct passage_index_document *document);
void passage_index_remove(struct passage_index *index, const struct passage_index_id *id);
bool passage_index_find(struct passage_index *index, const struct passage_index_id *id,
                        struct passage_index_document *document);
/* All documents; the caller's to free. */
struct passage_index_document *passage_index_documents(struct passage_index *index, size_t *count);

/* Who searches: courses all zero is the open library. */
struct passage_index_searcher {
    const struct passage_index_id *courses;
    size_t course_count;
    struct passage_index_id person;      /* sees their own uploads too */
    const struct passage_index_id *only; /* one course, or NULL */
};

struct passage_index_hit {
    struct passage_index_id passage, document;
    float score, cosine, share; /* share of the question's idf weight that the passage holds */
};

struct passage_index_result {
    struct passage_index_hit hits[FUSE_POOL];
    size_t count;
    struct buf corrected;              /* empty: as typed */
    struct buf stems;                  /* of the question's words, each ended by NUL: what a snippet marks */
    float weights[LEXICAL_TERMS_MOST]; /* of each stem: its idf */
    size_t stem_count;
    bool compared; /* cosines had a say */
};
void passage_index_result_free(struct passage_index_result *answer);

/* The question's vector of a model; false where it has none. May wait; called without any lock. */
typedef bool passage_index_embed(const char *model, const char *text, float *vector, double *weight, void *context);
void passage_index_search(struct passage_index *index, const struct passage_index_searcher *searcher, const char *query,
                          passage_index_embed *embed, void *context, size_t most, struct passage_index_result *answer);

/* The vector of a text whose stems these are; false: that model is gone. */
typedef bool passage_index_fold(const char *model, const char *const *stems, size_t count, float *vector);
/* Keeps vectors of a built-in model beside those that serve, for questions that the outside model does not embed: folds in
 * what is new, a hundred texts or so. Until a newly named one is whole the one before stands in. NULL: none.
 * False: there is more to do. */
bool passage_index_stand_in(struct passage_index *index, const char *model, size_t dimensions,
                            passage_index_fold *fold);
bool passage_index_served_outside(struct passage_index *index); /* any document, by a model that is not built in */

struct passage_index_stats {
    size_t documents, passages, removed, bytes;
};
void passage_index_stats(struct passage_index *index, struct passage_index_stats *stats);
/* Whether any document is served by a model of another name. */
bool passage_index_served_by_others(struct passage_index *index, const char *model);
/* For a fit: copied out under the lock. NULL where fewer than `least` passages are here. */
struct latent_sample *passage_index_sample(struct passage_index *index, size_t least, size_t *passages);

#endif
