/* library.c - the documents, and, for teachers, what is being added. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/views/library.h"
#include "tui/format.h"

enum { CALL_LIST = 1, CALL_JOBS, CALL_COURSES, CALL_RETRY, CALL_WHY, CALL_UPDATE, CALL_DELETE };
enum { ASK_FILE = 1, ASK_INTO, ASK_RENAME, ASK_MOVE, ASK_DELETE, ASK_STOP };

static struct library *of(struct view *view)
{
    return (struct library *)view;
}

static const struct library *const_of(const struct view *view)
{
    return (const struct library *)view;
}

static size_t uploads(const struct library *l)
{
    return l->upload.state != UPLOAD_NONE;
}

size_t library_adding(const struct library *l)
{
    return uploads(l) + l->jobs.list.count;
}

bool library_is_upload(const struct library *l, size_t index)
{
    return index < uploads(l);
}

/* The job or document at the index; NULL for the upload. */
const cJSON *library_row(const struct library *l, size_t index)
{
    if (library_is_upload(l, index))
        return NULL;
    index -= uploads(l);
    if (index < l->jobs.list.count)
        return l->jobs.at[index];
    index -= l->jobs.list.count;
    return index < l->documents.list.count ? l->documents.at[index] : NULL;
}

static const char *row_id(const void *rows, size_t index)
{
    const cJSON *entry = library_row(rows, index);
    return entry ? json_text(entry, "job_id", json_text(entry, "pdf_id", "")) : "upload";
}

static void recount(struct library *l)
{
    list_reload(&l->list, library_adding(l) + l->documents.list.count, row_id, l);
}

static void load(struct view *view)
{
    ui_callf(view, CALL_LIST, "library.list", "Loading the library", "limit:i", (int64_t)50);
    if (ui_teacher(view->ui) && ui_can(view->ui, "library.jobs"))
        ui_callf(view, CALL_JOBS, "library.jobs", NULL, "limit:i", (int64_t)50);
    ui_callf(view, CALL_COURSES, "courses.list", NULL, "limit:i", (int64_t)200);
}

static void show(struct view *view)
{
    if (!of(view)->documents.items && !ui_running(view->ui, view, CALL_LIST))
        load(view);
}

static void start(struct view *view)
{
    of(view)->upload.file = -1;
}

static void stop(struct view *view)
{
    struct library *l = of(view);
    rows_clear(&l->jobs);
    rows_clear(&l->documents);
    rows_clear(&l->courses);
    upload_close(&l->upload);
    for (int i = 0; i < l->queued; i++)
        free(l->queue[i]);
}

static void online(struct view *view)
{
    upload_online(&of(view)->upload);
    if (of(view)->documents.items)
        load(view);
}

/* What is finished leaves the list of what is being added; the failed stay until they are tried again. */
static void drop_finished(struct library *l)
{
    for (size_t i = 0; i < l->jobs.list.count;) {
        if (strcmp(json_text(l->jobs.at[i], "state", ""), "indexed") == 0)
            rows_forget(&l->jobs, json_text(l->jobs.at[i], "job_id", ""));
        else
            i++;
    }
}

static void send_file(struct library *l, const char *path, const char *course_id)
{
    struct err err = {0};
    struct ui *ui = l->view.ui;
    if (l->upload.state != UPLOAD_NONE && l->upload.state != UPLOAD_FAILED) {
        if (l->queued < LIBRARY_QUEUE)
            l->queue[l->queued++] = mem_printf("%s\n%s", course_id, path);
        ui_say(ui, ROLE_TEXT, "It is sent after the one before it.");
        return;
    }
    if (!upload_open(&l->upload, path, course_id, ui->upload_most, &err))
        ui_error(ui, &err);
    recount(l);
    list_select(&l->list, 0, row_id, l);
}

static void send_queued(struct library *l)
{
    if (!l->queued || l->upload.state != UPLOAD_NONE)
        return;
    AUTO(mem_freep) char *next = l->queue[0];
    memmove(l->queue, l->queue + 1, (size_t)--l->queued * sizeof *l->queue);
    char *path = strchr(next, '\n');
    *path++ = 0;
    send_file(l, path, next);
}

