/* students.c - a reflection on a student's searches; the student sees that somebody looked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/views/rows.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"
#include "tui/format.h"

enum { CALL_STUDENTS = 1, CALL_REFLECT };
enum { ASK_FILE = 1, ASK_FIND };
enum { CHART = 48 }; /* cells of the timeline at 80 columns */

struct students {
    struct view view;
    struct rows students;
    char *query;
    cJSON *reflection;
    char user_id[48], name[96], number[64];
    bool choosing, courses; /* courses: a teacher looks at those instead */
    struct list topics;
    int64_t asked_at, took;
    int rows;
};

static struct students *of(struct view *view)
{
    return (struct students *)view;
}

static const struct students *const_of(const struct view *view)
{
    return (const struct students *)view;
}

static struct view *courses(const struct students *s)
{
    return s->courses ? ui_view(s->view.ui, PANE_ADMIN) : NULL;
}

static void load(struct view *view)
{
    ui_callf(view, CALL_STUDENTS, "admin.students", "Loading the students", "limit:i query:s", (int64_t)100,
             of(view)->query);
}

static void start(struct view *view)
{
    of(view)->choosing = true;
}

static void show(struct view *view)
{
    if (!of(view)->students.items && !ui_running(view->ui, view, CALL_STUDENTS))
        load(view);
}

static void stop(struct view *view)
{
    struct students *s = of(view);
    rows_clear(&s->students);
    cJSON_Delete(s->reflection);
    free(s->query);
}

static const char *first_name(const struct students *s, char *out, size_t size)
{
    format_first(s->name, out, size);
    return out;
}

static void reflect(struct students *s)
{
    s->asked_at = s->view.ui->now;
    ui_callf(&s->view, CALL_REFLECT, "memory.reflect", "Reflecting", "user_id:s", s->user_id);
}

static void choose(struct students *s)
{
    const cJSON *row = rows_selected(&s->students);
    if (!row)
        return;
    snprintf(s->user_id, sizeof s->user_id, "%s", json_text(row, "user_id", ""));
    snprintf(s->name, sizeof s->name, "%s", json_text(row, "name", ""));
    snprintf(s->number, sizeof s->number, "%s", json_text(row, "institution_id", ""));
    cJSON_Delete(s->reflection);
    s->reflection = NULL;
    s->choosing = false;
    reflect(s);
}

static void topic_line(const cJSON *topic, time_t now, struct buf *out)
{
    char first[32], last[32];
    format_when(format_time(json_text(topic, "first_at", NULL)), now, FORMAT_DAY, first);
    format_when(format_time(json_text(topic, "last_at", NULL)), now, FORMAT_DAY, last);
    buf_printf(out, "- %s: %lld searches, %s to %s\n", json_text(topic, "topic", ""),
               (long long)json_int(topic, "searches", 0), first, last);
}

static void save(struct students *s, const char *path)
{
    struct ui *ui = s->view.ui;
    AUTO(buf_free) struct buf out = {0};
    const cJSON *topic;
    char said[300];
    buf_printf(&out, "# %s (%s)\n\n%s\n\n", s->name, s->number, json_text(s->reflection, "summary", ""));
    cJSON_ArrayForEach (topic, json_get(s->reflection, "topics"))
        topic_line(topic, ui->wall, &out);
    bool done = ui->host.write_file(ui->host.context, path, out.data, said, sizeof said);
    ui_say(ui, done ? ROLE_GOOD : ROLE_BAD, "%s", said);
}

