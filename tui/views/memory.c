/* memory.c - what EduRag remembers about you, and who looked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "tui/views/rows.h"
#include "tui/widgets/heading.h"
#include "tui/format.h"

enum { CALL_STATUS = 1, CALL_LIST, CALL_LOOKED, CALL_RETAIN, CALL_RECALL, CALL_FORGET, CALL_FORGET_ALL, CALL_EXPORT };
enum { ASK_ADD = 1, ASK_RECALL, ASK_FORGET, ASK_ALL, ASK_FILE };
enum { LOOKED_ROWS = 7 };

struct memory {
    struct view view;
    struct rows facts, looked, recalled;
    char *query; /* recalled for; NULL: all facts are shown */
    cJSON *status;
    bool in_looked;
    int rows;
    char *path; /* where the copy goes */
    char forgetting[48];
};

static struct memory *of(struct view *view)
{
    return (struct memory *)view;
}

static const struct memory *const_of(const struct view *view)
{
    return (const struct memory *)view;
}

static void load(struct view *view)
{
    ui_callf(view, CALL_STATUS, "memory.status", NULL, "");
    ui_callf(view, CALL_LIST, "memory.list", "Reading your memory", "limit:i", (int64_t)200);
    if (ui_can(view->ui, "memory.access_log"))
        ui_callf(view, CALL_LOOKED, "memory.access_log", NULL, "limit:i", (int64_t)50);
}

static void show(struct view *view)
{
    if (!ui_running(view->ui, view, CALL_LIST))
        load(view);
}

static void stop(struct view *view)
{
    struct memory *m = of(view);
    rows_clear(&m->facts);
    rows_clear(&m->looked);
    rows_clear(&m->recalled);
    cJSON_Delete(m->status);
    free(m->query);
    free(m->path);
}

static bool off(const struct memory *m)
{
    return m->status ? !json_bool(m->status, "enabled", true) : strcmp(m->view.ui->memory, "off") == 0;
}

static struct rows *shown(struct memory *m)
{
    return m->in_looked ? &m->looked : m->query ? &m->recalled : &m->facts;
}

static void add(struct memory *m, const char *fact)
{
    if (*fact)
        ui_callf(&m->view, CALL_RETAIN, "memory.retain", "Saving", "fact:s", fact);
}

static void export_to(struct memory *m, const char *path)
{
    free(m->path);
    m->path = mem_dup(path);
    ui_callf(&m->view, CALL_EXPORT, "memory.export", "Collecting all that is kept about you", "");
}

static void forget_all(struct memory *m)
{
    long facts = (long)json_int(m->status, "facts", (int64_t)m->facts.list.count);
    ui_ask_word(&m->view, ASK_ALL, "forget",
                "This erases all %ld facts and your earlier searches. Type forget and press Enter, or Esc.", facts);
}

static void forget(struct memory *m)
{
    const cJSON *row = rows_selected(shown(m));
    const char *id = json_text(row, "fact_id", "");
    if (m->in_looked || !row)
        return;
    if (!*id) {
        ui_say(m->view.ui, ROLE_TEXT, "This was concluded by the memory service. D forgets all of it.");
        return;
    }
    snprintf(m->forgetting, sizeof m->forgetting, "%s", id);
    ui_ask_yes(&m->view, ASK_FORGET, "Forget this fact? It cannot be brought back.");
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct memory *m = of(view);
    struct ui *ui = view->ui;
    static const char *const members[] = {"fact", "by", "action", NULL};
    (void)key;
    switch ((int)action) {
    case ACT_ADD:
        if (ui->argument)
            add(m, ui->argument);
        else
            ui_ask_text(view, ASK_ADD, "Remember:", "");
        return true;
    case ACT_FIND:
        if (!off(m))
            ui_ask_text(view, ASK_RECALL, "Recall:", "");
        return true;
    case ACT_DELETE: forget(m); return true;
    case ACT_DELETE_ALL: forget_all(m); return true;
    case ACT_SAVE:
        if (ui->argument)
            export_to(m, ui->argument);
        else
            ui_ask_file(view, ASK_FILE, "Save a copy as:", "edurag-about-me.json");
        return true;
    case ACT_NEXT_PART:
    case ACT_LAST_PART: m->in_looked = !m->in_looked && m->looked.list.count; return true;
    case ACT_BACK:
        if (m->in_looked)
            m->in_looked = false;
        else if (m->query)
            free(m->query), m->query = NULL;
        else
            return false;
        return true;
    case ACT_RELOAD: load(view); return true;
    case ACT_COPY: ui_copy(ui, json_text(rows_selected(shown(m)), "fact", "")); return true;
    case ACT_NEXT:
    case ACT_PREVIOUS: rows_find(shown(m), ui, action == ACT_NEXT ? 1 : -1, members); return true;
    case ACT_ENTER:
        if (!m->in_looked && rows_selected(shown(m)))
            ui_text(ui, "Remembered", json_text(rows_selected(shown(m)), "fact", ""));
        return true;
    default: break;
    }
    if (!rows_move(shown(m), action, m->rows - 2))
        return false;
    const char *cursor = rows_more(&m->facts);
    if (cursor)
        ui_callf(view, CALL_LIST, "memory.list", NULL, "limit:i cursor:s", (int64_t)200, cursor);
    return true;
}