static void ask_course(struct library *l, int tag, const char *title)
{
    struct ui *ui = l->view.ui;
    if (!l->courses.items) {
        l->after_courses = tag;
        return;
    }
    ui_ask_option(ui, "The open library: everybody may read it", "");
    for (size_t i = 0; i < l->courses.list.count; i++)
        ui_ask_option(ui, json_text(l->courses.at[i], "title", ""), json_text(l->courses.at[i], "course_id", ""));
    ui_ask_choice(&l->view, tag, title);
}

static void add_file(struct library *l, const char *path)
{
    if (!*path)
        return;
    snprintf(l->path, sizeof l->path, "%s", path);
    ask_course(l, ASK_INTO, "Add it to");
}

static void try_again(struct library *l)
{
    const cJSON *entry = library_row(l, l->list.selected);
    if (library_is_upload(l, l->list.selected) && l->upload.state == UPLOAD_FAILED)
        ui_ask_file(&l->view, ASK_FILE, "PDF to add:", "");
    else if (*json_text(entry, "failed_at", ""))
        ui_callf(&l->view, CALL_RETRY, "library.retry", "Trying again", "pdf_id:s", json_text(entry, "pdf_id", ""));
}

static void why(struct library *l)
{
    const cJSON *entry = library_row(l, l->list.selected);
    const char *job = json_text(entry, "job_id", "");
    if (library_is_upload(l, l->list.selected))
        ui_text(l->view.ui, l->upload.name, *l->upload.why ? l->upload.why : "It is being sent.");
    else if (*job)
        ui_callf(&l->view, CALL_WHY, "library.job", "Asking", "job_id:s", job);
    else if (*json_text(entry, "error_message", ""))
        ui_text(l->view.ui, json_text(entry, "title", ""), json_text(entry, "error_message", ""));
}

static void change(struct library *l, enum action action)
{
    const cJSON *entry = library_row(l, l->list.selected);
    if (library_is_upload(l, l->list.selected) && action == ACT_DELETE) {
        ui_ask_yes(&l->view, ASK_STOP, "Stop sending %.80s?", l->upload.name);
        return;
    }
    if (!entry || !ui_teacher(l->view.ui))
        return;
    snprintf(l->pdf_id, sizeof l->pdf_id, "%s", json_text(entry, "pdf_id", ""));
    if (action == ACT_RENAME)
        ui_ask_text(&l->view, ASK_RENAME, "New title:", json_text(entry, "title", ""));
    else if (action == ACT_COURSE)
        ask_course(l, ASK_MOVE, "Move it to");
    else
        ui_ask_yes(&l->view, ASK_DELETE, "Delete “%.80s” for everybody? It cannot be brought back.",
                   json_text(entry, "title", ""));
}

static void open_document(struct library *l)
{
    const cJSON *entry = library_row(l, l->list.selected);
    if (!entry)
        return;
    if (l->list.selected < library_adding(l))
        why(l);
    else
        reader_open(l->view.ui, json_text(entry, "pdf_id", ""), 1, NULL, 0, "the Library");
}

static bool find(struct library *l, int step)
{
    size_t count = l->list.count;
    for (size_t i = 1; i <= count; i++) {
        size_t at = (l->list.selected + (step > 0 ? i : count - i % count)) % count;
        const char *title = library_is_upload(l, at) ? l->upload.name : json_text(library_row(l, at), "title", "");
        if (ui_found(l->view.ui, title)) {
            list_select(&l->list, at, row_id, l);
            return true;
        }
    }
    return false;
}

