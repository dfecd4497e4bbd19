/* plain_rooms.c - chat in the dialogue. */
#include "tui/headless/plain_rooms.h"

#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "tui/headless/script_chat.h"
#include "tui/headless/script_out.h"
#include "tui/sanitize.h"

enum { LOOK_MS = 20000 };

static bool named(const struct plain_room *room, const char *name)
{
    return !strcasecmp(room->title, name) || (*room->code && !strcasecmp(room->code, name));
}

const struct plain_room *plain_rooms_find(const struct plain_rooms *r, const char *name)
{
    for (size_t i = 0; i < r->count; i++)
        if (named(&r->rooms[i], name))
            return &r->rooms[i];
    return NULL;
}

/* A room that is none of the courses is the common one, whatever its name. */
static struct plain_room *room_of(struct plain_rooms *r, const char *id)
{
    for (size_t i = 1; i < r->count; i++)
        if (!strcmp(r->rooms[i].id, id))
            return &r->rooms[i];
    return &r->rooms[0];
}

void plain_rooms_notification(void *rooms, const char *method, const cJSON *params)
{
    struct plain_rooms *r = rooms;
    if (strcmp(method, "chat.message") != 0)
        return;
    struct plain_room *room = room_of(r, json_text(params, "room", ""));
    int64_t seq = json_int(params, "seq", 0);
    if (seq <= room->heard)
        return;
    room->heard = seq;
    room->fresh++;
    room->unread = true;
    sanitize_text(json_text(params, "name", "?"), room->who, sizeof room->who);
}

void plain_rooms_announce(struct plain_rooms *r, struct script *script)
{
    for (size_t i = 0; i < r->count; i++) {
        struct plain_room *room = &r->rooms[i];
        if (room->fresh)
            script_out_printf(script, 0, "%d new line%s in %s from %s. Type \"chat\" to read %s.", room->fresh,
                              room->fresh == 1 ? "" : "s", room->title, room->who, room->fresh == 1 ? "it" : "them");
        room->fresh = 0;
    }
}

static cJSON *params_of(const struct plain_room *room)
{
    cJSON *params = cJSON_CreateObject();
    if (*room->id)
        cJSON_AddStringToObject(params, "room", room->id);
    return params;
}

void plain_rooms_read(struct plain_rooms *r, struct script *script, const char *name)
{
    for (size_t i = r->count; i-- > 0;)
        if (*name ? named(&r->rooms[i], name) : r->rooms[i].unread)
            r->open = i;
    struct plain_room *room = &r->rooms[r->open];
    if (*name && !named(room, name)) {
        script_say("There is no room “%s”. Type \"courses\" to see them; the room of all is Everyone.", name);
        return;
    }
    AUTO(json_freep) cJSON *params = params_of(room), *result = NULL;
    if (room->read)
        cJSON_AddNumberToObject(params, "after_seq", (double)room->read);
    if (script_call(script, "chat.join", params, 0, &result))
        return;
    AUTO(json_freep) cJSON *clean = sanitize_copy(result);
    const cJSON *message;
    cJSON_ArrayForEach (message, json_get(clean, "messages")) {
        script_chat_line(script, message);
        room->read = room->heard = json_int(message, "seq", room->read);
    }
    if (!cJSON_GetArraySize(json_get(clean, "messages")))
        script_say("%s", room->read ? "Nothing new." : "Nothing said lately. Say hello: say hello");
    room->fresh = 0;
    room->unread = false;
    script_out_printf(script, 0, "%s. Type \"say\" and your line to answer.", room->title);
}

void plain_rooms_say(struct plain_rooms *r, struct script *script, const char *text)
{
    struct plain_room *room = &r->rooms[r->open];
    AUTO(json_freep) cJSON *params = params_of(room), *result = NULL;
    cJSON_AddStringToObject(params, "text", text);
    if (script_call(script, "chat.send", params, 0, &result))
        return;
    room->heard = json_int(result, "seq", room->heard);
    script_say("Said in %s.", room->title);
}

static void take_course(struct plain_rooms *r, const cJSON *course)
{
    struct plain_room *room = &r->rooms[r->count++];
    snprintf(room->id, sizeof room->id, "%s", json_text(course, "course_id", ""));
    sanitize_text(json_text(course, "code", ""), room->code, sizeof room->code);
    sanitize_text(json_text(course, "title", ""), room->title, sizeof room->title);
}

void plain_rooms_join(struct plain_rooms *r, struct script *script)
{
    AUTO(json_freep) cJSON *courses = NULL;
    struct err err = {0};
    const cJSON *item;
    r->rooms[0] = (struct plain_room){.title = "Everyone"};
    r->count = 1;
    if (client_call(script->client, "courses.list", "{\"limit\":15}", LOOK_MS, &courses, &err))
        cJSON_ArrayForEach (item, json_get(courses, "items"))
            if (r->count < PLAIN_ROOMS)
                take_course(r, item);
    for (size_t i = 0; i < r->count; i++) {
        AUTO(json_freep) cJSON *params = params_of(&r->rooms[i]), *joined = NULL;
        AUTO(buf_free) struct buf text = {0};
        json_write(&text, params);
        if (client_call(script->client, "chat.join", text.data, LOOK_MS, &joined, &err))
            cJSON_ArrayForEach (item, json_get(joined, "messages"))
                r->rooms[i].heard = json_int(item, "seq", 0);
    }
}
