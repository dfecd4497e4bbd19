/* admin.c - people, courses, jobs, numbers, what was done, and the students. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/views/people.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"
#include "tui/words.h"

enum section { PEOPLE, COURSES, JOBS, NUMBERS, AUDIT, STUDENTS, SECTIONS };
enum { CALL_LIST = 10, CALL_MORE = 20, CALL_CREATE = 30, CALL_IMPORT, CALL_PASSWORD, CALL_CHANGE, CALL_DELETE, CALL_WHY, CALL_MEMBERS, CALL_ENROL, CALL_UNENROL };
enum { ASK_FIND = 1, ASK_NUMBER, ASK_NAME, ASK_ROLE, ASK_CODE, ASK_TITLE, ASK_FILE, ASK_IMPORT, ASK_PASSWORD, ASK_NEW_ROLE,
       ASK_SWITCH, ASK_DELETE, ASK_RENAME, ASK_ENROL, ASK_UNENROL };
enum { DETAIL_ROWS = 6 };

static const struct {
    const char *title, *method, *id;
} sections[SECTIONS] = {
    {"People", "users.list", "user_id"}, {"Courses", "courses.list", "course_id"}, {"Jobs", "library.jobs", "job_id"},
    {"Numbers", "admin.stats", ""}, {"Audit", "admin.audit", "at"}, {"Students", "admin.students", ""},
};

struct admin {
    struct view view;
    enum section section;
    struct rows rows[SECTIONS];
    cJSON *stats;
    size_t stats_top;
    char query[120], role[12];            /* role "": all */
    char number[64], name[120], code[48]; /* of who or what is being added */
    char *csv;
    char target[48], target_name[120];
    char *password;                       /* shown until a key */
    int shown;
};

static struct admin *of(struct view *view)
{
    return (struct admin *)view;
}

static const struct admin *const_of(const struct view *view)
{
    return (const struct admin *)view;
}

static struct view *students(const struct admin *a)
{
    return ui_view(a->view.ui, PANE_STUDENTS);
}

static void load_from(struct admin *a, const char *cursor)
{
    struct view *view = &a->view;
    int tag = (cursor ? CALL_MORE : CALL_LIST) + (int)a->section;
    const char *method = sections[a->section].method;
    if (a->section == STUDENTS)
        students(a)->class->show(students(a));
    else if (a->section == NUMBERS)
        ui_callf(view, tag, method, "Counting", "");
    else if (a->section == PEOPLE)
        ui_callf(view, tag, method, "Loading the people", "query:s role:s limit:i cursor:s", *a->query ? a->query : NULL,
                 *a->role ? a->role : NULL, (int64_t)100, cursor);
    else
        ui_callf(view, tag, method, "Loading", "limit:i cursor:s", (int64_t)100, cursor);
}

/* A teacher has the courses alone, as a section of Students. */
static void show(struct view *view)
{
    if (!ui_admin(view->ui))
        of(view)->section = COURSES;
    load_from(of(view), NULL);
}

static void hide_password(struct admin *a)
{
    if (a->password)
        mem_wipe(a->password, strlen(a->password));
    free(a->password);
    a->password = NULL;
}

static void stop(struct view *view)
{
    struct admin *a = of(view);
    for (int i = 0; i < SECTIONS; i++)
        rows_clear(&a->rows[i]);
    cJSON_Delete(a->stats);
    free(a->csv);
    hide_password(a);
}

static const cJSON *selected(const struct admin *a)
{
    return rows_selected(&a->rows[a->section]);
}

static void open_section(struct admin *a, int step)
{
    int to = (int)a->section;
    do
        to = (to + step + SECTIONS) % SECTIONS;
    while (!ui_can(a->view.ui, sections[to].method));
    a->section = (enum section)to;
    load_from(a, NULL);
}

/* Remembers whom the question is about. */
static bool target(struct admin *a, const char *name)
{
    const cJSON *row = selected(a);
    if (!row)
        return false;
    snprintf(a->target, sizeof a->target, "%s", json_text(row, a->section == JOBS ? "pdf_id" : sections[a->section].id, ""));
    snprintf(a->target_name, sizeof a->target_name, "%s", json_text(row, name, ""));
    return true;
}

