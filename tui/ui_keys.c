/* ui_keys.c - what a key does: to a question, an overlay, a text field, the open pane, or the frame. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/ui_frame.h"

int ui_keys_panes(const struct ui *ui, enum pane *out)
{
    int count = 0;
    for (int i = PANE_SEARCH; i < PANE_COUNT; i++)
        if (ui_visible(ui, (enum pane)i))
            out[count++] = (enum pane)i;
    return count;
}

bool ui_keys_move(struct ui *ui, struct list *list, enum action action, int page)
{
    (void)ui;
    switch ((int)action) {
    case ACT_UP: list_move(list, -1, NULL, NULL); return true;
    case ACT_DOWN: list_move(list, 1, NULL, NULL); return true;
    case ACT_PAGE_UP: list_move(list, -page, NULL, NULL); return true;
    case ACT_PAGE_DOWN: list_move(list, page, NULL, NULL); return true;
    case ACT_FIRST: list_select(list, 0, NULL, NULL); return true;
    case ACT_LAST: list_select(list, list->count, NULL, NULL); return true;
    default: return false;
    }
}

static struct view *front(struct ui *ui)
{
    return ui->views[ui->open];
}

static void step_pane(struct ui *ui, int step)
{
    enum pane panes[PANE_COUNT];
    int count = ui_keys_panes(ui, panes);
    for (int i = 0; i < count; i++) {
        if (panes[i] == ui->open) {
            ui_open(ui, panes[(i + step + count) % count]);
            return;
        }
    }
}

static void go(struct ui *ui, const struct key *key)
{
    ui->go_at = 0;
    if (ui->over.kind == OVER_GO)
        ui->over.kind = OVER_NONE;
    if (key->code != KEYS_CHAR || key->mods)
        return;
    if (key->ch == 'g') {
        ui_keys_act(ui, ACT_FIRST, key);
        return;
    }
    enum pane panes[PANE_COUNT];
    int count = ui_keys_panes(ui, panes);
    for (int i = 0; i < count; i++)
        if ((uint32_t)ui_view(ui, panes[i])->class->letter == key->ch) {
            ui_open(ui, panes[i]);
            return;
        }
    ui_say(ui, ROLE_WARN, "There is no pane with that letter.");
}

/* One that waits here for a busy server is answered here. */
static void stop_call(struct ui *ui, struct ui_call *call)
{
    struct err err = {.code = ERR_CANCELLED};
    if (!call->retry_at) {
        ui->host.cancel(ui->host.context, call->id);
        return;
    }
    call->id = UINT64_MAX;
    call->retry_at = 0;
    ui_reply(ui, UINT64_MAX, NULL, &err);
}

bool ui_keys_stop(struct view *view, int tag)
{
    bool any = false;
    for (int i = 0; i < UI_CALLS; i++) {
        struct ui_call *call = &view->ui->calls[i];
        if (call->method && call->view == view && call->tag == tag) {
            stop_call(view->ui, call);
            any = true;
        }
    }
    return any;
}

static void stop(struct ui *ui)
{
    bool any = false;
    for (int i = 0; i < UI_CALLS; i++) {
        if (ui->calls[i].method && ui->calls[i].doing) {
            stop_call(ui, &ui->calls[i]);
            any = true;
        }
    }
    if (!any)
        ui_say(ui, ROLE_TEXT, "Nothing is running. q leaves.");
}

static void leave(struct ui *ui)
{
    if (ui_unsent(ui))
        ui_ask_frame(ui, UI_FRAME_QUIT, UI_ASK_YES, "Something is still being sent. Leave anyway?");
    else
        ui->host.leave(ui->host.context);
}

/* What is shown once must not be lost to a slip in the file's name: it stays open until Esc closes it. */
static void save_record(struct ui *ui, const char *path)
{
    char said[300];
    ui->over.kind = OVER_TEXT;
    if (!path || !*path)
        return;
    bool saved = ui->host.write_file(ui->host.context, path, ui->over.text, said, sizeof said);
    ui_say(ui, saved ? ROLE_GOOD : ROLE_BAD, "%s", said);
}

