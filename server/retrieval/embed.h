/* embed.h - texts to vectors: the model that serves now, by its name.
 *
 * Built in: "builtin-hashed-1" (hashed terms, 256 dimensions, so that the first document too has all its vectors) and,
 * from about 500 passages on, "builtin-lsa-N" (128 dimensions, fitted on this library and stored in
 * embedding_models). Vectors have length 1 (a text without a known word: all zero); those of different
 * models are never compared.
 *
 * Any thread. An outside model may make embed_texts wait for the network: never call it inside a transaction.
 */
#ifndef SERVER_RETRIEVAL_EMBED_H
#define SERVER_RETRIEVAL_EMBED_H

#include <stddef.h>

#include "common/err.h"

enum {
    EMBED_NAME_MOST = 100,
    EMBED_DIMENSIONS_MOST = 4096,
    EMBED_BATCH = 64 /* texts that a job hands over at once */
};

struct embed_model {
    char name[EMBED_NAME_MOST]; /* as in embedding_models and beside each vector */
    size_t dimensions;
    double weight; /* in the fusion with BM25 */
    bool outside;  /* a service's: embed_question asks it */
};

/* A question as the outside model sees it; {0} where none serves. Whoever asks for it keeps it and hands it on. */
struct embed_question {
    char model[EMBED_NAME_MOST];
    float *vector;   /* of length 1; NULL: none */
    bool unanswered; /* an outside model serves, and did not answer: the built-in one searches alone */
};

/* After the pools are open: makes sure that there is a current model, and loads those that serve. */
bool embed_start(struct err *err) MUST_CHECK;
void embed_stop(void);
/* Reads embedding_models again (edurag_model was notified). */
bool embed_refresh(struct err *err) MUST_CHECK;

/* The model for what is embedded from now on. A job asks once, embeds all its passages with that one and
 * stores them under its name; where the library has moved on meanwhile, a background job follows. */
void embed_current(struct embed_model *model);
/* A model that can still embed, by name: the current one, or one that serves beside it. */
bool embed_find(const char *name, struct embed_model *model);
/* `vectors` gets count * dimensions floats. ERR_CONFLICT: that model is gone, ask embed_current again;
 * ERR_UPSTREAM: its service did not answer. */
bool embed_texts(const char *model, const char *const *texts, size_t count, float *vectors, struct err *err) MUST_CHECK;

/* The latest fitted built-in model, whatever model is current: it embeds questions whose service does not. */
bool embed_stand_in(struct embed_model *model);
/* The same, or hashed terms before it is fitted: what can always embed a passage. */
void embed_built_in(struct embed_model *model);
/* As embed_texts, for one text as the index has cut it; false: no such fitted model. */
bool embed_stems(const char *model, const char *const *stems, size_t count, float *vector);

/* Whether questions wait for a service. Constant while we serve. */
bool embed_waits(void);
/* Asks the outside model, where one serves, and waits a few seconds at most; so never inside a transaction. Frees what
 * `question` held. */
void embed_question(struct embed_question *question, const char *text);
void embed_question_free(struct embed_question *question); /* for AUTO */
/* Its vector by that model; false: it has none by it, which for a built-in model is always so. */
bool embed_question_vector(const struct embed_question *question, const char *model, float *vector);
/* In the background: makes the model of the settings the current one, once it is known; false: not yet. */
bool embed_adopt(struct err *err) MUST_CHECK;

#endif