static void saved(struct memory *m, const cJSON *result)
{
    char said[300];
    AUTO(mem_freep) char *text = cJSON_Print(result);
    struct ui *ui = m->view.ui;
    bool done = ui->host.write_file(ui->host.context, m->path, text ? text : "", said, sizeof said);
    ui_say(ui, done ? ROLE_GOOD : ROLE_BAD, "%s", said);
}

static void retained(struct memory *m, const cJSON *result)
{
    const cJSON *redactions = json_get(result, "redactions");
    struct buf hidden = {0};
    const cJSON *entry;
    cJSON_ArrayForEach (entry, redactions) {
        const char *what = cJSON_IsString(entry) ? entry->valuestring : json_text(entry, "kind", "");
        buf_printf(&hidden, "%s%s", hidden.length ? ", " : "", what);
    }
    if (cJSON_IsNull(json_get(result, "fact_id")))
        ui_say(m->view.ui, ROLE_WARN, "Your school has turned memory off. Nothing was saved.");
    else if (hidden.length)
        ui_say(m->view.ui, ROLE_GOOD, "Saved without: %s.", hidden.data);
    else if (cJSON_IsNumber(redactions) && redactions->valuedouble > 0)
        ui_say(m->view.ui, ROLE_GOOD, "Saved, without what tells who or where you are.");
    else
        ui_say(m->view.ui, ROLE_GOOD, "Saved.");
    buf_free(&hidden);
    load(&m->view);
}

static void reply(struct view *view, const struct reply *r)
{
    struct memory *m = of(view);
    if (r->err) {
        if (r->tag != CALL_STATUS && r->tag != CALL_LOOKED)
            ui_error(view->ui, r->err);
        m->facts.loading_more = false;
        return;
    }
    switch (r->tag) {
    case CALL_STATUS:
        cJSON_Delete(m->status);
        m->status = cJSON_Duplicate(r->result, true);
        break;
    case CALL_LIST: rows_take(&m->facts, r->result, "fact_id"); break;
    case CALL_LOOKED: rows_take(&m->looked, r->result, "at"); break;
    case CALL_RECALL:
        rows_take(&m->recalled, r->result, "fact_id");
        if (json_bool(r->result, "degraded", false))
            ui_say(view->ui, ROLE_WARN, "Your memory answered late. This is what is kept here.");
        break;
    case CALL_RETAIN: retained(m, r->result); break;
    case CALL_FORGET:
        rows_forget(&m->facts, m->forgetting);
        rows_forget(&m->recalled, m->forgetting);
        ui_say(view->ui, ROLE_GOOD, "Forgotten.");
        ui_callf(view, CALL_STATUS, "memory.status", NULL, "");
        break;
    case CALL_FORGET_ALL:
        ui_say(view->ui, ROLE_GOOD, "Forgotten.");
        load(view);
        break;
    case CALL_EXPORT: saved(m, r->result); break;
    default: break;
    }
}

static void answer(struct view *view, int tag, const char *text)
{
    struct memory *m = of(view);
    if (!text)
        return;
    if (tag == ASK_ADD) {
        add(m, text);
    } else if (tag == ASK_RECALL) {
        free(m->query);
        m->query = *text ? mem_dup(text) : NULL;
        m->in_looked = false;
        rows_clear(&m->recalled);
        if (*text)
            ui_callf(view, CALL_RECALL, "memory.recall", "Recalling", "query:s limit:i", text, (int64_t)50);
    } else if (tag == ASK_FORGET) {
        ui_callf(view, CALL_FORGET, "memory.forget", "Forgetting", "fact_id:s", m->forgetting);
    } else if (tag == ASK_ALL) {
        ui_callf(view, CALL_FORGET_ALL, "memory.forget", "Forgetting", "all:b", 1);
    } else if (tag == ASK_FILE) {
        export_to(m, text);
    }
}

