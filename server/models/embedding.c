/* embedding.c - batches of texts to vectors through an outside model. */
#include "server/models/embedding.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/wait.h"
#include "server/models/breaker.h"

enum { SHORTEST = 200 };

/* A search waits less than a job does: it goes on with the stand-in. A probe gives a model on one's own machine the time to
 * be loaded. */
enum { JOB_MS = 60000, QUERY_MS = 5000, PROBE_MS = 20000, JOB_AGAIN = 3, AGAIN_MOST_MS = 30000 };

static atomic_bool interrupted;

void models_interrupt(void)
{
    atomic_store(&interrupted, true);
}

static bool is_interrupted(void *context)
{
    (void)context;
    return atomic_load(&interrupted);
}

/* Somebody else's question was in vain: this one need not find that out for itself. */
static bool is_in_vain(void *context)
{
    struct models_embedder *e = context;
    return atomic_load(&interrupted) || !breaker_closed(e->questions);
}

bool embedding_send(struct models_embedder *e, enum models_text kind, const char *path, const char *body,
                    struct http_reply *reply, struct err *err)
{
    int64_t limit = e->settings->embed_ms ? e->settings->embed_ms : JOB_MS;
    bool query = kind != MODELS_PASSAGE;
    int64_t most = kind == MODELS_QUERY ? QUERY_MS : kind == MODELS_PROBE ? PROBE_MS : limit;
    limit = limit < most ? limit : most;
    struct http_request request = {.path = path,
                                   .body = body,
                                   .total_ms = limit,
                                   .first_byte_ms = limit,
                                   .most = 16u << 20,
                                   .again = query ? 0 : JOB_AGAIN,
                                   .again_most_ms = AGAIN_MOST_MS,
                                   .probe = kind == MODELS_PROBE,
                                   .cancelled = kind == MODELS_QUERY ? is_in_vain : is_interrupted,
                                   .context = e};
    return http_send(e->service, &request, reply, err);
}

static bool malformed(const struct models_embedder *e, struct err *err, const char *what)
{
    err_set(err, ERR_UPSTREAM, "%s: %s", e->provider, what);
    if (err)
        snprintf(err->service, sizeof err->service, "%s", e->provider);
    return false;
}

bool embedding_read(struct models_embedder *e, const cJSON *values, float *vector, struct err *err)
{
    if (!cJSON_IsArray(values))
        return malformed(e, err, "an embedding is no list of numbers");
    size_t count = (size_t)cJSON_GetArraySize(values);
    if (!count || count > MODELS_DIMENSIONS_MOST || (e->dimensions && count != e->dimensions)) {
        char what[96];
        snprintf(what, sizeof what, "an embedding has %zu dimensions, not %zu", count, e->dimensions);
        return malformed(e, err, what);
    }
    double sum = 0;
    const cJSON *value;
    cJSON_ArrayForEach (value, values) {
        if (!cJSON_IsNumber(value) || !isfinite(value->valuedouble))
            return malformed(e, err, "an embedding holds what is no number");
        sum += value->valuedouble * value->valuedouble;
    }
    if (!(sum > 0) || !isfinite(sum))
        return malformed(e, err, "an embedding has no direction");
    double scale = 1 / sqrt(sum);
    size_t i = 0;
    cJSON_ArrayForEach (value, values)
        vector[i++] = (float)(value->valuedouble * scale);
    if (!e->dimensions)
        e->dimensions = count;
    return true;
}

bool embedding_refused(struct models_embedder *e, const struct http_reply *reply, struct err *err)
{
    static const char *const words[] = {"too large",    "too long",   "context length", "maximum context",
                                        "input length", "max_tokens", "maximum input",  "token limit",
                                        "exceeds the",  "batch size"};
    char text[300];
    http_error_text(reply, text, sizeof text);
    bool too_long = reply->status == 413;
    for (size_t i = 0; i < COUNT_OF(words) && (reply->status == 400 || reply->status == 422 || reply->status == 500);
         i++)
        too_long = too_long || strcasestr(text, words[i]);
    if (too_long)
        return err_set(err, ERR_TOO_LARGE, "%s: a text is too long for the embedding model", e->provider);
    return http_refused(e->service, reply, err);
}

/* Half of a text, cut between characters. */
static char *half(const char *text)
{
    size_t length = strlen(text) / 2;
    while (length && ((unsigned char)text[length] & 0xC0) == 0x80)
        length--;
    return mem_dupn(text, length);
}

