/* frame.h - a message's text on its way out: encoded once however many peers get it, counted by reference.
 *
 * One thread.
 */
#ifndef SERVER_NET_FRAME_H
#define SERVER_NET_FRAME_H

#include <stdbool.h>
#include <stddef.h>

struct frame {
    char *text; /* the message, without WebSocket framing */
    size_t length;
    bool line; /* of chat: counted where it is dropped */
    unsigned refs;
};

struct frame *frame_new(const char *text, size_t length); /* copies; one reference, the caller's */
struct frame *frame_take(char *text, size_t length);      /* owns the malloc()ed text from here on */
struct frame *frame_ref(struct frame *frame);
void frame_unref(struct frame *frame);

#endif
