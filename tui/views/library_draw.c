/* library_draw.c - what is being added, with its bars and its failures, and the documents. */
#include <stdio.h>
#include <string.h>

#include "common/text.h"
#include "tui/views/library.h"
#include "tui/widgets/heading.h"
#include "tui/format.h"

static bool small(const struct library *l)
{
    return l->view.ui->size <= UI_SMALL;
}

static const char *failure(const struct library *l, size_t index)
{
    if (library_is_upload(l, index))
        return l->upload.state == UPLOAD_FAILED ? l->upload.why : "";
    return index < library_adding(l) ? json_text(library_row(l, index), "error_message", "") : "";
}

static int height(const void *rows, size_t index)
{
    const struct library *l = rows;
    const char *text = failure(l, index);
    bool heading = index == library_adding(l) && index > 0;
    int used = 1 + heading, width = l->cols - 8 > 4 ? l->cols - 8 : 4;
    for (size_t cells = text_cells(text, strlen(text)); *text && cells;
         cells = cells > (size_t)width ? cells - (size_t)width : 0)
        used++;
    return small(l) && used > 3 ? 3 : used > 5 ? 5 : used;
}

void library_draw_layout(struct view *view, int rows, int cols)
{
    struct library *l = (struct library *)view;
    l->rows = rows;
    l->cols = cols;
    list_fit(&l->list, rows - 1, height, l);
}

struct progress {
    const char *word;
    double part; /* under 0: no bar */
    char facts[48];
};

static struct progress progress_of(const struct library *l, size_t index)
{
    struct progress p = {.word = "sending", .part = -1};
    const struct upload *u = &l->upload;
    if (library_is_upload(l, index)) {
        char size[24];
        format_size((double)u->size, size, sizeof size);
        p.word = u->state == UPLOAD_FAILED ? "failed" : u->state == UPLOAD_WAITING ? "waiting" : "sending";
        if (u->state != UPLOAD_FAILED) {
            p.part = u->size ? (double)u->offset / (double)u->size : 0;
            snprintf(p.facts, sizeof p.facts, "%.0f of %s", (double)u->offset / (u->size >= 1000000 ? 1e6 : 1e3), size);
        }
        return p;
    }
    const cJSON *job = library_row(l, index);
    const char *state = json_text(job, "state", "queued");
    double done = 0, total = 0;
    if (strcmp(state, "extracting") == 0) {
        p.word = "reading";
        done = json_double(job, "pages_done", 0), total = json_double(job, "pages_total", 0);
        snprintf(p.facts, sizeof p.facts, "%.0f of %.0f p.", done, total);
    } else if (strcmp(state, "embedding") == 0) {
        p.word = "learning";
        done = json_double(job, "chunks_done", 0), total = json_double(job, "chunks_total", 0);
        snprintf(p.facts, sizeof p.facts, "%.0f of %.0f", done, total);
    } else if (strcmp(state, "sending") == 0) {
        char size[24];
        done = json_double(job, "sent", 0), total = json_double(job, "size", 0);
        format_size(total, size, sizeof size);
        snprintf(p.facts, sizeof p.facts, "%.0f of %s", done / 1e6, size);
    } else {
        p.word = strcmp(state, "storing") == 0 ? "saving" : strcmp(state, "failed") == 0 ? "failed" : "waiting";
    }
    if (total > 0)
        p.part = done / total;
    return p;
}

static int draw_adding(const struct library *l, struct canvas c, int y, size_t index)
{
    struct progress p = progress_of(l, index);
    const cJSON *job = library_row(l, index);
    const char *name = job ? json_text(job, "title", "") : l->upload.name;
    bool failed = strcmp(p.word, "failed") == 0;
    int at = small(l) ? 28 : 33;
    int cells = canvas_cut(c, y, 2, at - 3, ROLE_TEXT, name);
    int word = canvas_text(c, y, at,
                           failed                           ? ROLE_BAD
                           : strcmp(p.word, "waiting") == 0 ? ROLE_WARN
                                                            : ROLE_TEXT,
                           p.word);
    if (index == l->list.selected)
        list_mark(c, y, 2, cells, ui_focus(&l->view));
    if (p.part >= 0 && small(l)) {
        canvas_format(c, y, at + word + 1, ROLE_TEXT, "%.0f%%", p.part * 100);
    } else if (p.part >= 0) {
        int over = 69 + (int)strlen(p.facts) - c.cols; /* a large file's figures take it from the bar */
        over = over < 0 ? 0 : over > 10 ? 10 : over;
        heading_bar(c, y, 42, 20 - over, p.part);
        canvas_format(c, y, 62 - over, ROLE_TEXT, "%4.0f%%", p.part * 100 < 100 ? p.part * 100 : 100);
        canvas_text(c, y, 69 - over, ROLE_DIM, p.facts);
    } else if (failed && !small(l)) {
        char clock[32];
        format_when(job ? format_time(json_text(job, "failed_at", NULL)) : l->upload.failed_at, l->view.ui->wall,
                    FORMAT_WHEN, clock);
        const char *today = strncmp(clock, "today ", 6) == 0 ? clock + 6 : clock;
        canvas_text(c, y, 42, ROLE_DIM, today);
    }
    const char *text = failure(l, index);
    int used = 1;
    if (*text)
        used += heading_text(c, y + 1, 5, c.cols - (small(l) ? 5 : 8), small(l) ? 2 : 4, ROLE_TEXT, text);
    return used;
}

