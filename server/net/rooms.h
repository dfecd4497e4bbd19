/* rooms.h - which sessions of this node are in which chat room. Socket thread only. */
#ifndef SERVER_NET_ROOMS_H
#define SERVER_NET_ROOMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct session;
struct room;

struct membership {
    struct membership *next; /* of the same session */
    struct room *room;
    struct session *session;
    size_t place;            /* in the room's array */
    uint32_t dropped;        /* chat lines that this reader was too slow for */
};

void rooms_start(void);
void rooms_stop(void);
void rooms_join(struct membership **list, struct session *session, const char *room);
void rooms_leave(struct membership **list, const char *room); /* NULL: all of them */
const char *rooms_name(const struct membership *membership);
/* The members of a room, valid until the next join or leave. */
size_t rooms_members(const char *room, struct membership *const **members);

#endif
