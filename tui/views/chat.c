/* chat.c - the rooms: what was said, for an hour, and what you say. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/views/chat.h"
#include "tui/format.h"

enum {
    CALL_COURSES = 1,
    CALL_DELETE,
    CALL_MUTE,
    CALL_JOIN = 100,
    CALL_SEND = 1000
}; /* + number of the room, of the line */
enum { ASK_LINES = 1, ASK_DELETE, ASK_MUTE };
enum { ROOMS_MOST = 40 };

static struct chat *of(struct view *view)
{
    return (struct chat *)view;
}

struct room *chat_room(const struct chat *c)
{
    return c->rooms.count ? &c->rooms.rooms[c->rooms.open] : NULL;
}

static void stop(struct view *view)
{
    rooms_clear(&of(view)->rooms);
}

static void join(struct chat *c, struct room *room)
{
    struct buf params = {0};
    buf_json_open(&params, '{');
    if (*room->id)
        buf_json_member(&params, "room", room->id);
    if (room->last_seq)
        buf_json_member_int(&params, "after_seq", room->last_seq);
    buf_json_close(&params, '}');
    ui_call(&c->view, CALL_JOIN + (int)(room - c->rooms.rooms), "chat.join", buf_take(&params), NULL);
}

static void send_line(struct chat *c, struct room *room, struct line *line)
{
    unsigned number = c->next_send++ % CHAT_SENDS;
    snprintf(c->sends[number], sizeof c->sends[number], "%s", line->client_id);
    snprintf(c->send_rooms[number], sizeof c->send_rooms[number], "%s", room->id);
    line->state = LINE_ON_ITS_WAY;
    ui_callf(&c->view, CALL_SEND + (int)number, "chat.send", NULL, "text:s room:s client_id:s", line->text,
             *room->id ? room->id : NULL, line->client_id);
}

static void send_unsent(struct chat *c, struct room *room)
{
    for (size_t i = 0; i < room->count; i++)
        if (room->lines[i].state == LINE_UNSENT)
            send_line(c, room, &room->lines[i]);
}

static void online(struct view *view)
{
    struct chat *c = of(view);
    rooms_add(&c->rooms, NULL, "Everyone");
    for (size_t i = 0; i < c->rooms.count; i++)
        join(c, &c->rooms.rooms[i]);
    if (ui_can(view->ui, "courses.list"))
        ui_callf(view, CALL_COURSES, "courses.list", NULL, "limit:i", (int64_t)200);
}

/* The room that one looks at is read. */
static void seen(struct chat *c)
{
    struct room *room = chat_room(c);
    if (room && ui_front(&c->view)) {
        room->unread = 0;
        room->seen_seq = room->last_seq;
    }
}

static void enter_room(struct chat *c, size_t number)
{
    struct room *room;
    c->rooms.open = number;
    room = chat_room(c);
    room->new_from = room->unread ? room->seen_seq : -1;
    seen(c);
}

static void show(struct view *view)
{
    struct chat *c = of(view);
    rooms_add(&c->rooms, NULL, "Everyone");
    if (view->ui->link == UI_ONLINE && !chat_room(c)->joined && !ui_running(view->ui, view, -1))
        online(view);
    enter_room(c, c->rooms.open);
}

static struct field *field(struct view *view)
{
    struct chat *c = of(view);
    return c->in_log || !chat_room(c) ? NULL : &chat_room(c)->field;
}

static void say(struct chat *c)
{
    struct room *room = chat_room(c);
    const char *text = field_text(&room->field);
    char id[40];
    unsigned long long random[2] = {0};
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
        random[0] = (unsigned long long)c->view.ui->now;
    snprintf(id, sizeof id, "%016llx%016llx", random[0], random[1]);
    struct line *line = rooms_say(room, text, id, c->view.ui->name, c->view.ui->wall);
    room->at_end = true;
    if (c->view.ui->link == UI_ONLINE)
        send_line(c, room, line);
    else
        line->state = LINE_UNSENT;
    field_remember(&room->field, text);
    field_set(&room->field, "");
    room->field.pasted = false;
}

static void enter(struct chat *c)
{
    struct room *room = chat_room(c);
    if (c->in_log) {
        struct line *line = room->count ? &room->lines[room->selected] : NULL;
        if (line && line->state == LINE_UNSENT)
            send_line(c, room, line);
        return;
    }
    const char *text = field_text(&room->field);
    size_t over, lines = 1;
    room->field.most = (size_t)c->view.ui->chat_most;
    over = field_too_long(&room->field);
    for (const char *p = text; *p; p++)
        lines += *p == '\n';
    if (!text[strspn(text, " \n")])
        return;
    if (over)
        ui_say(c->view.ui, ROLE_WARN, "%zu characters too long", over);
    else if (lines > 1 && room->field.pasted)
        ui_ask_yes(&c->view, ASK_LINES, "Send %zu lines as one message?", lines);
    else
        say(c);
}

