/* fake_models.c - a server that speaks Gemini and OpenAI, and misbehaves on purpose. */
#include "tests/lib/fake_models.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/mem.h"
#include "tests/lib/fake_http.h"

struct fake_models {
    struct fake_http *http;
    pthread_mutex_t lock; /* everything below */
    char behaviour[64];
    int times, delay_ms, longest, dimensions;
    char *answer, *path, *headers, *body, *bodies[FAKE_MODELS_KEPT];
    int requests, open, most_open, texts;
    struct fake_models_times times_of;
};

/* One request's copy of how to behave. */
struct mood {
    char behaviour[64];
    int delay_ms, longest, dimensions;
    char *answer;
    bool gemini;
    struct fake_models *fake;
};

static int64_t now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void note_delta(struct fake_models *fake)
{
    pthread_mutex_lock(&fake->lock);
    if (fake->times_of.count < FAKE_MODELS_DELTAS)
        fake->times_of.sent[fake->times_of.count++] = now_us();
    pthread_mutex_unlock(&fake->lock);
}

static bool is(const struct mood *mood, const char *behaviour)
{
    return !strcmp(mood->behaviour, behaviour);
}

/* ------------------------------------------------------------------ streams */

static void write_event(const struct mood *mood, struct buf *out, const char *json)
{
    buf_printf(out, "%sdata:%s%s%s", is(mood, "comments") ? ": still here\nevent: message\nid: 7\n" : "",
               is(mood, "tight") ? "" : " ", json, is(mood, "crlf") ? "\r\n\r\n" : "\n\n");
}

static void write_delta(const struct mood *mood, struct buf *out, const char *text, size_t length, const char *reason)
{
    AUTO(buf_free) struct buf json = {0}, quoted = {0};
    AUTO(mem_freep) char *end = reason ? mem_printf("\"%s\"", reason) : mem_dup("null");
    buf_json_stringn(&quoted, text, length);
    if (mood->gemini && reason)
        buf_printf(&json,
                   "{\"candidates\":[{\"content\":{\"role\":\"model\"},\"finishReason\":%s,\"index\":0}],"
                   "\"usageMetadata\":{\"totalTokenCount\":9}}",
                   end);
    else if (mood->gemini)
        buf_printf(&json,
                   "{\"candidates\":[{\"content\":{\"parts\":[%s{\"text\":%s,\"thoughtSignature\":\"x\"}],\"role\":"
                   "\"model\"},\"index\":0}]}",
                   is(mood, "thoughts") ? "{\"text\":\"let me think\",\"thought\":true}," : "", quoted.data);
    else if (reason)
        buf_printf(
            &json,
            "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":%s}]}",
            end);
    else
        buf_printf(&json,
                   "{\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\","
                   "\"content\":%s%s},\"finish_reason\":null}]}",
                   quoted.data,
                   is(mood, "thoughts") ? ",\"reasoning\":\"let me think\",\"reasoning_content\":\"hm\"" : "");
    write_event(mood, out, json.data);
}

/* What comes behind the text. */
static void write_end(const struct mood *mood, struct buf *out)
{
    const char *stop = mood->gemini ? "STOP" : "stop";
    if (is(mood, "length"))
        stop = mood->gemini ? "MAX_TOKENS" : "length";
    if (is(mood, "safety"))
        stop = mood->gemini ? "SAFETY" : "content_filter";
    if (is(mood, "odd_finish"))
        stop = mood->gemini ? "TOO_MANY_TOOL_CALLS" : "load";
    if (!strncmp(mood->behaviour, "finish:", 7))
        stop = mood->behaviour + 7;
    if (is(mood, "mid_error"))
        write_event(mood, out, "{\"error\":{\"code\":500,\"message\":\"out of memory\",\"status\":\"INTERNAL\"}}");
    else if (!is(mood, "no_finish"))
        write_delta(mood, out, "", 0, stop);
    if (!mood->gemini && is(mood, "usage"))
        write_event(
            mood, out,
            "{\"object\":\"chat.completion.chunk\",\"choices\":[],\"usage\":{\"total_tokens\":11},\"timings\":{}}");
    if (!mood->gemini && !is(mood, "no_done") && !is(mood, "no_finish") && !is(mood, "mid_error"))
        write_event(mood, out, "[DONE]");
    if (!mood->gemini && is(mood, "after_done"))
        buf_text(out, "data: {\"choices\": [{\"delta\": {\"content\": \"more\"}}]}\n\ndata: {not JSON\n\n\xFF\xFE");
}

