/* plain_rooms.h - chat in the dialogue: rooms joined at the start, new lines announced, read when asked for. */
#ifndef TUI_HEADLESS_PLAIN_ROOMS_H
#define TUI_HEADLESS_PLAIN_ROOMS_H

#include "tui/headless/script.h"

enum { PLAIN_ROOMS = 16 };

struct plain_room {
    char id[40], code[40], title[80]; /* id "" is the common room */
    int64_t read, heard;              /* seq of the last line shown, and of the last that came */
    int fresh;                        /* lines not yet announced */
    bool unread;                      /* some came that were not shown */
    char who[80];                     /* said the last of them */
};

struct plain_rooms {
    struct plain_room rooms[PLAIN_ROOMS];
    size_t count, open;
};

/* The common room and those of the courses; quietly where there is no chat. */
void plain_rooms_join(struct plain_rooms *r, struct script *script);
/* A script_notifications_listener; `rooms` is a struct plain_rooms. */
void plain_rooms_notification(void *rooms, const char *method, const cJSON *params);
/* One line for each room where something new was said. */
void plain_rooms_announce(struct plain_rooms *r, struct script *script);
/* By code or title; NULL: none. */
const struct plain_room *plain_rooms_find(const struct plain_rooms *r, const char *name);
/* What is new in a room: the named one, else one where something was said, else the last one. */
void plain_rooms_read(struct plain_rooms *r, struct script *script, const char *name);
void plain_rooms_say(struct plain_rooms *r, struct script *script, const char *text);

#endif
