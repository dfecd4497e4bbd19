/* models.c - replies of language models, embedders and memory services: whatever they say, text adds up and an end is told.
 *
 * The input is the reply; http_send is replaced at link time, so nothing leaves. FUZZ_LONGEST 3000
 */
#include <math.h>

#include "common/text.h"
#include "server/memory/hindsight.h"
#include "server/models/citations.h"
#include "server/models/gemini.h"
#include "server/models/http.h"
#include "server/models/openai.h"
#include "tests/fuzz/fuzz.h"

enum { TEXTS = 3, DIMENSIONS = 4 };

static struct {
    const char *bytes;
    size_t length, step;
    long status;
    const char *type;
    bool cut;
} said;

bool __wrap_http_send(struct http_service *service, const struct http_request *request, struct http_reply *reply,
                      struct err *err);
bool __wrap_http_send(struct http_service *service, const struct http_request *request, struct http_reply *reply,
                      struct err *err)
{
    (void)service;
    *reply = (struct http_reply){.status = said.status, .attempts = 1};
    snprintf(reply->content_type, sizeof reply->content_type, "%s", said.type);
    if (!request->on_bytes || said.status < 200 || said.status > 299) {
        buf_bytes(&reply->body, said.bytes, said.length);
        return true;
    }
    for (size_t at = 0; at < said.length; at += said.step) {
        size_t n = said.length - at < said.step ? said.length - at : said.step;
        AUTO(mem_freep) char *piece = mem_dupn(said.bytes + at, n);
        if (!request->on_bytes(request->context, reply, piece, n, err))
            return false;
    }
    return said.cut ? err_set(err, ERR_UPSTREAM, "cut off") : true;
}

static void delta(void *context, const char *text, size_t length)
{
    FUZZ_MUST(length && text_valid_utf8(text, length), "a delta cuts a character");
    buf_bytes(context, text, length);
}

static void cited(const struct buf *text)
{
    AUTO(buf_free) struct buf whole = {0};
    AUTO(buf_free) struct buf pieces = {0};
    for (int way = 0; way < 2; way++) {
        struct citations citations = {.count = 2};
        struct buf *out = way ? &pieces : &whole;
        size_t step = way ? said.step : text->length + 1;
        for (size_t at = 0; at < text->length; at += step)
            citations_feed(&citations, text->data + at, text->length - at < step ? text->length - at : step, out);
        citations_end(&citations, out);
        citations_free(&citations);
    }
    FUZZ_MUST(whole.length == pieces.length && (!whole.length || !memcmp(whole.data, pieces.data, whole.length)),
              "citations: [%s] and in pieces [%s]", whole.data ? whole.data : "", pieces.data ? pieces.data : "");
    for (size_t at = 0; at < whole.length; at++) {
        size_t behind = at, n = whole.data[at] == '[' ? citations_at(whole.data, whole.length, &behind) : 0;
        FUZZ_MUST(n <= 2, "source %zu was never given", n);
    }
}

static void generation(struct http_service *service, bool gemini)
{
    const struct models_settings settings = {.gemini_thinking = "", .openai_chat_model = "m"};
    struct models_generator g = {
        .provider = gemini ? "gemini" : "openai", .model = "m", .service = service, .settings = &settings};
    const struct models_message message = {.text = "Why?"};
    const struct models_question question = {.system = "s", .messages = &message, .count = 1};
    AUTO(buf_free) struct buf heard = {0};
    const struct models_listener listener = {.delta = delta, .context = &heard};
    struct models_answer answer = {0};
    struct err err = {0};
    bool fine = (gemini ? gemini_generate : openai_generate)(&g, &question, &listener, &answer, &err);
    FUZZ_MUST(heard.length == answer.text.length &&
                  (!heard.length || !memcmp(heard.data, answer.text.data, heard.length)),
              "the deltas do not add up");
    FUZZ_MUST(fine ? answer.text.length > 0 : *err.say, "%s",
              fine ? "an answer of nothing" : "no answer, and no sentence");
    if (fine)
        FUZZ_MUST((answer.end == MODELS_END_WHOLE) == !*answer.note, "end %d with the note [%s]", answer.end,
                  answer.note);
    FUZZ_MUST(text_valid_utf8(answer.note, strlen(answer.note)) && text_valid_utf8(err.say, strlen(err.say)),
              "a sentence is cut inside a character");
    cited(&answer.text);
    models_answer_free(&answer);
}

