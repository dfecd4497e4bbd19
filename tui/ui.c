/* ui.c - the whole client without a terminal and without a socket: its life, its panes, its clock. */
#include "tui/ui_frame.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/sanitize.h"
#include "tui/format.h"

enum { CALL_INFO = 1, CALL_METHODS, CALL_WHOAMI, CALL_REFRESH };
enum { NEWS_MS = 8000 };

static const struct view_class *const classes[PANE_COUNT] = {
    [PANE_LOGIN] = &login_class,         [PANE_SEARCH] = &search_class,     [PANE_READER] = &reader_class,
    [PANE_RECOMMEND] = &recommend_class, [PANE_MEMORY] = &memory_class,     [PANE_CHAT] = &chat_class,
    [PANE_LIBRARY] = &library_class,     [PANE_STUDENTS] = &students_class, [PANE_ADMIN] = &admin_class,
};

void ui_resize(struct ui *ui, int rows, int cols)
{
    ui->rows = rows;
    ui->cols = cols;
    ui->size = cols < 20 || rows < 5    ? UI_TOO_SMALL
               : cols < 40 || rows < 10 ? UI_TINY
               : cols < 60 || rows < 16 ? UI_SMALL
               : cols < 80              ? UI_NARROW
               : cols < 120             ? UI_NORMAL
                                        : UI_WIDE;
    canvas_resize(&ui->sheet, rows, cols);
}

static void make_view(struct ui *ui, enum pane pane)
{
    if (ui->views[pane])
        return;
    struct view *view = mem_alloc(classes[pane]->size);
    view->class = classes[pane];
    view->ui = ui;
    ui->views[pane] = view;
    if (view->class->start)
        view->class->start(view);
}

struct view *ui_view(struct ui *ui, enum pane pane)
{
    make_view(ui, pane);
    return ui->views[pane];
}

static void drop_view(struct ui *ui, enum pane pane)
{
    completion_clear(&ui->completion); /* what its replies named */
    struct view *view = ui->views[pane];
    if (!view)
        return;
    for (int i = 0; i < UI_CALLS; i++) {
        struct ui_call *call = &ui->calls[i];
        if (call->method && call->view == view) {
            free(call->method);
            free(call->params);
            *call = (struct ui_call){0};
        }
    }
    if (view->class->stop)
        view->class->stop(view);
    free(view);
    ui->views[pane] = NULL;
}

void ui_start(struct ui *ui, const struct ui_host *host, int rows, int cols)
{
    *ui = (struct ui){.host = *host, .query_most = 1000, .chat_most = 2000, .upload_most = INT64_MAX};
    keymap_defaults(&ui->map);
    ui_resize(ui, rows, cols);
    make_view(ui, PANE_LOGIN);
}

void ui_stop(struct ui *ui)
{
    for (int i = 0; i < PANE_COUNT; i++)
        drop_view(ui, (enum pane)i);
    for (int i = 0; i < UI_CALLS; i++) {
        free(ui->calls[i].method);
        free(ui->calls[i].params);
    }
    for (size_t i = 0; i < ui->choice_count; i++) {
        free(ui->choices[i].label);
        free(ui->choices[i].value);
    }
    free(ui->choices);
    ui_ask_unlist(ui);
    field_free(&ui->ask_field);
    field_free(&ui->over.find);
    free(ui->over.title);
    free(ui->over.text);
    free(ui->copied);
    cJSON_Delete(ui->methods);
    cJSON_Delete(ui->drafts);
    canvas_free(&ui->sheet);
}

bool ui_can(const struct ui *ui, const char *method)
{
    const cJSON *list = json_get(ui->methods, "methods"), *entry;
    if (!method || !list)
        return true;
    cJSON_ArrayForEach (entry, list) {
        if (strcmp(json_text(entry, "name", ""), method) == 0)
            return true;
    }
    return false;
}

void ui_say(struct ui *ui, enum role role, const char *format, ...)
{
    char line[sizeof ui->notice];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    sanitize_text(line, ui->notice, sizeof ui->notice);
    ui->notice_role = role;
    ui->notice_until = role == ROLE_BAD || role == ROLE_KEY ? 0 : ui->now + NEWS_MS;
}

void ui_error(struct ui *ui, const struct err *err)
{
    char line[sizeof ui->notice];
    if (err->code == ERR_UNAUTHENTICATED && !ui->logged_in)
        return; /* the login form says so already */
    if (err->code == ERR_RATE_LIMITED) {
        ui->limited_until = ui->now + (err->retry_after_ms > 0 ? err->retry_after_ms : 1000);
        return;
    }
    format_error(err, line, sizeof line);
    ui_say(ui, err->code == ERR_CANCELLED ? ROLE_TEXT : ROLE_BAD, "%s", line);
}

