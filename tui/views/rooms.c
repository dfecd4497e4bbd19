/* rooms.c - the chat's rooms and their lines: what was said, what is on its way, what was not sent. */
#include "tui/views/rooms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "tui/format.h"

static void free_line(struct line *line)
{
    free(line->name);
    free(line->text);
}

void rooms_clear(struct rooms *r)
{
    for (size_t i = 0; i < r->count; i++) {
        struct room *room = &r->rooms[i];
        for (size_t k = 0; k < room->count; k++)
            free_line(&room->lines[k]);
        free(room->lines);
        free(room->title);
        field_free(&room->field);
    }
    free(r->rooms);
    *r = (struct rooms){0};
}

struct room *rooms_find(struct rooms *r, const char *id)
{
    const char *wanted = id ? id : "";
    for (size_t i = 0; i < r->count; i++)
        if (strcmp(r->rooms[i].id, wanted) == 0 || (*wanted && strcmp(r->rooms[i].name, wanted) == 0))
            return &r->rooms[i];
    return NULL;
}

struct room *rooms_add(struct rooms *r, const char *id, const char *title)
{
    struct room *room = rooms_find(r, id);
    if (room)
        return room;
    r->rooms = mem_grow(r->rooms, r->count + 1, sizeof *r->rooms);
    room = &r->rooms[r->count++];
    *room = (struct room){.title = mem_dup(title), .at_end = true};
    room->field.many_lines = true;
    snprintf(room->id, sizeof room->id, "%s", id ? id : "");
    return room;
}

bool rooms_names(const char *text, const char *name)
{
    size_t first = strcspn(name, " ");
    for (const char *at = strchr(text, '@'); first && at; at = strchr(at + 1, '@'))
        if (strncasecmp(at + 1, name, first) == 0)
            return true;
    return false;
}

static void remove_lines(struct room *room, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++)
        free_line(&room->lines[i]);
    memmove(room->lines + at, room->lines + at + count, (room->count - at - count) * sizeof *room->lines);
    room->count -= count;
    if (room->selected >= at)
        room->selected -= room->selected - at < count ? room->selected - at : count;
    if (room->bottom >= at)
        room->bottom -= room->bottom - at < count ? room->bottom - at : count;
    if (room->selected >= room->count)
        room->selected = room->count ? room->count - 1 : 0;
}

static struct line *append(struct room *room)
{
    if (room->count == ROOMS_LINES)
        remove_lines(room, 0, ROOMS_LINES / 10);
    if (room->count == room->space) {
        room->space = room->space ? room->space * 2 : 64;
        room->lines = mem_grow(room->lines, room->space, sizeof *room->lines);
    }
    bool last = room->selected + 1 >= room->count;
    struct line *line = &room->lines[room->count++];
    *line = (struct line){.expires = -1};
    if (last && room->at_end)
        room->selected = room->count - 1;
    return line;
}

/* A line of one's own that the notifications reports before the reply does. */
static struct line *on_its_way(struct room *room, const char *text)
{
    for (size_t i = room->count; i > 0; i--) {
        struct line *line = &room->lines[i - 1];
        if (line->state != LINE_SAID && line->mine && strcmp(line->text, text) == 0)
            return line;
    }
    return NULL;
}

bool rooms_take(struct room *room, const cJSON *message, const char *my_id, const char *my_name)
{
    const char *id = json_text(message, "message_id", ""), *text = json_text(message, "text", "");
    int64_t seq = json_int(message, "seq", 0);
    bool mine = strcmp(json_text(message, "user_id", ""), my_id) == 0;
    if (seq > room->last_seq)
        room->last_seq = seq;
    for (size_t i = room->count; i > 0 && room->lines[i - 1].seq + 200 > seq; i--)
        if (strcmp(room->lines[i - 1].id, id) == 0)
            return false;
    struct line *line = mine ? on_its_way(room, text) : NULL;
    if (!line) {
        line = append(room);
        line->text = mem_dup(text);
        line->name = mem_dup(json_text(message, "name", ""));
        snprintf(line->user_id, sizeof line->user_id, "%s", json_text(message, "user_id", ""));
        line->mine = mine;
        line->names_me = !mine && rooms_names(text, my_name);
    }
    line->state = LINE_SAID;
    line->seq = seq;
    line->at = format_time(json_text(message, "at", NULL));
    line->expires = format_time(json_text(message, "expires_at", NULL));
    snprintf(line->id, sizeof line->id, "%s", id);
    return true;
}

struct line *rooms_say(struct room *room, const char *text, const char *client_id, const char *name, time_t now)
{
    struct line *line = append(room);
    line->text = mem_dup(text);
    line->name = mem_dup(name);
    line->at = now;
    line->mine = true;
    line->state = LINE_ON_ITS_WAY;
    line->seq = room->last_seq;
    snprintf(line->client_id, sizeof line->client_id, "%s", client_id);
    return line;
}

struct line *rooms_line(struct room *room, const char *client_id)
{
    for (size_t i = room->count; i > 0; i--)
        if (*client_id && strcmp(room->lines[i - 1].client_id, client_id) == 0)
            return &room->lines[i - 1];
    return NULL;
}

void rooms_drop(struct room *room, const char *id)
{
    for (size_t i = 0; *id && i < room->count; i++)
        if (strcmp(room->lines[i].id, id) == 0) {
            remove_lines(room, i, 1);
            return;
        }
}

bool rooms_expire(struct room *room, time_t now)
{
    size_t over = 0;
    while (over < room->count && room->lines[over].state == LINE_SAID && room->lines[over].expires != -1 &&
           room->lines[over].expires <= now)
        over++;
    if (over)
        remove_lines(room, 0, over);
    return over > 0;
}

int rooms_tick(const struct room *room, time_t now)
{
    long next = -1;
    for (size_t i = 0; i < room->count; i++) {
        long left = room->lines[i].expires == -1 ? -1 : (long)(room->lines[i].expires - now);
        if (left < 0)
            continue;
        long wait = left <= 60 ? 1 : left <= 600 ? (left % 60 ? left % 60 : 60) : left - 599;
        if (next < 0 || wait < next)
            next = wait;
        if (left > 660)
            break; /* the rest were said later */
    }
    return next < 0 ? -1 : (int)next * 1000;
}