static bool embed_some(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                       float *vectors, struct err *err)
{
    struct err said = {0};
    if (e->embed(e, kind, texts, count, vectors, &said))
        return true;
    bool hopeless = said.code != ERR_TOO_LARGE || (count == 1 && strlen(texts[0]) <= SHORTEST);
    if (hopeless && said.code == ERR_TOO_LARGE)
        malformed(e, &said, "even a short text is too long for the embedding model");
    if (hopeless) {
        if (err)
            *err = said;
        return false;
    }
    if (count > 1)
        return embed_some(e, kind, texts, count / 2, vectors, err) &&
               embed_some(e, kind, texts + count / 2, count - count / 2, vectors + count / 2 * e->dimensions, err);
    AUTO(mem_freep) char *shorter = half(texts[0]);
    return embed_some(e, kind, (const char *const[]){shorter}, 1, vectors, err);
}

/* `knowing`: of every embedder's dimensions while they are not known; whoever has seen them known needs it no more.
 * `learning`: of who asks for them, which may take long and holds up nobody who only looks. */
static pthread_mutex_t knowing = PTHREAD_MUTEX_INITIALIZER, learning = PTHREAD_MUTEX_INITIALIZER;

bool models_embedder_known(struct models_embedder *e)
{
    pthread_mutex_lock(&knowing);
    bool known = e->dimensions > 0;
    pthread_mutex_unlock(&knowing);
    return known;
}

static void know(struct models_embedder *e, size_t dimensions)
{
    pthread_mutex_lock(&knowing);
    if (!e->dimensions)
        e->dimensions = dimensions;
    pthread_mutex_unlock(&knowing);
}

static void write_name(const struct models_embedder *e, size_t dimensions, char name[MODELS_NAME_MOST])
{
    snprintf(name, MODELS_NAME_MOST, "%s/%.70s@%zu", e->provider, e->model, dimensions);
    for (char *c = name; *c; c++) /* what the database takes as a name */
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:/@+-", *c))
            *c = '-';
}

void models_embedder_recall(struct models_embedder *e, const char *name, size_t dimensions)
{
    char own[MODELS_NAME_MOST];
    write_name(e, dimensions, own);
    if (!strcmp(own, name))
        know(e, dimensions);
}

/* Whoever comes first asks, the others wait. */
bool models_embedder_learn(struct models_embedder *e, struct err *err)
{
    if (models_embedder_known(e))
        return true;
    AUTO(mem_freep) float *vector = mem_array(MODELS_DIMENSIONS_MOST, sizeof *vector);
    pthread_mutex_lock(&learning);
    struct models_embedder searcher = {
        .provider = e->provider, .service = e->service, .questions = e->questions, .settings = e->settings};
    memcpy(searcher.model, e->model, sizeof searcher.model);
    bool known = models_embedder_known(e) ||
                 e->embed(&searcher, MODELS_PASSAGE, (const char *const[]){"How many dimensions?"}, 1, vector, err);
    if (known && searcher.dimensions)
        know(e, searcher.dimensions);
    pthread_mutex_unlock(&learning);
    return known;
}

bool models_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err)
{
    if (!models_embedder_learn(e, err))
        return false;
    for (size_t i = 0; i < count; i += e->batch) {
        size_t some = count - i < e->batch ? count - i : e->batch;
        if (!embed_some(e, kind, texts + i, some, vectors + i * e->dimensions, err))
            return false;
    }
    return true;
}

static bool ask_one(struct models_embedder *e, enum models_text kind, const char *question, float *vector,
                    struct err *err)
{
    bool fine = models_embed(e, kind, &question, 1, vector, err);
    if (fine || err->code != ERR_CANCELLED)
        breaker_tell(e->questions, fine, wait_now());
    else if (kind == MODELS_PROBE)
        breaker_drop(e->questions);
    return fine;
}

bool models_embed_question(struct models_embedder *e, const char *question, float *vector, struct err *err)
{
    struct err own = {0}, *said = err ? err : &own;
    if (!breaker_closed(e->questions))
        return malformed(e, said, "not asked, since it did not answer the last question");
    return ask_one(e, MODELS_QUERY, question, vector, said);
}

void models_embedder_probe(struct models_embedder *e)
{
    struct err err = {0};
    /* Questions are refused, or jobs alone have failed so often that nobody asks any more. */
    bool due = breaker_closed(e->questions) ? !http_reachable(e->service) && http_available(e->service)
                                            : breaker_ask(e->questions, wait_now());
    if (!due || !models_embedder_known(e))
        return;
    AUTO(mem_freep) float *vector = mem_array(e->dimensions, sizeof *vector);
    (void)!ask_one(e, MODELS_PROBE, "Is anybody there?", vector, &err);
}

bool models_embedder_reachable(struct models_embedder *e)
{
    return http_reachable(e->service) && breaker_closed(e->questions);
}

void models_embedder_name(const struct models_embedder *e, char name[MODELS_NAME_MOST])
{
    write_name(e, e->dimensions, name);
}