bool ui_teacher(const struct ui *ui)
{
    return strcmp(ui->role, "teacher") == 0 || ui_admin(ui);
}

bool ui_admin(const struct ui *ui)
{
    return strcmp(ui->role, "admin") == 0;
}

bool ui_visible(const struct ui *ui, enum pane pane)
{
    const struct view_class *class = classes[pane];
    if (pane == PANE_LOGIN || !ui->logged_in)
        return pane == PANE_LOGIN && !ui->logged_in;
    if (class->access == VIEW_TEACHER ? !ui_teacher(ui) || ui_admin(ui) : class->access == VIEW_ADMIN && !ui_admin(ui))
        return false; /* an administrator finds the students among the sections of Admin */
    return ui_can(ui, class->needs);
}

bool ui_front(const struct view *view)
{
    return view->ui->views[view->ui->open] == view;
}

bool ui_focus(const struct view *view)
{
    const struct ui *ui = view->ui;
    bool section = view == ui->views[ui->open == PANE_ADMIN      ? PANE_STUDENTS
                                     : ui->open == PANE_STUDENTS ? PANE_ADMIN
                                                                 : ui->open];
    return (section || ui_front(view)) && ui->over.kind == OVER_NONE && ui->asking == UI_ASK_NONE;
}

void ui_open(struct ui *ui, enum pane pane)
{
    if (!ui_visible(ui, pane))
        return;
    make_view(ui, pane);
    if (ui->open != pane) {
        if (ui->open != PANE_LOGIN)
            ui->before = ui->open;
        *ui->find = 0;
    }
    ui->open = pane;
    if (ui->views[pane]->class->show)
        ui->views[pane]->class->show(ui->views[pane]);
}

void ui_back(struct ui *ui)
{
    enum pane to = ui->before;
    if (to == PANE_LOGIN || to == ui->open || !ui_visible(ui, to))
        return;
    ui_open(ui, to);
    ui->before = PANE_LOGIN; /* one step: not back and forth */
}

/* Whoever hands it over: what is copied, saved or shown whole is harmless elsewhere too. */
static char *harmless(const char *text)
{
    struct buf out = {0};
    text_clean(&out, text, strlen(text), TEXT_KEEP_NEWLINES);
    buf_bytes(&out, "", 0);
    return buf_take(&out);
}

void ui_copy(struct ui *ui, const char *text)
{
    if (!text || !*text)
        return;
    free(ui->copied);
    ui->copied = harmless(text);
    if (ui->bare) {
        ui_text(ui, "", text);
        ui->over.kind = OVER_BARE;
        return;
    }
    ui->host.copy(ui->host.context, ui->copied);
    ui_say(ui, ROLE_TEXT, "Copied %zu characters. If pasting shows nothing: v shows the bare text to select.",
           text_count(ui->copied, strlen(ui->copied)));
}

bool ui_found(const struct ui *ui, const char *text)
{
    return *ui->find && text && strcasestr(text, ui->find);
}

void ui_text(struct ui *ui, const char *title, const char *text)
{
    free(ui->over.title);
    free(ui->over.text);
    ui->over.title = mem_dup(title);
    ui->over.text = harmless(text);
    ui->over.kind = OVER_TEXT;
    ui->over.list = (struct list){0};
}

void ui_logged_in(struct ui *ui, const cJSON *user)
{
    char id[sizeof ui->user_id];
    snprintf(id, sizeof id, "%s", json_text(user, "user_id", ""));
    if (*ui->user_id && strcmp(ui->user_id, id) != 0)
        for (int i = 1; i < PANE_COUNT; i++)
            drop_view(ui, (enum pane)i); /* somebody else sits here now */
    make_view(ui, ui->open);
    memcpy(ui->user_id, id, sizeof id);
    snprintf(ui->name, sizeof ui->name, "%s", json_text(user, "name", ""));
    snprintf(ui->school_number, sizeof ui->school_number, "%s", json_text(user, "institution_id", ""));
    snprintf(ui->role, sizeof ui->role, "%s", json_text(user, "role", "student"));
    snprintf(ui->avatar, sizeof ui->avatar, "%s", json_text(user, "avatar", ""));
    ui->plain = json_bool(user, "plain", false);
    bool first = !ui->logged_in;
    ui->logged_in = true;
    if (ui->drafts && strcmp(json_text(ui->drafts, "user_id", ""), ui->user_id) == 0) {
        for (int i = 1; i < PANE_COUNT; i++)
            if (classes[i]->draft) {
                make_view(ui, (enum pane)i);
                classes[i]->draft(ui->views[i], ui->drafts, true);
            }
        cJSON_Delete(ui->drafts);
        ui->drafts = NULL;
    }
    if (first && ui->open == PANE_LOGIN)
        ui_open(ui, ui->before && ui_visible(ui, ui->before) ? ui->before : PANE_SEARCH);
    for (int i = 1; i < PANE_COUNT; i++)
        if (ui_visible(ui, (enum pane)i) && (i == PANE_CHAT || ui->views[i])) {
            make_view(ui, (enum pane)i);
            if (ui->views[i]->class->online)
                ui->views[i]->class->online(ui->views[i]);
        }
}

