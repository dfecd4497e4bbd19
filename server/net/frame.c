/* frame.c - a message's text on its way out: encoded once, counted by reference. */
#include "server/net/frame.h"

#include <stdlib.h>

#include "common/mem.h"

struct frame *frame_take(char *text, size_t length)
{
    struct frame *frame = mem_alloc(sizeof *frame);
    *frame = (struct frame){.text = text, .length = length, .refs = 1};
    return frame;
}

struct frame *frame_new(const char *text, size_t length)
{
    return frame_take(mem_dupn(text, length), length);
}

struct frame *frame_ref(struct frame *frame)
{
    frame->refs++;
    return frame;
}

void frame_unref(struct frame *frame)
{
    if (!frame || --frame->refs)
        return;
    free(frame->text);
    free(frame);
}