static void scroll(struct chat *c, enum action action)
{
    struct room *room = chat_room(c);
    size_t page = c->rows > 3 ? (size_t)c->rows - 3 : 1, last = room->count ? room->count - 1 : 0;
    size_t *at = c->in_log ? &room->selected : &room->bottom;
    if (room->at_end && !c->in_log)
        room->bottom = last;
    switch ((int)action) {
    case ACT_UP: *at -= *at > 0; break;
    case ACT_DOWN: *at += *at < last; break;
    case ACT_PAGE_UP: *at = *at > page ? *at - page : 0; break;
    case ACT_PAGE_DOWN: *at = *at + page < last ? *at + page : last; break;
    case ACT_FIRST: *at = 0; break;
    case ACT_LAST: *at = last; break;
    default: break;
    }
    room->at_end = *at == last;
    if (room->at_end)
        seen(c);
}

static const struct line *chosen(const struct chat *c)
{
    const struct room *room = chat_room(c);
    return c->in_log && room && room->count ? &room->lines[room->selected] : NULL;
}

static bool act_line(struct chat *c, enum action action)
{
    const struct line *line = chosen(c);
    struct ui *ui = c->view.ui;
    if (!line)
        return false;
    switch ((int)action) {
    case ACT_COPY: ui_copy(ui, line->text); return true;
    case ACT_AGAIN: enter(c); return true;
    case ACT_DELETE:
        if (!ui_teacher(ui) || !*line->id)
            return true;
        snprintf(c->deleting, sizeof c->deleting, "%s", line->id);
        ui_ask_yes(&c->view, ASK_DELETE, "Delete this line of %.60s for everybody?", line->name);
        return true;
    case ACT_MUTE:
        if (!ui_teacher(ui) || line->mine)
            return true;
        snprintf(c->muting, sizeof c->muting, "%s", line->user_id);
        ui_ask_option(ui, "for 10 minutes", "600");
        ui_ask_option(ui, "for an hour", "3600");
        ui_ask_option(ui, "for today", "43200");
        ui_ask_choice(&c->view, ASK_MUTE, "Mute in this room");
        return true;
    default: return false;
    }
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct chat *c = of(view);
    struct room *room = chat_room(c);
    if (!room)
        return false;
    if (act_line(c, action))
        return true;
    switch ((int)action) {
    case ACT_NONE:
        if (key && key->code == KEYS_PASTE)
            room->field.pasted = true;
        else if (!room->field.text.length)
            room->field.pasted = false;
        return true;
    case ACT_ENTER: enter(c); return true;
    case ACT_NEXT_PART:
    case ACT_LAST_PART: c->in_log = !c->in_log && room->count; return true;
    case ACT_BACK:
        if (c->in_log)
            return false;
        c->in_log = true;
        return true;
    case ACT_NEXT_ROOM: enter_room(c, (c->rooms.open + 1) % c->rooms.count); return true;
    case ACT_LAST_ROOM: enter_room(c, (c->rooms.open + c->rooms.count - 1) % c->rooms.count); return true;
    case ACT_UP:
    case ACT_DOWN:
    case ACT_PAGE_UP:
    case ACT_PAGE_DOWN:
    case ACT_FIRST:
    case ACT_LAST: scroll(c, action); return true;
    case ACT_RELOAD: online(view); return true;
    case ACT_NEXT:
    case ACT_PREVIOUS:
        for (size_t i = 1; i <= room->count; i++) {
            size_t at = (room->selected + (action == ACT_NEXT ? i : room->count - i % room->count)) % room->count;
            if (ui_found(view->ui, room->lines[at].text)) {
                room->selected = at;
                room->at_end = at + 1 == room->count;
                c->in_log = true;
                break;
            }
        }
        return true;
    default: return false;
    }
}

static void answer(struct view *view, int tag, const char *text)
{
    struct chat *c = of(view);
    if (!text)
        return;
    if (tag == ASK_LINES)
        say(c);
    else if (tag == ASK_DELETE)
        ui_callf(view, CALL_DELETE, "chat.delete", "Deleting", "message_id:s", c->deleting);
    else if (tag == ASK_MUTE)
        ui_callf(view, CALL_MUTE, "chat.mute", "Muting", "room:s user_id:s seconds:i",
                 *chat_room(c)->id ? chat_room(c)->id : NULL, c->muting, (int64_t)atoi(text));
}

