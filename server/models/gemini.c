/* gemini.c - Google's Gemini, by its REST interface v1beta. */
#include "server/models/gemini.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/models/embedding.h"
#include "server/models/http.h"
#include "server/models/stream.h"

/* Every reason to finish that the service knows, in words; one that it does not know yet is OTHER. */
static const struct {
    const char *reason;
    enum models_end end;
    const char *note;
} finishes[] = {
    {"STOP", MODELS_END_WHOLE, ""},
    {"MAX_TOKENS", MODELS_END_LENGTH, "The answer was cut at its length limit."},
    {"SAFETY", MODELS_END_BLOCKED, "The language model withheld the rest for reasons of safety."},
    {"RECITATION", MODELS_END_BLOCKED,
     "The language model withheld the rest because it came too close to a published text."},
    {"LANGUAGE", MODELS_END_BLOCKED, "The language model does not speak this language."},
    {"BLOCKLIST", MODELS_END_BLOCKED, "The language model withheld the rest because of a forbidden word."},
    {"PROHIBITED_CONTENT", MODELS_END_BLOCKED,
     "The language model withheld the rest because its rules forbid the subject."},
    {"SPII", MODELS_END_BLOCKED, "The language model withheld the rest because it may hold personal data."},
    {"MALFORMED_FUNCTION_CALL", MODELS_END_BROKEN, "The language model lost its way in the middle of its answer."},
    {"OTHER", MODELS_END_BROKEN, "The language model stopped without saying why."},
};

static const struct {
    const char *reason, *note;
} blocks[] = {
    {"SAFETY", "The language model declined this question for reasons of safety."},
    {"BLOCKLIST", "The language model declined this question because of a forbidden word."},
    {"PROHIBITED_CONTENT", "The language model declined this question because its rules forbid the subject."},
    {"IMAGE_SAFETY", "The language model declined this question for reasons of safety."},
    {"OTHER", "The language model declined this question."},
};

static void finish(struct stream *stream, const char *reason)
{
    size_t i = 0;
    while (i + 1 < COUNT_OF(finishes) && strcmp(finishes[i].reason, reason))
        i++;
    stream_end(stream, finishes[i].end, finishes[i].note);
}

static void on_event(struct stream *stream, const cJSON *json)
{
    const cJSON *error = json_get(json, "error");
    if (error && !cJSON_IsNull(error)) {
        stream_fail(stream, "The language model reported an error in the middle of its answer.");
        return;
    }
    const char *blocked = json_text(json_get(json, "promptFeedback"), "blockReason", "");
    if (*blocked && strcmp(blocked, "BLOCK_REASON_UNSPECIFIED")) {
        size_t i = 0;
        while (i + 1 < COUNT_OF(blocks) && strcmp(blocks[i].reason, blocked))
            i++;
        stream_end(stream, MODELS_END_BLOCKED, blocks[i].note);
    }
    const cJSON *candidate = cJSON_GetArrayItem(json_get(json, "candidates"), 0), *part;
    cJSON_ArrayForEach (part, json_get(json_get(candidate, "content"), "parts"))
        if (!json_bool(part, "thought", false))
            stream_text(stream, json_text(part, "text", ""));
    const char *reason = json_text(candidate, "finishReason", "");
    if (*reason && strcmp(reason, "FINISH_REASON_UNSPECIFIED"))
        finish(stream, reason);
}

static void write_content(struct buf *body, const char *role, const char *text)
{
    buf_json_open(body, '{');
    if (role)
        buf_json_member(body, "role", role);
    buf_json_key(body, "parts");
    buf_json_open(body, '[');
    buf_json_open(body, '{');
    buf_json_member(body, "text", text);
    buf_json_close(body, '}');
    buf_json_close(body, ']');
    buf_json_close(body, '}');
}

