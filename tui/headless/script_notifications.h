/* script_notifications.h - what the server says unasked, handed to whoever listens. */
#ifndef TUI_HEADLESS_SCRIPT_NOTIFICATIONS_H
#define TUI_HEADLESS_SCRIPT_NOTIFICATIONS_H

#include "tui/headless/script.h"

typedef void script_notifications_listener(void *user, const char *method, const cJSON *params);
typedef void script_notifications_watcher(void *user, enum client_state state, const struct err *why);

/* All listeners hear everything, until they leave; at most four. `state` may be NULL. */
void script_notifications_listen(script_notifications_listener *notification, script_notifications_watcher *state,
                                 void *user);
void script_notifications_leave(void *user);
/* For struct client_options. */
void script_notifications_take(void *script, const char *method, const cJSON *params);
void script_notifications_state(void *script, enum client_state state, const struct err *why);

#endif