static bool move(struct library *l, enum action action)
{
    long page = l->rows > 3 ? l->rows - 3 : 1;
    switch ((int)action) {
    case ACT_UP: list_move(&l->list, -1, row_id, l); break;
    case ACT_DOWN: list_move(&l->list, 1, row_id, l); break;
    case ACT_PAGE_UP: list_move(&l->list, -page, row_id, l); break;
    case ACT_PAGE_DOWN: list_move(&l->list, page, row_id, l); break;
    case ACT_FIRST: list_select(&l->list, 0, row_id, l); break;
    case ACT_LAST: list_select(&l->list, l->list.count, row_id, l); break;
    case ACT_NEXT_PART:
    case ACT_LAST_PART:
        list_select(&l->list, l->list.selected < library_adding(l) ? library_adding(l) : 0, row_id, l);
        break;
    default: return false;
    }
    l->documents.list.selected = l->list.selected > library_adding(l) ? l->list.selected - library_adding(l) : 0;
    const char *cursor = rows_more(&l->documents);
    if (cursor)
        ui_callf(&l->view, CALL_LIST, "library.list", NULL, "limit:i cursor:s", (int64_t)50, cursor);
    return true;
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct library *l = of(view);
    bool teacher = ui_teacher(view->ui);
    (void)key;
    switch ((int)action) {
    case ACT_ADD:
        if (teacher && view->ui->argument)
            add_file(l, view->ui->argument);
        else if (teacher)
            ui_ask_file(view, ASK_FILE, "PDF to add:", "~/");
        return true;
    case ACT_AGAIN: try_again(l); return true;
    case ACT_WHY: why(l); return true;
    case ACT_RENAME:
    case ACT_COURSE:
    case ACT_DELETE: change(l, action); return true;
    case ACT_ENTER: open_document(l); return true;
    case ACT_RELOAD: load(view); return true;
    case ACT_NEXT:
    case ACT_PREVIOUS:
        if (!find(l, action == ACT_NEXT ? 1 : -1) && *view->ui->find)
            ui_say(view->ui, ROLE_WARN, "“%s” is not in what is shown.", view->ui->find);
        return true;
    case ACT_COPY: ui_copy(view->ui, json_text(library_row(l, l->list.selected), "title", "")); return true;
    default: return move(l, action);
    }
}

static void answer(struct view *view, int tag, const char *text)
{
    struct library *l = of(view);
    if (!text)
        return;
    switch (tag) {
    case ASK_FILE: add_file(l, text); break;
    case ASK_INTO: send_file(l, l->path, text); break;
    case ASK_RENAME:
        ui_callf(view, CALL_UPDATE, "library.update", "Renaming", "pdf_id:s title:s", l->pdf_id, text);
        break;
    case ASK_MOVE: {
        struct buf params = {0};
        buf_json_open(&params, '{');
        buf_json_member(&params, "pdf_id", l->pdf_id);
        buf_json_member(&params, "course_id", *text ? text : NULL);
        buf_json_close(&params, '}');
        ui_call(view, CALL_UPDATE, "library.update", buf_take(&params), "Moving");
        break;
    }
    case ASK_DELETE: ui_callf(view, CALL_DELETE, "library.delete", "Deleting", "pdf_id:s", l->pdf_id); break;
    case ASK_STOP:
        upload_stop(&l->upload, view);
        recount(l);
        break;
    default: break;
    }
}

static void record(struct library *l, const cJSON *job)
{
    static const char *const members[][2] = {
        {"state", "State"},
        {"attempt", "Attempt"},
        {"pages_done", "Pages read"},
        {"pages_total", "Pages"},
        {"pages_without_text", "Pages without text"},
        {"chunks_done", "Passages learned"},
        {"chunks_total", "Passages"},
        {"queued_at", "Accepted"},
        {"started_at", "Begun"},
        {"indexed_at", "Ready"},
        {"failed_at", "Failed"},
        {"error_message", "Why"},
    };
    AUTO(buf_free) struct buf text = {0};
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        const cJSON *value = json_get(job, members[i][0]);
        char when[32];
        if (cJSON_IsNumber(value))
            buf_printf(&text, "%-20s %.0f\n", members[i][1], value->valuedouble);
        else if (cJSON_IsString(value) && strstr(members[i][0], "_at"))
            format_when(format_time(value->valuestring), l->view.ui->wall, FORMAT_WHEN_CLOCK, when),
                buf_printf(&text, "%-20s %s\n", members[i][1], when);
        else if (cJSON_IsString(value))
            buf_printf(&text, "%-20s %s\n", members[i][1], value->valuestring);
    }
    ui_text(l->view.ui, json_text(job, "title", "Job"), text.data ? text.data : "");
}

