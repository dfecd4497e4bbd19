/* admin_draw.c - the sections of the administrator's pane: their rows, the person chosen, the numbers. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "tui/views/admin.h"
#include "tui/views/people.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"
#include "tui/format.h"

enum { DETAIL_ROWS = 6 };

static bool detail(const struct admin *a, int rows)
{
    return a->section == PEOPLE && rows >= 16 && admin_selected(a);
}

void admin_draw_layout(struct view *view, int rows, int cols)
{
    struct admin *a = (struct admin *)view;
    a->shown = rows - 2 - (a->section == PEOPLE ? 1 : 0) - (detail(a, rows) ? DETAIL_ROWS : 0);
    if (a->section == STUDENTS)
        admin_students(a)->class->layout(admin_students(a), rows - 1, cols);
    else
        list_fit(&a->rows[a->section].list, a->shown, NULL, NULL);
}

static void draw_sections(const struct admin *a, struct canvas c)
{
    int x = 1;
    if (c.cols < 60 && ui_admin(a->view.ui)) {
        canvas_format(c, 0, 1, ROLE_TAB_OPEN, "[%s] %d/%d", admin_sections[a->section].title, (int)a->section + 1,
                      SECTIONS);
        return;
    }
    if (!ui_admin(a->view.ui)) {
        x += canvas_text(c, 0, x, ROLE_TAB, " Students ");
        canvas_text(c, 0, x, ROLE_TAB_OPEN, "[Courses]");
        return;
    }
    for (int i = 0; i < SECTIONS; i++) {
        bool open = i == (int)a->section;
        if (ui_can(a->view.ui, admin_sections[i].method))
            x += canvas_format(c, 0, x, open ? ROLE_TAB_OPEN : ROLE_TAB, open ? "[%s]" : " %s ",
                               admin_sections[i].title);
    }
}

static int draw_row(const struct admin *a, struct canvas c, int y, const cJSON *row)
{
    char when[32];
    time_t now = a->view.ui->wall;
    bool narrow = c.cols < 60;
    switch (a->section) {
    case PEOPLE:
        canvas_cut(c, y, 2, 11, ROLE_TEXT, json_text(row, "institution_id", ""));
        if (!narrow) {
            canvas_cut(c, y, 41, 9, ROLE_TEXT, json_text(row, "role", ""));
            if (json_bool(row, "disabled", false))
                canvas_text(c, y, 51, ROLE_WARN, "switched off");
        }
        return canvas_cut(c, y, 14, narrow ? c.cols - 15 : 26, ROLE_TEXT, json_text(row, "name", ""));
    case COURSES:
        canvas_cut(c, y, 2, 11, ROLE_TEXT, json_text(row, "code", ""));
        if (!narrow) {
            const cJSON *teacher = json_get(row, "teacher");
            long members = (long)json_int(row, "members", 0), documents = (long)json_int(row, "documents", 0);
            canvas_format(c, y, 44, ROLE_DIM, "%4ld %s", members, members == 1 ? "person" : "people");
            canvas_format(c, y, 55, ROLE_DIM, "%5ld document%s", documents, documents == 1 ? "" : "s");
            canvas_cut(c, y, 72, c.cols - 73, ROLE_DIM,
                       cJSON_IsObject(teacher) ? json_text(teacher, "name", "") : json_text(row, "teacher", ""));
        }
        return canvas_cut(c, y, 14, narrow ? c.cols - 15 : 29, ROLE_TEXT, json_text(row, "title", ""));
    case JOBS:
        format_when(format_time(json_text(row, "queued_at", NULL)), now, FORMAT_WHEN_CLOCK, when);
        if (!narrow)
            canvas_text(c, y, 56, ROLE_DIM, when);
        canvas_cut(c, y, narrow ? c.cols - 11 : 44, 10, *json_text(row, "failed_at", "") ? ROLE_BAD : ROLE_TEXT,
                   json_text(row, "state", ""));
        return canvas_cut(c, y, 2, narrow ? c.cols - 14 : 40, ROLE_TEXT, json_text(row, "title", ""));
    case AUDIT: {
        format_when(format_time(json_text(row, "at", NULL)), now, FORMAT_WHEN_CLOCK, when);
        if (narrow) { /* who it was stands behind Enter */
            format_when(format_time(json_text(row, "at", NULL)), now, FORMAT_WHEN, when);
            canvas_cut(c, y, 14, c.cols - 15, ROLE_TEXT, json_text(row, "action", ""));
            return canvas_cut(c, y, 2, 11, ROLE_TEXT, when);
        }
        int cells = canvas_cut(c, y, 2, 18, ROLE_TEXT, when);
        canvas_cut(c, y, 21, 18, ROLE_TEXT, json_text(row, "actor", ""));
        canvas_cut(c, y, 40, 22, ROLE_TEXT, json_text(row, "action", ""));
        canvas_cut(c, y, 63, c.cols - 64, ROLE_DIM, json_text(row, "target", json_text(row, "detail", "")));
        return cells;
    }
    case NUMBERS:
    case STUDENTS:
    case SECTIONS: break;
    }
    return 0;
}

static void draw_detail(const struct admin *a, struct canvas c)
{
    const cJSON *row = admin_selected(a);
    char first[96], line[480];
    const char *name = json_text(row, "name", "");
    format_first(name, first, sizeof first);
    heading_draw(c, 0, name, NULL, 0);
    canvas_text(c, 0, c.cols - 1, ROLE_RULE, " ");
    canvas_format(c, 1, 2, ROLE_TEXT, "School number %s   %s%s", json_text(row, "institution_id", ""),
                  json_text(row, "role", ""), json_bool(row, "disabled", false) ? "   switched off" : "");
    snprintf(line, sizeof line,
             "Role, password and access can be changed here. What %s asks, reads or says is not shown. "
             "For a reflection go to Students: %s sees that you looked.",
             first, first);
    heading_text(c, 2, 2, c.cols - 3, 3, ROLE_TEXT, line);
}

