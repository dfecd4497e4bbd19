/* script_notifications.c - what the server says unasked. */
#include "tui/headless/script_notifications.h"

#include <string.h>

#include "common/mem.h"
#include "tui/headless/script.h"

static struct listener {
    script_notifications_listener *notification;
    script_notifications_watcher *state;
    void *user;
} listeners[4];

void script_notifications_listen(script_notifications_listener *notification, script_notifications_watcher *state,
                                 void *user)
{
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (!listeners[i].user) {
            listeners[i] = (struct listener){notification, state, user};
            return;
        }
}

void script_notifications_leave(void *user)
{
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user == user)
            listeners[i] = (struct listener){0};
}

void script_notifications_take(void *script, const char *method, const cJSON *params)
{
    (void)script;
    if (!strcmp(method, "courses.changed"))
        script_say("%s has put you into a course. \"courses leave\" takes you out again.",
                   json_text(params, "enrolled_by", "Somebody"));
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user)
            listeners[i].notification(listeners[i].user, method, params);
}

void script_notifications_state(void *script, enum client_state state, const struct err *why)
{
    (void)script;
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user && listeners[i].state)
            listeners[i].state(listeners[i].user, state, why);
}
