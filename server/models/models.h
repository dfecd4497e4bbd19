/* models.h - language models and embedders from outside, each behind one small interface.
 *
 * Chosen once by models_start; without one the built-in stand-ins serve (models/extractive.h and
 * retrieval/embed.h) and the functions here give NULL. Calls come from any thread, wait for the
 * network, and so never stand inside a transaction.
 */
#ifndef SERVER_MODELS_MODELS_H
#define SERVER_MODELS_MODELS_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { MODELS_NAME_MOST = 100, MODELS_DIMENSIONS_MOST = 4096, MODELS_THOUGHTS = 8192 };

struct breaker;
struct fair_waiter;
struct http_service;

/* ------------------------------------------------------------------ generation */

struct models_message {
    bool by_model; /* an earlier answer; else what the person said */
    const char *text;
};

struct models_question {
    const char *system;
    const struct models_message *messages; /* oldest first; the last is the person's */
    size_t count;
    int64_t most_tokens; /* of the answer; 0: 2048. Models that think get MODELS_THOUGHTS more for that */
};

enum models_end {
    MODELS_END_WHOLE,
    MODELS_END_LENGTH,  /* cut at its length limit */
    MODELS_END_BLOCKED, /* withheld by the service */
    MODELS_END_BROKEN,  /* the connection or the service failed in the middle */
};

struct models_answer {
    struct buf text;
    enum models_end end;
    char note[200]; /* for the person, where it did not end whole: one sentence */
};
void models_answer_free(struct models_answer *answer);

struct models_listener {
    void (*delta)(void *context, const char *text, size_t length); /* may cut inside a word, never inside a character */
    bool (*cancelled)(void *context);
    void *context;
};

struct models_generator {
    const char *provider; /* "gemini" | "openai" */
    char model[MODELS_NAME_MOST];
    struct http_service *service;
    const struct models_settings *settings;
    /* true: there is text, whole or (answer->end, answer->note) a part. false: none; err->say tells why in
     * words, ERR_CANCELLED where the listener asked for it. What was heard is also in the deltas. */
    bool (*generate)(struct models_generator *g, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err);
};

/* ------------------------------------------------------------------ embeddings */

/* The generator, in turn: waits for one of the node's places, round robin by person (models/fair.h), then generates. As
 * generate; ERR_CANCELLED also where the waiter gave up waiting. There is a generator. */
bool models_generate(const char *person, const struct fair_waiter *waiter, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err) MUST_CHECK;

enum models_text { MODELS_PASSAGE, MODELS_QUERY, MODELS_PROBE /* a query that nobody waits for */ };

struct models_embedder {
    const char *provider;
    char model[MODELS_NAME_MOST]; /* as the service knows it */
    size_t dimensions;            /* 0 until models_embedder_learn */
    size_t batch;                 /* texts a request */
    struct http_service *service;
    struct breaker *questions; /* of what people wait for; opened by one failure, closed by a probe */
    const struct models_settings *settings;
    /* One request's worth, at most `batch` texts; `vectors` gets count * dimensions floats of length 1. */
    bool (*embed)(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err);
};

/* Any number of texts, in batches; a batch that is refused as too long is halved until the long text is
 * found, which is then shortened. ERR_UPSTREAM on failure. */
bool models_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err) MUST_CHECK;
/* For a search that somebody waits for: 5 s at most, of known dimensions. Once one was in vain, those that wait beside
 * it and all that follow are refused at once, until models_embedder_probe has had an answer. */
bool models_embed_question(struct models_embedder *e, const char *question, float *vector, struct err *err) MUST_CHECK;
/* In the background, every second or so: asks again, with growing pauses, while questions are refused. */
void models_embedder_probe(struct models_embedder *e);
bool models_embedder_reachable(struct models_embedder *e); /* without asking */
/* Asks for the dimensions where they are not configured. Cheap once they are known. */
bool models_embedder_learn(struct models_embedder *e, struct err *err) MUST_CHECK;
bool models_embedder_known(struct models_embedder *e); /* learnt, or configured */
/* What an earlier run has stored says it: its dimensions, without asking. */
void models_embedder_recall(struct models_embedder *e, const char *name, size_t dimensions);
/* Its name beside stored vectors: "gemini/gemini-embedding-2@768". */
void models_embedder_name(const struct models_embedder *e, char name[MODELS_NAME_MOST]);

/* ------------------------------------------------------------------ settings */

struct models_settings {
    const char *generation; /* "extractive" | "gemini" | "openai" */
    const char *embeddings; /* "builtin" | "gemini" | "openai" */
    bool allow_insecure;
    const char *gemini_base_url, *gemini_api_key, *gemini_model, *gemini_embedding_model, *gemini_thinking;
    const char *openai_base_url, *openai_api_key, *openai_chat_model, *openai_embedding_model;
    const char *openai_embeddings_base_url, *openai_embeddings_api_key; /* "": the same as for chat */
    const char *query_prefix, *passage_prefix;                          /* "": what the model is known to want */
    bool openai_reasoning;                                              /* max_completion_tokens, no temperature */
    int64_t dimensions;                                                 /* 0: 768 for gemini, else the model's own */
    int64_t first_byte_ms, silence_ms, embed_ms;                        /* 0: 120 s, 30 s, 60 s */
    int generations;                                                    /* at once; 0: 4 */
    int64_t breaker_pause_ms;                                           /* 0: 5 s */
    const char *extra_header;                                           /* tests */
};

/* `settings` outlives models_stop. ERR_INVALID_PARAMS for an address, key or model that is missing. */
bool models_start(const struct models_settings *settings, struct err *err) MUST_CHECK;
/* Ends embedding that is under way and refuses more, so that workers can be joined; before models_stop. */
void models_interrupt(void);
void models_stop(void);
struct models_generator *models_generator(void); /* NULL: extractive */
struct models_embedder *models_embedder(void);   /* NULL: built in */

struct models_health {
    const char *provider; /* "extractive" or "builtin" where nothing outside is asked */
    const char *model;    /* "" for those */
    bool reachable;       /* without asking: its last calls did not all fail */
};
void models_health(struct models_health *generation, struct models_health *embeddings);

/* Tests, and models_start: one of them. The service and the rest are freed by _free. */
bool models_generator_open(const struct models_settings *settings, struct models_generator **g, struct err *err)
    MUST_CHECK;
bool models_embedder_open(const struct models_settings *settings, struct models_embedder **e, struct err *err)
    MUST_CHECK;
void models_generator_free(struct models_generator **g);
void models_embedder_free(struct models_embedder **e);

#endif
