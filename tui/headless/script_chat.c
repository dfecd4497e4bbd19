/* script_chat.c - chat for scripts. */
#include "tui/headless/script_chat.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "tui/headless/script_notifications.h"
#include "tui/headless/script_out.h"
#include "tui/headless/script_session.h"
#include "tui/sanitize.h"
#include "tui/format.h"

enum { CHAT_MS = 30000, PIECE = 4096 };

struct chat {
    struct script *script;
    const char *room; /* NULL: the common one */
    int64_t last_seq, seen, most;
    bool joined, ended, refused;
    bool behind; /* lines were dropped: what is said meanwhile comes again, in its place, with the join */
    unsigned unanswered;
    struct buf input;
    struct err err;
};

void script_chat_line(struct script *script, const cJSON *message)
{
    char clock[32];
    format_when(format_time(json_text(message, "at", NULL)), time(NULL), FORMAT_CLOCK, clock);
    script_out_printf(script, 7, "%s  %s%s: %s", clock, json_text(message, "name", "?"),
                      strcmp(json_text(message, "role", "student"), "student") ? " (teacher)" : "",
                      json_text(message, "text", ""));
}

static void show(struct chat *c, const cJSON *message)
{
    int64_t seq = json_int(message, "seq", 0);
    if (seq && seq <= c->last_seq)
        return;
    c->last_seq = seq > c->last_seq ? seq : c->last_seq;
    c->seen++;
    if (c->script->json) {
        AUTO(json_freep) cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "method", "chat.message");
        cJSON_AddItemToObject(line, "params", cJSON_Duplicate(message, true));
        script_line(c->script, line);
        return;
    }
    AUTO(json_freep) cJSON *clean = sanitize_copy(message);
    script_chat_line(c->script, clean);
}

static void join(struct chat *c);

static void joined(void *user, const cJSON *result, const struct err *err)
{
    struct chat *c = user;
    if (err) {
        bool lost = err->code == ERR_UNREACHABLE || err->code == ERR_TIMEOUT;
        c->refused = !lost;
        c->err = *err;
        return;
    }
    const cJSON *message;
    cJSON_ArrayForEach (message, json_get(result, "messages"))
        show(c, message);
    c->joined = true;
    c->behind = json_bool(result, "more", false);
    if (c->behind)
        join(c);
}

static void room_params(const struct chat *c, struct buf *out)
{
    buf_json_open(out, '{');
    if (c->room)
        buf_json_member(out, "room", c->room);
}

static void join(struct chat *c)
{
    AUTO(buf_free) struct buf params = {0};
    room_params(c, &params);
    if (c->last_seq)
        buf_json_member_int(&params, "after_seq", c->last_seq);
    buf_json_close(&params, '}');
    client_request(c->script->client, "chat.join", params.data, CHAT_MS, joined, c);
}

static void take_notification(void *user, const char *method, const cJSON *params)
{
    struct chat *c = user;
    if (!strcmp(method, "chat.message")) {
        if (!c->behind)
            show(c, params);
    } else if (!strcmp(method, "chat.lagged")) {
        c->behind = true;
        join(c);
    } else if (!strncmp(method, "chat.", 5) && c->script->json) {
        AUTO(json_freep) cJSON *line = cJSON_CreateObject();
        cJSON_AddStringToObject(line, "method", method);
        cJSON_AddItemToObject(line, "params", cJSON_Duplicate(params, true));
        script_line(c->script, line);
    }
}

static void take_state(void *user, enum client_state state, const struct err *why)
{
    struct chat *c = user;
    if (state == CLIENT_ONLINE && c->joined) {
        script_say("Connected again.");
        join(c);
    } else if (state == CLIENT_WAITING && client_tries(c->script->client) == 1) {
        script_say("%s  Trying again.", why ? err_sentence(why) : "");
    } else if (state == CLIENT_OFF && why) {
        c->refused = true;
        c->err = *why;
    }
}

static void sent(void *user, const cJSON *result, const struct err *err)
{
    struct chat *c = user;
    (void)result;
    c->unanswered--;
    if (err) {
        c->err = *err;
        script_fail(c->script, err);
    }
}

static void send_line(struct chat *c, const char *text, size_t length)
{
    AUTO(buf_free) struct buf params = {0};
    static unsigned number;
    room_params(c, &params);
    buf_json_key(&params, "text");
    buf_json_stringn(&params, text, length);
    AUTO(mem_freep) char *id = mem_printf("%ld-%ld-%u", (long)getpid(), (long)time(NULL), ++number);
    buf_json_member(&params, "client_id", id);
    buf_json_close(&params, '}');
    c->unanswered++;
    client_request(c->script->client, "chat.send", params.data, CHAT_MS, sent, c);
}

static void take_input(void *user)
{
    struct chat *c = user;
    char piece[PIECE];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    c->ended = n <= 0;
    if (n > 0)
        buf_bytes(&c->input, piece, (size_t)n);
    size_t from = 0;
    for (size_t at = 0; at < c->input.length; at++)
        if (c->input.data[at] == '\n') {
            if (at > from)
                send_line(c, c->input.data + from, at - from);
            from = at + 1;
        }
    if (c->ended && from < c->input.length) {
        send_line(c, c->input.data + from, c->input.length - from);
        from = c->input.length;
    }
    if (from) {
        memmove(c->input.data, c->input.data + from, c->input.length - from);
        c->input.length -= from;
    }
    if (c->ended)
        client_unwatch(c->script->client, STDIN_FILENO);
}

static int follow(struct script *script, cJSON *params, bool input)
{
    struct chat c = {.script = script, .room = json_text(params, "room", NULL), .most = json_int(params, ".count", 0)};
    int64_t seconds = json_int(params, ".seconds", 0);
    time_t until = seconds > 0 ? time(NULL) + (time_t)seconds : 0;
    script_notifications_listen(take_notification, take_state, &c);
    join(&c);
    while (!c.joined && !c.refused && client_service(script->client, CHAT_MS))
        continue;
    if (c.joined && input)
        client_watch(script->client, STDIN_FILENO, take_input, &c);
    while (c.joined && !c.refused && !(c.ended && !c.unanswered) && (!c.most || c.seen < c.most) &&
           (!until || time(NULL) < until) && !ferror(script->out))
        client_service(script->client, until ? 1000 : -1);
    script_notifications_leave(&c);
    client_unwatch(script->client, STDIN_FILENO);
    buf_free(&c.input);
    if (c.refused)
        return script_fail(script, &c.err);
    if (!c.joined)
        return SCRIPT_TIMEOUT;
    return c.err.code == ERR_NONE ? SCRIPT_FINE : SCRIPT_OTHER;
}

int script_chat_run(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    return follow(script, params, true);
}

int script_chat_tail(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    return follow(script, params, false);
}

int script_chat_read(struct script *script, const struct script_command *command, cJSON *params)
{
    AUTO(json_freep) cJSON *result = NULL;
    int code = script_call(script, command->method, params, CHAT_MS, &result);
    if (code)
        return code;
    if (script->json) {
        script_line(script, result);
        return SCRIPT_FINE;
    }
    AUTO(json_freep) cJSON *clean = sanitize_copy(result);
    const cJSON *message;
    cJSON_ArrayForEach (message, json_get(clean, "messages"))
        script_chat_line(script, message);
    if (!cJSON_GetArraySize(json_get(clean, "messages")))
        script_say("Nothing said in the last %lld minutes. Say hello.",
                   (long long)json_int(clean, "ttl_seconds", 0) / 60);
    return SCRIPT_FINE;
}