void ui_keys_answered(struct ui *ui, int tag, const char *text)
{
    struct buf params = {0};
    switch (tag) {
    case UI_FRAME_SAVE: save_record(ui, text); return;
    case UI_FRAME_FIND:
        if (text)
            snprintf(ui->find, sizeof ui->find, "%s", text);
        if (text && *text)
            ui_keys_act(ui, ACT_NEXT, NULL);
        return;
    case UI_FRAME_QUIT:
        if (text)
            ui->host.leave(ui->host.context);
        return;
    case UI_FRAME_OLD_PASSWORD:
        if (!text)
            return;
        if (ui->copied)
            mem_wipe(ui->copied, strlen(ui->copied));
        free(ui->copied);
        ui->copied = mem_dup(text);
        ui_ask_frame(ui, UI_FRAME_NEW_PASSWORD, UI_ASK_PASSWORD, "New password (8 to 72 letters):");
        return;
    case UI_FRAME_NEW_PASSWORD:
        if (!text)
            return;
        buf_json_open(&params, '{');
        buf_json_member(&params, "old_password", ui->copied);
        buf_json_member(&params, "new_password", text);
        buf_json_close(&params, '}');
        mem_wipe(ui->copied, strlen(ui->copied));
        free(ui->copied);
        ui->copied = NULL;
        ui_frame_call(ui, UI_FRAME_CALL_PASSWORD, "auth.change_password", buf_take(&params), "Changing your password");
        return;
    default: return;
    }
}

void ui_keys_reply(struct ui *ui, int tag, const cJSON *result, const struct err *err)
{
    if (err) {
        ui_error(ui, err);
    } else if (tag == UI_FRAME_CALL_COMPLETION) {
        return; /* ui->known has it already */
    } else if (tag == UI_FRAME_CALL_PASSWORD) {
        ui->host.login(ui->host.context, json_text(result, "token", NULL));
        ui_say(ui, ROLE_GOOD, "Your password is changed. You are logged out everywhere else.");
    } else if (tag == UI_FRAME_CALL_PROFILE) {
        const cJSON *user = json_get(result, "user") ? json_get(result, "user") : result;
        snprintf(ui->avatar, sizeof ui->avatar, "%s", json_text(user, "avatar", ""));
        ui->plain = json_bool(user, "plain", false);
        ui_say(ui, ROLE_GOOD, ui->plain ? "Saved. From the next login on EduRag shows plain lines." : "Saved.");
    } else if (tag == UI_FRAME_CALL_LOGOUT) {
        ui_logged_out(ui, "You have been logged out.");
    } else {
        AUTO(mem_freep) char *text = cJSON_Print(result);
        ui_text(ui, "Answer of the server", text ? text : "");
    }
}

static void frame_call(struct ui *ui, int tag, const char *method, const char *key, const char *text, int flag)
{
    struct buf params = {0};
    buf_json_open(&params, '{');
    if (text)
        buf_json_member(&params, key, text);
    else if (flag >= 0)
        buf_json_member_bool(&params, key, flag != 0);
    buf_json_close(&params, '}');
    ui_frame_call(ui, tag, method, buf_take(&params), "Saving");
}

/* Actions that only `:` has. */
static bool without_key(struct ui *ui, enum action action)
{
    const char *given = ui->argument ? ui->argument : "";
    switch ((int)action) {
    case ACT_THEME: ui->host.theme(ui->host.context, given); return true;
    case ACT_PROFILE: frame_call(ui, UI_FRAME_CALL_PROFILE, "profile.update", "avatar", given, -1); return true;
    case ACT_PLAIN:
        frame_call(ui, UI_FRAME_CALL_PROFILE, "profile.update", "plain", NULL, strcmp(given, "off") != 0);
        return true;
    case ACT_PASSWORD: ui_ask_frame(ui, UI_FRAME_OLD_PASSWORD, UI_ASK_PASSWORD, "Your password now:"); return true;
    case ACT_LOGOUT: frame_call(ui, UI_FRAME_CALL_LOGOUT, "auth.logout", "everywhere", NULL, 0); return true;
    case ACT_LOGOUT_ALL: frame_call(ui, UI_FRAME_CALL_LOGOUT, "auth.logout", "everywhere", NULL, 1); return true;
    case ACT_REFLECT_ME:
        ui_frame_call(ui, UI_FRAME_CALL_TEXT, "memory.reflect", NULL, "Reading your memory");
        return true;
    default: return false;
    }
}

