/* script_import.c - many people at once, from a file: how far it is, and their passwords. */
#include "tui/headless/script_import.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "tui/headless/script_notifications.h"

enum { NOTE_S = 10 };

struct import {
    struct script *script;
    time_t noted;
    bool drawn;
};

/* A figure on a terminal, rewritten; elsewhere a line every ten seconds. */
static void take_notification(void *user, const char *method, const cJSON *params)
{
    struct import *import = user;
    long long done = (long long)json_int(params, "done", 0), total = (long long)json_int(params, "total", 0);
    time_t now = time(NULL);
    if (strcmp(method, "users.progress") != 0 || import->script->json)
        return;
    if (import->script->terminal) {
        fprintf(stderr, "\r%lld of %lld people  ", done, total);
        import->drawn = true;
    } else if (now - import->noted >= NOTE_S) {
        import->noted = now;
        script_say("%lld of %lld people.", done, total);
    }
    fflush(stderr);
}

int script_import_run(struct script *script, const struct script_command *command, cJSON *params)
{
    struct import import = {.script = script, .noted = time(NULL)};
    AUTO(json_freep) cJSON *result = NULL;
    script_notifications_listen(take_notification, NULL, &import);
    int code = script_call(script, command->method, params, command->timeout_ms, &result);
    script_notifications_leave(&import);
    if (import.drawn)
        fprintf(stderr, "\r\x1b[K");
    if (!code)
        script_show(script, command, result);
    return code;
}