/* What means nothing, among what does. */
static void write_nothing(const struct mood *mood, struct buf *out)
{
    if (is(mood, "nothings")) {
        write_event(mood, out, "{}");
        write_event(mood, out,
                    mood->gemini ? "{\"error\":null,\"candidates\":[{\"index\":0}]}"
                                 : "{\"error\":null,\"choices\":null,\"usage\":null}");
        write_event(mood, out,
                    mood->gemini ? "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"\",\"thoughtSignature\":"
                                   "\"x\"}]}}],\"new\":[1]}"
                                 : "{\"choices\":[{\"delta\":{\"content\":null,\"role\":\"assistant\"},\"finish_"
                                   "reason\":null}],\"usage\":{}}");
    }
    if (is(mood, "early_finish"))
        write_delta(mood, out, "", 0, mood->gemini ? "STOP" : "stop");
}

/* Comments for ever, as some servers send them while a model is loaded. */
static void send_comments(struct fake_peer *peer)
{
    while (fake_http_piece(peer, ": still here\n\n", 14) && fake_http_sleep(peer, 50))
        continue;
    fake_http_cut(peer);
}

static bool send_pieces(const struct mood *mood, struct fake_peer *peer, const struct buf *bytes)
{
    size_t piece = is(mood, "one_byte") ? 1 : bytes->length;
    for (size_t at = 0; at < bytes->length; at += piece)
        if (!fake_http_piece(peer, bytes->data + at, bytes->length - at < piece ? bytes->length - at : piece))
            return false;
    return true;
}

static void send_stream(const struct mood *mood, struct fake_peer *peer)
{
    fake_http_begin(peer, 200, "text/event-stream; charset=utf-8");
    AUTO(buf_free) struct buf burst = {0};
    size_t length = strlen(mood->answer), step = FAKE_MODELS_DELTA;
    for (size_t at = 0, next; at < length; at = next) {
        AUTO(buf_free) struct buf out = {0};
        next = at + step < length ? at + step : length;
        while (next < length && ((unsigned char)mood->answer[next] & 0xC0) == 0x80)
            next++;
        write_delta(mood, &out, mood->answer + at, next - at, NULL);
        write_nothing(mood, &out);
        note_delta(mood->fake);
        if (is(mood, "burst")) {
            buf_bytes(&burst, out.data, out.length);
            continue;
        }
        if (!send_pieces(mood, peer, &out))
            return;
        bool middle = at >= length / 2;
        if (middle && is(mood, "cut")) {
            fake_http_cut(peer);
            return;
        }
        if (middle && is(mood, "comments_only")) {
            send_comments(peer);
            return;
        }
        if (middle && is(mood, "stall")) {
            fake_http_sleep(peer, 60000);
            fake_http_cut(peer);
            return;
        }
        if (middle && is(mood, "mid_error"))
            break;
        if (middle && is(mood, "malformed"))
            fake_http_piece(peer, "data: {\"candidates\":[{\n\n", 24);
        if (middle && is(mood, "huge")) {
            AUTO(buf_free) struct buf huge = {0};
            buf_text(&huge, "data: ");
            buf_reserve(&huge, 10u << 20);
            while (huge.length < (10u << 20))
                buf_text(&huge, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
            if (!fake_http_piece(peer, huge.data, huge.length))
                return;
        }
        if (mood->delay_ms && !fake_http_sleep(peer, mood->delay_ms))
            return;
    }
    write_end(mood, &burst);
    if (send_pieces(mood, peer, &burst))
        fake_http_end(peer);
}

static void send_whole(const struct mood *mood, struct fake_peer *peer)
{
    AUTO(buf_free) struct buf quoted = {0}, json = {0};
    buf_json_string(&quoted, mood->answer);
    if (mood->gemini)
        buf_printf(&json, "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":%s}]},\"finishReason\":\"STOP\"}]}]",
                   quoted.data);
    else
        buf_printf(&json,
                   "{\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                   "\"content\":%s},\"finish_reason\":\"stop\"}]}",
                   quoted.data);
    fake_http_reply(peer, 200, "", "application/json", json.data);
}