static void frame_act(struct ui *ui, enum action action, const struct key *key)
{
    enum pane panes[PANE_COUNT];
    switch ((int)action) {
    case ACT_BACK: ui_back(ui); break;
    case ACT_GO: ui->go_at = ui->now ? ui->now : 1; break;
    case ACT_PANE:
        if (key && (int)key->ch - '1' < ui_keys_panes(ui, panes))
            ui_open(ui, panes[key->ch - '1']);
        break;
    case ACT_NEXT_PANE: step_pane(ui, 1); break;
    case ACT_LAST_PANE: step_pane(ui, -1); break;
    case ACT_SEARCH:
        ui_open(ui, PANE_SEARCH);
        if (ui->open == PANE_SEARCH)
            front(ui)->class->act(front(ui), ACT_SEARCH, key);
        break;
    case ACT_FIND:
        ui_ask_frame(ui, UI_FRAME_FIND, UI_ASK_TEXT, "/");
        field_set(&ui->ask_field, ui->find);
        ui->ask_field.selected = *ui->find != 0;
        break;
    case ACT_COMMAND: command_open(ui); break;
    case ACT_HELP: help_open(ui); break;
    case ACT_BARE:
        ui->bare = true;
        ui_keys_act(ui, ACT_COPY, key);
        ui->bare = false;
        break;
    case ACT_STOP: stop(ui); break;
    case ACT_REDRAW: ui->host.redraw(ui->host.context); break;
    case ACT_SUSPEND: ui->host.suspend(ui->host.context); break;
    case ACT_QUIT: leave(ui); break;
    default: without_key(ui, action);
    }
}

void ui_keys_act(struct ui *ui, enum action action, const struct key *key)
{
    const struct keymap_row *row = keymap_row(action, ui->open);
    if (row && row->method && !ui_can(ui, row->method))
        return;
    if (action == ACT_HELP || action == ACT_COMMAND || !front(ui)->class->act(front(ui), action, key))
        frame_act(ui, action, key);
}

static void text_key(struct ui *ui, const struct key *key)
{
    enum action action = keymap_action(&ui->map, key, ui->open, false);
    if (ui_keys_move(ui, &ui->over.list, action, ui->rows - 5))
        return;
    if (action == ACT_COPY)
        ui_copy(ui, ui->over.text);
    else if (action == ACT_SAVE)
        ui_ask_frame(ui, UI_FRAME_SAVE, UI_ASK_FILE, "Save this as:");
    else if (action == ACT_BACK || action == ACT_QUIT || action == ACT_ENTER)
        ui->over.kind = OVER_NONE;
}

/* In a text field printable keys, pastes and line editing are text; the rest are actions. */
static bool field_first(struct ui *ui, const struct key *key)
{
    struct field *field = front(ui)->class->field ? front(ui)->class->field(front(ui)) : NULL;
    if (!field)
        return false;
    bool end = key->code == KEYS_CHAR && key->mods == KEYS_CTRL && key->ch == 'd';
    if (end && field->text.length)
        return true; /* leaves only where there is nothing to lose */
    if (!field_key(field, key))
        return false;
    front(ui)->class->act(front(ui), ACT_NONE, key);
    return true;
}

static void route(struct ui *ui, const struct key *key)
{
    if (ui->asking != UI_ASK_NONE) {
        ui_ask_key(ui, key);
    } else if (ui->over.kind == OVER_COMMAND) {
        command_key(ui, key);
    } else if (ui->over.kind == OVER_BARE) {
        ui->over.kind = OVER_NONE;
    } else if (ui->over.kind == OVER_TEXT) {
        text_key(ui, key);
    } else if (ui->go_at) {
        go(ui, key);
    } else if (!(ui->over.kind == OVER_HELP && help_key(ui, key)) && !field_first(ui, key)) {
        bool in_text = front(ui)->class->field && front(ui)->class->field(front(ui));
        enum action action = keymap_action(&ui->map, key, ui->open, in_text);
        if (action != ACT_NONE)
            ui_keys_act(ui, action, key);
    }
}

void ui_keys_press(struct ui *ui, const struct key *key)
{
    *ui->notice = 0;
    if (ui->link == UI_LOST &&
        (key->code == KEYS_ENTER || (key->code == KEYS_CHAR && key->mods == KEYS_CTRL && key->ch == 'r')))
        ui->host.connect(ui->host.context);
    if (key->code == KEYS_CHAR && key->mods == KEYS_CTRL && (key->ch == 'l' || key->ch == 'z')) {
        frame_act(ui, key->ch == 'l' ? ACT_REDRAW : ACT_SUSPEND, key);
        return;
    }
    route(ui, key);
}
