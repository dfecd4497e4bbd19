/* models.c - which language model and which embedder serve, from the settings. */
#include "server/models/models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/models/breaker.h"
#include "server/models/fair.h"
#include "server/models/gemini.h"
#include "server/models/http.h"
#include "server/models/openai.h"

enum { QUESTIONS_PAUSE_MOST_MS = 60000, GENERATIONS = 4 };

static struct models_generator *generator;
static struct models_embedder *embedder;
static struct fair *places; /* as long as there is a generator */

void models_answer_free(struct models_answer *answer)
{
    buf_free(&answer->text);
}

static const char *text_or(const char *text, const char *fallback)
{
    return text && *text ? text : fallback;
}

/* Google's own lists write "models/gemini-…". */
static const char *bare(const char *model)
{
    return strncmp(model, "models/", 7) ? model : model + 7;
}

static bool need(const char *value, const char *field, const char *why, struct err *err)
{
    return (value && *value) || err_field(err, field, "is needed for %s", why);
}

static bool open_gemini(const struct models_settings *s, const char *why, struct http_service **service,
                        struct err *err)
{
    return need(s->gemini_api_key, "GEMINI_API_KEY", why, err) &&
           http_open(&(struct http_settings){.name = "gemini",
                                             .base_url = text_or(s->gemini_base_url,
                                                                 "https://generativelanguage.googleapis.com/v1beta"),
                                             .key = s->gemini_api_key,
                                             .key_header = "x-goog-api-key",
                                             .extra_header = s->extra_header,
                                             .allow_insecure = s->allow_insecure,
                                             .breaker_pause_ms = s->breaker_pause_ms},
                     service, err);
}

static bool open_openai(const struct models_settings *s, const char *base, const char *key, const char *why,
                        struct http_service **service, struct err *err)
{
    return need(base, "OPENAI_BASE_URL", why, err) &&
           http_open(&(struct http_settings){.name = "openai",
                                             .base_url = base,
                                             .key = key,
                                             .extra_header = s->extra_header,
                                             .allow_insecure = s->allow_insecure,
                                             .breaker_pause_ms = s->breaker_pause_ms},
                     service, err);
}

bool models_generator_open(const struct models_settings *s, struct models_generator **out, struct err *err)
{
    struct models_generator g = {.settings = s};
    const char *model;
    if (!strcmp(text_or(s->generation, "extractive"), "gemini")) {
        g.provider = "gemini";
        g.generate = gemini_generate;
        model = bare(text_or(s->gemini_model, "gemini-flash-latest"));
        if (!open_gemini(s, "EDURAG_GENERATION=gemini", &g.service, err))
            return false;
    } else {
        g.provider = "openai";
        g.generate = openai_generate;
        model = text_or(s->openai_chat_model, "");
        if (!need(model, "EDURAG_OPENAI_CHAT_MODEL", "EDURAG_GENERATION=openai", err) ||
            !open_openai(s, s->openai_base_url, s->openai_api_key, "EDURAG_GENERATION=openai", &g.service, err))
            return false;
    }
    snprintf(g.model, sizeof g.model, "%s", model);
    *out = mem_alloc(sizeof **out);
    **out = g;
    return true;
}

bool models_embedder_open(const struct models_settings *s, struct models_embedder **out, struct err *err)
{
    struct models_embedder e = {.settings = s, .dimensions = (size_t)s->dimensions};
    const char *model;
    if (!strcmp(text_or(s->embeddings, "builtin"), "gemini")) {
        e.provider = "gemini";
        e.embed = gemini_embed;
        e.batch = 100;
        e.dimensions = e.dimensions ? e.dimensions : 768;
        model = bare(text_or(s->gemini_embedding_model, "gemini-embedding-2"));
        if (!open_gemini(s, "EDURAG_EMBEDDINGS=gemini", &e.service, err))
            return false;
    } else {
        e.provider = "openai";
        e.embed = openai_embed;
        e.batch = 64;
        model = text_or(s->openai_embedding_model, "");
        bool apart = *text_or(s->openai_embeddings_base_url, ""); /* another server never gets the first one's key */
        const char *base = apart ? s->openai_embeddings_base_url : s->openai_base_url;
        const char *key = text_or(s->openai_embeddings_api_key, apart ? "" : s->openai_api_key);
        if (!need(model, "EDURAG_OPENAI_EMBEDDING_MODEL", "EDURAG_EMBEDDINGS=openai", err) ||
            !open_openai(s, base, key, "EDURAG_EMBEDDINGS=openai", &e.service, err))
            return false;
    }
    snprintf(e.model, sizeof e.model, "%s", model);
    e.questions = mem_alloc(sizeof *e.questions);
    breaker_init(e.questions, 1, s->breaker_pause_ms ? s->breaker_pause_ms : 5000, QUESTIONS_PAUSE_MOST_MS);
    *out = mem_alloc(sizeof **out);
    **out = e;
    return true;
}

void models_generator_free(struct models_generator **g)
{
    if (*g)
        http_close((*g)->service);
    free(*g);
    *g = NULL;
}

void models_embedder_free(struct models_embedder **e)
{
    if (*e) {
        http_close((*e)->service);
        breaker_destroy((*e)->questions);
        free((*e)->questions);
    }
    free(*e);
    *e = NULL;
}

bool models_start(const struct models_settings *s, struct err *err)
{
    if (strcmp(text_or(s->generation, "extractive"), "extractive") && !models_generator_open(s, &generator, err))
        return false;
    if (!strcmp(text_or(s->embeddings, "builtin"), "builtin") || models_embedder_open(s, &embedder, err)) {
        places = generator ? fair_new(s->generations ? s->generations : GENERATIONS) : NULL;
        return true;
    }
    models_generator_free(&generator);
    return false;
}

void models_stop(void)
{
    fair_free(places);
    places = NULL;
    models_generator_free(&generator);
    models_embedder_free(&embedder);
}

bool models_generate(const char *person, const struct fair_waiter *waiter, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err)
{
    if (!fair_enter(places, person, waiter, err))
        return false;
    bool fine = generator->generate(generator, question, listener, answer, err);
    fair_leave(places, person);
    return fine;
}

void models_health(struct models_health *generation, struct models_health *embeddings)
{
    *generation = (struct models_health){"extractive", "", true};
    *embeddings = (struct models_health){"builtin", "", true};
    if (generator)
        *generation = (struct models_health){generator->provider, generator->model, http_reachable(generator->service)};
    if (embedder)
        *embeddings = (struct models_health){embedder->provider, embedder->model, models_embedder_reachable(embedder)};
}

struct models_generator *models_generator(void)
{
    return generator;
}
struct models_embedder *models_embedder(void)
{
    return embedder;
}