static void ask_role(struct admin *a, int tag, const char *title)
{
    ui_ask_option(a->view.ui, "student", "student");
    ui_ask_option(a->view.ui, "teacher", "teacher");
    ui_ask_option(a->view.ui, "admin", "admin");
    ui_ask_choice(&a->view, tag, title);
}

static bool act_people(struct admin *a, enum action action)
{
    struct view *view = &a->view;
    switch ((int)action) {
        case ACT_ADD: ui_ask_text(view, ASK_NUMBER, "School number of the new person:", ""); return true;
        case ACT_IMPORT:
            if (view->ui->argument)
                view->class->answer(view, ASK_FILE, view->ui->argument);
            else
                ui_ask_file(view, ASK_FILE, "List (school number,name,role):", "~/");
            return true;
        case ACT_NEXT_PART: {
            static const char *const next[] = {"student", "teacher", "admin", ""};
            int at = !*a->role ? 0 : strcmp(a->role, "student") == 0 ? 1 : strcmp(a->role, "teacher") == 0 ? 2 : 3;
            snprintf(a->role, sizeof a->role, "%s", next[at]);
            load_from(a, NULL);
            return true;
        }
        case ACT_FIND: ui_ask_text(view, ASK_FIND, "Find:", a->query); return true;
        case ACT_AGAIN:
            if (target(a, "name"))
                ui_ask_yes(view, ASK_PASSWORD, "New password for %s? They are logged out everywhere.", a->target_name);
            return true;
        case ACT_RENAME:
            if (target(a, "name"))
                ask_role(a, ASK_NEW_ROLE, "New role");
            return true;
        case ACT_SWITCH:
            if (target(a, "name"))
                ui_ask_yes(view, ASK_SWITCH, json_bool(selected(a), "disabled", false) ? "Switch %s on again?" : "Switch %s off? They are logged out at once.", a->target_name);
            return true;
        case ACT_DELETE:
            if (target(a, "name"))
                ui_ask_word(view, ASK_DELETE, "delete", "This deletes %.60s and all that is kept. Type delete and press Enter, or Esc.", a->target_name);
            return true;
        default: return false;
    }
}

static bool act_courses(struct admin *a, enum action action)
{
    struct view *view = &a->view;
    switch ((int)action) {
        case ACT_ADD: ui_ask_text(view, ASK_CODE, "Short name of the new course (BIO101):", ""); return true;
        case ACT_RENAME:
            if (target(a, "title"))
                ui_ask_text(view, ASK_RENAME, "New title:", a->target_name);
            return true;
        case ACT_ENROL: case ACT_UNENROL:
            if (target(a, "title"))
                ui_ask_text(view, action == ACT_ENROL ? ASK_ENROL : ASK_UNENROL,
                            action == ACT_ENROL ? "School numbers, with blanks between:" : "Take out (school numbers, with blanks between):", "");
            return true;
        case ACT_DELETE:
            if (target(a, "title"))
                ui_ask_yes(view, ASK_DELETE, "Delete the course %.80s? Its documents go to the open library.", a->target_name);
            return true;
        case ACT_ENTER:
            if (target(a, "title"))
                ui_callf(view, CALL_MEMBERS, "courses.members", "Loading the members", "course_id:s limit:i", a->target, (int64_t)200);
            return true;
        default: return false;
    }
}

static bool act_jobs(struct admin *a, enum action action)
{
    switch ((int)action) {
        case ACT_AGAIN:
            if (target(a, "title") && *json_text(selected(a), "failed_at", ""))
                ui_callf(&a->view, CALL_CHANGE, "library.retry", "Trying again", "pdf_id:s", a->target);
            return true;
        case ACT_WHY: case ACT_ENTER:
            if (selected(a))
                ui_callf(&a->view, CALL_WHY, "library.job", "Asking", "job_id:s", json_text(selected(a), "job_id", ""));
            return true;
        default: return false;
    }
}

static void open_row(struct admin *a)
{
    AUTO(buf_free) struct buf text = {0};
    if (!selected(a))
        return;
    people_lines(selected(a), "", 0, &text);
    ui_text(a->view.ui, json_text(selected(a), "name", sections[a->section].title), text.data ? text.data : "");
}