bool gemini_generate(struct models_generator *g, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err)
{
    AUTO(buf_free) struct buf body = {0}, path = {0};
    buf_json_open(&body, '{');
    buf_json_key(&body, "systemInstruction");
    write_content(&body, NULL, question->system);
    buf_json_key(&body, "contents");
    buf_json_open(&body, '[');
    for (size_t i = 0; i < question->count; i++)
        write_content(&body, question->messages[i].by_model ? "model" : "user", question->messages[i].text);
    buf_json_close(&body, ']');
    buf_json_key(&body, "generationConfig");
    buf_json_open(&body, '{');
    buf_json_key(&body, "temperature");
    buf_json_double(&body, 0.2);
    buf_json_member_int(&body, "maxOutputTokens",
                        (question->most_tokens ? question->most_tokens : 2048) + MODELS_THOUGHTS);
    if (g->settings->gemini_thinking && *g->settings->gemini_thinking) {
        buf_json_key(&body, "thinkingConfig");
        buf_json_open(&body, '{');
        buf_json_member(&body, "thinkingLevel", g->settings->gemini_thinking);
        buf_json_close(&body, '}');
    }
    buf_json_close(&body, '}');
    buf_json_close(&body, '}');
    buf_text(&path, "/models/");
    http_escape(&path, g->model);
    buf_text(&path, ":streamGenerateContent?alt=sse");
    struct stream stream = {.listener = listener, .answer = answer, .event = on_event};
    return stream_run(&stream, g->service, g->settings, path.data, body.data, err);
}

/* gemini-embedding-2 ignores the task and wants it said in the text; the older one wants the task. */
static bool task_in_text(const char *model)
{
    return strcmp(model, "gemini-embedding-001") != 0;
}

static void write_request(const struct models_embedder *e, enum models_text kind, const char *text, struct buf *body)
{
    const struct models_settings *s = e->settings;
    const char *prefix = kind == MODELS_PASSAGE ? s->passage_prefix : s->query_prefix;
    if (task_in_text(e->model) && (!prefix || !*prefix))
        prefix = kind == MODELS_PASSAGE ? "title: none | text: " : "task: search result | query: ";
    AUTO(mem_freep)
    char *whole = mem_printf("%s%s", prefix ? prefix : "", text), *model = mem_printf("models/%s", e->model);
    buf_json_open(body, '{');
    buf_json_member(body, "model", model);
    buf_json_key(body, "content");
    write_content(body, NULL, whole);
    buf_json_key(body, "embedContentConfig");
    buf_json_open(body, '{');
    if (!task_in_text(e->model))
        buf_json_member(body, "taskType", kind == MODELS_PASSAGE ? "RETRIEVAL_DOCUMENT" : "RETRIEVAL_QUERY");
    buf_json_member_int(body, "outputDimensionality", (int64_t)e->dimensions);
    buf_json_close(body, '}');
    buf_json_close(body, '}');
}

static bool read_embeddings(struct models_embedder *e, const struct http_reply *reply, size_t count, float *vectors,
                            struct err *err)
{
    AUTO(json_freep) cJSON *json = json_parse(reply->body.data ? reply->body.data : "", reply->body.length, err);
    const cJSON *list = json_get(json, "embeddings"), *item;
    size_t i = 0;
    if (!json || (size_t)cJSON_GetArraySize(list) != count)
        return err_set(err, ERR_UPSTREAM, "gemini: not one embedding for each text");
    cJSON_ArrayForEach (item, list)
        if (!embedding_read(e, json_get(item, "values"), vectors + i++ * e->dimensions, err))
            return false;
    return true;
}

bool gemini_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err)
{
    AUTO(buf_free) struct buf body = {0}, path = {0};
    AUTO(http_reply_free) struct http_reply reply = {0};
    buf_json_open(&body, '{');
    buf_json_key(&body, "requests");
    buf_json_open(&body, '[');
    for (size_t i = 0; i < count; i++)
        write_request(e, kind, texts[i], &body);
    buf_json_close(&body, ']');
    buf_json_close(&body, '}');
    buf_text(&path, "/models/");
    http_escape(&path, e->model);
    buf_text(&path, ":batchEmbedContents");
    if (!embedding_send(e, kind, path.data, body.data, &reply, err))
        return false;
    if (reply.status != 200)
        return embedding_refused(e, &reply, err);
    return read_embeddings(e, &reply, count, vectors, err);
}