static void generate(const struct mood *mood, struct fake_peer *peer)
{
    AUTO(buf_free) struct buf out = {0};
    if (is(mood, "whole")) {
        send_whole(mood, peer);
        return;
    }
    if (!is(mood, "blocked") && !is(mood, "empty") && !is(mood, "error_first") && !is(mood, "comments_first") &&
        !is(mood, "thought_out")) {
        send_stream(mood, peer);
        return;
    }
    fake_http_begin(peer, 200, "text/event-stream");
    if (is(mood, "comments_first")) {
        send_comments(peer);
        return;
    }
    if (is(mood, "thought_out"))
        write_delta(mood, &out, "", 0, mood->gemini ? "MAX_TOKENS" : "length");
    else if (is(mood, "error_first"))
        write_event(mood, &out, "{\"error\":{\"message\":\"no\",\"type\":\"server_error\",\"code\":null}}");
    else if (is(mood, "empty"))
        write_event(mood, &out, mood->gemini ? "{\"usageMetadata\":{\"promptTokenCount\":4}}" : "{\"choices\":[]}");
    else if (mood->gemini)
        write_event(
            mood, &out,
            "{\"promptFeedback\":{\"blockReason\":\"PROHIBITED_CONTENT\"},\"usageMetadata\":{\"promptTokenCount\":4}}");
    else
        write_event(mood, &out,
                    "{\"choices\":[{\"index\":0,\"delta\":{\"content\":null,\"refusal\":\"I "
                    "can't\"},\"finish_reason\":\"stop\"}]}");
    send_pieces(mood, peer, &out);
    fake_http_end(peer);
}

/* ------------------------------------------------------------------ embeddings */

static void write_vector(const struct mood *mood, struct buf *out, const char *text, int dimensions)
{
    if (is(mood, "base64")) {
        buf_json_string(out, "AACAPwAAAEA=");
        return;
    }
    unsigned hash = 2166136261u;
    for (const char *c = text; *c; c++)
        hash = (hash ^ (unsigned char)*c) * 16777619u;
    buf_json_open(out, '[');
    for (int i = 0; i < dimensions + (is(mood, "wrong_dimensions") ? 1 : 0); i++) {
        hash = hash * 1664525u + 1013904223u;
        buf_json_double(out, is(mood, "zero") ? 0 : (double)(hash >> 8) / (1 << 23) - 1);
    }
    buf_json_close(out, ']');
}

static void too_long(const struct mood *mood, struct fake_peer *peer)
{
    if (mood->gemini)
        fake_http_reply(peer, 400, "", "application/json",
                        "{\"error\":{\"code\":400,\"message\":\"input token count exceeds the maximum "
                        "input\",\"status\":\"INVALID_ARGUMENT\"}}");
    else
        fake_http_reply(peer, 500, "", "application/json",
                        "{\"error\":{\"code\":500,\"message\":\"input (900 tokens) is too large to process. increase "
                        "the physical batch size\",\"type\":\"server_error\"}}");
}

