/* ui_draw.c - the frame: tabs, status row, key row, and what lies over the open pane. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/ui_frame.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"

static const struct view *front(const struct ui *ui)
{
    return ui->views[ui->open];
}

static void tab_title(const struct ui *ui, enum pane pane, const char *title, char *out, size_t size)
{
    const struct view *view = ui->views[pane];
    int unread = view && view->class->unread && ui->open != pane ? view->class->unread(view) : 0;
    if (unread > 0)
        snprintf(out, size, "%s %d", title, unread > 999 ? 999 : unread);
    else
        snprintf(out, size, "%s", title);
}

static void draw_tabs_small(const struct ui *ui, struct canvas c, const enum pane *panes, int count)
{
    int at = 0;
    for (int i = 0; i < count; i++)
        if (panes[i] == ui->open)
            at = i;
    int x = canvas_format(c, 0, 1, ROLE_TAB_OPEN, "[%s]", front(ui)->class->title) + 1;
    canvas_format(c, 0, x, ROLE_TAB, " %d/%d", at + 1, count);
    const struct view *chat = ui->views[PANE_CHAT];
    int unread = chat && ui->open != PANE_CHAT ? chat->class->unread(chat) : 0;
    if (unread > 0) {
        char text[24];
        snprintf(text, sizeof text, "Chat %d", unread > 999 ? 999 : unread);
        canvas_right(c, 0, c.cols, ROLE_TAB, text);
    }
}

static void draw_tabs(struct ui *ui, struct canvas c)
{
    enum pane panes[PANE_COUNT];
    int count = ui_keys_panes(ui, panes), width = 1;
    char title[64];
    if (!ui->logged_in) {
        canvas_text(c, 0, 1, ROLE_TAB_OPEN, "EduRag");
        return;
    }
    for (int i = 0; i < count; i++) {
        tab_title(ui, panes[i], ui_view(ui, panes[i])->class->title, title, sizeof title);
        width += (int)strlen(title) + 2;
    }
    if (ui->size <= UI_SMALL || width > c.cols) {
        draw_tabs_small(ui, c, panes, count);
        return;
    }
    int x = 1;
    for (int i = 0; i < count; i++) {
        bool open = panes[i] == ui->open;
        tab_title(ui, panes[i], ui->views[panes[i]]->class->title, title, sizeof title);
        x += canvas_format(c, 0, x, open ? ROLE_TAB_OPEN : ROLE_TAB, open ? "[%s]" : " %s ", title);
    }
}

static const char *link_word(const struct ui *ui)
{
    switch (ui->link) {
    case UI_ONLINE: return "online";
    case UI_CONNECTING: return "connecting";
    case UI_OFF:
    case UI_LOST:
    case UI_UNTRUSTED: return "not connected";
    }
    return "";
}

static void identity(const struct ui *ui, int width, char *out, size_t size)
{
    bool off = strcmp(ui->memory, "off") == 0;
    char left[48] = "", memory[24] = "";
    int quarter = (int)(ui->tokens_most / 4);
    if (ui->tokens_most > 0 && ui->tokens < quarter)
        snprintf(left, sizeof left, "  %d questions left", (int)ui->tokens);
    if (*ui->memory)
        snprintf(memory, sizeof memory, "memory %s  ", off ? "off" : "on");
    bool small = ui->size <= UI_SMALL;
    for (int drop = small ? 2 : 0; drop < 4; drop++) { /* the school first, then the name, then that memory is on */
        snprintf(out, size, "%s%s%s%s%s%s%s", drop < 2 ? ui->name : "", drop < 2 && *ui->name ? "  " : "",
                 drop < 1 ? ui->server : "", drop < 1 && *ui->server ? "  " : "",
                 off || (drop < 3 && (!small || ui->open == PANE_MEMORY)) ? memory : "", link_word(ui), left);
        if ((int)text_cells(out, strlen(out)) <= width)
            return;
    }
}

