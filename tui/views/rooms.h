/* rooms.h - the chat's rooms and their lines: what was said, what is on its way, what was not sent. */
#ifndef TUI_VIEWS_ROOMS_H
#define TUI_VIEWS_ROOMS_H

#include <time.h>

#include "tui/view.h"

enum line_state { LINE_SAID, LINE_ON_ITS_WAY, LINE_UNSENT };

struct line {
    int64_t seq;
    time_t at, expires; /* expires -1: unknown */
    enum line_state state;
    bool mine, names_me;
    char id[40], client_id[40], user_id[40]; /* client_id: of lines sent from here */
    char *name, *text;
};

struct room {
    char id[40];   /* as it is asked for; "": the common one */
    char name[40]; /* as the server calls it, from its answer */
    char *title;
    struct line *lines; /* in order of time */
    size_t count, space;
    size_t selected, bottom; /* bottom: the last line shown, where not at_end */
    bool at_end, joined;
    int online, unread, ttl;
    int64_t last_seq, seen_seq, new_from; /* seen: when it was last left; new_from: where the rule stands */
    struct field field;
};

struct rooms {
    struct room *rooms;
    size_t count, open;
};

enum { ROOMS_LINES = 20000 };

void rooms_clear(struct rooms *r);
struct room *rooms_find(struct rooms *r, const char *id); /* NULL: none; id NULL is the common one */
struct room *rooms_add(struct rooms *r, const char *id, const char *title);
/* A line as chat.join and chat.message give it; false where it was there already. */
bool rooms_take(struct room *room, const cJSON *message, const char *my_id, const char *my_name);
struct line *rooms_say(struct room *room, const char *text, const char *client_id, const char *name, time_t now);
struct line *rooms_line(struct room *room, const char *client_id);
void rooms_drop(struct room *room, const char *id);   /* message_id */
bool rooms_expire(struct room *room, time_t now);     /* what is over leaves; true where something did */
bool rooms_names(const char *text, const char *name); /* @name, by first name */
/* Milliseconds until a remaining time on the screen changes; -1: none is shown. */
int rooms_tick(const struct room *room, time_t now);

#endif
