/* script_news.c - what the server says unasked. */
#include "tui/headless/script_news.h"

#include "common/mem.h"

static struct listener {
    script_news_listener *news;
    script_news_watcher *state;
    void *user;
} listeners[4];

void script_news_listen(script_news_listener *news, script_news_watcher *state, void *user)
{
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (!listeners[i].user) {
            listeners[i] = (struct listener){news, state, user};
            return;
        }
}

void script_news_leave(void *user)
{
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user == user)
            listeners[i] = (struct listener){0};
}

void script_news_take(void *script, const char *method, const cJSON *params)
{
    (void)script;
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user)
            listeners[i].news(listeners[i].user, method, params);
}

void script_news_state(void *script, enum client_state state, const struct err *why)
{
    (void)script;
    for (size_t i = 0; i < COUNT_OF(listeners); i++)
        if (listeners[i].user && listeners[i].state)
            listeners[i].state(listeners[i].user, state, why);
}