static bool scroll_numbers(struct admin *a, enum action action)
{
    size_t page = a->shown > 2 ? (size_t)a->shown - 2 : 1;
    switch ((int)action) {
        case ACT_UP: a->stats_top -= a->stats_top > 0; return true;
        case ACT_DOWN: a->stats_top++; return true;
        case ACT_PAGE_UP: a->stats_top -= a->stats_top < page ? a->stats_top : page; return true;
        case ACT_PAGE_DOWN: a->stats_top += page; return true;
        case ACT_FIRST: a->stats_top = 0; return true;
        default: return false;
    }
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct admin *a = of(view);
    static const char *const members[] = {"name", "title", "code", "actor", "action", "target", "detail", NULL};
    if (action == ACT_COPY && a->password) {
        ui_copy(view->ui, a->password);
        return true;
    }
    hide_password(a);
    if (action == ACT_NEXT_ROOM || action == ACT_LAST_ROOM) {
        open_section(a, action == ACT_NEXT_ROOM ? 1 : -1);
        return true;
    }
    if (a->section == STUDENTS)
        return students(a)->class->act(students(a), action, key);
    bool done = a->section == PEOPLE ? act_people(a, action) : a->section == COURSES ? act_courses(a, action)
              : a->section == JOBS ? act_jobs(a, action) : a->section == NUMBERS ? scroll_numbers(a, action) : false;
    if (done)
        return true;
    struct rows *rows = &a->rows[a->section];
    switch ((int)action) {
        case ACT_RELOAD: load_from(a, NULL); return true;
        case ACT_ENTER: open_row(a); return true;
        case ACT_NEXT: case ACT_PREVIOUS: rows_find(rows, view->ui, action == ACT_NEXT ? 1 : -1, members); return true;
        default: break;
    }
    if (!rows_move(rows, action, a->shown - 2))
        return false;
    const char *cursor = rows_more(rows);
    if (cursor)
        load_from(a, cursor);
    return true;
}

static void show_password(struct admin *a, const char *name, const char *password)
{
    hide_password(a);
    a->password = mem_dup(password);
    ui_say(a->view.ui, ROLE_KEY, "New password for %s: %s  (shown once, y copies it)", name, password);
}

static void imported(struct admin *a, const cJSON *result)
{
    AUTO(buf_free) struct buf text = {0};
    const cJSON *entry;
    cJSON_ArrayForEach(entry, json_get(result, "errors"))
        buf_printf(&text, "line %lld: %s\n", (long long)json_int(entry, "line", 0), json_text(entry, "message", ""));
    int created = cJSON_GetArraySize(json_get(result, "created"));
    if (created)
        buf_printf(&text, "%d new. These passwords are shown once; y copies them, e saves them.\n\n", created);
    else
        buf_text(&text, "Nobody was added.\n");
    if (json_int(result, "skipped", 0))
        buf_printf(&text, "%lld had an account already.\n\n", (long long)json_int(result, "skipped", 0));
    cJSON_ArrayForEach(entry, json_get(result, "created"))
        buf_printf(&text, "%-16s %s\n", json_text(entry, "institution_id", ""), json_text(entry, "password", ""));
    ui_text(a->view.ui, "Imported", text.data);
    load_from(a, NULL);
}