static void joined(struct chat *c, struct room *room, const cJSON *result)
{
    const cJSON *message;
    bool first = !room->joined;
    snprintf(room->name, sizeof room->name, "%s", json_text(result, "room", ""));
    cJSON_ArrayForEach (message, json_get(result, "messages")) {
        if (rooms_take(room, message, c->view.ui->user_id, c->view.ui->name) && !first)
            room->unread++;
    }
    room->online = (int)json_int(result, "online", 0);
    room->ttl = (int)json_int(result, "ttl_seconds", 3600);
    room->joined = true;
    if (first) {
        room->seen_seq = room->last_seq;
        room->new_from = -1;
    }
    if (json_bool(result, "more", false))
        join(c, room);
    send_unsent(c, room);
    if (room == chat_room(c))
        seen(c);
}

static void took_send(struct chat *c, const struct reply *r)
{
    unsigned number = (unsigned)(r->tag - CALL_SEND) % CHAT_SENDS;
    struct room *room = rooms_find(&c->rooms, c->send_rooms[number]);
    struct line *line = room ? rooms_line(room, c->sends[number]) : NULL;
    if (!line)
        return;
    if (r->err) {
        line->state = LINE_UNSENT;
        if (c->view.ui->link == UI_ONLINE)
            ui_error(c->view.ui, r->err);
        return;
    }
    line->state = LINE_SAID;
    line->seq = json_int(r->result, "seq", line->seq);
    line->at = format_time(json_text(r->result, "at", NULL));
    line->expires = line->at == -1 ? -1 : line->at + room->ttl;
    snprintf(line->id, sizeof line->id, "%s", json_text(r->result, "message_id", ""));
    /* room->last_seq waits for the line itself: others' lines before it may still be on their way. */
}

static void reply(struct view *view, const struct reply *r)
{
    struct chat *c = of(view);
    if (r->tag >= CALL_SEND) {
        took_send(c, r);
    } else if (r->err) {
        bool open = r->tag >= CALL_JOIN && (size_t)(r->tag - CALL_JOIN) == c->rooms.open && ui_front(view);
        if (r->tag == CALL_DELETE || r->tag == CALL_MUTE || open)
            ui_error(view->ui, r->err);
    } else if (r->tag >= CALL_JOIN) {
        if ((size_t)(r->tag - CALL_JOIN) < c->rooms.count)
            joined(c, &c->rooms.rooms[r->tag - CALL_JOIN], r->result);
    } else if (r->tag == CALL_COURSES) {
        const cJSON *course;
        cJSON_ArrayForEach (course, json_get(r->result, "items")) {
            const char *id = json_text(course, "course_id", "");
            if (c->rooms.count < ROOMS_MOST && *id && !rooms_find(&c->rooms, id))
                join(c, rooms_add(&c->rooms, id, json_text(course, "title", "")));
        }
    } else {
        ui_say(view->ui, ROLE_GOOD, r->tag == CALL_MUTE ? "Muted." : "Deleted.");
    }
}

static void notification(struct view *view, const char *method, const cJSON *params)
{
    struct chat *c = of(view);
    struct room *room =
        strncmp(method, "chat.", 5) == 0 ? rooms_find(&c->rooms, json_text(params, "room", NULL)) : NULL;
    if (!room)
        return;
    if (strcmp(method, "chat.message") == 0) {
        if (!rooms_take(room, params, view->ui->user_id, view->ui->name))
            return;
        bool here = room == chat_room(c) && ui_front(view) && room->at_end;
        if (!here && strcmp(json_text(params, "user_id", ""), view->ui->user_id) != 0)
            room->unread++;
        else if (here)
            seen(c);
    } else if (strcmp(method, "chat.expired") == 0) {
        const cJSON *id;
        cJSON_ArrayForEach (id, json_get(params, "message_ids"))
            rooms_drop(room, cJSON_IsString(id) ? id->valuestring : "");
    } else if (strcmp(method, "chat.deleted") == 0) {
        rooms_drop(room, json_text(params, "message_id", ""));
    } else if (strcmp(method, "chat.presence") == 0) {
        room->online = (int)json_int(params, "online", room->online);
    } else if (strcmp(method, "chat.lagged") == 0) {
        join(c, room); /* what was dropped is still in the room */
    }
}

