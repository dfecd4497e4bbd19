/* script_pipe.c - the protocol itself for scripts. */
#include "tui/headless/script_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/text.h"
#include "common/state.h"
#include "tui/headless/script_session.h"

enum { UNSENT_MOST = 200, LINE_MOST = 16 << 20, LAST_MS = 60000 };

int script_pipe_call(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    const char *text = json_text(params, ".params", NULL);
    struct err err = {0};
    AUTO(json_freep) cJSON *given = NULL, *result = NULL;
    if (text) {
        given = json_parse(text, strlen(text), &err);
        if (!cJSON_IsObject(given)) {
            script_say("The params must be one JSON object, for example {\"query\":\"enzymes\"}.");
            return SCRIPT_USAGE;
        }
    }
    int code = script_call(script, json_text(params, ".method", ""), given, 0, &result);
    if (!code)
        script_line(script, result);
    return code;
}

struct pipe {
    struct script *script;
    struct buf input;
    long waiting; /* replies that are still to come */
    bool ended, lost, reading;
    struct err why;
};

/* How many replies a line asks for: what is not JSON gets one that says so. */
static long replies_to(const char *text, size_t length)
{
    AUTO(json_freep) cJSON *message = json_parse(text, length, NULL);
    if (!cJSON_IsArray(message))
        return !cJSON_IsObject(message) || json_get(message, "id") ? 1 : 0;
    const cJSON *item;
    cJSON_ArrayForEach (item, message)
        if (!cJSON_IsObject(item) || json_get(item, "id"))
            return 1;
    return cJSON_GetArraySize(message) == 0;
}

static bool take_text(void *user, const char *text, size_t length)
{
    struct pipe *p = user;
    AUTO(json_freep) cJSON *message = json_parse(text, length, NULL);
    if (!json_text(message, "method", NULL))
        p->waiting--;
    AUTO(buf_free) struct buf line = {0};
    if (isatty(fileno(p->script->out)))
        text_clean(&line, text, length, TEXT_ONE_LINE);
    else
        buf_bytes(&line, text, length);
    for (size_t i = 0; i < line.length; i++)
        if (line.data[i] == '\n')
            line.data[i] = ' ';
    fprintf(p->script->out, "%s\n", line.data);
    fflush(p->script->out);
    return true;
}

static void take_state(void *user, enum client_state state, const struct err *why)
{
    struct pipe *p = user;
    p->lost = state != CLIENT_ONLINE && state != CLIENT_CONNECTING;
    if (why)
        p->why = *why;
}

static void send_lines(struct pipe *p)
{
    size_t from = 0;
    for (char *end;
         p->input.length > from && (end = memchr(p->input.data + from, '\n', p->input.length - from)) != NULL;) {
        size_t length = (size_t)(end - (p->input.data + from));
        if (length) {
            p->waiting += replies_to(p->input.data + from, length);
            client_send(p->script->client, p->input.data + from, length);
        }
        from += length + 1;
    }
    memmove(p->input.data, p->input.data + from, p->input.length - from);
    p->input.length -= from;
    p->input.data[p->input.length] = '\0';
}

static void take_input(void *user)
{
    struct pipe *p = user;
    char piece[16384];
    ssize_t n = read(STDIN_FILENO, piece, sizeof piece);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return;
    if (n > 0)
        buf_bytes(&p->input, piece, (size_t)n);
    else
        p->ended = true;
    if (p->ended && p->input.length)
        buf_char(&p->input, '\n');
    if (p->input.length)
        send_lines(p);
}

/* Standard input waits while the socket is behind. */
static void keep_reading(struct pipe *p)
{
    bool want = !p->ended && client_unsent(p->script->client) < UNSENT_MOST && p->input.length < LINE_MOST;
    if (want && !p->reading)
        client_watch(p->script->client, STDIN_FILENO, take_input, p);
    else if (!want && p->reading)
        client_unwatch(p->script->client, STDIN_FILENO);
    p->reading = want;
}

int script_pipe_run(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    struct pipe p = {.script = script};
    char token[STATE_TOKEN];
    struct err err = {0};
    int code = script_session_connect(script, true, false); /* certificate and reachability are settled here */
    if (code)
        return code;
    struct address address = *client_address(script->client);
    client_free(script->client);
    bool known = script_session_token(&address, token, sizeof token);
    struct client_options options = {.url = script->server ? script->server : address_default(),
                                     .token = known ? token : NULL,
                                     .user = &p,
                                     .on_text = take_text,
                                     .on_state = take_state};
    script->client = client_new(&options, &err);
    mem_wipe(token, sizeof token);
    if (!script->client || !client_open(script->client, &err))
        return script_fail(script, &err);
    int64_t linger = json_int(params, ".linger", 0) * 1000;
    while (!p.lost && !(p.ended && p.waiting <= 0 && !client_unsent(script->client))) {
        keep_reading(&p);
        if (!client_service(script->client, p.ended ? LAST_MS : -1) && p.ended) {
            buf_free(&p.input);
            err_set(&err, ERR_TIMEOUT, "no reply");
            return script_fail(script, &err);
        }
    }
    client_unwatch(script->client, STDIN_FILENO);
    while (!p.lost && linger > 0 && client_service(script->client, (int)linger))
        continue;
    buf_free(&p.input);
    return p.lost ? script_fail(script, &p.why) : SCRIPT_FINE;
}