static void reply(struct view *view, const struct reply *r)
{
    struct admin *a = of(view);
    if (r->err) {
        for (int i = 0; i < SECTIONS; i++)
            a->rows[i].loading_more = false;
        ui_error(view->ui, r->err);
        return;
    }
    if (r->tag == CALL_LIST + NUMBERS) {
        cJSON_Delete(a->stats);
        a->stats = cJSON_Duplicate(r->result, true);
    } else if (r->tag >= CALL_LIST && r->tag < CALL_MORE + SECTIONS) {
        int section = r->tag >= CALL_MORE ? r->tag - CALL_MORE : r->tag - CALL_LIST;
        if (r->tag < CALL_MORE)
            a->rows[section].loading_more = false;
        rows_take(&a->rows[section], r->result, sections[section].id);
    } else if (r->tag == CALL_CREATE) {
        const cJSON *user = json_get(r->result, "user");
        if (user)
            show_password(a, json_text(user, "name", ""), json_text(r->result, "password", ""));
        load_from(a, NULL);
    } else if (r->tag == CALL_PASSWORD) {
        show_password(a, a->target_name, json_text(r->result, "password", ""));
    } else if (r->tag == CALL_IMPORT) {
        imported(a, r->result);
    } else if (r->tag == CALL_WHY || r->tag == CALL_MEMBERS) {
        AUTO(buf_free) struct buf text = {0};
        const cJSON *person;
        if (r->tag == CALL_WHY)
            people_lines(r->result, "", 0, &text);
        cJSON_ArrayForEach(person, json_get(r->result, "items"))
            buf_printf(&text, "%-12s %-9s %s\n", json_text(person, "institution_id", ""), json_text(person, "role", ""), json_text(person, "name", ""));
        ui_text(view->ui, r->tag == CALL_WHY ? json_text(r->result, "title", "Job") : a->target_name, text.data ? text.data : "Nobody yet. E enrols people.");
    } else if (r->tag == CALL_ENROL || r->tag == CALL_UNENROL) {
        const cJSON *unknown = json_get(r->result, "unknown");
        int missing = cJSON_IsArray(unknown) ? cJSON_GetArraySize(unknown) : (int)json_int(r->result, "unknown", 0);
        ui_say(view->ui, missing ? ROLE_WARN : ROLE_GOOD, "%lld %s, %d not known.", (long long)json_int(r->result, "changed", 0),
               r->tag == CALL_ENROL ? "enrolled" : "taken out", missing);
        load_from(a, NULL);
    } else {
        ui_say(view->ui, ROLE_GOOD, "Done.");
        load_from(a, NULL);
    }
}

static void preview(struct admin *a, const char *path)
{
    struct err err = {0};
    char line[160], question[220];
    free(a->csv);
    a->csv = people_read(path, &err);
    if (!a->csv) {
        ui_error(a->view.ui, &err);
        return;
    }
    bool all = a->rows[PEOPLE].items && !a->rows[PEOPLE].cursor && !*a->query && !*a->role;
    people_preview(a->csv, &a->rows[PEOPLE], all, line, sizeof line);
    snprintf(question, sizeof question, "%s. Enter adds the new, Esc stops.", line);
    ui_ask_text(&a->view, ASK_IMPORT, question, "");
}

static void enrol(struct admin *a, bool in, const char *text)
{
    struct buf params = {0};
    AUTO(mem_freep) char *copy = mem_dup(text);
    char *save = NULL;
    buf_json_open(&params, '{');
    buf_json_member(&params, "course_id", a->target);
    buf_json_key(&params, "institution_ids");
    buf_json_open(&params, '[');
    for (char *word = strtok_r(copy, " ,", &save); word; word = strtok_r(NULL, " ,", &save))
        buf_json_string(&params, word);
    buf_json_close(&params, ']');
    buf_json_close(&params, '}');
    ui_call(&a->view, in ? CALL_ENROL : CALL_UNENROL, in ? "courses.enrol" : "courses.unenrol", buf_take(&params), "Saving");
}

static void answer(struct view *view, int tag, const char *text)
{
    struct admin *a = of(view);
    if (!text)
        return;
    switch (tag) {
        case ASK_FIND: snprintf(a->query, sizeof a->query, "%s", text); load_from(a, NULL); break;
        case ASK_NUMBER: snprintf(a->number, sizeof a->number, "%s", text); ui_ask_text(view, ASK_NAME, "Name:", ""); break;
        case ASK_NAME: snprintf(a->name, sizeof a->name, "%s", text); ask_role(a, ASK_ROLE, "Role"); break;
        case ASK_ROLE:
            ui_callf(view, CALL_CREATE, "users.create", "Adding", "institution_id:s name:s role:s", a->number, a->name, text);
            break;
        case ASK_CODE: snprintf(a->code, sizeof a->code, "%s", text); ui_ask_text(view, ASK_TITLE, "Title:", ""); break;
        case ASK_TITLE: ui_callf(view, CALL_CREATE, "courses.create", "Adding", "code:s title:s", a->code, text); break;
        case ASK_FILE: preview(a, text); break;
        case ASK_IMPORT: ui_callf(view, CALL_IMPORT, "users.import", "Adding", "csv:s partial:b", a->csv, 1); break;
        case ASK_PASSWORD: ui_callf(view, CALL_PASSWORD, "users.reset_password", "Making a password", "user_id:s", a->target); break;
        case ASK_NEW_ROLE: ui_callf(view, CALL_CHANGE, "users.update", "Saving", "user_id:s role:s", a->target, text); break;
        case ASK_SWITCH:
            ui_callf(view, CALL_CHANGE, "users.update", "Saving", "user_id:s disabled:b", a->target,
                     (int)!json_bool(rows_named(&a->rows[PEOPLE], a->target), "disabled", false));
            break;
        case ASK_DELETE:
            if (a->section == PEOPLE)
                ui_callf(view, CALL_DELETE, "users.delete", "Deleting", "user_id:s", a->target);
            else
                ui_callf(view, CALL_DELETE, "courses.delete", "Deleting", "course_id:s", a->target);
            break;
        case ASK_RENAME: ui_callf(view, CALL_CHANGE, "courses.update", "Saving", "course_id:s title:s", a->target, text); break;
        case ASK_ENROL: case ASK_UNENROL: enrol(a, tag == ASK_ENROL, text); break;
        default: break;
    }
}