static bool act_list(struct students *s, enum action action)
{
    struct view *view = &s->view;
    switch ((int)action) {
    case ACT_ENTER: choose(s); return true;
    case ACT_FIND: ui_ask_text(view, ASK_FIND, "Find a student:", s->query ? s->query : ""); return true;
    case ACT_BACK:
        if (!s->reflection)
            return false;
        s->choosing = false;
        return true;
    default: break;
    }
    if (!rows_move(&s->students, action, s->rows - 2))
        return false;
    const char *cursor = rows_more(&s->students);
    if (cursor)
        ui_callf(view, CALL_STUDENTS, "admin.students", NULL, "limit:i cursor:s query:s", (int64_t)100, cursor,
                 s->query);
    return true;
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct students *s = of(view);
    if ((action == ACT_NEXT_ROOM || action == ACT_LAST_ROOM) && !ui_admin(view->ui) &&
        ui_can(view->ui, "courses.list")) {
        s->courses = !s->courses;
        if (s->courses)
            courses(s)->class->show(courses(s));
        return true;
    }
    if (s->courses)
        return courses(s)->class->act(courses(s), action, key);
    if (s->choosing && action == ACT_RELOAD) {
        load(view);
        return true;
    }
    if (s->choosing && act_list(s, action))
        return true;
    switch ((int)action) {
    case ACT_STUDENT:
    case ACT_NEXT_PART: s->choosing = true; return true;
    case ACT_UP: list_move(&s->topics, -1, NULL, NULL); return true;
    case ACT_DOWN: list_move(&s->topics, 1, NULL, NULL); return true;
    case ACT_FIRST: list_select(&s->topics, 0, NULL, NULL); return true;
    case ACT_LAST: list_select(&s->topics, s->topics.count, NULL, NULL); return true;
    case ACT_SAVE:
        if (s->reflection)
            ui_ask_file(view, ASK_FILE, "Save the reflection as:", "reflection.md");
        return true;
    case ACT_COPY: ui_copy(view->ui, json_text(s->reflection, "summary", "")); return true;
    case ACT_RELOAD: reflect(s); return true;
    case ACT_ENTER: return true;
    default: return false;
    }
}

static void reply(struct view *view, const struct reply *r)
{
    struct students *s = of(view);
    if (r->err) {
        s->students.loading_more = false;
        ui_error(view->ui, r->err);
        if (r->tag == CALL_REFLECT && !s->reflection)
            s->choosing = true;
        return;
    }
    if (r->tag == CALL_STUDENTS) {
        rows_take(&s->students, r->result, "user_id");
        return;
    }
    cJSON_Delete(s->reflection);
    s->reflection = cJSON_Duplicate(r->result, true);
    s->took = view->ui->now - s->asked_at;
    s->topics = (struct list){.count = (size_t)cJSON_GetArraySize(json_get(s->reflection, "topics"))};
    *view->ui->notice = 0;
}

static void answer(struct view *view, int tag, const char *text)
{
    struct students *s = of(view);
    if (!text)
        return;
    if (tag == ASK_FILE) {
        save(s, text);
        return;
    }
    free(s->query);
    s->query = *text ? mem_dup(text) : NULL;
    load(view);
}

static void layout(struct view *view, int rows, int cols)
{
    struct students *s = of(view);
    s->rows = rows;
    if (s->courses)
        courses(s)->class->layout(courses(s), rows, cols);
    list_fit(&s->students.list, rows - 1, NULL, NULL);
}

static void draw_list(const struct students *s, struct canvas c)
{
    bool narrow = c.cols < 60;
    heading_draw(c, 0, narrow ? "Choose: they see that you looked" : "Choose a student",
                 narrow ? NULL : "they see that you looked", 1);
    if (s->students.items && !s->students.list.count)
        heading_text(c, 1, 2, c.cols - 4, 3, ROLE_TEXT,
                     s->query               ? "Nobody found. Press / to look for somebody else."
                     : ui_admin(s->view.ui) ? "There are no students yet."
                                            : "There are no students in your courses yet.");
    for (int y = 1; y < c.rows && s->students.list.top + (size_t)y - 1 < s->students.list.count; y++) {
        size_t at = s->students.list.top + (size_t)y - 1;
        const cJSON *row = s->students.at[at];
        char when[32];
        format_when(format_time(json_text(row, "last_active_at", NULL)), s->view.ui->wall, FORMAT_WHEN, when);
        canvas_cut(c, y, 2, 12, ROLE_TEXT, json_text(row, "institution_id", ""));
        int cells = canvas_cut(c, y, 14, narrow ? c.cols - 15 : 28, ROLE_TEXT, json_text(row, "name", ""));
        if (!narrow) {
            canvas_format(c, y, 43, ROLE_DIM, "%4lld searches", (long long)json_int(row, "searches", 0));
            canvas_text(c, y, 60, ROLE_DIM, when);
        }
        if (at == s->students.list.selected)
            list_mark(c, y, 14, cells, ui_focus(&s->view));
    }
}

struct span_of_time {
    time_t from, to;
    int x, cells;
};

static int place(const struct span_of_time *t, time_t at)
{
    double part = t->to > t->from ? (double)(at - t->from) / (double)(t->to - t->from) : 0;
    int cell = (int)(part * t->cells);
    return cell < 0 ? 0 : cell >= t->cells ? t->cells - 1 : cell;
}

