/* recommend.c - what fits you, and why; and what others are reading. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/views/rows.h"
#include "tui/widgets/heading.h"
#include "tui/format.h"

enum { CALL_LIST = 1, CALL_TRENDING };

struct recommend {
    struct view view;
    struct rows mine, others;
    char source[16];
    struct list list; /* over both */
    int rows;
};

static struct recommend *of(struct view *view)
{
    return (struct recommend *)view;
}

static const struct recommend *const_of(const struct view *view)
{
    return (const struct recommend *)view;
}

static void load(struct view *view)
{
    ui_callf(view, CALL_LIST, "recommend.list", "Looking for what fits you", "");
    if (ui_can(view->ui, "trending.list"))
        ui_callf(view, CALL_TRENDING, "trending.list", NULL, "");
}

static void show(struct view *view)
{
    if (!of(view)->mine.items && !ui_running(view->ui, view, CALL_LIST))
        load(view);
}

static void stop(struct view *view)
{
    rows_clear(&of(view)->mine);
    rows_clear(&of(view)->others);
}

static const cJSON *row(const struct recommend *r, size_t index)
{
    if (index < r->mine.list.count)
        return r->mine.at[index];
    index -= r->mine.list.count;
    return index < r->others.list.count ? r->others.at[index] : NULL;
}

static const char *row_topic(const void *rows, size_t index)
{
    return json_text(row(rows, index), "topic", "");
}

static int height(const void *rows, size_t index)
{
    const struct recommend *r = rows;
    bool small = r->view.ui->size <= UI_SMALL;
    if (index < r->mine.list.count)
        return small ? 2 : 4;
    return index == r->mine.list.count && index > 0 ? 2 : 1;
}

static void reply(struct view *view, const struct reply *reply)
{
    struct recommend *r = of(view);
    if (reply->err) {
        if (reply->tag == CALL_LIST)
            ui_error(view->ui, reply->err);
        return;
    }
    if (reply->tag == CALL_LIST) {
        snprintf(r->source, sizeof r->source, "%s", json_text(reply->result, "source", "none"));
        rows_take(&r->mine, reply->result, "topic");
        if (strcmp(r->source, "memory") != 0)
            r->mine.list.count = 0; /* what others read is never mixed with what is one's own */
    } else {
        rows_take(&r->others, reply->result, "topic");
    }
    list_reload(&r->list, r->mine.list.count + r->others.list.count, row_topic, r);
}

static void open_page(struct recommend *r)
{
    const cJSON *document = cJSON_GetArrayItem(json_get(row(r, r->list.selected), "documents"), 0);
    if (document)
        reader_open(r->view.ui, json_text(document, "pdf_id", ""), (int)json_int(document, "page", 1), NULL, 0,
                    "For you");
}

static void copy(struct recommend *r)
{
    const cJSON *item = row(r, r->list.selected), *document = cJSON_GetArrayItem(json_get(item, "documents"), 0);
    char page[48];
    format_page(document, page, sizeof page);
    AUTO(mem_freep)
    char *text = document
                     ? mem_printf("%s\n%s, %s", json_text(item, "topic", ""), json_text(document, "title", ""), page)
                     : mem_dup(json_text(item, "topic", ""));
    ui_copy(r->view.ui, text);
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct recommend *r = of(view);
    const cJSON *item = row(r, r->list.selected);
    long page = r->rows > 4 ? r->rows / 4 : 1;
    (void)key;
    switch ((int)action) {
    case ACT_UP: list_move(&r->list, -1, row_topic, r); return true;
    case ACT_DOWN: list_move(&r->list, 1, row_topic, r); return true;
    case ACT_PAGE_UP: list_move(&r->list, -page, row_topic, r); return true;
    case ACT_PAGE_DOWN: list_move(&r->list, page, row_topic, r); return true;
    case ACT_FIRST: list_select(&r->list, 0, row_topic, r); return true;
    case ACT_LAST: list_select(&r->list, r->list.count, row_topic, r); return true;
    case ACT_NEXT_PART:
        list_select(&r->list, r->list.selected < r->mine.list.count ? r->mine.list.count : 0, row_topic, r);
        return true;
    case ACT_ENTER:
        if (item)
            search_open(view->ui, json_text(item, "query", json_text(item, "topic", "")));
        return true;
    case ACT_OPEN: open_page(r); return true;
    case ACT_COPY: copy(r); return true;
    case ACT_RELOAD: load(view); return true;
    default: return false;
    }
}