static void embedding(struct http_service *service, bool gemini)
{
    const struct models_settings settings = {
        .query_prefix = "", .passage_prefix = "", .openai_embedding_model = "m", .dimensions = DIMENSIONS};
    struct models_embedder e = {.provider = gemini ? "gemini" : "openai",
                                .model = "m",
                                .dimensions = DIMENSIONS,
                                .batch = TEXTS,
                                .service = service,
                                .settings = &settings};
    const char *const texts[TEXTS] = {"one", "two", "three"};
    AUTO(mem_freep) float *vectors = mem_array(TEXTS * DIMENSIONS, sizeof *vectors);
    struct err err = {0};
    if (!(gemini ? gemini_embed : openai_embed)(&e, MODELS_PASSAGE, texts, TEXTS, vectors, &err)) {
        FUZZ_MUST(err.code, "refused without a cause");
        return;
    }
    for (int i = 0; i < TEXTS; i++) {
        float length = 0;
        for (int k = 0; k < DIMENSIONS; k++)
            length += vectors[i * DIMENSIONS + k] * vectors[i * DIMENSIONS + k];
        FUZZ_MUST(fabsf(length - 1) < 0.01f, "a vector of length %g", (double)length);
    }
}

static void memory(uint8_t which)
{
    static struct hindsight *h;
    const struct hindsight_settings settings = {.url = "http://127.0.0.1:9"};
    const struct hindsight_fact fact = {"f", "o", "likes cells", "search", "2026-01-01T00:00:00Z"};
    struct err err = {0};
    struct hindsight_memories memories = {0};
    AUTO(buf_free) struct buf text = {0};
    char operation[40] = "", version[32] = "", message[200] = "";
    enum hindsight_state state;
    int64_t deleted = 0;
    FUZZ_MUST(h || hindsight_open(&settings, &h, &err), "%s", err.log);
    switch (which % 6) {
    case 0:
        if (hindsight_recall(h, "b", NULL, "cells", 5, NULL, NULL, &memories, &err))
            for (size_t i = 0; i < memories.count; i++)
                FUZZ_MUST(memories.count <= 5 && memories.items[i].text &&
                              text_valid_utf8(memories.items[i].text, strlen(memories.items[i].text)),
                          "a memory of nothing");
        hindsight_memories_free(&memories);
        break;
    case 1: (void)!hindsight_reflect(h, "b", NULL, "cells", NULL, NULL, &text, &err); break;
    case 2: (void)!hindsight_retain(h, "b", NULL, &fact, operation, &state, &err); break;
    case 3: (void)!hindsight_operation(h, "b", "o", &state, message, &err); break;
    case 4: (void)!hindsight_status(h, version, &err); break;
    default: (void)!hindsight_forget(h, "b", "f", &deleted, &err); break;
    }
    FUZZ_MUST(strlen(operation) < sizeof operation && strlen(version) < sizeof version &&
                  strlen(message) < sizeof message,
              "cut wrongly");
    FUZZ_MUST(text_valid_utf8(text.data ? text.data : "", text.length) && text_valid_utf8(message, strlen(message)),
              "not UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const long statuses[] = {200, 200, 200, 201, 400, 404, 429, 503};
    static const char *const types[] = {"text/event-stream", "application/json", ""};
    static struct http_service *service;
    const struct http_settings settings = {.name = "model", .base_url = "http://127.0.0.1:9"};
    struct fuzz_input in = {data, size};
    struct err err = {0};
    uint8_t which = fuzz_byte(&in), how = fuzz_byte(&in);
    AUTO(mem_freep) char *text = fuzz_rest(&in, &said.length);
    said.bytes = text;
    said.status = statuses[how & 7];
    said.type = types[(how >> 3 & 3) % 3];
    said.step = (how >> 5) ? (size_t)1 << (how >> 5) : 4096;
    said.cut = which & 128;
    FUZZ_MUST(service || http_open(&settings, &service, &err), "%s", err.log);
    switch (which & 7) {
    case 0:
    case 1: generation(service, true); break;
    case 2:
    case 3: generation(service, false); break;
    case 4: embedding(service, true); break;
    case 5: embedding(service, false); break;
    default: memory(which >> 3); break;
    }
    return 0;
}
