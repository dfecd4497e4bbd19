/* rooms.c - which sessions of this node are in which chat room. */
#include "server/net/rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/net/table.h"

struct room {
    struct table_item item; /* first */
    char name[64];
    struct membership **members;
    size_t count, capacity;
};

static struct table *rooms;

static void room_free(void *item)
{
    struct room *room = item;
    free(room->members);
    free(room);
}

void rooms_start(void)
{
    rooms = table_new();
}

void rooms_stop(void)
{
    table_free(rooms, room_free);
    rooms = NULL;
}

void rooms_join(struct membership **list, struct session *session, const char *name)
{
    for (const struct membership *at = *list; at; at = at->next)
        if (!strcmp(at->room->name, name))
            return;
    struct room *room = table_find(rooms, name);
    if (!room) {
        room = mem_alloc(sizeof *room);
        snprintf(room->name, sizeof room->name, "%s", name);
        table_add(rooms, &room->item, room->name);
    }
    if (room->count == room->capacity) {
        room->capacity = room->capacity ? room->capacity * 2 : 8;
        room->members = mem_grow(room->members, room->capacity, sizeof *room->members);
    }
    struct membership *membership = mem_alloc(sizeof *membership);
    *membership = (struct membership){.next = *list, .room = room, .session = session, .place = room->count};
    room->members[room->count++] = membership;
    *list = membership;
}

void rooms_leave(struct membership **list, const char *name)
{
    while (*list) {
        struct membership *membership = *list;
        struct room *room = membership->room;
        if (name && strcmp(room->name, name) != 0) {
            list = &membership->next;
            continue;
        }
        *list = membership->next;
        room->members[membership->place] = room->members[--room->count];
        room->members[membership->place]->place = membership->place;
        free(membership);
        if (!room->count) {
            table_remove(rooms, &room->item);
            room_free(room);
        }
    }
}

const char *rooms_name(const struct membership *membership)
{
    return membership->room->name;
}

size_t rooms_members(const char *name, struct membership *const **members)
{
    struct room *room = table_find(rooms, name);
    *members = room ? room->members : NULL;
    return room ? room->count : 0;
}