static void layout(struct view *view, int rows, int cols)
{
    struct recommend *r = of(view);
    (void)cols;
    r->rows = rows;
    list_fit(&r->list, rows - 1, height, r);
}

static void draw_documents(const cJSON *item, struct canvas c, int y)
{
    const cJSON *document;
    int x = 5;
    cJSON_ArrayForEach (document, json_get(item, "documents")) {
        char page[48];
        format_page(document, page, sizeof page);
        const char *title = json_text(document, "title", "");
        int cells = (int)(text_cells(title, strlen(title)) + text_cells(page, strlen(page))) + 1;
        if (x > 5 && x + 3 + cells > c.cols - 1)
            return;
        if (x > 5)
            x += canvas_format(c, y, x, ROLE_DIM, " %s ", canvas_sign(c, GLYPH_MIDDLE));
        x += canvas_cut(c, y, x, c.cols - x - (int)strlen(page) - 3, ROLE_TEXT, title) + 1;
        x += canvas_text(c, y, x, ROLE_SOURCE, page);
    }
}

static void draw_other(const struct recommend *r, struct canvas c, int y, const cJSON *item)
{
    bool narrow = c.cols < 60;
    int cells = canvas_cut(c, y, 2, narrow ? c.cols - 16 : 34, ROLE_TEXT, json_text(item, "topic", ""));
    if (narrow)
        canvas_format(c, y, c.cols - 13, ROLE_DIM, "%2lld+ people", (long long)json_int(item, "searchers", 0));
    else
        canvas_format(c, y, 38, ROLE_TEXT, "%2lld people or more", (long long)json_int(item, "searchers", 0));
    if (item == row(r, r->list.selected))
        list_mark(c, y, 2, cells, ui_focus(&r->view));
}

static void draw(const struct view *view, struct canvas c)
{
    const struct recommend *r = const_of(view);
    bool own = r->mine.list.count > 0, small = view->ui->size <= UI_SMALL;
    static const char others[] = "What others are reading", when[] = "this week, 5 or more";
    if (!r->list.count) {
        if (r->mine.items)
            heading_text(c, 1, 2, c.cols - 4, 4, ROLE_TEXT,
                         "Search a little first. Then this page shows what fits you.");
        return;
    }
    bool in_own = r->list.top < r->mine.list.count;
    heading_draw(c, 0, own && in_own ? "Because of what you read" : others, own && in_own ? "from memory" : when, 2);
    int y = 1;
    for (size_t i = r->list.top; i < r->list.count && y < c.rows; i++) {
        const cJSON *item = row(r, i);
        if (i >= r->mine.list.count) {
            if (i == r->mine.list.count && own && i > r->list.top)
                heading_draw(c, y++, others, when, 2);
            if (y < c.rows)
                draw_other(r, c, y++, item);
            continue;
        }
        int cells = canvas_cut(c, y, 2, c.cols - 3, ROLE_TEXT, json_text(item, "topic", ""));
        canvas_cut(c, y + 1, 5, c.cols - 6, ROLE_TEXT, json_text(item, "reason", ""));
        if (!small)
            draw_documents(item, c, y + 2);
        if (i == r->list.selected)
            list_mark(c, y, 2, cells, ui_focus(view));
        y += height(r, i);
    }
}

static void keys(const struct view *view, struct keyrow *row_of_keys)
{
    const struct recommend *r = const_of(view);
    const cJSON *item = row(r, r->list.selected);
    if (item)
        view_key(row_of_keys, ACT_ENTER, NULL);
    if (cJSON_GetArraySize(json_get(item, "documents")))
        view_key(row_of_keys, ACT_OPEN, NULL);
    if (item)
        view_key(row_of_keys, ACT_COPY, NULL);
    view_key(row_of_keys, ACT_RELOAD, NULL);
}

static void status(const struct view *view, struct status *s)
{
    const struct recommend *r = const_of(view);
    if (r->list.count)
        snprintf(s->right, sizeof s->right, "%zu of %zu", r->list.selected + 1, r->list.count);
}

const struct view_class recommend_class = {
    .pane = PANE_RECOMMEND,
    .title = "For you",
    .letter = 'f',
    .needs = "recommend.list",
    .size = sizeof(struct recommend),
    .show = show,
    .stop = stop,
    .act = act,
    .reply = reply,
    .layout = layout,
    .draw = draw,
    .keys = keys,
    .status = status,
};