void ui_logged_out(struct ui *ui, const char *sentence)
{
    if (ui->logged_in && ui->open != PANE_LOGIN)
        ui->before = ui->open;
    ui->logged_in = false;
    ui->host.login(ui->host.context, NULL);
    ui->open = PANE_LOGIN;
    ui->asking = UI_ASK_NONE;
    ui->over.kind = OVER_NONE;
    ui->has_token = false;
    if (sentence)
        ui_say(ui, ROLE_BAD, "%s", sentence);
    if (ui->views[PANE_LOGIN]->class->show)
        ui->views[PANE_LOGIN]->class->show(ui->views[PANE_LOGIN]);
}

static void copy_member(cJSON *to, const cJSON *from, const char *name)
{
    const cJSON *value = json_get(from, name);
    if (value)
        cJSON_AddItemToObject(to, name, cJSON_Duplicate(value, true));
}

/* Of a large document the little that `:` and the table need: names, words, access, cost, parameters. */
static cJSON *slim_methods(const cJSON *document)
{
    cJSON *slim = cJSON_CreateObject(), *list = cJSON_AddArrayToObject(slim, "methods");
    const cJSON *method, *param;
    cJSON_ArrayForEach (method, json_get(document, "methods")) {
        cJSON *entry = cJSON_CreateObject(), *params = cJSON_CreateArray();
        copy_member(entry, method, "name");
        copy_member(entry, method, "summary");
        copy_member(entry, method, "x-access");
        copy_member(entry, method, "x-cost");
        cJSON_ArrayForEach (param, json_get(method, "params")) {
            cJSON *slot = cJSON_CreateObject(), *schema = cJSON_AddObjectToObject(slot, "schema");
            copy_member(slot, param, "name");
            copy_member(slot, param, "required");
            copy_member(schema, json_get(param, "schema"), "type");
            cJSON_AddItemToArray(params, slot);
        }
        cJSON_AddItemToObject(entry, "params", params);
        cJSON_AddItemToArray(list, entry);
    }
    return slim;
}

void ui_frame_reply(struct ui *ui, int tag, const cJSON *result, const struct err *err)
{
    if (tag >= UI_FRAME_CALL_TEXT) {
        ui_keys_reply(ui, tag, result, err);
        return;
    }
    if (tag == CALL_WHOAMI && err && err->code == ERR_UNAUTHENTICATED) {
        ui_logged_out(ui, ui->logged_in ? "You have been logged out. What you typed is kept." : "Please log in.");
        return;
    }
    if (err)
        return;
    if (tag == CALL_METHODS) {
        cJSON_Delete(ui->methods);
        ui->methods = slim_methods(result);
    } else if (tag == CALL_REFRESH) {
        ui->host.login(ui->host.context, json_text(result, "token", NULL));
    } else if (tag == CALL_WHOAMI) {
        ui_logged_in(ui, json_get(result, "user") ? json_get(result, "user") : result);
    } else if (tag == CALL_INFO) {
        const cJSON *limits = json_get(result, "limits"), *rate = json_get(limits, "rate");
        snprintf(ui->memory, sizeof ui->memory, "%s", json_text(result, "memory", ""));
        if (*json_text(result, "school", ""))
            snprintf(ui->server, sizeof ui->server, "%s", json_text(result, "school", ""));
        else if (*json_text(result, "name", ""))
            snprintf(ui->server, sizeof ui->server, "%s", json_text(result, "name", ""));
        ui->query_most = json_int(limits, "query_characters", ui->query_most);
        ui->chat_most = json_int(limits, "chat_characters", ui->chat_most);
        ui->upload_most = json_int(limits, "upload_bytes", ui->upload_most);
        ui->message_most = json_int(limits, "message_bytes", 1 << 20);
        ui->tokens_most = ui->tokens = json_double(rate, "capacity", 0);
        ui->tokens_per_ms = json_double(rate, "per_minute", 0) / 60000;
        ui->tokens_at = ui->now;
    }
}