static bool detail(const struct admin *a, int rows)
{
    return a->section == PEOPLE && rows >= 16 && selected(a);
}

static void layout(struct view *view, int rows, int cols)
{
    struct admin *a = of(view);
    a->shown = rows - 2 - (a->section == PEOPLE ? 1 : 0) - (detail(a, rows) ? DETAIL_ROWS : 0);
    if (a->section == STUDENTS)
        students(a)->class->layout(students(a), rows - 1, cols);
    else
        list_fit(&a->rows[a->section].list, a->shown, NULL, NULL);
}

static void draw_sections(const struct admin *a, struct canvas c)
{
    int x = 1;
    if (c.cols < 60 && ui_admin(a->view.ui)) {
        canvas_format(c, 0, 1, ROLE_TAB_OPEN, "[%s] %d/%d", sections[a->section].title, (int)a->section + 1, SECTIONS);
        return;
    }
    if (!ui_admin(a->view.ui)) {
        x += canvas_text(c, 0, x, ROLE_TAB, " Students ");
        canvas_text(c, 0, x, ROLE_TAB_OPEN, "[Courses]");
        return;
    }
    for (int i = 0; i < SECTIONS; i++) {
        bool open = i == (int)a->section;
        if (ui_can(a->view.ui, sections[i].method))
            x += canvas_format(c, 0, x, open ? ROLE_TAB_OPEN : ROLE_TAB, open ? "[%s]" : " %s ", sections[i].title);
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
                canvas_format(c, y, 44, ROLE_DIM, "%4lld people %4lld documents", (long long)json_int(row, "members", 0),
                              (long long)json_int(row, "documents", 0));
                canvas_cut(c, y, 72, c.cols - 73, ROLE_DIM, cJSON_IsObject(teacher) ? json_text(teacher, "name", "") : json_text(row, "teacher", ""));
            }
            return canvas_cut(c, y, 14, narrow ? c.cols - 15 : 29, ROLE_TEXT, json_text(row, "title", ""));
        case JOBS:
            words_when(words_time(json_text(row, "queued_at", NULL)), now, WORDS_WHEN_CLOCK, when);
            if (!narrow)
                canvas_text(c, y, 56, ROLE_DIM, when);
            canvas_cut(c, y, narrow ? c.cols - 11 : 44, 10, *json_text(row, "failed_at", "") ? ROLE_BAD : ROLE_TEXT, json_text(row, "state", ""));
            return canvas_cut(c, y, 2, narrow ? c.cols - 14 : 40, ROLE_TEXT, json_text(row, "title", ""));
        case AUDIT: {
            words_when(words_time(json_text(row, "at", NULL)), now, WORDS_WHEN_CLOCK, when);
            int cells = canvas_cut(c, y, 2, 18, ROLE_TEXT, when);
            canvas_cut(c, y, 21, 18, ROLE_TEXT, json_text(row, "actor", ""));
            canvas_cut(c, y, 40, 22, ROLE_TEXT, json_text(row, "action", ""));
            canvas_cut(c, y, 63, c.cols - 64, ROLE_DIM, json_text(row, "target", json_text(row, "detail", "")));
            return cells;
        }
        case NUMBERS: case STUDENTS: case SECTIONS: break;
    }
    return 0;
}