static void draw_numbers(const struct admin *a, struct canvas c)
{
    AUTO(buf_free) struct buf text = {0};
    AUTO(wrap_free) struct wrap lines = {0};
    heading_draw(c, 0, "Numbers", "now", 4);
    if (!a->stats)
        return;
    people_lines(a->stats, "", 0, a->view.ui->wall, &text);
    wrap_text(&lines, text.data, text.length, c.cols - 3);
    size_t room = c.rows > 1 ? (size_t)c.rows - 1 : 1, most = lines.count > room ? lines.count - room : 0;
    size_t top = a->stats_top < most ? a->stats_top : most;
    for (size_t i = 0; i < room && top + i < lines.count; i++)
        canvas_put(c, 1 + (int)i, 2, c.cols - 3, ROLE_TEXT, text.data + lines.lines[top + i].from,
                   lines.lines[top + i].to - lines.lines[top + i].from);
    if (ui_focus(&a->view))
        canvas_cursor(c, 1, 2, false);
}

static const char *empty_words(const struct admin *a)
{
    switch (a->section) {
    case PEOPLE:
        return *a->query || *a->role ? "Nobody found. Press / to look for somebody else."
                                     : "There is nobody yet. Press a to add somebody.";
    case COURSES: return "There are no courses yet. Press a to add one.";
    case JOBS: return "No file was ever added. The Library adds them.";
    case AUDIT: return "Nothing was done yet.";
    case NUMBERS:
    case STUDENTS:
    case SECTIONS: break;
    }
    return "";
}

void admin_draw_pane(const struct view *view, struct canvas c)
{
    const struct admin *a = (const struct admin *)view;
    draw_sections(a, c);
    struct canvas body = canvas_part(c, 1, 0, c.rows - 1, c.cols);
    if (a->section == STUDENTS) {
        admin_students(a)->class->draw(admin_students(a), body);
        return;
    }
    if (a->section == NUMBERS) {
        draw_numbers(a, body);
        return;
    }
    const struct rows *rows = &a->rows[a->section];
    int y = 0;
    char facts[40];
    if (a->section == PEOPLE) {
        int x = 1 + canvas_text(body, 0, 1, ROLE_TEXT, "Find: ");
        canvas_cut(body, 0, x, 30, ROLE_INPUT, a->query);
        if (c.cols >= 66)
            canvas_format(body, 0, 52, ROLE_TEXT, "role: %s", *a->role ? a->role : "all");
        y = 1;
    }
    snprintf(facts, sizeof facts, "%zu%s found", rows->list.count, rows->cursor ? "+" : "");
    heading_draw(body, y++, admin_sections[a->section].title, rows->items ? facts : NULL, 4);
    if (rows->items && !rows->list.count)
        heading_text(body, y, 2, body.cols - 3, 3, ROLE_TEXT, empty_words(a));
    for (int i = 0; i < a->shown && rows->list.top + (size_t)i < rows->list.count; i++) {
        size_t at = rows->list.top + (size_t)i;
        int cells = draw_row(a, body, y + i, rows->at[at]);
        if (at == rows->list.selected)
            list_mark(body, y + i, a->section == PEOPLE || a->section == COURSES ? 14 : 2, cells, ui_focus(view));
    }
    if (detail(a, c.rows))
        draw_detail(a, canvas_part(c, c.rows - DETAIL_ROWS, 0, DETAIL_ROWS, c.cols));
}

void admin_draw_keys(const struct view *view, struct keyrow *row)
{
    const struct admin *a = (const struct admin *)view;
    bool any = admin_selected(a) != NULL;
    if (a->section == STUDENTS) {
        admin_students(a)->class->keys(admin_students(a), row);
        return;
    }
    if (a->section == PEOPLE || a->section == COURSES)
        view_key(row, ACT_ADD, NULL);
    if (a->section == PEOPLE)
        view_key(row, ACT_IMPORT, NULL);
    if (any && a->section == PEOPLE) {
        view_key(row, ACT_AGAIN, NULL);
        view_key(row, ACT_RENAME, NULL);
        view_key(row, ACT_SWITCH, json_bool(admin_selected(a), "disabled", false) ? "switch on" : NULL);
    }
    if (any && a->section == COURSES) {
        view_key(row, ACT_ENROL, NULL);
        view_key(row, ACT_UNENROL, NULL);
        view_key(row, ACT_RENAME, "rename");
        view_key(row, ACT_DELETE, NULL);
    }
    if (any && a->section == JOBS) {
        view_key(row, ACT_AGAIN, "try again");
        view_key(row, ACT_WHY, NULL);
    }
    if (any)
        view_key(row, ACT_ENTER, a->section == COURSES ? "members" : NULL);
    view_key(row, ACT_NEXT_ROOM, NULL);
    if (view->ui->size > UI_SMALL)
        row->entries[row->count - 1].keys = "Alt-Left Alt-Right";
}

void admin_draw_status(const struct view *view, struct status *s)
{
    const struct admin *a = (const struct admin *)view;
    if (a->section == STUDENTS)
        admin_students(a)->class->status(admin_students(a), s);
    else if (a->section != NUMBERS && a->section != PEOPLE)
        rows_position(&a->rows[a->section], 0, s->right, sizeof s->right);
}