static bool looked_beside(const struct memory *m, int rows)
{
    return !m->query && m->view.ui->size > UI_SMALL && rows >= 16 && m->looked.list.count;
}

static void layout(struct view *view, int rows, int cols)
{
    struct memory *m = of(view);
    (void)cols;
    m->rows = rows;
    int room = rows - 1 - (looked_beside(m, rows) ? LOOKED_ROWS : 0);
    list_fit(&m->facts.list, room, NULL, NULL);
    list_fit(&m->recalled.list, rows - 1, NULL, NULL);
    list_fit(&m->looked.list, looked_beside(m, rows) ? LOOKED_ROWS - 1 : rows - 1, NULL, NULL);
}

/* "student searched for …": who it was is plain here, so the line begins with what was done. */
static const char *without_role(const cJSON *row)
{
    static const char *const roles[] = {"student ", "teacher ", "admin "};
    const char *fact = json_text(row, "fact", "");
    for (size_t i = 0; strcmp(json_text(row, "source", "client"), "client") != 0 && i < COUNT_OF(roles); i++)
        if (!strncmp(fact, roles[i], strlen(roles[i])))
            return fact + strlen(roles[i]);
    return fact;
}

static void draw_fact(const struct memory *m, struct canvas c, int y, const cJSON *row, bool selected)
{
    char when[32], times[24] = "";
    bool small = m->view.ui->size <= UI_SMALL;
    int x = small ? 2 : 16;
    const char *source = json_text(row, "source", "");
    bool own = strcmp(source, "client") == 0;
    format_when(format_time(json_text(row, "at", NULL)), m->view.ui->wall, FORMAT_WHEN, when);
    if (!small)
        canvas_text(c, y, 2, ROLE_DIM, when);
    if (json_int(row, "count", 1) > 1)
        snprintf(times, sizeof times, " (%lldx)", (long long)json_int(row, "count", 1));
    int right = own && !small ? 12 : 1;
    int cells = canvas_cut(c, y, x, c.cols - x - right - (int)strlen(times), ROLE_TEXT, without_role(row));
    canvas_text(c, y, x + cells, ROLE_DIM, times);
    if (own && !small)
        canvas_text(c, y, c.cols - 12, ROLE_DIM, "from you");
    if (selected)
        list_mark(c, y, x, cells, ui_focus(&m->view));
}

static const char *looked_word(const char *action)
{
    static const char *const words[][2] = {
        {"memory.reflect", "read a reflection"},   {"reflect", "read a reflection"},
        {"reflection", "read a reflection"},       {"enrolment", "put you into a course"},
        {"memory.export", "saved a copy"},         {"export", "saved a copy"},
        {"memory.forget", "erased what was kept"}, {"forget", "erased what was kept"},
    };
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i][0], action) == 0)
            return words[i][1];
    return action;
}

static void draw_looked(const struct memory *m, struct canvas c)
{
    bool small = m->view.ui->size <= UI_SMALL;
    heading_draw(c, 0, "Who looked", "last 30 days", 2);
    for (int y = 1; y < c.rows && m->looked.list.top + (size_t)y - 1 < m->looked.list.count; y++) {
        size_t at = m->looked.list.top + (size_t)y - 1;
        const cJSON *row = m->looked.at[at];
        char when[32], by[160];
        const char *name = json_text(row, "by", ""), *role = json_text(row, "role", "");
        bool you = strcmp(name, m->view.ui->name) == 0 || strcmp(name, m->view.ui->user_id) == 0;
        format_when(format_time(json_text(row, "at", NULL)), m->view.ui->wall, FORMAT_WHEN_CLOCK, when);
        snprintf(by, sizeof by, "%s%s%s%s", you ? "you" : name, you ? "" : " (", you ? "" : role, you ? "" : ")");
        int cells = canvas_cut(c, y, 2, small ? 12 : 18, ROLE_TEXT, when);
        canvas_cut(c, y, small ? 15 : 21, small ? c.cols - 16 : 20, ROLE_TEXT, by);
        if (!small)
            canvas_cut(c, y, 42, c.cols - 43, ROLE_TEXT, looked_word(json_text(row, "action", "")));
        if (m->in_looked && at == m->looked.list.selected)
            list_mark(c, y, 2, cells, ui_focus(&m->view));
    }
}

