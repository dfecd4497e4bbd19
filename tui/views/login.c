/* login.c - who is the server, and who are you. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "tui/ui.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"

enum part { YES, NO, NUMBER, PASSWORD };
enum { CALL_LOGIN = 1 };

struct login {
    struct view view;
    enum part part;
    struct field number, password;
    bool asked; /* about the code, since the link became untrusted */
    int64_t sent_at;
};

static void start(struct view *view)
{
    ((struct login *)view)->part = NUMBER;
    ((struct login *)view)->password.masked = true;
}

static void stop(struct view *view)
{
    field_free(&((struct login *)view)->number);
    field_free(&((struct login *)view)->password);
}

static bool untrusted(const struct login *l)
{
    return l->view.ui->link == UI_UNTRUSTED;
}

static void show(struct view *view)
{
    struct login *l = (struct login *)view;
    if (*view->ui->school_number && !l->number.text.length)
        field_set(&l->number, view->ui->school_number);
    l->part = untrusted(l) ? l->part : l->number.text.length ? PASSWORD : NUMBER;
}

static void online(struct view *view)
{
    struct login *l = (struct login *)view;
    if (untrusted(l) && !l->asked)
        l->part = *view->ui->pinned ? NO : YES; /* a code that changed: leaving is the harmless answer */
    l->asked = untrusted(l);
    if (!untrusted(l) && l->part < NUMBER)
        show(view);
}

static struct field *field(struct view *view)
{
    struct login *l = (struct login *)view;
    return untrusted(l) ? NULL : l->part == PASSWORD ? &l->password : &l->number;
}

static void enter(struct login *l)
{
    struct ui *ui = l->view.ui;
    if (untrusted(l)) {
        if (ui->size <= UI_TINY)
            ui_say(ui, ROLE_WARN, "Make this window larger.");
        else if (l->part == NO)
            ui->host.leave(ui->host.context);
        else
            ui->host.trust(ui->host.context, true);
    } else if (l->part == NUMBER && !l->password.text.length) {
        l->part = PASSWORD;
    } else if (!l->number.text.length || !l->password.text.length) {
        l->part = l->number.text.length ? PASSWORD : NUMBER;
        ui_say(ui, ROLE_WARN, l->number.text.length ? "Type your password." : "Type your school number.");
    } else if (!ui_running(ui, &l->view, CALL_LOGIN)) {
        l->sent_at = ui->now;
        ui_callf(&l->view, CALL_LOGIN, "auth.login", "Logging in", "institution_id:s password:s",
                 field_text(&l->number), field_text(&l->password));
    }
}

static void step(struct login *l, int by)
{
    int first = untrusted(l) ? YES : NUMBER, last = untrusted(l) ? NO : PASSWORD;
    int to = (int)l->part + by;
    l->part = (enum part)(to < first ? last : to > last ? first : to);
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct login *l = (struct login *)view;
    (void)key;
    switch ((int)action) {
    case ACT_UP:
    case ACT_LAST_PART: step(l, -1); return true;
    case ACT_DOWN:
    case ACT_NEXT_PART: step(l, 1); return true;
    case ACT_ENTER: enter(l); return true;
    case ACT_COPY: ui_copy(view->ui, view->ui->fingerprint); return true;
    case ACT_BACK: return true;
    default: return false;
    }
}

static void reply(struct view *view, const struct reply *r)
{
    struct login *l = (struct login *)view;
    struct ui *ui = view->ui;
    if (r->err && r->err->code == ERR_UNAUTHENTICATED) {
        ui_say(ui, ROLE_BAD, "School number or password is not right. Check both and try again.");
        l->part = PASSWORD;
        field_set(&l->password, "");
        return;
    }
    if (r->err && r->err->code == ERR_CONFLICT) { /* this socket is somebody's already */
        ui->has_token = true;
        ui_link(ui, UI_ONLINE, NULL);
        return;
    }
    if (r->err) {
        ui_error(ui, r->err);
        return;
    }
    ui->has_token = true;
    ui->host.login(ui->host.context, json_text(r->result, "token", NULL));
    field_free(&l->password);
    l->password.masked = true;
    ui_logged_in(ui, json_get(r->result, "user"));
}

/* 64 hex digits as sixteen groups of four, in two lines, which just fit 40 columns. */
static int draw_code(struct canvas c, int y, int x, const char *code)
{
    int groups = 8, rows = 0, gap = c.cols < x + 42 ? 0 : 2;
    size_t length = strlen(code);
    for (int g = 0; (size_t)g * 4 + 4 <= length; g++) {
        char group[5];
        for (int i = 0; i < 4; i++)
            group[i] = (char)toupper((unsigned char)code[g * 4 + i]);
        group[4] = 0;
        int in = g % groups;
        rows = g / groups + 1;
        canvas_text(c, y + g / groups, x + in * 5 + (in >= 4 ? gap : 0), ROLE_INPUT, group);
    }
    return rows;
}

static void choice(const struct login *l, struct canvas c, int y, int x, enum part part, const char *text)
{
    int cells = canvas_text(c, y, x, ROLE_TEXT, text);
    if (l->part == part)
        list_mark(c, y, x, cells, ui_focus(&l->view));
}

