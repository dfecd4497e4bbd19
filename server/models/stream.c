/* stream.c - an answer on its way: bytes of a reply to deltas for the listener, whatever goes wrong. */
#include "server/models/stream.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/wait.h"

enum { ANSWER_MOST = 256 << 10, STREAM_MOST = 32 << 20, PATIENCE_MS = 120000 };

static const char broken[] = "The language model broke off in the middle of its answer.",
                  too_long[] = "The answer was cut at its length limit.",
                  no_words[] = "The language model used up its length limit before it wrote a word.";

void stream_text(struct stream *stream, const char *text)
{
    size_t length = strlen(text);
    stream->full = stream->full || stream->answer->text.length + length > ANSWER_MOST;
    if (!length || stream->full)
        return;
    buf_bytes(&stream->answer->text, text, length);
    if (stream->listener->delta)
        stream->listener->delta(stream->listener->context, text, length);
}

void stream_end(struct stream *stream, enum models_end end, const char *note)
{
    /* Services repeat their reason, and some say "stop" before and after the true one. */
    if (stream->ended && end == MODELS_END_WHOLE)
        return;
    stream->ended = true;
    stream->end = end;
    snprintf(stream->note, sizeof stream->note, "%s", end == MODELS_END_WHOLE ? "" : note);
}

void stream_fail(struct stream *stream, const char *note)
{
    stream->failed = true;
    stream->ended = false;
    snprintf(stream->note, sizeof stream->note, "%s", note);
}

static bool on_event(void *context, const char *data, size_t length, struct err *err)
{
    struct stream *stream = context;
    if (stream->done)
        return true;
    if (length == 6 && !memcmp(data, "[DONE]", 6)) {
        stream->done = true;
        return true;
    }
    if (!length)
        return true;
    AUTO(json_freep) cJSON *json = json_parse(data, length, err);
    if (!json)
        return err_set(err, ERR_UPSTREAM, "an event of the stream is not JSON");
    stream->heard = wait_now();
    stream->event(stream, json);
    return !stream->full || err_set(err, ERR_TOO_LARGE, "an answer is longer than %d bytes", ANSWER_MOST);
}

static bool on_bytes(void *context, const struct http_reply *reply, const char *bytes, size_t length, struct err *err)
{
    struct stream *stream = context;
    stream->is_stream = !strcmp(reply->content_type, "text/event-stream");
    if (stream->is_stream)
        return sse_feed(&stream->sse, bytes, length, on_event, stream, err);
    buf_bytes(&stream->whole, bytes, length);
    return true;
}

/* A line that is kept open with comments, or a byte now and then, is not silent: it ends all the same. */
static bool on_cancelled(void *context)
{
    struct stream *stream = context;
    stream->starved = !stream->done && wait_now() - stream->heard > stream->patience;
    return stream->starved || (stream->listener->cancelled && stream->listener->cancelled(stream->listener->context));
}

/* A reply that is one JSON value, or an array of the events. */
static bool read_whole(struct stream *stream, struct err *err)
{
    AUTO(json_freep) cJSON *json = json_parse(stream->whole.data ? stream->whole.data : "", stream->whole.length, err);
    if (!json)
        return err_set(err, ERR_UPSTREAM, "the reply is not JSON");
    const cJSON *item;
    if (!cJSON_IsArray(json))
        stream->event(stream, json);
    cJSON_ArrayForEach (item, json)
        if (cJSON_IsArray(json))
            stream->event(stream, item);
    return true;
}

static const char *refusal(long status)
{
    switch (status) {
    case 400: return "The language model did not accept the question.";
    case 401:
    case 403: return "The language model does not accept this server's key.";
    case 402:
    case 429: return "The language model's quota is used up for now.";
    case 404: return "The language model that is configured does not exist.";
    case 413: return "The question is too long for the language model.";
    default: return "The language model did not answer.";
    }
}

/* No text: the person's sentence goes beside the log's. */
static bool nothing(struct err *err, const char *sentence)
{
    if (err && err->code != ERR_CANCELLED) {
        if (err->code != ERR_UPSTREAM)
            err->code = ERR_UPSTREAM;
        snprintf(err->say, sizeof err->say, "%s", sentence);
    }
    return false;
}

static bool conclude(struct stream *stream, struct http_service *service, bool arrived, struct err *err)
{
    struct models_answer *answer = stream->answer;
    if (!arrived && err->code == ERR_CANCELLED && !stream->starved)
        return false;
    if (stream->starved)
        err->code = ERR_UPSTREAM;
    if (!answer->text.length) {
        if (stream->ended && stream->end == MODELS_END_LENGTH)
            snprintf(stream->note, sizeof stream->note, "%s", no_words);
        if (arrived)
            err_set(err, ERR_UPSTREAM, "%s: %s", http_name(service),
                    stream->ended || stream->failed ? stream->note : "an empty answer");
        snprintf(err->service, sizeof err->service, "%s", http_name(service));
        return nothing(err, *stream->note ? stream->note : "The language model did not answer.");
    }
    bool whole = arrived && stream->ended;
    answer->end = stream->full ? MODELS_END_LENGTH : whole ? stream->end : MODELS_END_BROKEN;
    snprintf(answer->note, sizeof answer->note, "%s",
             stream->full                           ? too_long
             : whole || (arrived && stream->failed) ? stream->note
                                                    : broken);
    return true;
}

bool stream_run(struct stream *stream, struct http_service *service, const struct models_settings *settings,
                const char *path, const char *body, struct err *err)
{
    struct err own = {0}, *said = err ? err : &own;
    AUTO(http_reply_free) struct http_reply reply = {0};
    struct http_request request = {.path = path,
                                   .body = body,
                                   .accept = "text/event-stream",
                                   .first_byte_ms = settings->first_byte_ms,
                                   .silence_ms = settings->silence_ms,
                                   .most = STREAM_MOST,
                                   .again = 2,
                                   .on_bytes = on_bytes,
                                   .cancelled = on_cancelled,
                                   .context = stream};
    stream->heard = wait_now();
    stream->patience = settings->first_byte_ms ? settings->first_byte_ms : PATIENCE_MS;
    bool arrived = http_send(service, &request, &reply, said);
    if (arrived && (reply.status < 200 || reply.status > 299)) {
        http_refused(service, &reply, said);
        nothing(said, refusal(reply.status));
    } else {
        if (arrived)
            arrived = stream->is_stream ? sse_end(&stream->sse, on_event, stream, said) : read_whole(stream, said);
        arrived = conclude(stream, service, arrived, said);
        sse_free(&stream->sse);
        buf_free(&stream->whole);
        return arrived;
    }
    sse_free(&stream->sse);
    buf_free(&stream->whole);
    return false;
}