static void heading_facts(const struct memory *m, char *out, size_t size)
{
    long facts = (long)json_int(m->status, "facts", (int64_t)m->facts.list.count);
    long pending = (long)json_int(m->status, "pending_sync", 0), failed = (long)json_int(m->status, "failed_sync", 0);
    char count[40];
    format_count(facts, "fact", "facts", count, sizeof count);
    if (failed > 0)
        snprintf(out, size, "%s, %ld not copied to the memory service", count, failed);
    else if (pending > 0)
        snprintf(out, size, "%s, %ld still on their way", count, pending);
    else if (!json_bool(m->status, "reachable", true))
        snprintf(out, size, "%s, the memory service is away", count);
    else
        snprintf(out, size, "%s, all safely kept", count);
}

static void draw_facts(const struct memory *m, struct canvas c)
{
    const struct rows *r = m->query ? &m->recalled : &m->facts;
    char facts[96], title[200];
    bool small = m->view.ui->size <= UI_SMALL;
    if (!r->list.count && r->items && !m->query) {
        const char *words =
            off(m) ? "Your school has turned memory off. Nothing new is remembered. Earlier searches stay in "
                     "your history; D erases all that is kept about you."
                   : "Nothing is remembered yet.\nSearch or ask something and it will appear here. You can also "
                     "press a and tell EduRag what you are working on.";
        heading_text(c, 1, 2, c.cols - 3 < 72 ? c.cols - 3 : 72, 8, ROLE_TEXT, words);
        return;
    }
    heading_facts(m, facts, sizeof facts);
    if (m->query) {
        snprintf(title, sizeof title, "Remembered about “%.60s”", m->query);
        snprintf(facts, sizeof facts, "%zu found, Esc shows all", r->list.count);
    }
    heading_draw(c, 0,
                 m->query ? title
                 : small  ? "Remembered"
                          : "What EduRag remembers about you",
                 small ? NULL : facts, 1);
    for (int y = 1; y < c.rows && r->list.top + (size_t)y - 1 < r->list.count; y++) {
        size_t at = r->list.top + (size_t)y - 1;
        draw_fact(m, c, y, r->at[at], at == r->list.selected && !m->in_looked);
    }
}

static void draw(const struct view *view, struct canvas c)
{
    const struct memory *m = const_of(view);
    if (looked_beside(m, c.rows)) {
        draw_facts(m, canvas_part(c, 0, 0, c.rows - LOOKED_ROWS, c.cols));
        draw_looked(m, canvas_part(c, c.rows - LOOKED_ROWS, 0, LOOKED_ROWS, c.cols));
    } else if (m->in_looked) {
        draw_looked(m, c);
    } else {
        draw_facts(m, c);
    }
}

static void keys(const struct view *view, struct keyrow *row)
{
    const struct memory *m = const_of(view);
    bool any = m->facts.list.count > 0;
    if (!off(m))
        view_key(row, ACT_ADD, NULL);
    if (any && !off(m))
        view_key(row, ACT_FIND, NULL);
    if (any && !m->in_looked)
        view_key(row, ACT_DELETE, NULL);
    if (any || off(m))
        view_key(row, ACT_DELETE_ALL, NULL);
    if (!any)
        view_key(row, ACT_SEARCH, "search");
    if (any)
        view_key(row, ACT_SAVE, NULL);
    if (m->looked.list.count)
        view_key(row, ACT_NEXT_PART, m->in_looked ? "facts" : NULL);
}

static void status(const struct view *view, struct status *s)
{
    const struct memory *m = const_of(view);
    if (m->in_looked)
        rows_position(&m->looked, 0, s->right, sizeof s->right);
    else
        rows_position(m->query ? &m->recalled : &m->facts, m->query ? 0 : (long)json_int(m->status, "facts", 0),
                      s->right, sizeof s->right);
}

const struct view_class memory_class = {
    .pane = PANE_MEMORY,
    .title = "Memory",
    .letter = 'm',
    .needs = "memory.list",
    .size = sizeof(struct memory),
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .answer = answer,
    .layout = layout,
    .draw = draw,
    .keys = keys,
    .status = status,
};