static void embed(const struct mood *mood, const cJSON *json, struct fake_peer *peer)
{
    AUTO(buf_free) struct buf out = {0};
    const cJSON *list = json_get(json, mood->gemini ? "requests" : "input"), *item;
    int count = cJSON_GetArraySize(list);
    const char *texts[128] = {0};
    int dimensions = (int)json_int(json, "dimensions", mood->dimensions ? mood->dimensions : 8), n = 0;
    if (count < 1 || count > 100) {
        fake_http_reply(peer, 400, "", "application/json",
                        "{\"error\":{\"code\":400,\"message\":\"at most 100 requests can be in one batch\"}}");
        return;
    }
    cJSON_ArrayForEach (item, list) {
        const cJSON *part = cJSON_GetArrayItem(json_get(json_get(item, "content"), "parts"), 0);
        texts[n] = mood->gemini ? json_text(part, "text", "") : cJSON_IsString(item) ? item->valuestring : "";
        if (mood->gemini)
            dimensions = (int)json_int(json_get(item, "embedContentConfig"), "outputDimensionality", 3072);
        if (mood->longest && (int)strlen(texts[n]) > mood->longest) {
            too_long(mood, peer);
            return;
        }
        n++;
    }
    if (is(mood, "missing_one"))
        n--;
    buf_json_open(&out, '{');
    buf_json_key(&out, mood->gemini ? "embeddings" : "data");
    buf_json_open(&out, '[');
    for (int i = 0; i < n; i++) {
        int which = is(mood, "unsorted") ? n - 1 - i : i;
        buf_json_open(&out, '{');
        if (!mood->gemini && !is(mood, "no_index"))
            buf_json_member_int(&out, "index", is(mood, "double_index") ? 0 : which);
        buf_json_key(&out, mood->gemini ? "values" : "embedding");
        write_vector(mood, &out, texts[which], dimensions);
        buf_json_close(&out, '}');
    }
    buf_json_close(&out, ']');
    buf_json_close(&out, '}');
    pthread_mutex_lock(&mood->fake->lock);
    mood->fake->texts += n;
    pthread_mutex_unlock(&mood->fake->lock);
    fake_http_reply(peer, 200, "", "application/json", out.data);
}

/* ------------------------------------------------------------------ any request */

