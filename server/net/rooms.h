/* rooms.h - which sessions of this node are in which chat room, and what was said there last.
 *
 * Socket thread only, but for notify_presence, which this file implements. A room remembers its last
 * ROOMS_RECENT frames, so that a member who joins while lines are said misses none (notify.h).
 */
#ifndef SERVER_NET_ROOMS_H
#define SERVER_NET_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ROOMS_RECENT = 64 };

struct frame;
struct session;
struct room;

struct membership {
    struct membership *next; /* of the same session */
    struct room *room;
    struct session *session;
    size_t place;     /* in the room's array */
    uint32_t dropped; /* chat lines that this reader was too slow for */
    bool gap;         /* something was dropped, and it has not been told yet */
    bool held;        /* joining: the table is being read, and nothing is sent */
    uint64_t since;   /* while held: how many frames the room had then */
    int64_t after;    /* lines up to this one came from the table */
};

void rooms_start(void);
void rooms_stop(void);
void rooms_join(struct membership **list, struct session *session, const char *room);
void rooms_live(struct membership *list, const char *room, int64_t after);
void rooms_leave(struct membership **list, const char *room); /* NULL: all of them */
void rooms_keep(struct membership **list, const char *rooms); /* leaves those that are not named there */
void rooms_remember(const char *room, struct frame *frame, int64_t seq);
void rooms_publish(void);                /* for rooms_presence; once a second */
char *rooms_presence(uint64_t *version); /* any thread; see notify_presence */
const char *rooms_name(const struct membership *membership);
/* The members of a room, valid until the next join or leave. */
size_t rooms_members(const char *room, struct membership *const **members);

#endif