/* What is under way, in words, once it takes a moment. */
static bool doing(const struct ui *ui, char *out, size_t size)
{
    for (int i = 0; i < UI_CALLS; i++) {
        const struct ui_call *call = &ui->calls[i];
        int64_t age = ui->now - call->since;
        if (!call->method || !call->doing)
            continue;
        if (call->retry_at)
            snprintf(out, size, "The server has much to do. Trying again in %d s, Ctrl-C stops.",
                     (int)((call->retry_at - ui->now + 999) / 1000));
        else if (age >= 5000)
            snprintf(out, size, "%s, %d s", call->doing, (int)(age / 1000));
        else if (age >= 300)
            snprintf(out, size, "%s", call->doing);
        else
            continue;
        return true;
    }
    return false;
}

static const char *ordinal(unsigned n)
{
    return n % 100 / 10 == 1 ? "th" : n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
}

static void lost(const struct ui *ui, struct status *s)
{
    long wait = ui->retry_at > ui->now ? (long)((ui->retry_at - ui->now + 999) / 1000) : 0;
    unsigned tries = ui->tries > 0 ? ui->tries : 1;
    s->role = ROLE_BAD;
    if (wait)
        snprintf(s->left, sizeof s->left, "Connection lost  trying again in %ld s, %u%s time", wait, tries,
                 ordinal(tries));
    else
        snprintf(s->left, sizeof s->left, "Connection lost  trying again now, %u%s time", tries, ordinal(tries));
}

static void draw_status(const struct ui *ui, struct canvas c)
{
    struct status own = {.role = ROLE_TEXT};
    if (ui->over.kind == OVER_HELP)
        snprintf(own.right, sizeof own.right, "%zu of %zu", ui->over.list.selected + 1, ui->over.list.count);
    else if (front(ui)->class->status)
        front(ui)->class->status(front(ui), &own);
    int right = (int)text_cells(own.right, strlen(own.right));
    if (*ui->notice && (int)text_cells(ui->notice, strlen(ui->notice)) > c.cols - right - 4) {
        *own.right = 0; /* what happened matters more than where one is */
        right = 0;
    }
    int end = ui->size <= UI_SMALL ? c.cols : c.cols - 1, width = end - right - (right ? 2 : 0) - 1;
    struct status s = {.role = ROLE_TEXT};
    if (*ui->notice)
        s.role = ui->notice_role, snprintf(s.left, sizeof s.left, "%s", ui->notice);
    else if (ui->link == UI_LOST && ui->logged_in)
        lost(ui, &s);
    else if (ui->limited_until > ui->now)
        snprintf(s.left, sizeof s.left, "Next question in %d s", (int)((ui->limited_until - ui->now + 999) / 1000));
    else if (*own.left)
        s.role = own.role, snprintf(s.left, sizeof s.left, "%s", own.left);
    else if (!doing(ui, s.left, sizeof s.left) && ui->over.kind != OVER_HELP)
        identity(ui, width, s.left, sizeof s.left);
    canvas_cut(c, 0, 1, width, s.role, s.left);
    canvas_right(c, 0, end, ROLE_TEXT, own.right);
}

/* Whole entries only; the way to the list of keys is always there. */
static void draw_keys(struct ui *ui, struct canvas c)
{
    struct keyrow row = {0};
    bool in_text = front(ui)->class->field && front(ui)->class->field(ui->views[ui->open]);
    if (ui->over.kind == OVER_HELP) {
        canvas_text(c, 0, 1, ROLE_TEXT, "Up Down move  / find  Esc close");
        if (ui->over.finding) {
            canvas_blank(c, 0, 1);
            canvas_text(c, 0, 1, ROLE_TEXT, "/");
            field_draw(&ui->over.find, c, 0, 2, c.cols - 4, true);
        }
        return;
    }
    if (ui->over.kind == OVER_TEXT) {
        canvas_text(c, 0, 1, ROLE_TEXT,
                    c.cols < 60 ? "y copy  e save  Esc close" : "Up Down move  y copy  e save  Esc close");
        return;
    }
    front(ui)->class->keys(front(ui), &row);
    const char *last = in_text ? "F1 keys" : "? keys";
    int x = 1, end = c.cols - (int)strlen(last) - 1;
    for (int i = 0; i < row.count; i++) {
        const struct keymap_row *about = keymap_row(row.entries[i].action, ui->open);
        char keys[64];
        const char *label = row.entries[i].label ? row.entries[i].label : about ? about->label : "";
        if (about && about->method && !ui_can(ui, about->method))
            continue;
        if (row.entries[i].keys)
            snprintf(keys, sizeof keys, "%s", row.entries[i].keys);
        else
            keymap_keys(&ui->map, row.entries[i].action, false, keys, sizeof keys);
        int cells = (int)(text_cells(keys, strlen(keys)) + text_cells(label, strlen(label))) + 1;
        if (x + cells + 2 > end)
            break;
        x += canvas_text(c, 0, x, ROLE_KEY, keys);
        x += canvas_format(c, 0, x, ROLE_TEXT, " %s", label) + 2;
    }
    canvas_put(c, 0, x, in_text ? 2 : 1, ROLE_KEY, last, in_text ? 2 : 1);
    canvas_text(c, 0, x + (in_text ? 2 : 1), ROLE_TEXT, " keys");
}

