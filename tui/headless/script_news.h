/* script_news.h - what the server says unasked, handed to whoever listens. */
#ifndef TUI_HEADLESS_SCRIPT_NEWS_H
#define TUI_HEADLESS_SCRIPT_NEWS_H

#include "tui/headless/script.h"

typedef void script_news_listener(void *user, const char *method, const cJSON *params);
typedef void script_news_watcher(void *user, enum client_state state, const struct err *why);

/* All listeners hear everything, until they leave; at most four. `state` may be NULL. */
void script_news_listen(script_news_listener *news, script_news_watcher *state, void *user);
void script_news_leave(void *user);
/* For struct client_options. */
void script_news_take(void *script, const char *method, const cJSON *params);
void script_news_state(void *script, enum client_state state, const struct err *why);

#endif
