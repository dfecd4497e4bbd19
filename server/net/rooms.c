/* rooms.c - which sessions of this node are in which chat room, and what was said there last. */
#include "server/net/rooms.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/net/outbox.h"
#include "server/net/session.h"
#include "server/net/table.h"

struct room {
    struct table_item item; /* first */
    char name[64];
    struct membership **members;
    size_t count, capacity;
    struct {
        struct frame *frame;
        int64_t seq;
    } recent[ROOMS_RECENT]; /* frame number n lies at n % ROOMS_RECENT */
    uint64_t frames;        /* so far */
};

static struct table *rooms;
static uint64_t changes; /* joins and leaves */

static struct {
    pthread_mutex_t lock; /* guards all of it */
    char *text;
    uint64_t version;
} published = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void room_free(void *item)
{
    struct room *room = item;
    for (size_t i = 0; i < ROOMS_RECENT; i++)
        frame_unref(room->recent[i].frame);
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
    pthread_mutex_lock(&published.lock);
    free(published.text);
    published.text = NULL;
    pthread_mutex_unlock(&published.lock);
}

void rooms_join(struct membership **list, struct session *session, const char *name)
{
    for (struct membership *at = *list; at; at = at->next)
        if (!strcmp(at->room->name, name)) {
            at->held = true;
            at->since = at->room->frames;
            return;
        }
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
    *membership = (struct membership){
        .next = *list, .room = room, .session = session, .place = room->count, .held = true, .since = room->frames};
    room->members[room->count++] = membership;
    *list = membership;
    changes++;
}

/* Lines behind `after` that the room remembers no more. Their numbers follow each other. */
static int64_t lines_missed(const struct room *room, int64_t after)
{
    for (uint64_t n = room->frames - ROOMS_RECENT; n < room->frames; n++) {
        int64_t seq = room->recent[n % ROOMS_RECENT].seq;
        if (seq)
            return seq > after + 1 ? seq - after - 1 : 0;
    }
    return 1; /* nobody knows */
}

/* What was held back leaves now, but for the lines that the table gave already. */
void rooms_live(struct membership *at, const char *name, int64_t after)
{
    while (at && strcmp(at->room->name, name) != 0)
        at = at->next;
    if (!at || !at->held)
        return;
    struct room *room = at->room;
    at->held = false;
    at->after = after;
    if (room->frames - at->since > ROOMS_RECENT) {
        at->since = room->frames - ROOMS_RECENT;
        int64_t missed = lines_missed(room, after);
        if (missed)
            session_missed(at->session, at, (uint32_t)missed);
    }
    for (uint64_t n = at->since; n < room->frames; n++) {
        int64_t seq = room->recent[n % ROOMS_RECENT].seq;
        if (!seq || seq > after)
            session_put(at->session, room->recent[n % ROOMS_RECENT].frame, at);
    }
}

void rooms_remember(const char *name, struct frame *frame, int64_t seq)
{
    struct room *room = table_find(rooms, name);
    if (!room)
        return;
    size_t place = room->frames++ % ROOMS_RECENT;
    frame_unref(room->recent[place].frame);
    room->recent[place].frame = frame_ref(frame);
    room->recent[place].seq = seq;
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
        changes++;
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

void rooms_keep(struct membership **list, const char *names)
{
    for (struct membership *at = *list, *next; at; at = next) {
        next = at->next;
        char name[sizeof at->room->name]; /* the room may go with its last member */
        memcpy(name, at->room->name, sizeof name);
        if (!strstr(names, name))
            rooms_leave(list, name);
    }
}

void rooms_publish(void)
{
    pthread_mutex_lock(&published.lock);
    if (published.version != changes) {
        struct buf text = {0};
        for (struct session *at = session_next(NULL); at; at = session_next(at))
            for (struct membership *in = *session_rooms(at); in; in = in->next)
                if (session_user(at)[0])
                    buf_printf(&text, "%s %s\n", in->room->name, session_user(at));
        free(published.text);
        published.text = buf_take(&text);
        published.version = changes;
    }
    pthread_mutex_unlock(&published.lock);
}

char *rooms_presence(uint64_t *version)
{
    pthread_mutex_lock(&published.lock);
    char *text = published.version != *version ? mem_dup(published.text) : NULL;
    *version = published.version;
    pthread_mutex_unlock(&published.lock);
    return text;
}
