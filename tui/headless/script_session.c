/* script_session.c - who a script is. */
#include "tui/headless/script_session.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "common/device.h"
#include "common/mem.h"
#include "common/state.h"
#include "tui/headless/script_notifications.h"

enum { LOGIN_MS = 60000 };

bool script_session_token(const struct address *address, char *token, size_t size)
{
    const char *set = getenv("EDURAG_TOKEN");
    if (set && *set && strlen(set) < size) {
        snprintf(token, size, "%s", set);
        return true;
    }
    return state_get("tokens", address->name, token, size);
}

char *script_session_ask(const char *prompt, bool hidden)
{
    struct termios before, silent;
    bool terminal = isatty(STDIN_FILENO) && !tcgetattr(STDIN_FILENO, &before);
    if (terminal) {
        fprintf(stderr, "%s", prompt);
        silent = before;
        silent.c_lflag &= ~(tcflag_t)ECHO;
        if (hidden)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    /* Byte by byte: what follows the line belongs to whoever reads on. */
    AUTO(buf_free) struct buf line = {0};
    char c;
    ssize_t n;
    while ((n = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n' && line.length < 4096)
        buf_char(&line, c);
    if (terminal && hidden) {
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        fputc('\n', stderr);
    }
    if (n != 1 && !line.length)
        return NULL;
    if (line.length && line.data[line.length - 1] == '\r')
        line.data[--line.length] = '\0';
    return buf_take(&line);
}

/* Eight groups of four to a line, as on the sheet in the lab. */
static void show_code(const char *code)
{
    for (size_t i = 0; code[i] && code[i + 1] && code[i + 2] && code[i + 3]; i += 4)
        fprintf(stderr, "%s%.4s%s", i % 32 ? " " : "  ", code + i, i % 32 == 28 ? "\n" : "");
}

static bool decide(struct script *script)
{
    const char *name = client_address(script->client)->name;
    if (*client_pinned(script->client)) {
        script_say("The code of %s has changed. It was", name);
        show_code(client_pinned(script->client));
        script_say("and is now");
        show_code(client_fingerprint(script->client));
        script_say("Somebody may be listening. Ask your school; if the new code is right: edurag trust CODE");
        return false;
    }
    script_say("You have not been at %s before. Its code is", name);
    show_code(client_fingerprint(script->client));
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
        script_say("If it is the same as on your school's sheet: edurag trust CODE");
        return false;
    }
    AUTO(mem_freep)
    char *answer = script_session_ask("Is it the same as on your school's sheet? Type yes or no: ", false);
    return answer && !strcasecmp(answer, "yes");
}

int script_session_connect(struct script *script, bool token, bool reconnect)
{
    struct err err = {0};
    const char *url = script->server ? script->server : address_default();
    struct client_options options = {.url = url,
                                     .user = script,
                                     .reconnect = reconnect,
                                     .on_notification = script_notifications_take,
                                     .on_state = script_notifications_state};
    script->client = client_new(&options, &err);
    if (!script->client) {
        script_fail(script, &err);
        return SCRIPT_SETUP;
    }
    char text[STATE_TOKEN];
    if (token && script->token) {
        client_token(script->client, script->token);
    } else if (token && script_session_token(client_address(script->client), text, sizeof text)) {
        client_token(script->client, text);
        mem_wipe(text, sizeof text);
    }
    if (client_open(script->client, &err))
        return SCRIPT_FINE;
    if (err.code != ERR_UNTRUSTED)
        return script_fail(script, &err);
    if (!decide(script))
        return SCRIPT_UNREACHABLE;
    if (client_trust(script->client, &err) && client_open(script->client, &err))
        return SCRIPT_FINE;
    return script_fail(script, &err);
}

static bool keep_token(struct script *script, const cJSON *result, struct err *err)
{
    const char *token = json_text(result, "token", "");
    client_token(script->client, token);
    return state_set("tokens", client_address(script->client)->name, token, err);
}

bool script_session_enter(struct script *script, const char *institution_id, const char *password, bool keep,
                          cJSON **user, struct err *err)
{
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "institution_id", institution_id);
    buf_json_member(&params, "password", password);
    buf_json_close(&params, '}');
    AUTO(json_freep) cJSON *result = NULL;
    const char *server = client_address(script->client)->name;
    AUTO(mem_freep) char *offer = device_offer(server, params.data);
    bool fine = client_call(script->client, "auth.login", offer, LOGIN_MS, &result, err);
    if (fine)
        device_keep(server, offer, result);
    mem_wipe(offer, strlen(offer));
    mem_wipe(params.data, params.length);
    if (!fine)
        return false;
    if (keep)
        fine = keep_token(script, result, err);
    else
        client_token(script->client, json_text(result, "token", ""));
    if (fine)
        *user = cJSON_Duplicate(json_get(result, "user"), true);
    return fine;
}

int script_session_login(struct script *script, const struct script_command *command, cJSON *params)
{
    int code = script_session_connect(script, false, false);
    if (code)
        return code;
    AUTO(mem_freep) char *id = mem_dup(json_text(params, ".id", NULL));
    if (!id)
        id = script_session_ask("School number: ", false);
    AUTO(mem_freep) char *password = id ? script_session_ask("Password: ", true) : NULL;
    if (!password) {
        script_say("A password is needed, on the terminal or as one line of standard input.");
        return SCRIPT_USAGE;
    }
    struct err err = {0};
    AUTO(json_freep) cJSON *user = NULL;
    bool fine = script_session_enter(script, id, password, true, &user, &err);
    mem_wipe(password, strlen(password));
    if (!fine)
        return script_fail(script, &err);
    if (script->json)
        script_line(script, user);
    else
        command->print(script, user);
    return SCRIPT_FINE;
}

int script_session_logout(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    struct err err = {0};
    int code = script_session_connect(script, true, false);
    if (!code) {
        AUTO(buf_free) struct buf text = {0};
        json_write(&text, params);
        if (!client_call(script->client, "auth.logout", text.data, LOGIN_MS, NULL, &err) &&
            err.code != ERR_UNAUTHENTICATED)
            code = script_fail(script, &err);
    }
    /* Also where the server could not be asked: this machine forgets. */
    if (script->client && !state_set("tokens", client_address(script->client)->name, NULL, &err))
        return script_fail(script, &err);
    if (!code)
        script_say("Logged out.");
    return code;
}

static int renewed(struct script *script, const char *method, cJSON *params, const char *done)
{
    AUTO(json_freep) cJSON *result = NULL;
    struct err err = {0};
    int code = script_call(script, method, params, LOGIN_MS, &result);
    if (code)
        return code;
    const char *set = getenv("EDURAG_TOKEN");
    if ((!set || !*set) && !keep_token(script, result, &err))
        return script_fail(script, &err);
    if (script->json || (set && *set))
        script_line(script, result);
    else
        script_say("%s", done);
    return SCRIPT_FINE;
}

int script_session_password(struct script *script, const struct script_command *command, cJSON *params)
{
    AUTO(mem_freep) char *before = script_session_ask("Old password: ", true);
    AUTO(mem_freep) char *after = script_session_ask("New password: ", true);
    if (!before || !after) {
        script_say("The old and the new password are needed, as two lines.");
        return SCRIPT_USAGE;
    }
    if (isatty(STDIN_FILENO)) {
        AUTO(mem_freep) char *again = script_session_ask("New password again: ", true);
        if (!again || strcmp(after, again) != 0) {
            script_say("The two are not the same. Nothing was changed.");
            return SCRIPT_USAGE;
        }
        mem_wipe(again, strlen(again));
    }
    cJSON_AddStringToObject(params, "old_password", before);
    cJSON_AddStringToObject(params, "new_password", after);
    mem_wipe(before, strlen(before));
    mem_wipe(after, strlen(after));
    return renewed(script, command->method, params, "Your password is changed. Other sessions have ended.");
}

int script_session_refresh(struct script *script, const struct script_command *command, cJSON *params)
{
    return renewed(script, command->method, params, "You stay logged in.");
}

int script_session_trust(struct script *script, const struct script_command *command, cJSON *params)
{
    (void)command;
    struct err err = {0};
    struct client_options options = {.url = script->server ? script->server : address_default()};
    script->client = client_new(&options, &err);
    if (!script->client || (!client_open(script->client, &err) && err.code != ERR_UNTRUSTED))
        return script_fail(script, &err);
    const char *code = client_fingerprint(script->client), *given = json_text(params, ".code", NULL);
    if (!*code || client_verified(script->client)) {
        script_say(*code ? "This system knows the certificate of %s already." : "%s needs no code.",
                   client_address(script->client)->name);
        return SCRIPT_FINE;
    }
    if (!given) {
        fprintf(script->out, "%s\n", code);
        return SCRIPT_FINE;
    }
    for (; *given && *code; given++)
        if (*given != ' ' && *given != ':') {
            if (strncasecmp(given, code, 1) != 0)
                break;
            code++;
        }
    if (*given || *code) {
        script_say("That is not the code that %s shows:", client_address(script->client)->name);
        show_code(client_fingerprint(script->client));
        return SCRIPT_UNREACHABLE;
    }
    if (!client_trust(script->client, &err))
        return script_fail(script, &err);
    script_say("Kept.");
    return SCRIPT_FINE;
}