static void reply(struct view *view, const struct reply *r)
{
    struct library *l = of(view);
    if (r->tag >= UPLOAD_CALL_BEGIN) {
        char name[sizeof l->upload.name];
        memcpy(name, l->upload.name, sizeof name);
        if (upload_reply(&l->upload, view, r)) {
            ui_say(view->ui, ROLE_GOOD, "%s has arrived and is being read.", name);
            ui_callf(view, CALL_JOBS, "library.jobs", NULL, "limit:i", (int64_t)50);
            send_queued(l);
        }
        recount(l);
        return;
    }
    if (r->err) {
        if (r->tag != CALL_COURSES)
            ui_error(view->ui, r->err);
        l->documents.loading_more = false;
        return;
    }
    switch (r->tag) {
    case CALL_LIST: rows_take(&l->documents, r->result, "pdf_id"); break;
    case CALL_JOBS:
        rows_take(&l->jobs, r->result, "job_id");
        drop_finished(l);
        break;
    case CALL_COURSES:
        rows_take(&l->courses, r->result, "course_id");
        if (l->after_courses)
            ask_course(l, l->after_courses, l->after_courses == ASK_MOVE ? "Move it to" : "Add it to");
        l->after_courses = 0;
        break;
    case CALL_WHY: record(l, r->result); break;
    case CALL_DELETE:
        ui_say(view->ui, ROLE_GOOD, "Deleted.");
        load(view);
        break;
    default: load(view); break;
    }
    recount(l);
}

/* A small window has no room for how many pages. */
static void say_ready(struct ui *ui, const char *title, long pages, long empty)
{
    if (ui->size <= UI_SMALL)
        ui_say(ui, ROLE_GOOD, "%s is ready.", title);
    else if (empty > 0)
        ui_say(ui, ROLE_GOOD, "%s is ready: %ld of %ld pages can be searched now.", title, pages - empty, pages);
    else
        ui_say(ui, ROLE_GOOD, "%s is ready: %ld page%s can be searched now.", title, pages, pages == 1 ? "" : "s");
}

static void notification(struct view *view, const char *method, const cJSON *params)
{
    struct library *l = of(view);
    if (strcmp(method, "library.progress") != 0 || !ui_teacher(view->ui))
        return;
    const char *state = json_text(params, "state", ""), *title = json_text(params, "title", "");
    rows_put(&l->jobs, params, "job_id");
    if (strcmp(state, "indexed") == 0) {
        drop_finished(l);
        say_ready(view->ui, title, (long)json_int(params, "pages_total", 0),
                  (long)json_int(params, "pages_without_text", 0));
        ui_callf(view, CALL_LIST, "library.list", NULL, "limit:i", (int64_t)50);
    } else if (strcmp(state, "failed") == 0 && !ui_front(view)) {
        ui_say(view->ui, ROLE_BAD, "%s could not be read. The Library says why.", title);
    }
    recount(l);
}

static int tick(struct view *view)
{
    struct library *l = of(view);
    enum upload_state before = l->upload.state;
    int next = upload_step(&l->upload, view);
    if (l->upload.state != before)
        recount(l);
    return next;
}

static void status(const struct view *view, struct status *s)
{
    const struct library *l = const_of(view);
    if (l->list.count)
        snprintf(s->right, sizeof s->right, "%zu of %zu%s", l->list.selected + 1, l->list.count,
                 l->documents.cursor ? "+" : "");
}

static bool unsent(const struct view *view)
{
    const struct library *l = const_of(view);
    return l->upload.state != UPLOAD_NONE && l->upload.state != UPLOAD_FAILED;
}

const struct view_class library_class = {
    .pane = PANE_LIBRARY,
    .title = "Library",
    .letter = 'l',
    .needs = "library.list",
    .size = sizeof(struct library),
    .start = start,
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .notification = notification,
    .answer = answer,
    .online = online,
    .tick = tick,
    .layout = library_draw_layout,
    .draw = library_draw_pane,
    .keys = library_draw_keys,
    .status = status,
    .unsent = unsent,
};