static int tick(struct view *view)
{
    struct chat *c = of(view);
    struct room *room = chat_room(c);
    if (!room || !ui_front(view))
        return -1;
    rooms_expire(room, view->ui->wall);
    return rooms_tick(room, view->ui->wall);
}

static void keys(const struct view *view, struct keyrow *row)
{
    const struct chat *c = (const struct chat *)view;
    const struct line *line = chosen(c);
    if (view->ui->link == UI_LOST) {
        view_key(row, ACT_ENTER, c->in_log ? "try now" : "keep the line and try now");
        view_key(row, ACT_NEXT_PART, c->in_log ? "write" : "read on");
        view_key(row, ACT_BACK, c->in_log ? "back" : "to the list");
        return;
    }
    if (!line || line->state == LINE_UNSENT)
        view_key(row, ACT_ENTER, line ? "try again" : NULL);
    view_key(row, ACT_PAGE_UP, NULL);
    view_key(row, ACT_NEXT_PART, c->in_log ? "write" : NULL);
    if (line)
        view_key(row, ACT_COPY, NULL);
    if (line && ui_teacher(view->ui) && *line->id) {
        view_key(row, ACT_DELETE, NULL);
        if (!line->mine)
            view_key(row, ACT_MUTE, NULL);
    }
    if (c->rooms.count > 1) {
        view_key(row, ACT_NEXT_ROOM, NULL);
        row->entries[row->count - 1].keys = "Alt-Left Alt-Right";
    }
}

static void status(const struct view *view, struct status *s)
{
    const struct chat *c = (const struct chat *)view;
    const struct room *room = chat_room(c);
    if (!room)
        return;
    if (room->at_end)
        snprintf(s->right, sizeof s->right, "bottom");
    else if (room->unread)
        snprintf(s->right, sizeof s->right, "%d new below", room->unread);
    else
        snprintf(s->right, sizeof s->right, "%zu of %zu", (c->in_log ? room->selected : room->bottom) + 1, room->count);
}

static int unread(const struct view *view)
{
    const struct chat *c = (const struct chat *)view;
    int sum = 0;
    for (size_t i = 0; i < c->rooms.count; i++)
        sum += c->rooms.rooms[i].unread;
    return sum;
}

static bool unsent(const struct view *view)
{
    const struct chat *c = (const struct chat *)view;
    for (size_t i = 0; i < c->rooms.count; i++)
        for (size_t k = 0; k < c->rooms.rooms[i].count; k++)
            if (c->rooms.rooms[i].lines[k].state != LINE_SAID)
                return true;
    return false;
}

/* Lines that were not sent and fields that were not finished, by room. */
static void draft(struct view *view, cJSON *store, bool load)
{
    struct chat *c = of(view);
    cJSON *entry,
        *list = load ? cJSON_GetObjectItemCaseSensitive(store, "chat") : cJSON_AddArrayToObject(store, "chat");
    if (load) {
        cJSON_ArrayForEach (entry, list) {
            struct room *room =
                rooms_add(&c->rooms, json_text(entry, "room", ""), json_text(entry, "title", "Everyone"));
            const char *id = json_text(entry, "client_id", NULL);
            if (id && !rooms_line(room, id))
                rooms_say(room, json_text(entry, "text", ""), id, view->ui->name, view->ui->wall)->state = LINE_UNSENT;
            else if (!id)
                field_set(&room->field, json_text(entry, "text", ""));
        }
        return;
    }
    for (size_t i = 0; i < c->rooms.count; i++) {
        const struct room *room = &c->rooms.rooms[i];
        for (size_t k = 0; k <= room->count; k++) {
            bool typed = k == room->count;
            if (typed ? !room->field.text.length : room->lines[k].state == LINE_SAID)
                continue;
            entry = cJSON_CreateObject();
            cJSON_AddStringToObject(entry, "room", room->id);
            cJSON_AddStringToObject(entry, "title", room->title);
            cJSON_AddStringToObject(entry, "text", typed ? field_text(&room->field) : room->lines[k].text);
            if (!typed)
                cJSON_AddStringToObject(entry, "client_id", room->lines[k].client_id);
            cJSON_AddItemToArray(list, entry);
        }
    }
}

const struct view_class chat_class = {
    .pane = PANE_CHAT,
    .title = "Chat",
    .letter = 'c',
    .needs = "chat.join",
    .size = sizeof(struct chat),
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .notification = notification,
    .answer = answer,
    .online = online,
    .tick = tick,
    .layout = chat_draw_layout,
    .draw = chat_draw_pane,
    .keys = keys,
    .status = status,
    .field = field,
    .unread = unread,
    .unsent = unsent,
    .draft = draft,
};
