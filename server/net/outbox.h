/* outbox.h - what waits to be sent to one peer: a bounded queue of shared frames.
 *
 * It writes WebSocket framing itself, so that all that waits for one socket leaves in one send; a message
 * over OUTBOX_PIECE goes out as fragments, so that control frames may stand between them.
 * One thread.
 */
#ifndef SERVER_NET_OUTBOX_H
#define SERVER_NET_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/net/frame.h"

enum {
    OUTBOX_PIECE = 60 * 1024,     /* most payload of one WebSocket frame */
    OUTBOX_SEND = 64 * 1024,      /* most bytes of one send: a piece and its header fit */
    OUTBOX_CHAT = 256 * 1024,     /* above this many waiting bytes chat is dropped */
    OUTBOX_MOST = 8 * 1024 * 1024 /* above this the peer is too slow, unless it is one single message */
};

struct outbox {
    struct outbox_entry *first, *last;
    size_t bytes; /* waiting */
    size_t sent;  /* of the first message's payload */
};

enum outbox_put { OUTBOX_PUT, OUTBOX_DROPPED, OUTBOX_OVER };
/* Takes a reference of its own. `chat`: may be dropped. OUTBOX_OVER: past the
 * peer's bound or the node's (LIMITS_UNSENT), nothing was queued. */
enum outbox_put outbox_put(struct outbox *box, struct frame *frame, bool chat);
/* Moves what fits, framed, into `out` (at least OUTBOX_SEND bytes) and returns its length; always ends at
 * the end of a WebSocket frame. */
size_t outbox_gather(struct outbox *box, unsigned char *out, size_t size);
/* Bytes that wait, chat left out, of all peers together. */
size_t outbox_unsent(void);
bool outbox_empty(const struct outbox *box);
void outbox_clear(struct outbox *box);

#endif
