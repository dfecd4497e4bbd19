/* admin.c - people, courses, jobs, numbers, what was done, and the students. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/views/admin.h"
#include "tui/views/people.h"

enum {
    CALL_LIST = 10,
    CALL_MORE = 20,
    CALL_CREATE = 30,
    CALL_IMPORT,
    CALL_PASSWORD,
    CALL_CHANGE,
    CALL_DELETE,
    CALL_WHY,
    CALL_MEMBERS,
    CALL_ENROL,
    CALL_UNENROL
};
enum {
    ASK_FIND = 1,
    ASK_NUMBER,
    ASK_NAME,
    ASK_ROLE,
    ASK_CODE,
    ASK_TITLE,
    ASK_FILE,
    ASK_IMPORT,
    ASK_PASSWORD,
    ASK_NEW_ROLE,
    ASK_SWITCH,
    ASK_DELETE,
    ASK_RENAME,
    ASK_ENROL,
    ASK_UNENROL
};

const struct admin_section admin_sections[SECTIONS] = {
    {"People", "users.list", "user_id"}, {"Courses", "courses.list", "course_id"}, {"Jobs", "library.jobs", "job_id"},
    {"Numbers", "admin.stats", ""},      {"Audit", "admin.audit", "at"},           {"Students", "admin.students", ""},
};

static struct admin *of(struct view *view)
{
    return (struct admin *)view;
}

struct view *admin_students(const struct admin *a)
{
    return ui_view(a->view.ui, PANE_STUDENTS);
}

const cJSON *admin_selected(const struct admin *a)
{
    return rows_selected(&a->rows[a->section]);
}

static void load_from(struct admin *a, const char *cursor)
{
    struct view *view = &a->view;
    int tag = (cursor ? CALL_MORE : CALL_LIST) + (int)a->section;
    const char *method = admin_sections[a->section].method;
    if (a->section == STUDENTS)
        admin_students(a)->class->show(admin_students(a));
    else if (a->section == NUMBERS)
        ui_callf(view, tag, method, "Counting", "");
    else if (a->section == PEOPLE)
        ui_callf(view, tag, method, "Loading the people", "query:s role:s limit:i cursor:s",
                 *a->query ? a->query : NULL, *a->role ? a->role : NULL, (int64_t)100, cursor);
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

static void open_section(struct admin *a, int step)
{
    int to = (int)a->section;
    do
        to = (to + step + SECTIONS) % SECTIONS;
    while (!ui_can(a->view.ui, admin_sections[to].method));
    a->section = (enum section)to;
    load_from(a, NULL);
}

/* Remembers whom the question is about. */
static bool target(struct admin *a, const char *name)
{
    const cJSON *row = admin_selected(a);
    if (!row)
        return false;
    snprintf(a->target, sizeof a->target, "%s",
             json_text(row, a->section == JOBS ? "pdf_id" : admin_sections[a->section].id, ""));
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
            ui_ask_yes(view, ASK_SWITCH,
                       json_bool(admin_selected(a), "disabled", false) ? "Switch %s on again?"
                                                                       : "Switch %s off? They are logged out at once.",
                       a->target_name);
        return true;
    case ACT_DELETE:
        if (target(a, "name"))
            ui_ask_word(view, ASK_DELETE, "delete",
                        "This deletes %.60s and all that is kept. Type delete and press Enter, or Esc.",
                        a->target_name);
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
    case ACT_ENROL:
    case ACT_UNENROL:
        if (target(a, "title"))
            ui_ask_text(view, action == ACT_ENROL ? ASK_ENROL : ASK_UNENROL,
                        action == ACT_ENROL ? "School numbers, with blanks between:"
                                            : "Take out (school numbers, with blanks between):",
                        "");
        return true;
    case ACT_DELETE:
        if (target(a, "title"))
            ui_ask_yes(view, ASK_DELETE, "Delete the course %.80s? Its documents go to the open library.",
                       a->target_name);
        return true;
    case ACT_ENTER:
        if (target(a, "title"))
            ui_callf(view, CALL_MEMBERS, "courses.members", "Loading the members", "course_id:s limit:i", a->target,
                     (int64_t)200);
        return true;
    default: return false;
    }
}

static bool act_jobs(struct admin *a, enum action action)
{
    switch ((int)action) {
    case ACT_AGAIN:
        if (target(a, "title") && *json_text(admin_selected(a), "failed_at", ""))
            ui_callf(&a->view, CALL_CHANGE, "library.retry", "Trying again", "pdf_id:s", a->target);
        return true;
    case ACT_WHY:
    case ACT_ENTER:
        if (admin_selected(a))
            ui_callf(&a->view, CALL_WHY, "library.job", "Asking", "job_id:s",
                     json_text(admin_selected(a), "job_id", ""));
        return true;
    default: return false;
    }
}