static int draw_server(const struct login *l, struct canvas c)
{
    const struct ui *ui = l->view.ui;
    bool roomy = c.rows >= 20, narrow = c.cols < 60;
    int y = roomy ? 2 : 0, x = narrow ? 1 : 3;
    canvas_cut(c, y, x, c.cols / 2, ROLE_TITLE, *ui->server ? ui->server : "EduRag");
    if (!narrow)
        canvas_right(c, y, c.cols - 1, ROLE_TEXT, ui->address);
    else
        canvas_cut(c, ++y, x, c.cols - 2, ROLE_TEXT, ui->address);
    return y + (roomy ? 2 : 1);
}

/* The whole sentence where it fits above codes and choices, else one that fits a row of 40. */
static int draw_sentence(struct canvas c, int y, int x, int room, bool changed)
{
    const char *whole =
        changed ? "This is not the code of your last visit. Ask your teacher before you go on: somebody may be "
                  "reading along. Old code, then new:"
                : "You have not been here before. Check that this is really your school: "
                  "the code below must be the same as on the sheet in the lab.";
    int width = c.cols - x - 1 < 70 ? c.cols - x - 1 : 70;
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, whole, strlen(whole), width);
    if ((int)lines.count <= room)
        return heading_text(c, y, x, width, room, changed ? ROLE_BAD : ROLE_TEXT, whole);
    canvas_cut(c, y, 0, c.cols, changed ? ROLE_BAD : ROLE_TEXT,
               changed ? "Another code: ask first! Old, then new:" : "First visit. The same as on your sheet?");
    return 1;
}

static int draw_question(const struct login *l, struct canvas c, int y)
{
    const struct ui *ui = l->view.ui;
    bool roomy = c.rows >= 20, changed = *ui->pinned;
    int x = c.cols < 60 ? 1 : 3, in = c.cols < 60 ? 0 : 6, codes = changed ? 4 : 2;
    if (c.cols < 39 || c.rows < codes + 3) {
        heading_text(c, 0, 0, c.cols, c.rows, ROLE_WARN, "Make this window larger to see the code of this server.");
        return c.rows;
    }
    y += draw_sentence(c, y, x, c.rows - y - codes - 2, changed) + roomy;
    if (changed)
        y += draw_code(c, y, in, ui->pinned) + roomy;
    y += draw_code(c, y, in, ui->fingerprint) + roomy;
    choice(l, c, y++, in < 2 ? 2 : in, YES, changed ? "Yes, my teacher says it is the new one" : "Yes, it is the same");
    choice(l, c, y++, in < 2 ? 2 : in, NO, "No, or I am not sure - leave");
    return y;
}

static void draw(const struct view *view, struct canvas c)
{
    const struct login *l = (const struct login *)view;
    bool roomy = c.rows >= 20, ask = untrusted(l);
    int y = ask && !roomy ? 0 : draw_server(l, c), x = c.cols < 60 ? 1 : 6, at = x + (c.cols < 60 ? 14 : 16);
    static const char line[] = "________________";
    if (ask) {
        y = draw_question(l, c, y);
        if (y + 7 > c.rows)
            return;
        canvas_text(c, y + 2, 3, ROLE_TEXT, "Then:");
        y += 4;
    } else {
        y += roomy ? 2 : 0;
    }
    canvas_text(c, y, x, ROLE_TEXT, "School number");
    canvas_text(c, y, at, ROLE_DIM, line);
    field_draw(&l->number, c, y, at, c.cols - at - 1, !ask && l->part == NUMBER && ui_focus(view));
    y += roomy ? 2 : 1;
    canvas_text(c, y, x, ROLE_TEXT, "Password");
    canvas_text(c, y, at, ROLE_DIM, line);
    field_draw(&l->password, c, y, at, c.cols - at - 1, !ask && l->part == PASSWORD && ui_focus(view));
    if (!ask)
        canvas_glyph(c, l->part == NUMBER ? y - (roomy ? 2 : 1) : y, 0, ROLE_TEXT, GLYPH_CURSOR);
}

static void keys(const struct view *view, struct keyrow *row)
{
    bool ask = untrusted((const struct login *)view);
    view_key(row, ACT_ENTER, ask ? "choose" : "log in");
    row->entries[row->count].keys = "Up Down";
    view_key(row, ACT_DOWN, "move");
    row->entries[row->count - 1].keys = "Up Down";
    if (ask)
        view_key(row, ACT_COPY, NULL);
    view_key(row, ACT_QUIT, "leave");
    row->entries[row->count - 1].keys = "Ctrl-D";
}

static void status(const struct view *view, struct status *s)
{
    const struct login *l = (const struct login *)view;
    const struct ui *ui = view->ui;
    const char *link = ui->link == UI_LOST         ? "the server does not answer, trying again"
                       : ui->link == UI_CONNECTING ? "connecting"
                       : ui->secure                ? "secure connection"
                                                   : "on this computer";
    long seconds = (long)(ui->now - l->sent_at) / 1000;
    if (!ui_running(ui, view, CALL_LOGIN))
        snprintf(s->left, sizeof s->left, "%s%s", ui->size <= UI_SMALL ? "" : "Not logged in  ", link);
    else if (seconds < 5)
        snprintf(s->left, sizeof s->left, "Logging in");
    else
        snprintf(s->left, sizeof s->left, "Logging in, %ld s", seconds);
}

const struct view_class login_class = {
    .pane = PANE_LOGIN,
    .title = "Login",
    .size = sizeof(struct login),
    .start = start,
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .online = online,
    .draw = draw,
    .keys = keys,
    .status = status,
    .field = field,
};
