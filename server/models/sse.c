/* sse.c - server-sent events, in whatever pieces they come. */
#include "server/models/sse.h"

#include <string.h>

void sse_free(struct sse *sse)
{
    buf_free(&sse->line);
    buf_free(&sse->data);
}

static bool too_large(size_t most, struct err *err)
{
    err_set(err, ERR_TOO_LARGE, "an event of the stream is longer than %zu bytes", most);
    if (err)
        err->limit = (long long)most;
    return false;
}

static bool dispatch(struct sse *sse, sse_event *on_event, void *context, struct err *err)
{
    if (!sse->has_data)
        return true;
    sse->has_data = false;
    bool fine = on_event(context, sse->data.data ? sse->data.data : "", sse->data.length, err);
    buf_clear(&sse->data);
    return fine;
}

static bool take_line(struct sse *sse, sse_event *on_event, void *context, struct err *err)
{
    const char *text = sse->line.data ? sse->line.data : "";
    size_t length = sse->line.length;
    if (!sse->begun && length >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3)) {
        text += 3;
        length -= 3;
    }
    sse->begun = true;
    if (!length)
        return dispatch(sse, on_event, context, err);
    if (length < 4 || memcmp(text, "data", 4) || (length > 4 && text[4] != ':'))
        return true;
    text += length > 4 ? 5 : 4;
    length -= length > 4 ? 5 : 4;
    if (length && *text == ' ') {
        text++;
        length--;
    }
    if (sse->has_data)
        buf_char(&sse->data, '\n');
    buf_bytes(&sse->data, text, length);
    sse->has_data = true;
    return true;
}

bool sse_feed(struct sse *sse, const char *bytes, size_t length, sse_event *on_event, void *context, struct err *err)
{
    size_t most = sse->most ? sse->most : SSE_EVENT_MOST;
    for (size_t i = 0; i < length;) {
        if (sse->after_cr && bytes[i] == '\n') {
            sse->after_cr = false;
            i++;
            continue;
        }
        sse->after_cr = false;
        size_t run = i;
        while (run < length && bytes[run] != '\n' && bytes[run] != '\r')
            run++;
        if (sse->line.length + (run - i) + sse->data.length > most)
            return too_large(most, err);
        buf_bytes(&sse->line, bytes + i, run - i);
        i = run;
        if (i == length)
            break;
        sse->after_cr = bytes[i++] == '\r';
        bool fine = take_line(sse, on_event, context, err);
        buf_clear(&sse->line);
        if (!fine)
            return false;
    }
    return true;
}

bool sse_end(struct sse *sse, sse_event *on_event, void *context, struct err *err)
{
    bool fine = !sse->line.length || take_line(sse, on_event, context, err);
    buf_clear(&sse->line);
    return fine && dispatch(sse, on_event, context, err);
}
