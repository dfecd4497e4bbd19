/* stream.h - an answer on its way: bytes of a reply to deltas for the listener, whatever goes wrong.
 *
 * Part of gemini.c and openai.c, which say what an event means.
 */
#ifndef SERVER_MODELS_STREAM_H
#define SERVER_MODELS_STREAM_H

#include "common/json.h"
#include "server/models/http.h"
#include "server/models/models.h"
#include "server/models/sse.h"

struct stream {
    const struct models_listener *listener;
    struct models_answer *answer;
    /* An event, or the whole reply where it was no stream. It calls the functions below. */
    void (*event)(struct stream *stream, const cJSON *json);
    /* stream.c's own */
    struct sse sse;
    struct buf whole;
    bool is_stream, ended, done, failed, full, starved;
    int64_t heard, patience; /* when something last came that means something, and how long that may take; ms */
    enum models_end end;
    char note[200];
};

void stream_text(struct stream *stream, const char *text);
void stream_end(struct stream *stream, enum models_end end, const char *note); /* a reason to finish was given */
void stream_fail(struct stream *stream, const char *note);                     /* an error in mid-stream */

/* Sends and listens to the end. As models_generator.generate. */
bool stream_run(struct stream *stream, struct http_service *service, const struct models_settings *settings,
                const char *path, const char *body, struct err *err) MUST_CHECK;

#endif