static const char *course_title(const struct library *l, const cJSON *document)
{
    const char *id = json_text(document, "course_id", "");
    const cJSON *course = *id ? rows_named(&l->courses, id) : NULL;
    return *id ? json_text(course, "title", "a course") : "open library";
}

static void draw_document(const struct library *l, struct canvas c, int y, size_t index)
{
    const cJSON *document = library_row(l, index);
    char when[32], pages[24];
    snprintf(pages, sizeof pages, "%lld p.", (long long)json_int(document, "pages", 0));
    int title = small(l) ? c.cols - 11 : l->view.ui->size == UI_NARROW ? c.cols - 12 : 40;
    int wide = c.cols > 100 ? c.cols - 80 : 0;
    bool failed = *json_text(document, "failed_at", "") != 0, ready = *json_text(document, "indexed_at", "") != 0;
    int cells = canvas_cut(c, y, 2, title + wide, failed ? ROLE_BAD : ROLE_TEXT, json_text(document, "title", ""));
    canvas_right(c, y, small(l) || l->view.ui->size == UI_NARROW ? c.cols - 1 : 49 + wide, ROLE_DIM,
                 failed  ? "failed"
                 : ready ? pages
                         : "waiting");
    if (l->view.ui->size >= UI_NORMAL) {
        canvas_cut(c, y, 51 + wide, 17, ROLE_TEXT, course_title(l, document));
        format_when(format_time(json_text(document, "created_at", NULL)), l->view.ui->wall, FORMAT_DAY, when);
        canvas_text(c, y, 69 + wide, ROLE_DIM, when);
    }
    if (index == l->list.selected)
        list_mark(c, y, 2, cells, ui_focus(&l->view));
}

void library_draw_pane(const struct view *view, struct canvas c)
{
    const struct library *l = (const struct library *)view;
    char facts[64], count[40];
    size_t first = library_adding(l);
    int y = 1;
    format_count((long)l->documents.list.count, "document", l->documents.cursor ? "or more documents" : "documents",
                 count, sizeof count);
    if (!l->list.count) {
        heading_draw(c, 0, "In the library", NULL, 1);
        if (l->documents.items)
            heading_text(c, 1, 2, c.cols - 4, 3, ROLE_TEXT,
                         ui_teacher(view->ui) ? "There are no documents yet. Press a to add a PDF."
                                              : "There are no documents yet. Your teacher adds them.");
        return;
    }
    snprintf(facts, sizeof facts, "%zu of yours", first);
    if (l->list.top < first)
        heading_draw(c, 0, "Being added", facts, small(l) ? 0 : 6);
    else
        heading_draw(c, 0, "In the library", count, 1);
    for (size_t i = l->list.top; i < l->list.count && y < c.rows; i++) {
        if (i == first && i > l->list.top && y + 1 >= c.rows)
            break; /* no heading without what it heads */
        if (i == first && i > l->list.top)
            heading_draw(c, y++, "In the library", count, 1);
        if (i < first)
            y += draw_adding(l, c, y, i);
        else if (y < c.rows)
            draw_document(l, c, y++, i);
    }
}

void library_draw_keys(const struct view *view, struct keyrow *keyrow)
{
    const struct library *l = (const struct library *)view;
    const cJSON *entry = library_row(l, l->list.selected);
    bool teacher = ui_teacher(view->ui), failed = *failure(l, l->list.selected) || *json_text(entry, "failed_at", "");
    if (teacher && failed)
        view_key(keyrow, ACT_AGAIN, NULL);
    if (teacher && l->list.selected < library_adding(l))
        view_key(keyrow, ACT_WHY, NULL);
    if (teacher)
        view_key(keyrow, ACT_ADD, NULL);
    if (entry)
        view_key(keyrow, ACT_ENTER, NULL);
    if (teacher && entry) {
        view_key(keyrow, ACT_RENAME, NULL);
        view_key(keyrow, ACT_COURSE, NULL);
        view_key(keyrow, ACT_DELETE, NULL);
    }
    if (!teacher) {
        view_key(keyrow, ACT_FIND, NULL);
        view_key(keyrow, ACT_SEARCH, NULL);
    }
}