static void draw_question(const struct ui *ui, struct canvas c)
{
    if (ui->asking == UI_ASK_CHOICE) { /* what it is about stands above the list */
        canvas_text(c, 0, 1, ROLE_TEXT, c.cols < 40 ? "Enter choose" : "Up Down move  Enter choose  Esc close");
        return;
    }
    int x = 1 + canvas_cut(c, 0, 1,
                           c.cols - (ui->asking == UI_ASK_YES ? 7
                                     : c.cols < 60            ? 12
                                                              : 8),
                           ROLE_WARN, ui->ask_text);
    if (ui->asking == UI_ASK_YES) {
        canvas_text(c, 0, x, ROLE_KEY, "  y n");
        canvas_cursor(c, 0, x + 2, true);
    } else {
        x += strcmp(ui->ask_text, "/") != 0;
        field_draw(&ui->ask_field, c, 0, x, c.cols - x - 1, true);
    }
}

/* A list over the lower part of the body. */
static void draw_choices(const struct ui *ui, struct canvas c)
{
    int rows = (int)ui->choice_count, most = c.rows > 3 ? c.rows - 2 : 1;
    rows = rows > most ? most : rows;
    int top = c.rows - rows - 1;
    size_t first = ui->over.list.selected >= (size_t)rows ? ui->over.list.selected - (size_t)rows + 1 : 0;
    canvas_blank(c, top, rows + 1);
    heading_draw(c, top, ui->ask_text, NULL, 0);
    for (int i = 0; i < rows; i++) {
        size_t at = first + (size_t)i;
        int cells = canvas_cut(c, top + 1 + i, 2, c.cols - 3, ROLE_TEXT, ui->choices[at].label);
        if (at == ui->over.list.selected)
            list_mark(c, top + 1 + i, 2, cells, true);
    }
}

/* The files that fit what is typed, above the question. */
static void draw_paths(const struct ui *ui, struct canvas c)
{
    int rows = ui->path_count < 8 ? (int)ui->path_count : 8, most = c.rows > 3 ? c.rows - 2 : 1;
    rows = rows > most ? most : rows;
    int top = c.rows - rows - 1;
    bool any = ui->path_list.count > 0;
    size_t first = any && ui->path_list.selected >= (size_t)rows ? ui->path_list.selected - (size_t)rows + 1 : 0;
    char facts[40];
    snprintf(facts, sizeof facts, "%zu%s fit", ui->path_count, ui->path_count == UI_PATHS ? " or more" : "");
    canvas_unselect(c);
    canvas_blank(c, top, rows + 1);
    heading_draw(c, top, "Files", facts, 4);
    for (int i = 0; i < rows; i++) {
        size_t at = first + (size_t)i;
        int cells = canvas_cut(c, top + 1 + i, 2, c.cols - 3, ROLE_TEXT, ui->paths[at]);
        if (any && at == ui->path_list.selected)
            list_mark(c, top + 1 + i, 2, cells, false);
    }
}

