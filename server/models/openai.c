/* openai.c - any server that speaks OpenAI's chat completions and embeddings. */
#include "server/models/openai.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "server/models/embedding.h"
#include "server/models/http.h"
#include "server/models/stream.h"

static void finish(struct stream *stream, const char *reason)
{
    if (!strcmp(reason, "length"))
        stream_end(stream, MODELS_END_LENGTH, "The answer was cut at its length limit.");
    else if (!strcmp(reason, "content_filter"))
        stream_end(stream, MODELS_END_BLOCKED, "The language model withheld the rest: its filter forbids the subject.");
    else if (!strcmp(reason, "error") || !strcmp(reason, "abort"))
        stream_end(stream, MODELS_END_BROKEN, "The language model broke off in the middle of its answer.");
    else /* stop, tool_calls, and whatever else a vendor thought of */
        stream_end(stream, MODELS_END_WHOLE, "");
}

/* A chunk (choices[].delta) or, from servers that do not stream, the whole (choices[].message). */
static void on_event(struct stream *stream, const cJSON *json)
{
    const cJSON *error = json_get(json, "error"); /* some send it empty with every piece */
    if ((error && !cJSON_IsNull(error)) || !strcmp(json_text(json, "object", ""), "error")) {
        stream_fail(stream, "The language model reported an error in the middle of its answer.");
        return;
    }
    const cJSON *choice = cJSON_GetArrayItem(json_get(json, "choices"), 0), *delta = json_get(choice, "delta");
    if (!cJSON_IsObject(delta))
        delta = json_get(choice, "message");
    stream_text(stream, json_text(delta, "content", ""));
    const char *refusal = json_text(delta, "refusal", "");
    if (*refusal)
        stream_end(stream, MODELS_END_BLOCKED, "The language model declined this question.");
    const char *reason = json_text(choice, "finish_reason", "");
    if (*reason)
        finish(stream, reason);
}

static void write_message(struct buf *body, const char *role, const char *text)
{
    buf_json_open(body, '{');
    buf_json_member(body, "role", role);
    buf_json_member(body, "content", text);
    buf_json_close(body, '}');
}

bool openai_generate(struct models_generator *g, const struct models_question *question,
                     const struct models_listener *listener, struct models_answer *answer, struct err *err)
{
    AUTO(buf_free) struct buf body = {0};
    int64_t most = question->most_tokens ? question->most_tokens : 2048;
    buf_json_open(&body, '{');
    buf_json_member(&body, "model", g->model);
    buf_json_key(&body, "messages");
    buf_json_open(&body, '[');
    write_message(&body, "system", question->system);
    for (size_t i = 0; i < question->count; i++)
        write_message(&body, question->messages[i].by_model ? "assistant" : "user", question->messages[i].text);
    buf_json_close(&body, ']');
    if (g->settings->openai_reasoning) {
        buf_json_member_int(&body, "max_completion_tokens", most + MODELS_THOUGHTS);
    } else {
        buf_json_key(&body, "temperature");
        buf_json_double(&body, 0.2);
        buf_json_member_int(&body, "max_tokens", most);
    }
    buf_json_member_bool(&body, "stream", true);
    buf_json_close(&body, '}');
    struct stream stream = {.listener = listener, .answer = answer, .event = on_event};
    return stream_run(&stream, g->service, g->settings, "/chat/completions", body.data, err);
}

/* What models are known to want in front of their texts; the first whose name is part of the model's. */
static const struct {
    const char *part, *query, *passage;
} prefixes[] = {
    {"nomic-embed", "search_query: ", "search_document: "},
    {"multilingual-e5-large-instruct", "Instruct: Given a question, find passages that answer it\nQuery: ", ""},
    {"e5-", "query: ", "passage: "},
    {"qwen3-embedding", "Instruct: Given a question, find passages that answer it\nQuery: ", ""},
    {"mxbai-embed-large", "Represent this sentence for searching relevant passages: ", ""},
    {"snowflake-arctic-embed", "query: ", ""},
    {"embeddinggemma", "task: search result | query: ", "title: none | text: "},
};

static const char *prefix_of(const struct models_embedder *e, enum models_text kind)
{
    const char *set = kind == MODELS_PASSAGE ? e->settings->passage_prefix : e->settings->query_prefix;
    if (set && *set)
        return set;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (strcasestr(e->model, prefixes[i].part))
            return kind == MODELS_PASSAGE ? prefixes[i].passage : prefixes[i].query;
    return "";
}

static bool read_embeddings(struct models_embedder *e, const struct http_reply *reply, size_t count, float *vectors,
                            struct err *err)
{
    AUTO(json_freep) cJSON *json = json_parse(reply->body.data ? reply->body.data : "", reply->body.length, err);
    AUTO(mem_freep) bool *seen = mem_array(count, sizeof *seen);
    const cJSON *data = json_get(json, "data"), *item;
    int64_t position = 0;
    if (!json || (size_t)cJSON_GetArraySize(data) != count)
        return err_set(err, ERR_UPSTREAM, "openai: not one embedding for each text");
    cJSON_ArrayForEach (item, data) {
        int64_t index = json_int(item, "index", position++);
        if (index < 0 || (size_t)index >= count || seen[index])
            return err_set(err, ERR_UPSTREAM, "openai: embeddings are numbered wrongly");
        seen[index] = true;
        if (!embedding_read(e, json_get(item, "embedding"), vectors + (size_t)index * e->dimensions, err))
            return false;
    }
    return true;
}

bool openai_embed(struct models_embedder *e, enum models_text kind, const char *const *texts, size_t count,
                  float *vectors, struct err *err)
{
    AUTO(buf_free) struct buf body = {0}, text = {0};
    AUTO(http_reply_free) struct http_reply reply = {0};
    buf_json_open(&body, '{');
    buf_json_member(&body, "model", e->model);
    buf_json_key(&body, "input");
    buf_json_open(&body, '[');
    for (size_t i = 0; i < count; i++) {
        buf_clear(&text);
        buf_text(&text, prefix_of(e, kind));
        buf_text(&text, texts[i]);
        buf_json_string(&body, text.length ? text.data : " "); /* an empty one is refused */
    }
    buf_json_close(&body, ']');
    buf_json_member(&body, "encoding_format", "float");
    if (e->settings->dimensions)
        buf_json_member_int(&body, "dimensions", e->settings->dimensions);
    buf_json_close(&body, '}');
    if (!embedding_send(e, kind, "/embeddings", body.data, &reply, err))
        return false;
    if (reply.status != 200)
        return embedding_refused(e, &reply, err);
    return read_embeddings(e, &reply, count, vectors, err);
}
