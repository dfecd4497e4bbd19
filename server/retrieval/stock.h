/* stock.h - the passages that a node searches in memory: postings, vectors, and whose they are.
 *
 * Knows nothing of the database: shelf.c fills it and keeps it true. Any thread may search at any time;
 * changes come one after another (they wait for each other) and appear whole: a document is there with all
 * its passages or not at all. Passages of removed documents are never seen again and leave memory when
 * they are many.
 */
#ifndef SERVER_RETRIEVAL_STOCK_H
#define SERVER_RETRIEVAL_STOCK_H

#include "common/buf.h"
#include "common/err.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/latent.h"

struct stock_id {
    uint8_t bytes[16];
};
bool stock_id_read(struct stock_id *id, const char *text); /* a UUID as text; false where it is none */
void stock_id_text(const struct stock_id *id, char text[37]);

enum { STOCK_MODEL_MOST = 124 };

struct stock_document {
    struct stock_id id, course, uploader; /* course all zero: the open library; uploader all zero: nobody */
    int64_t version;                      /* when it was indexed: another one has other passages */
    char model[STOCK_MODEL_MOST];         /* that serves it */
};

struct stock_passage {
    struct stock_id id;
    const char *text;
    size_t length;
    const float *vector; /* `dimensions` of the model */
};

#define STOCK_BUILTIN "builtin-" /* so begin the names of models that know no words but this library's */

struct stock;
struct stock *stock_new(void);
void stock_free(struct stock *stock);

/* Adds a document, or replaces it. */
void stock_put(struct stock *stock, const struct stock_document *document, size_t dimensions,
               const struct stock_passage *passages, size_t count);
/* The same passages with vectors of another model (texts are not read). False where the passages are not
 * those that are here: put the document anew. */
bool stock_switch(struct stock *stock, const struct stock_document *document, size_t dimensions,
                  const struct stock_passage *passages, size_t count);
/* Course and uploader alone. */
void stock_move(struct stock *stock, const struct stock_document *document);
void stock_remove(struct stock *stock, const struct stock_id *id);
bool stock_find(struct stock *stock, const struct stock_id *id, struct stock_document *document);
/* All documents; the caller's to free. */
struct stock_document *stock_documents(struct stock *stock, size_t *count);

/* Who searches: courses all zero is the open library. */
struct stock_asker {
    const struct stock_id *courses;
    size_t course_count;
    struct stock_id person;         /* sees their own uploads too */
    const struct stock_id *only;    /* one course, or NULL */
};

struct stock_hit {
    struct stock_id passage, document;
    float score, cosine, share; /* share of the question's idf weight that the passage holds */
};

struct stock_answer {
    struct stock_hit hits[FUSE_POOL];
    size_t count;
    struct buf corrected;  /* empty: as typed */
    struct buf stems;      /* of the question's words, each ended by NUL: what a snippet marks */
    float weights[LEXICAL_TERMS_MOST]; /* of each stem: its idf */
    size_t stem_count;
    bool compared;         /* cosines had a say */
};
void stock_answer_free(struct stock_answer *answer);

/* The question's vector of a model; false where it has none. May wait; called without any lock. */
typedef bool stock_embed(const char *model, const char *text, float *vector, double *weight, void *context);
void stock_search(struct stock *stock, const struct stock_asker *asker, const char *query, stock_embed *embed, void *context,
                  size_t most, struct stock_answer *answer);

/* The vector of a text whose stems these are; false: that model is gone. */
typedef bool stock_fold(const char *model, const char *const *stems, size_t count, float *vector);
/* Keeps vectors of a built-in model beside those that serve, for questions that the outside model does not embed: folds in
 * what is new, a hundred texts or so. Until a newly named one is whole the one before stands in. NULL: none.
 * False: there is more to do. */
bool stock_stand_in(struct stock *stock, const char *model, size_t dimensions, stock_fold *fold);
bool stock_served_outside(struct stock *stock); /* any document, by a model that is not built in */

struct stock_figures {
    size_t documents, passages, removed, bytes;
};
void stock_figures(struct stock *stock, struct stock_figures *figures);
/* Whether any document is served by a model of another name. */
bool stock_served_by_others(struct stock *stock, const char *model);
/* For a fit: copied out under the lock. NULL where fewer than `least` passages are here. */
struct latent_sample *stock_sample(struct stock *stock, size_t least, size_t *passages);

#endif
