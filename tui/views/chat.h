/* chat.h - the state of the chat pane, which one file changes and another draws. */
#ifndef TUI_VIEWS_CHAT_H
#define TUI_VIEWS_CHAT_H

#include "tui/ui.h"
#include "tui/views/rooms.h"

enum { CHAT_SENDS = 64 };

struct chat {
    struct view view;
    struct rooms rooms;
    bool in_log;
    int rows, cols;
    char deleting[40], muting[40];
    char sends[CHAT_SENDS][40]; /* client_id of the send with this number */
    char send_rooms[CHAT_SENDS][40];
    unsigned next_send;
};

struct room *chat_room(const struct chat *c); /* the open one; NULL: none yet */
void chat_draw_layout(struct view *view, int rows, int cols);
void chat_draw_pane(const struct view *view, struct canvas canvas);

#endif
