/* sse.h - server-sent events, in whatever pieces they come.
 *
 * Pure: bytes in, the data of whole events out. Lines end with CRLF, LF or CR; comments, `event:`, `id:`
 * and `retry:` are skipped; several data lines of one event are joined by a line feed.
 */
#ifndef SERVER_MODELS_SSE_H
#define SERVER_MODELS_SSE_H

#include "common/buf.h"
#include "common/err.h"

enum { SSE_EVENT_MOST = 1 << 20 };

/* `data` is lent for the call. false stops the parser: sse_feed returns false with this `err`. */
typedef bool sse_event(void *context, const char *data, size_t length, struct err *err);

struct sse { /* {0} is a new one */
    struct buf line, data;
    bool has_data, after_cr, begun;
    size_t most; /* bytes of a line or an event; 0: SSE_EVENT_MOST */
};

void sse_free(struct sse *sse);
/* ERR_TOO_LARGE where a line or an event is longer than allowed. */
bool sse_feed(struct sse *sse, const char *bytes, size_t length, sse_event *on_event, void *context, struct err *err)
    MUST_CHECK;
/* The connection has ended: an event without its blank line counts too. */
bool sse_end(struct sse *sse, sse_event *on_event, void *context, struct err *err) MUST_CHECK;

#endif