/* Whole replies that are wrong, the same for every call. true: done. */
static bool misbehave(const struct mood *mood, struct fake_peer *peer)
{
    static const struct {
        const char *name;
        int status;
        const char *headers, *body;
    } replies[] = {
        {"400", 400, "",
         "{\"error\":{\"code\":400,\"message\":\"Invalid JSON payload received\",\"status\":\"INVALID_ARGUMENT\"}}"},
        {"401", 401, "",
         "{\"error\":{\"message\":\"Incorrect API key provided: "
         "the-secret-key\",\"type\":\"invalid_request_error\",\"code\":\"invalid_api_key\"}}"},
        {"403", 403, "",
         "{\"error\":{\"code\":403,\"message\":\"unregistered callers\",\"status\":\"PERMISSION_DENIED\"}}"},
        {"404", 404, "", "{\"error\":{\"message\":\"model x not found, try pulling it first\",\"code\":null}}"},
        {"410", 410, "", "{\"detail\":\"gone\"}"},
        {"429", 429, "Retry-After: 0\r\n", "{\"error\":{\"message\":\"slow down\"}}"},
        {"429_info", 429, "",
         "{\"error\":{\"code\":429,\"details\":[{\"@type\":\"type.googleapis.com/"
         "google.rpc.RetryInfo\",\"retryDelay\":\"0.1s\"}]}}"},
        {"429_day", 429, "Retry-After: 0\r\n",
         "{\"error\":{\"code\":429,\"details\":[{\"violations\":[{\"quotaId\":\"RequestsPerDay\"}]}]}}"},
        {"429_long", 429, "Retry-After: 3600\r\n", "{\"error\":{\"message\":\"slow down\"}}"},
        {"500", 500, "", "{\"error\":{\"code\":500,\"message\":\"internal\"}}"},
        {"503", 503, "Retry-After: 0\r\n",
         "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":\"unavailable_error\"}}"},
        {"html", 200, "", "<html>Welcome to the hotel network</html>"},
        {"redirect", 302, "Location: http://127.0.0.1:1/stolen\r\n", ""},
        {"array_error", 500, "", "[{\"error\":{\"code\":500,\"message\":\"in an array\"}}]"},
        {"flat_error", 400, "",
         "{\"object\":\"error\",\"message\":\"flat\",\"type\":\"BadRequestError\",\"code\":400}"},
    };
    if (is(mood, "hang")) {
        fake_http_sleep(peer, 60000);
        fake_http_cut(peer);
        return true;
    }
    if (is(mood, "cut_at_once")) {
        fake_http_cut(peer);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        if (is(mood, replies[i].name)) {
            fake_http_reply(peer, replies[i].status, replies[i].headers, "application/json", replies[i].body);
            return true;
        }
    return false;
}

static void set_text(char **to, const char *text)
{
    free(*to);
    *to = mem_dup(text);
}

static void control(struct fake_models *fake, const cJSON *json, struct fake_peer *peer)
{
    pthread_mutex_lock(&fake->lock);
    snprintf(fake->behaviour, sizeof fake->behaviour, "%s", json_text(json, "behaviour", fake->behaviour));
    fake->times = (int)json_int(json, "times", 0);
    fake->delay_ms = (int)json_int(json, "delay_ms", fake->delay_ms);
    fake->longest = (int)json_int(json, "longest", fake->longest);
    fake->dimensions = (int)json_int(json, "dimensions", fake->dimensions);
    if (*json_text(json, "answer", ""))
        set_text(&fake->answer, json_text(json, "answer", ""));
    AUTO(mem_freep)
    char *told = mem_printf("{\"requests\":%d,\"open\":%d,\"most_open\":%d,\"texts\":%d}", fake->requests, fake->open,
                            fake->most_open, fake->texts);
    pthread_mutex_unlock(&fake->lock);
    fake_http_reply(peer, 200, "", "application/json", told);
}

static struct mood note(struct fake_models *fake, const struct fake_request *r)
{
    struct mood mood = {.gemini = strstr(r->path, ":streamGenerateContent") || strstr(r->path, ":batchEmbedContents"),
                        .fake = fake};
    pthread_mutex_lock(&fake->lock);
    snprintf(mood.behaviour, sizeof mood.behaviour, "%s", fake->behaviour);
    mood.delay_ms = fake->delay_ms;
    mood.longest = fake->longest;
    mood.dimensions = fake->dimensions;
    mood.answer = mem_dup(fake->answer);
    if (fake->times && !--fake->times)
        strcpy(fake->behaviour, "fine");
    set_text(&fake->bodies[fake->requests++ % FAKE_MODELS_KEPT], r->body);
    set_text(&fake->path, r->path);
    set_text(&fake->headers, r->headers);
    set_text(&fake->body, r->body);
    pthread_mutex_unlock(&fake->lock);
    return mood;
}

static void opened(struct fake_models *fake, int by)
{
    pthread_mutex_lock(&fake->lock);
    if (by > 0)
        fake->times_of = (struct fake_models_times){.asked = now_us()};
    fake->open += by;
    fake->most_open = fake->open > fake->most_open ? fake->open : fake->most_open;
    pthread_mutex_unlock(&fake->lock);
}

static void handle(void *context, const struct fake_request *r, struct fake_peer *peer)
{
    struct fake_models *fake = context;
    AUTO(json_freep) cJSON *json = r->length ? json_parse(r->body, r->length, NULL) : NULL;
    if (!strcmp(r->path, "/fake")) {
        control(fake, json, peer);
        return;
    }
    struct mood mood = note(fake, r);
    bool streams = strstr(r->path, ":streamGenerateContent?alt=sse") || strstr(r->path, "/chat/completions");
    if (streams)
        opened(fake, 1);
    if (mood.delay_ms)
        fake_http_sleep(peer, mood.delay_ms);
    if (misbehave(&mood, peer))
        ;
    else if (streams)
        generate(&mood, peer);
    else if (strstr(r->path, ":batchEmbedContents") || strstr(r->path, "/embeddings"))
        embed(&mood, json, peer);
    else
        fake_http_reply(peer, 404, "", "application/json", "{\"error\":{\"message\":\"no such path\"}}");
    if (streams)
        opened(fake, -1);
    free(mood.answer);
}

struct fake_models *fake_models_start(int port)
{
    struct fake_models *fake = mem_alloc(sizeof *fake);
    pthread_mutex_init(&fake->lock, NULL);
    strcpy(fake->behaviour, "fine");
    fake->answer = mem_dup("Enzymes speed up reactions [1]. Größe spielt keine Rolle 😀 [2].");
    fake->http = fake_http_start(port, handle, fake);
    return fake;
}

void fake_models_stop(struct fake_models *fake)
{
    fake_http_stop(fake->http);
    pthread_mutex_destroy(&fake->lock);
    free(fake->answer);
    free(fake->path);
    free(fake->headers);
    free(fake->body);
    for (int i = 0; i < FAKE_MODELS_KEPT; i++)
        free(fake->bodies[i]);
    free(fake);
}

int fake_models_port(const struct fake_models *fake)
{
    return fake_http_port(fake->http);
}
int fake_models_connections(struct fake_models *fake)
{
    return fake_http_connections(fake->http);
}

#define UNDER_LOCK(fake_, ...)                \
    do {                                      \
        pthread_mutex_lock(&(fake_)->lock);   \
        __VA_ARGS__;                          \
        pthread_mutex_unlock(&(fake_)->lock); \
    } while (0)

void fake_models_behave(struct fake_models *fake, const char *behaviour, int times)
{
    UNDER_LOCK(fake, snprintf(fake->behaviour, sizeof fake->behaviour, "%s", behaviour); fake->times = times);
}

void fake_models_answer(struct fake_models *fake, const char *text)
{
    UNDER_LOCK(fake, set_text(&fake->answer, text));
}
void fake_models_delay(struct fake_models *fake, int ms)
{
    UNDER_LOCK(fake, fake->delay_ms = ms);
}
void fake_models_longest(struct fake_models *fake, int bytes)
{
    UNDER_LOCK(fake, fake->longest = bytes);
}

int fake_models_requests(struct fake_models *fake)
{
    int n;
    UNDER_LOCK(fake, n = fake->requests);
    return n;
}

int fake_models_texts(struct fake_models *fake)
{
    int n;
    UNDER_LOCK(fake, n = fake->texts);
    return n;
}

int fake_models_most_open(struct fake_models *fake)
{
    int n;
    UNDER_LOCK(fake, n = fake->most_open);
    return n;
}

struct fake_models_times fake_models_times(struct fake_models *fake)
{
    struct fake_models_times times;
    UNDER_LOCK(fake, times = fake->times_of);
    return times;
}

static char *copy_of(struct fake_models *fake, char *const *text)
{
    char *copy;
    UNDER_LOCK(fake, copy = mem_dup(*text ? *text : ""));
    return copy;
}

char *fake_models_last_path(struct fake_models *fake)
{
    return copy_of(fake, &fake->path);
}
char *fake_models_last_headers(struct fake_models *fake)
{
    return copy_of(fake, &fake->headers);
}
char *fake_models_last_body(struct fake_models *fake)
{
    return copy_of(fake, &fake->body);
}
char *fake_models_body(struct fake_models *fake, int n)
{
    return copy_of(fake, &fake->bodies[n % FAKE_MODELS_KEPT]);
}
