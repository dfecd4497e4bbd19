/* outbox.c - what waits to be sent to one peer: a bounded queue of shared frames. */
#include "server/net/outbox.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/net/limits.h"

enum { TEXT = 1, CONTINUATION = 0, FIN = 0x80, HEADER_MOST = 10 };

struct outbox_entry {
    struct outbox_entry *next;
    struct frame *frame;
    bool chat;
};

static size_t unsent;

enum outbox_put outbox_put(struct outbox *box, struct frame *frame, bool chat)
{
    if (chat && box->bytes + frame->length > OUTBOX_CHAT)
        return OUTBOX_DROPPED;
    if (box->first && (box->bytes + frame->length > OUTBOX_MOST || (!chat && unsent + frame->length > LIMITS_UNSENT)))
        return OUTBOX_OVER;
    struct outbox_entry *entry = mem_alloc(sizeof *entry);
    entry->frame = frame_ref(frame);
    entry->chat = chat; /* frames of chat are shared, and few of them exist */
    unsent += chat ? 0 : frame->length;
    if (box->last)
        box->last->next = entry;
    else
        box->first = entry;
    box->last = entry;
    box->bytes += frame->length;
    return OUTBOX_PUT;
}

static size_t write_header(unsigned char *out, int first_byte, size_t length)
{
    out[0] = (unsigned char)first_byte;
    if (length < 126) {
        out[1] = (unsigned char)length;
        return 2;
    }
    if (length < 65536) {
        out[1] = 126;
        out[2] = (unsigned char)(length >> 8);
        out[3] = (unsigned char)length;
        return 4;
    }
    out[1] = 127;
    for (int i = 0; i < 8; i++)
        out[2 + i] = (unsigned char)((uint64_t)length >> (56 - 8 * i));
    return HEADER_MOST;
}

static void drop_first(struct outbox *box)
{
    struct outbox_entry *entry = box->first;
    box->first = entry->next;
    if (!box->first)
        box->last = NULL;
    unsent -= entry->chat ? 0 : entry->frame->length - box->sent;
    box->sent = 0;
    frame_unref(entry->frame);
    free(entry);
}

size_t outbox_gather(struct outbox *box, unsigned char *out, size_t size)
{
    size_t used = 0;
    while (box->first) {
        const struct frame *frame = box->first->frame;
        size_t left = frame->length - box->sent;
        size_t piece = left < OUTBOX_PIECE ? left : OUTBOX_PIECE;
        if (size - used < piece + HEADER_MOST)
            break;
        int opcode = box->sent ? CONTINUATION : TEXT;
        used += write_header(out + used, opcode | (piece == left ? FIN : 0), piece);
        memcpy(out + used, frame->text + box->sent, piece);
        used += piece;
        box->sent += piece;
        box->bytes -= piece;
        unsent -= box->first->chat ? 0 : piece;
        if (piece == left)
            drop_first(box);
    }
    return used;
}

size_t outbox_unsent(void)
{
    return unsent;
}

bool outbox_empty(const struct outbox *box)
{
    return !box->first;
}

void outbox_clear(struct outbox *box)
{
    while (box->first)
        drop_first(box);
    box->bytes = 0;
}