/* The weeks in which the topic came up where the server says which; else the whole time between first and last. */
static void draw_bar(struct canvas c, int y, const struct span_of_time *t, const cJSON *topic)
{
    const cJSON *week, *weeks = json_get(topic, "weeks");
    if (!cJSON_GetArraySize(weeks)) {
        int from = place(t, format_time(json_text(topic, "first_at", NULL)));
        int to = place(t, format_time(json_text(topic, "last_at", NULL)));
        canvas_repeat(c, y, t->x + from, to - from + 1, ROLE_BAR, GLYPH_FULL);
        return;
    }
    cJSON_ArrayForEach (week, weeks) {
        time_t at = format_time(json_text(week, "from", NULL));
        if (json_int(week, "searches", 0) <= 0 || at == (time_t)-1)
            continue;
        int from = place(t, at), to = place(t, at + 7 * 86400 - 1);
        canvas_repeat(c, y, t->x + from, to - from + 1, ROLE_BAR, GLYPH_FULL);
    }
}

static struct span_of_time period(const struct students *s, int x, int cells)
{
    struct span_of_time t = {.from = s->view.ui->wall, .to = s->view.ui->wall, .x = x, .cells = cells};
    const cJSON *topic, *week;
    cJSON_ArrayForEach (topic, json_get(s->reflection, "topics")) {
        time_t first = format_time(json_text(topic, "first_at", NULL));
        if (first != (time_t)-1 && first < t.from)
            t.from = first;
        cJSON_ArrayForEach (week, json_get(topic, "weeks")) {
            time_t at = format_time(json_text(week, "from", NULL));
            if (at != (time_t)-1 && at < t.from)
                t.from = at;
        }
    }
    t.from -= (t.from + 3 * 86400) % (7 * 86400); /* the Monday before */
    if (t.to - t.from < 7 * 86400)
        t.from = t.to - 7 * 86400;
    return t;
}

static void draw_scale(struct canvas c, int y, const struct span_of_time *t, time_t now)
{
    for (time_t at = t->from; at < t->to;) {
        char when[32];
        int x = t->x + (int)((double)(at - t->from) / (double)(t->to - t->from) * t->cells);
        format_when(at, now, FORMAT_DAY, when);
        const char *day = when + strspn(when, " ");
        if (x + (int)strlen(day) <= t->x + t->cells)
            canvas_text(c, y, x, ROLE_RULE, day);
        time_t step = 21 * 86400;
        while ((double)step / (double)(t->to - t->from) * t->cells < 16)
            step += 7 * 86400;
        at += step;
    }
}

static int draw_topics(const struct students *s, struct canvas c, int y)
{
    bool narrow = c.cols < 60;
    int x = 30, cells = c.cols - x - 5;
    struct span_of_time t = period(s, x, cells);
    time_t now = s->view.ui->wall, quiet = format_time(json_text(s->reflection, "quiet_since", NULL));
    const cJSON *topic;
    size_t i = 0;
    heading_draw(canvas_part(c, 0, 0, c.rows, narrow ? c.cols : x), y, "Topics", NULL, 0);
    if (!narrow) {
        canvas_text(c, y, 14, ROLE_RULE, " searches ");
        canvas_text(c, y, x - 1, ROLE_RULE, " ");
        draw_scale(c, y, &t, now);
    }
    y++;
    cJSON_ArrayForEach (topic, json_get(s->reflection, "topics")) {
        if (y >= c.rows - 2)
            break;
        int title = canvas_cut(c, y, 2, narrow ? c.cols - 12 : 21, ROLE_TEXT, json_text(topic, "topic", ""));
        canvas_format(c, y, narrow ? c.cols - 8 : 24, ROLE_TEXT, "%4lld", (long long)json_int(topic, "searches", 0));
        if (!narrow) {
            canvas_glyph(c, y, x - 1, ROLE_RULE, GLYPH_BAR);
            canvas_glyph(c, y, x + cells, ROLE_RULE, GLYPH_BAR);
            draw_bar(c, y, &t, topic);
        }
        if (i++ == s->topics.selected)
            list_mark(c, y, 2, title, ui_focus(&s->view));
        y++;
    }
    if (quiet != (time_t)-1 && !narrow && y < c.rows - 2) {
        char day[32];
        format_when(quiet, now, FORMAT_DAY, day);
        int from = place(&t, quiet);
        canvas_format(c, y, 2, ROLE_TEXT, "Quiet since %s", day + strspn(day, " "));
        canvas_glyph(c, y, x - 1, ROLE_RULE, GLYPH_BAR);
        canvas_repeat(c, y, x + from, cells - from, ROLE_DIM, GLYPH_LIGHT);
        canvas_glyph(c, y, x + cells, ROLE_RULE, GLYPH_BAR);
        y++;
    }
    return y;
}