static void open_row(struct admin *a)
{
    AUTO(buf_free) struct buf text = {0};
    if (!admin_selected(a))
        return;
    people_lines(admin_selected(a), "", 0, a->view.ui->wall, &text);
    ui_text(a->view.ui, json_text(admin_selected(a), "name", admin_sections[a->section].title),
            text.data ? text.data : "");
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
        return admin_students(a)->class->act(admin_students(a), action, key);
    bool done = a->section == PEOPLE    ? act_people(a, action)
                : a->section == COURSES ? act_courses(a, action)
                : a->section == JOBS    ? act_jobs(a, action)
                : a->section == NUMBERS ? scroll_numbers(a, action)
                                        : false;
    if (done)
        return true;
    struct rows *rows = &a->rows[a->section];
    switch ((int)action) {
    case ACT_RELOAD: load_from(a, NULL); return true;
    case ACT_ENTER: open_row(a); return true;
    case ACT_NEXT:
    case ACT_PREVIOUS: rows_find(rows, view->ui, action == ACT_NEXT ? 1 : -1, members); return true;
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
    cJSON_ArrayForEach (entry, json_get(result, "errors"))
        buf_printf(&text, "line %lld: %s\n", (long long)json_int(entry, "line", 0), json_text(entry, "message", ""));
    int created = cJSON_GetArraySize(json_get(result, "created"));
    if (created)
        buf_printf(&text, "%d new. These passwords are shown once; y copies them, e saves them.\n\n", created);
    else
        buf_text(&text, "Nobody was added.\n");
    if (json_int(result, "skipped", 0))
        buf_printf(&text, "%lld had an account already.\n\n", (long long)json_int(result, "skipped", 0));
    cJSON_ArrayForEach (entry, json_get(result, "created"))
        buf_printf(&text, "%-16s %s\n", json_text(entry, "institution_id", ""), json_text(entry, "password", ""));
    ui_text(a->view.ui, "Imported", text.data);
    load_from(a, NULL);
}

static void notification(struct view *view, const char *method, const cJSON *params)
{
    if (!strcmp(method, "users.progress"))
        ui_say(view->ui, ROLE_DIM, "Adding people: %lld of %lld.", (long long)json_int(params, "done", 0),
               (long long)json_int(params, "total", 0));
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
        rows_take(&a->rows[section], r->result, admin_sections[section].id);
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
            people_lines(r->result, "", 0, a->view.ui->wall, &text);
        cJSON_ArrayForEach (person, json_get(r->result, "items"))
            buf_printf(&text, "%-12s %-9s %s\n", json_text(person, "institution_id", ""), json_text(person, "role", ""),
                       json_text(person, "name", ""));
        ui_text(view->ui, r->tag == CALL_WHY ? json_text(r->result, "title", "Job") : a->target_name,
                text.data ? text.data : "Nobody yet. E enrols people.");
    } else if (r->tag == CALL_ENROL || r->tag == CALL_UNENROL) {
        const cJSON *unknown = json_get(r->result, "unknown");
        int missing = cJSON_IsArray(unknown) ? cJSON_GetArraySize(unknown) : (int)json_int(r->result, "unknown", 0);
        ui_say(view->ui, missing ? ROLE_WARN : ROLE_GOOD, "%lld %s, %d not known.",
               (long long)json_int(r->result, "changed", 0), r->tag == CALL_ENROL ? "enrolled" : "taken out", missing);
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
    snprintf(question, sizeof question, "%s. Enter adds, Esc stops.", line);
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
    ui_call(&a->view, in ? CALL_ENROL : CALL_UNENROL, in ? "courses.enrol" : "courses.unenrol", buf_take(&params),
            "Saving");
}

static void answer(struct view *view, int tag, const char *text)
{
    struct admin *a = of(view);
    if (!text)
        return;
    switch (tag) {
    case ASK_FIND:
        snprintf(a->query, sizeof a->query, "%s", text);
        load_from(a, NULL);
        break;
    case ASK_NUMBER:
        snprintf(a->number, sizeof a->number, "%s", text);
        ui_ask_text(view, ASK_NAME, "Name:", "");
        break;
    case ASK_NAME:
        snprintf(a->name, sizeof a->name, "%s", text);
        ask_role(a, ASK_ROLE, "Role");
        break;
    case ASK_ROLE:
        ui_callf(view, CALL_CREATE, "users.create", "Adding", "institution_id:s name:s role:s", a->number, a->name,
                 text);
        break;
    case ASK_CODE:
        snprintf(a->code, sizeof a->code, "%s", text);
        ui_ask_text(view, ASK_TITLE, "Title:", "");
        break;
    case ASK_TITLE: ui_callf(view, CALL_CREATE, "courses.create", "Adding", "code:s title:s", a->code, text); break;
    case ASK_FILE: preview(a, text); break;
    case ASK_IMPORT: ui_callf(view, CALL_IMPORT, "users.import", "Adding", "csv:s partial:b", a->csv, 1); break;
    case ASK_PASSWORD:
        ui_callf(view, CALL_PASSWORD, "users.reset_password", "Making a password", "user_id:s", a->target);
        break;
    case ASK_NEW_ROLE:
        ui_callf(view, CALL_CHANGE, "users.update", "Saving", "user_id:s role:s", a->target, text);
        break;
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
    case ASK_RENAME:
        ui_callf(view, CALL_CHANGE, "courses.update", "Saving", "course_id:s title:s", a->target, text);
        break;
    case ASK_ENROL:
    case ASK_UNENROL: enrol(a, tag == ASK_ENROL, text); break;
    default: break;
    }
}

const struct view_class admin_class = {
    .pane = PANE_ADMIN,
    .title = "Admin",
    .letter = 'a',
    .access = VIEW_ADMIN,
    .needs = "users.list",
    .size = sizeof(struct admin),
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .notification = notification,
    .answer = answer,
    .layout = admin_draw_layout,
    .draw = admin_draw_pane,
    .keys = admin_draw_keys,
    .status = admin_draw_status,
};