static void draw_go(struct ui *ui, struct canvas c)
{
    enum pane panes[PANE_COUNT];
    int count = ui_keys_panes(ui, panes), top = c.rows - count - 2;
    top = top < 0 ? 0 : top;
    canvas_blank(c, top, c.rows - top);
    heading_draw(c, top, "Go to", NULL, 0);
    for (int i = 0; i < count; i++) {
        char letter[2] = {ui->views[panes[i]]->class->letter, 0};
        canvas_text(c, top + 1 + i, 2, ROLE_KEY, letter);
        canvas_text(c, top + 1 + i, 5, ROLE_TEXT, ui->views[panes[i]]->class->title);
    }
    canvas_text(c, top + 1 + count, 2, ROLE_KEY, "g");
    canvas_text(c, top + 1 + count, 5, ROLE_TEXT, "the first row");
}

static void draw_text(struct ui *ui, struct canvas c)
{
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, ui->over.text, strlen(ui->over.text), c.cols - 3);
    size_t room = (size_t)(c.rows > 1 ? c.rows - 1 : 1);
    ui->over.list.count = lines.count > room ? lines.count - room + 1 : 1;
    if (ui->over.list.selected >= ui->over.list.count)
        ui->over.list.selected = ui->over.list.count - 1;
    canvas_blank(c, 0, c.rows);
    heading_draw(c, 0, ui->over.title, "Esc close", 3);
    for (size_t i = 0; i < room && i + ui->over.list.selected < lines.count; i++) {
        struct wrap_line line = lines.lines[i + ui->over.list.selected];
        canvas_put(c, 1 + (int)i, 2, c.cols - 3, ROLE_TEXT, ui->over.text + line.from, line.to - line.from);
    }
    canvas_cursor(c, 1, 2, false);
}

static void draw_over(struct ui *ui, struct canvas body)
{
    switch (ui->over.kind) {
    case OVER_HELP: help_draw(ui, body); break;
    case OVER_CHOICE: draw_choices(ui, body); break;
    case OVER_GO: draw_go(ui, body); break;
    case OVER_TEXT: draw_text(ui, body); break;
    case OVER_COMMAND:
    case OVER_BARE:
    case OVER_NONE: break;
    }
}

static void draw_bottom(struct ui *ui, struct canvas all)
{
    struct canvas status = canvas_part(all, ui->rows - 2, 0, 1, ui->cols),
                  keys = canvas_part(all, ui->rows - 1, 0, 1, ui->cols);
    if (ui->over.kind == OVER_COMMAND) {
        if (*ui->notice || ui->link == UI_LOST)
            draw_status(ui, status);
        command_draw(ui, canvas_part(all, 1, 0, ui->rows - 3, ui->cols), status, keys);
        return;
    }
    if (ui->size == UI_TINY) { /* one row for both */
        if (ui->asking != UI_ASK_NONE)
            draw_question(ui, keys);
        else if (*ui->notice || ui->link == UI_LOST)
            draw_status(ui, keys);
        else
            draw_keys(ui, keys);
        return;
    }
    draw_status(ui, status);
    if (ui->asking != UI_ASK_NONE)
        draw_question(ui, keys);
    else
        draw_keys(ui, keys);
}

void ui_draw(struct ui *ui)
{
    struct canvas all = canvas_all(&ui->sheet);
    canvas_clear(&ui->sheet);
    if (ui->size == UI_TOO_SMALL) {
        heading_text(all, 0, 0, all.cols, all.rows, ROLE_TEXT, "Please make this window larger.");
        return;
    }
    if (ui->over.kind == OVER_BARE) {
        heading_text(all, 0, 0, all.cols, all.rows, ROLE_TEXT, ui->over.text);
        return;
    }
    struct view *view = ui->views[ui->open];
    bool tiny = ui->size == UI_TINY;
    struct canvas body =
        tiny ? canvas_part(all, 0, 0, ui->rows - 1, ui->cols) : canvas_part(all, 1, 0, ui->rows - 3, ui->cols);
    if (!tiny)
        draw_tabs(ui, all);
    if (view->class->layout)
        view->class->layout(view, body.rows, body.cols);
    view->class->draw(view, body);
    draw_over(ui, body);
    if (ui->asking == UI_ASK_FILE && ui->path_count)
        draw_paths(ui, body);
    draw_bottom(ui, all);
}