/* Who it is, and, in any window, that they see who looked. */
static void draw_student(const struct students *s, struct canvas c)
{
    char line[120], first[96];
    if (c.cols < 60) {
        int name = canvas_cut(c, 0, 1, c.cols - 25, ROLE_TITLE, s->name);
        canvas_text(c, 0, 2 + name, ROLE_WARN, "sees that you looked");
        return;
    }
    int cells = canvas_text(c, 0, 1, ROLE_TEXT, "Student: ");
    cells += canvas_cut(c, 0, 1 + cells, 30, ROLE_TITLE, s->name);
    canvas_cut(c, 0, 3 + cells, 16, ROLE_DIM, s->number);
    snprintf(line, sizeof line, "%s sees that you looked", first_name(s, first, sizeof first));
    canvas_right(c, 0, c.cols - 1, ROLE_WARN, line);
}

static void draw_reflection(const struct students *s, struct canvas c)
{
    char line[400], last[32], quiet[32];
    const char *provider = json_text(s->reflection, "provider", "");
    time_t now = s->view.ui->wall;
    draw_student(s, c);
    if (!s->reflection)
        return;
    heading_draw(c, 1, "In a few words", strcmp(provider, "builtin") == 0 ? "built-in" : provider, 1);
    int y = 2 + heading_text(c, 2, 2, c.cols - 5 < 72 ? c.cols - 5 : 72, c.rows / 3 + 1, ROLE_TEXT,
                             json_text(s->reflection, "summary", ""));
    if (s->topics.count)
        y = draw_topics(s, c, y + (c.rows > 12 ? 1 : 0));
    format_when(format_time(json_text(s->reflection, "last_active_at", NULL)), now, FORMAT_DAY_CLOCK, last);
    format_when(format_time(json_text(s->reflection, "quiet_since", NULL)), now, FORMAT_DAY, quiet);
    long days = (long)json_int(s->reflection, "active_days", 0);
    snprintf(line, sizeof line, "Active on %ld day%s%s%s%s%s", days, days == 1 ? "" : "s",
             *last ? "   last active " : "", last, *quiet ? "   quiet since " : "", quiet + strspn(quiet, " "));
    canvas_cut(c, y + (c.rows > 12 ? 1 : 0), 2, c.cols - 3, ROLE_TEXT, line);
}

static void draw(const struct view *view, struct canvas c)
{
    const struct students *s = const_of(view);
    if (s->courses)
        courses(s)->class->draw(courses(s), c);
    else if (s->choosing)
        draw_list(s, c);
    else
        draw_reflection(s, c);
}

static void keys(const struct view *view, struct keyrow *row)
{
    const struct students *s = const_of(view);
    if (s->courses) {
        courses(s)->class->keys(courses(s), row);
        return;
    }
    if (s->choosing) {
        if (s->students.list.count)
            view_key(row, ACT_ENTER, "reflect");
        view_key(row, ACT_FIND, NULL);
        if (ui_admin(view->ui))
            view_key(row, ACT_NEXT_ROOM, NULL);
        if (!ui_admin(view->ui) && ui_can(view->ui, "courses.list")) {
            view_key(row, ACT_NEXT_ROOM, "your courses");
            row->entries[row->count - 1].keys = "Alt-Right";
        }
        return;
    }
    view_key(row, ACT_STUDENT, NULL);
    if (s->reflection)
        view_key(row, ACT_SAVE, "save");
    view_key(row, ACT_RELOAD, "again");
}

static void status(const struct view *view, struct status *st)
{
    const struct students *s = const_of(view);
    char first[96];
    if (s->courses) {
        courses(s)->class->status(courses(s), st);
    } else if (s->choosing) {
        rows_position(&s->students, 0, st->right, sizeof st->right);
    } else if (s->reflection && !ui_running(view->ui, view, CALL_REFLECT)) {
        snprintf(st->left, sizeof st->left, "Done in %.1f s  counted from %s's own searches", (double)s->took / 1000,
                 first_name(s, first, sizeof first));
        if (s->topics.count)
            snprintf(st->right, sizeof st->right, "%zu of %zu", s->topics.selected + 1, s->topics.count);
    }
}

const struct view_class students_class = {
    .pane = PANE_STUDENTS,
    .title = "Students",
    .letter = 't',
    .access = VIEW_TEACHER,
    .needs = "admin.students",
    .size = sizeof(struct students),
    .start = start,
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