void ui_notification(struct ui *ui, const char *method, const cJSON *params)
{
    AUTO(json_freep) cJSON *clean = sanitize_copy(params);
    if (strcmp(method, "server.closing") == 0)
        ui_say(ui, ROLE_WARN, "The server is being restarted. What you typed is kept.");
    if (strcmp(method, "courses.changed") == 0)
        ui_say(ui, ROLE_WARN, "%s has put you into a course. :courses.leave takes you out again.",
               json_text(clean, "enrolled_by", "Somebody"));
    if (strcmp(method, "auth.expiring") == 0 && ui->logged_in)
        ui_frame_call(ui, CALL_REFRESH, "auth.refresh", NULL, NULL);
    for (int i = 0; i < PANE_COUNT; i++)
        if (ui->views[i] && ui->views[i]->class->notification)
            ui->views[i]->class->notification(ui->views[i], method, clean);
}

void ui_link(struct ui *ui, enum ui_link link, const struct err *why)
{
    enum ui_link before = ui->link;
    ui->link = link;
    if (link == UI_LOST && before == UI_ONLINE)
        ui->lost_at = (int64_t)ui->wall;
    if (link == UI_ONLINE) {
        ui_frame_call(ui, CALL_INFO, "server.info", NULL, NULL);
        ui_frame_call(ui, CALL_METHODS, "rpc.discover", NULL, NULL);
        if (ui->has_token)
            ui_frame_call(ui, CALL_WHOAMI, "auth.whoami", NULL, NULL);
    } else if (why && why->code == ERR_UNAUTHENTICATED) {
        /* A connection on which nobody logs in is closed after a while; the next key opens another. */
        ui_logged_out(ui, ui->logged_in   ? "You have been logged out. What you typed is kept."
                          : ui->has_token ? "Please log in."
                                          : NULL);
    } else if (why && !ui->logged_in && link != UI_UNTRUSTED) {
        ui_error(ui, why);
    }
    if (ui->views[PANE_LOGIN]->class->online)
        ui->views[PANE_LOGIN]->class->online(ui->views[PANE_LOGIN]);
}

int ui_tick(struct ui *ui)
{
    int next = ui_calls_tick(ui);
    if (*ui->notice && ui->notice_until) {
        if (ui->now >= ui->notice_until)
            *ui->notice = 0;
        else
            next = ui_sooner(next, ui->notice_until - ui->now);
    }
    if (ui->limited_until) {
        if (ui->now >= ui->limited_until)
            ui->limited_until = 0;
        else
            next = ui_sooner(next, (ui->limited_until - ui->now - 1) % 1000 + 1);
    }
    if (ui->go_at && ui->over.kind == OVER_NONE) {
        if (ui->now - ui->go_at >= 400)
            ui->over.kind = OVER_GO;
        else
            next = ui_sooner(next, 400 - (ui->now - ui->go_at));
    }
    if (ui->link == UI_LOST && ui->retry_at > ui->now)
        next = ui_sooner(next, (ui->retry_at - ui->now - 1) % 1000 + 1);
    for (int i = 0; i < PANE_COUNT; i++)
        if (ui->views[i] && ui->views[i]->class->tick)
            next = ui_sooner(next, ui->views[i]->class->tick(ui->views[i]));
    return next;
}

bool ui_unsent(const struct ui *ui)
{
    for (int i = 0; i < PANE_COUNT; i++)
        if (ui->views[i] && ui->views[i]->class->unsent && ui->views[i]->class->unsent(ui->views[i]))
            return true;
    return false;
}

cJSON *ui_drafts(struct ui *ui)
{
    cJSON *drafts = cJSON_CreateObject();
    cJSON_AddStringToObject(drafts, "user_id", ui->user_id);
    for (int i = 1; i < PANE_COUNT; i++)
        if (ui->views[i] && classes[i]->draft)
            classes[i]->draft(ui->views[i], drafts, false);
    return drafts;
}

void ui_restore(struct ui *ui, const cJSON *drafts)
{
    cJSON_Delete(ui->drafts);
    ui->drafts = drafts ? cJSON_Duplicate(drafts, true) : NULL;
}