static void draw_detail(const struct admin *a, struct canvas c)
{
    const cJSON *row = selected(a);
    char first[96], line[480];
    const char *name = json_text(row, "name", "");
    snprintf(first, sizeof first, "%.*s", (int)strcspn(name, " "), name);
    heading_draw(c, 0, name, NULL, 0);
    canvas_text(c, 0, c.cols - 1, ROLE_RULE, " ");
    canvas_format(c, 1, 2, ROLE_TEXT, "School number %s   %s%s", json_text(row, "institution_id", ""), json_text(row, "role", ""),
                  json_bool(row, "disabled", false) ? "   switched off" : "");
    snprintf(line, sizeof line, "Role, password and access can be changed here. What %s asks, reads or says is not shown. "
             "For a reflection go to Students: %s sees that you looked.", first, first);
    heading_text(c, 2, 2, c.cols - 3, 3, ROLE_TEXT, line);
}

static void draw_numbers(const struct admin *a, struct canvas c)
{
    AUTO(buf_free) struct buf text = {0};
    AUTO(wrap_free) struct wrap lines = {0};
    heading_draw(c, 0, "Numbers", "now", 4);
    if (!a->stats)
        return;
    people_lines(a->stats, "", 0, &text);
    wrap_text(&lines, text.data, text.length, c.cols - 3);
    size_t room = c.rows > 1 ? (size_t)c.rows - 1 : 1, most = lines.count > room ? lines.count - room : 0;
    size_t top = a->stats_top < most ? a->stats_top : most;
    for (size_t i = 0; i < room && top + i < lines.count; i++)
        canvas_put(c, 1 + (int)i, 2, c.cols - 3, ROLE_TEXT, text.data + lines.lines[top + i].from,
                   lines.lines[top + i].to - lines.lines[top + i].from);
    if (ui_focus(&a->view))
        canvas_cursor(c, 1, 2, false);
}

static void draw(const struct view *view, struct canvas c)
{
    const struct admin *a = const_of(view);
    draw_sections(a, c);
    struct canvas body = canvas_part(c, 1, 0, c.rows - 1, c.cols);
    if (a->section == STUDENTS) {
        students(a)->class->draw(students(a), body);
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
    heading_draw(body, y++, sections[a->section].title, facts, 4);
    if (rows->items && !rows->list.count)
        canvas_text(body, y, 2, ROLE_TEXT, *a->query ? "Nobody found. Press / to look for somebody else." : "Nothing here yet. Press a to add.");
    for (int i = 0; i < a->shown && rows->list.top + (size_t)i < rows->list.count; i++) {
        size_t at = rows->list.top + (size_t)i;
        int cells = draw_row(a, body, y + i, rows->at[at]);
        if (at == rows->list.selected)
            list_mark(body, y + i, a->section == PEOPLE || a->section == COURSES ? 14 : 2, cells, ui_focus(view));
    }
    if (detail(a, c.rows))
        draw_detail(a, canvas_part(c, c.rows - DETAIL_ROWS, 0, DETAIL_ROWS, c.cols));
}

static void keys(const struct view *view, struct keyrow *row)
{
    const struct admin *a = const_of(view);
    bool any = selected(a) != NULL;
    if (a->section == STUDENTS) {
        students(a)->class->keys(students(a), row);
        return;
    }
    if (a->section == PEOPLE || a->section == COURSES)
        view_key(row, ACT_ADD, NULL);
    if (a->section == PEOPLE)
        view_key(row, ACT_IMPORT, NULL);
    if (any && a->section == PEOPLE) {
        view_key(row, ACT_AGAIN, NULL);
        view_key(row, ACT_RENAME, NULL);
        view_key(row, ACT_SWITCH, json_bool(selected(a), "disabled", false) ? "switch on" : NULL);
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
    row->entries[row->count - 1].keys = "Alt-Left Alt-Right";
}

static void status(const struct view *view, struct status *s)
{
    const struct admin *a = const_of(view);
    if (a->section == STUDENTS)
        students(a)->class->status(students(a), s);
    else if (a->section != NUMBERS && a->section != PEOPLE)
        rows_position(&a->rows[a->section], 0, s->right, sizeof s->right);
}

const struct view_class admin_class = {
    .pane = PANE_ADMIN, .title = "Admin", .letter = 'a', .access = VIEW_ADMIN, .needs = "users.list", .size = sizeof(struct admin),
    .show = show, .stop = stop, .act = act, .reply = reply, .answer = answer, .layout = layout, .draw = draw, .keys = keys,
    .status = status,
};
