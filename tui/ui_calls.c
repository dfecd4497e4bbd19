/* ui_calls.c - requests under way: counted, repeated where the server is busy, and their replies made safe. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/sanitize.h"
#include "tui/ui_frame.h"

enum { DOING_AFTER = 300, TRIES_MOST = 10 };

/* Requests left, as the server counts them: a bucket that fills again by itself. */
static void count_request(struct ui *ui, const char *method)
{
    if (ui->tokens_most <= 0)
        return;
    ui->tokens += (double)(ui->now - ui->tokens_at) * ui->tokens_per_ms;
    if (ui->tokens > ui->tokens_most)
        ui->tokens = ui->tokens_most;
    ui->tokens_at = ui->now;
    const cJSON *entry, *list = json_get(ui->methods, "methods");
    double cost = 1;
    cJSON_ArrayForEach (entry, list) {
        if (strcmp(json_text(entry, "name", ""), method) == 0)
            cost = json_double(entry, "x-cost", 1);
    }
    ui->tokens -= cost;
    if (ui->tokens < 0)
        ui->tokens = 0;
}

static uint64_t start_call(struct ui *ui, struct view *view, int tag, const char *method, char *params,
                           const char *doing)
{
    struct ui_call *slot = NULL;
    for (int i = 0; i < UI_CALLS && !slot; i++)
        if (!ui->calls[i].method)
            slot = &ui->calls[i];
    if (!slot) {
        free(params);
        return 0;
    }
    count_request(ui, method);
    uint64_t id = ui->host.request(ui->host.context, method, params);
    *slot = (struct ui_call){.id = id,
                             .view = view,
                             .tag = tag,
                             .since = ui->now,
                             .doing = doing,
                             .method = mem_dup(method),
                             .params = params};
    return id;
}

uint64_t ui_frame_call(struct ui *ui, int tag, const char *method, char *params, const char *doing)
{
    return start_call(ui, NULL, tag, method, params, doing);
}

uint64_t ui_call(struct view *view, int tag, const char *method, char *params, const char *doing)
{
    return start_call(view->ui, view, tag, method, params, doing);
}

uint64_t ui_callf(struct view *view, int tag, const char *method, const char *doing, const char *members, ...)
{
    struct buf params = {0};
    char copy[160], *save = NULL;
    va_list arguments;
    va_start(arguments, members);
    snprintf(copy, sizeof copy, "%s", members);
    buf_json_open(&params, '{');
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *type = strchr(word, ':');
        if (!type)
            continue;
        *type++ = 0;
        if (*type == 's') {
            const char *text = va_arg(arguments, const char *);
            if (text)
                buf_json_member(&params, word, text);
        } else if (*type == 'i') {
            buf_json_member_int(&params, word, va_arg(arguments, int64_t));
        } else if (*type == 'b') {
            buf_json_member_bool(&params, word, va_arg(arguments, int) != 0);
        }
    }
    va_end(arguments);
    buf_json_close(&params, '}');
    return ui_call(view, tag, method, buf_take(&params), doing);
}

void ui_forget(struct view *view, int tag)
{
    struct ui *ui = view->ui;
    for (int i = 0; i < UI_CALLS; i++) {
        struct ui_call *call = &ui->calls[i];
        if (!call->method || call->view != view || call->tag != tag)
            continue;
        ui->host.cancel(ui->host.context, call->id);
        free(call->method);
        free(call->params);
        *call = (struct ui_call){0};
    }
}

bool ui_running(const struct ui *ui, const struct view *view, int tag)
{
    for (int i = 0; i < UI_CALLS; i++)
        if (ui->calls[i].method && ui->calls[i].view == view && (tag < 0 || ui->calls[i].tag == tag))
            return true;
    return false;
}

/* A busy server is asked again after the time it named, until Ctrl-C. */
static bool try_later(struct ui *ui, struct ui_call *call, const struct err *err)
{
    if (err->code != ERR_BUSY || call->tries >= TRIES_MOST)
        return false;
    long wait = err->retry_after_ms > 0 ? err->retry_after_ms : 1000;
    call->tries++;
    call->id = 0;
    call->retry_at = ui->now + (wait < 250 ? 250 : wait > 30000 ? 30000 : wait);
    return true;
}

void ui_reply(struct ui *ui, uint64_t id, const cJSON *result, const struct err *err)
{
    struct ui_call *call = NULL;
    for (int i = 0; i < UI_CALLS && !call; i++)
        if (ui->calls[i].method && ui->calls[i].id == id && id)
            call = &ui->calls[i];
    if (!call || (err && try_later(ui, call, err)))
        return;
    struct ui_call done = *call;
    *call = (struct ui_call){0};
    AUTO(json_freep) cJSON *clean = sanitize_copy(result);
    struct err said = {0};
    completion_take(&ui->completion, clean);
    if (err) {
        said = *err;
        sanitize_text(err->say, said.say, sizeof said.say);
    }
    if (!done.view) {
        ui_frame_reply(ui, done.tag, clean, err ? &said : NULL);
    } else {
        if (err && err->code == ERR_UNAUTHENTICATED && ui->logged_in)
            ui_logged_out(ui, "You have been logged out. What you typed is kept.");
        struct reply reply = {.tag = done.tag, .call = id, .result = err ? NULL : clean, .err = err ? &said : NULL};
        done.view->class->reply(done.view, &reply);
    }
    free(done.method);
    free(done.params);
}

int ui_sooner(int a, int64_t b)
{
    if (b < 0)
        return a;
    int until = b > 3600000 ? 3600000 : (int)b;
    return a < 0 || until < a ? until : a;
}

int ui_calls_tick(struct ui *ui)
{
    int next = -1;
    for (int i = 0; i < UI_CALLS; i++) {
        struct ui_call *call = &ui->calls[i];
        if (!call->method)
            continue;
        if (call->retry_at) {
            if (ui->now >= call->retry_at) {
                call->retry_at = 0;
                call->id = ui->host.request(ui->host.context, call->method, call->params);
            } else {
                next = ui_sooner(next, (call->retry_at - ui->now - 1) % 1000 + 1);
            }
        }
        int64_t age = ui->now - call->since;
        if (call->doing)
            next = ui_sooner(next, age < DOING_AFTER ? DOING_AFTER - age : age < 5000 ? 5000 - age : 1000 - age % 1000);
    }
    return next;
}
