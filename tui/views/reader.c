/* reader.c - a page of a document, with the passages that were asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/sanitize.h"
#include "tui/ui.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"
#include "tui/format.h"

enum { CALL_PAGE = 1, CALL_OUTLINE };
enum { MEASURE = 74, IDS_MOST = 64, JOIN_CELLS = 40, SPANS = 32 };

struct reader {
    struct view view;
    char pdf_id[48], from[40], doing[40];
    char *ids[IDS_MOST];
    size_t id_count;
    cJSON *page, *outline;
    char *text; /* the page's, with lines of one paragraph joined */
    struct wrap lines;
    int width, rows, wanted; /* wanted: the page asked for last */
    size_t line, top, passage;
    bool contents, at_end; /* at_end: the page was reached backwards */
    struct list list;      /* of the contents */
};

static struct reader *of(struct view *view)
{
    return (struct reader *)view;
}

static void clear_ids(struct reader *r)
{
    for (size_t i = 0; i < r->id_count; i++)
        free(r->ids[i]);
    r->id_count = 0;
}

static void stop(struct view *view)
{
    struct reader *r = of(view);
    clear_ids(r);
    cJSON_Delete(r->page);
    cJSON_Delete(r->outline);
    free(r->text);
    wrap_free(&r->lines);
}

static void ask_page(struct reader *r, int page)
{
    struct buf params = {0};
    r->wanted = page;
    buf_json_open(&params, '{');
    buf_json_member(&params, "pdf_id", r->pdf_id);
    buf_json_member_int(&params, "page", page);
    if (r->id_count) {
        buf_json_key(&params, "chunk_ids");
        buf_json_open(&params, '[');
        for (size_t i = 0; i < r->id_count; i++)
            buf_json_string(&params, r->ids[i]);
        buf_json_close(&params, ']');
    }
    buf_json_close(&params, '}');
    ui_forget(&r->view, CALL_PAGE);
    snprintf(r->doing, sizeof r->doing, "Opening page %d", page);
    ui_call(&r->view, CALL_PAGE, "library.page", buf_take(&params), r->doing);
}

void reader_open(struct ui *ui, const char *pdf_id, int page, const char *const *chunk_ids, size_t count,
                 const char *from)
{
    struct reader *r = of(ui_view(ui, PANE_READER));
    bool other = strcmp(r->pdf_id, pdf_id) != 0;
    snprintf(r->pdf_id, sizeof r->pdf_id, "%s", pdf_id);
    snprintf(r->from, sizeof r->from, "%s", from);
    clear_ids(r);
    for (size_t i = 0; i < count && i < IDS_MOST; i++)
        r->ids[r->id_count++] = mem_dup(chunk_ids[i]);
    r->contents = r->at_end = false;
    r->passage = 0;
    ask_page(r, page);
    if (other) {
        cJSON_Delete(r->outline);
        r->outline = NULL;
        r->list = (struct list){0};
        ui_callf(&r->view, CALL_OUTLINE, "library.outline", NULL, "pdf_id:s", pdf_id);
    }
    ui_open(ui, PANE_READER);
}

/* Lines that a printed page broke within a paragraph are joined; the length stays, so offsets do too. */
static void join_lines(char *text)
{
    char *line = text;
    for (char *end = strchr(line, '\n'); end; end = strchr(line, '\n')) {
        bool full = text_cells(line, (size_t)(end - line)) >= JOIN_CELLS && !strchr(".:!?", end[-1]);
        if (full && end[1] && end[1] != '\n' && end[1] != ' ')
            *end = ' ';
        else
            end[0] = '\n';
        if (*end == '\n' || full)
            line = end + 1;
    }
}

static size_t page_bytes(const struct reader *r, const cJSON *passage, const char *member)
{
    double at = json_double(passage, member, 0);
    return text_offset(r->text, strlen(r->text), at > 0 ? (size_t)at : 0);
}

static int passage_count(const struct reader *r)
{
    return cJSON_GetArraySize(json_get(r->page, "passages"));
}

static const cJSON *passage_of(const struct reader *r, struct wrap_line line)
{
    const cJSON *passage;
    cJSON_ArrayForEach (passage, json_get(r->page, "passages")) {
        if (line.to > page_bytes(r, passage, "start") && line.from < page_bytes(r, passage, "end"))
            return passage;
    }
    return NULL;
}

static void go_passage(struct reader *r, size_t number)
{
    const cJSON *passage = cJSON_GetArrayItem(json_get(r->page, "passages"), (int)number);
    if (!passage)
        return;
    r->passage = number;
    size_t at = page_bytes(r, passage, "start");
    for (size_t i = 0; i < r->lines.count; i++) {
        if (r->lines.lines[i].to > at) {
            r->line = i;
            break;
        }
    }
}

static void rewrap(struct reader *r, int width)
{
    wrap_free(&r->lines);
    r->width = width;
    if (r->text)
        wrap_text(&r->lines, r->text, strlen(r->text), width);
}

static void took_page(struct reader *r, const cJSON *result)
{
    cJSON_Delete(r->page);
    free(r->text);
    r->page = cJSON_Duplicate(result, true);
    r->text = mem_dup(json_text(result, "text", ""));
    join_lines(r->text);
    rewrap(r, r->width > 0 ? r->width : MEASURE);
    r->line = r->top = 0;
    if (passage_count(r) && !r->at_end)
        go_passage(r, 0);
    if (r->at_end && r->lines.count)
        r->line = r->top = r->lines.count - 1;
    r->at_end = false;
}

static void reply(struct view *view, const struct reply *reply)
{
    struct reader *r = of(view);
    if (reply->err) {
        if (reply->tag == CALL_PAGE)
            ui_error(view->ui, reply->err);
        return;
    }
    if (reply->tag == CALL_PAGE) {
        took_page(r, reply->result);
    } else {
        cJSON_Delete(r->outline);
        r->outline = cJSON_Duplicate(json_get(reply->result, "items"), true);
        list_reload(&r->list, (size_t)cJSON_GetArraySize(r->outline), NULL, NULL);
    }
}

static int page_number(const struct reader *r)
{
    return (int)json_int(r->page, "page", 1);
}

static void turn_page(struct reader *r, int step)
{
    int to = page_number(r) + step;
    if (!r->page || ui_running(r->view.ui, &r->view, CALL_PAGE))
        return;
    if (to < 1 || to > json_int(r->page, "pages", to)) {
        ui_say(r->view.ui, ROLE_TEXT, step > 0 ? "This is the last page." : "This is the first page.");
        return;
    }
    r->at_end = step < 0;
    ask_page(r, to);
}

static void screen(struct reader *r, int step)
{
    size_t rows = r->rows > 1 ? (size_t)r->rows : 1, last = r->lines.count ? r->lines.count - 1 : 0;
    if (step > 0 && r->top + rows >= r->lines.count) {
        turn_page(r, 1);
    } else if (step < 0 && r->top == 0) {
        turn_page(r, -1);
    } else if (step > 0) {
        r->top += rows - 1;
        r->line = r->top < last ? r->top : last;
    } else {
        r->top = r->top > rows - 1 ? r->top - (rows - 1) : 0;
        r->line = r->top;
    }
}

static bool line_found(const struct reader *r, size_t line)
{
    AUTO(mem_freep)
    char *text = mem_dupn(r->text + r->lines.lines[line].from, r->lines.lines[line].to - r->lines.lines[line].from);
    return ui_found(r->view.ui, text);
}

static void next(struct reader *r, int step)
{
    struct ui *ui = r->view.ui;
    size_t count = r->lines.count;
    if (!*ui->find) {
        int passages = passage_count(r), to = (int)r->passage + step;
        if (to < 0 || to >= passages)
            ui_say(ui, ROLE_TEXT,
                   passages > 1 ? "There is no further passage on this page." : "There is one passage on this page.");
        else
            go_passage(r, (size_t)to);
        return;
    }
    for (size_t i = 1; i <= count; i++) {
        size_t at = (r->line + (step > 0 ? i : count - i % count)) % count;
        if (line_found(r, at)) {
            r->line = at;
            return;
        }
    }
    ui_say(ui, ROLE_WARN, "“%s” is not on this page.", ui->find);
}

static void copy(struct reader *r, bool source_only)
{
    AUTO(buf_free) struct buf out = {0};
    char page[48];
    const cJSON *passage = cJSON_GetArrayItem(json_get(r->page, "passages"), (int)r->passage);
    if (!r->page)
        return;
    size_t from = passage ? page_bytes(r, passage, "start") : 0;
    size_t to = passage ? page_bytes(r, passage, "end") : strlen(r->text);
    format_page(r->page, page, sizeof page);
    if (!source_only && to > from)
        buf_bytes(&out, r->text + from, to - from), buf_char(&out, '\n');
    buf_printf(&out, "%s, %s", json_text(r->page, "title", ""), page);
    ui_copy(r->view.ui, out.data);
}

static bool act_contents(struct reader *r, enum action action)
{
    switch ((int)action) {
    case ACT_UP: list_move(&r->list, -1, NULL, NULL); return true;
    case ACT_DOWN: list_move(&r->list, 1, NULL, NULL); return true;
    case ACT_PAGE_UP: list_move(&r->list, -r->rows, NULL, NULL); return true;
    case ACT_PAGE_DOWN: list_move(&r->list, r->rows, NULL, NULL); return true;
    case ACT_FIRST: list_select(&r->list, 0, NULL, NULL); return true;
    case ACT_LAST: list_select(&r->list, r->list.count, NULL, NULL); return true;
    case ACT_ENTER:
        r->contents = false;
        ask_page(r, (int)json_int(cJSON_GetArrayItem(r->outline, (int)r->list.selected), "page", 1));
        return true;
    case ACT_BACK:
    case ACT_OPEN:
    case ACT_NEXT_PART: r->contents = false; return true;
    default: return false;
    }
}

static bool act(struct view *view, enum action action, const struct key *key)
{
    struct reader *r = of(view);
    size_t last = r->lines.count ? r->lines.count - 1 : 0;
    (void)key;
    if (r->contents && act_contents(r, action))
        return true;
    switch ((int)action) {
    case ACT_UP: r->line -= r->line > 0; return true;
    case ACT_DOWN: r->line += r->line < last; return true;
    case ACT_PAGE_UP: screen(r, -1); return true;
    case ACT_PAGE_DOWN: screen(r, 1); return true;
    case ACT_FIRST: r->line = r->top = 0; return true;
    case ACT_LAST: r->line = last; return true;
    case ACT_NEXT: next(r, 1); return true;
    case ACT_PREVIOUS: next(r, -1); return true;
    case ACT_COPY:
    case ACT_COPY_SOURCE: copy(r, action == ACT_COPY_SOURCE); return true;
    case ACT_ENTER: return true;
    case ACT_OPEN:
    case ACT_NEXT_PART:
        if (r->list.count)
            r->contents = true;
        else if (r->page)
            ui_say(view->ui, ROLE_TEXT, "This document has no list of contents.");
        return true;
    case ACT_RELOAD:
        if (*r->pdf_id)
            ask_page(r, r->wanted);
        return true;
    default: return false;
    }
}

static bool outline_beside(const struct reader *r)
{
    return r->view.ui->size == UI_WIDE && r->list.count > 0;
}

static void layout(struct view *view, int rows, int cols)
{
    struct reader *r = of(view);
    int room = cols - (outline_beside(r) ? cols * 2 / 5 : 0) - (cols < 60 ? 3 : 5);
    int width = room < MEASURE ? room : MEASURE;
    r->rows = rows - 2 > 0 ? rows - 2 : 1;
    if (width != r->width) { /* the same place of the text stays in sight */
        size_t at = r->line < r->lines.count ? r->lines.lines[r->line].from : 0;
        rewrap(r, width > 0 ? width : 1);
        for (r->line = 0; r->line + 1 < r->lines.count && r->lines.lines[r->line].to <= at;)
            r->line++;
    }
    size_t shown = (size_t)r->rows;
    if (r->line < r->top)
        r->top = r->line;
    if (r->line >= r->top + shown)
        r->top = r->line - shown + 1;
    if (r->lines.count > shown && r->top > r->lines.count - shown)
        r->top = r->lines.count - shown;
    if (r->lines.count <= shown)
        r->top = 0;
    list_fit(&r->list, rows - 1, NULL, NULL);
}

static void draw_contents(const struct reader *r, struct canvas c, bool focus)
{
    heading_draw(c, 0, "Contents", NULL, 1);
    for (int y = 1; y < c.rows && r->list.top + (size_t)y - 1 < r->list.count; y++) {
        size_t at = r->list.top + (size_t)y - 1;
        const cJSON *item = cJSON_GetArrayItem(r->outline, (int)at);
        char page[32];
        int indent = 2 * (int)json_int(item, "level", 0);
        indent = indent < 0 ? 0 : indent > 12 ? 12 : indent;
        snprintf(page, sizeof page, "%lld", (long long)json_int(item, "page", 1));
        int cells = canvas_cut(c, y, 2 + indent, c.cols - 10 - indent, ROLE_TEXT, json_text(item, "title", ""));
        canvas_right(c, y, c.cols - 2, ROLE_SOURCE, page);
        if (at == r->list.selected && (focus || r->contents))
            list_mark(c, y, 2 + indent, cells, focus);
    }
}

static size_t found_spans(const struct reader *r, struct wrap_line line, struct wrap_span *spans)
{
    const char *word = r->view.ui->find;
    size_t count = 0, length = strlen(word);
    for (const char *at = r->text + line.from; length && count < SPANS; at += length) {
        at = strcasestr(at, word);
        if (!at || (size_t)(at - r->text) >= line.to)
            break;
        spans[count++] = (struct wrap_span){(size_t)(at - r->text), (size_t)(at - r->text) + length, ROLE_MATCH};
    }
    return count;
}

static void draw_text(const struct reader *r, struct canvas c, bool focus)
{
    int x = c.cols < 60 ? 2 : 3;
    for (int y = 0; y < c.rows && r->top + (size_t)y < r->lines.count; y++) {
        size_t at = r->top + (size_t)y;
        struct wrap_line line = r->lines.lines[at];
        struct wrap_span spans[SPANS];
        bool marked = passage_of(r, line) && line.to > line.from;
        if (marked)
            canvas_glyph(c, y, 0, ROLE_PASSAGE, GLYPH_BAR);
        wrap_draw(c, y, x, c.cols - x, marked ? ROLE_PASSAGE : ROLE_TEXT, r->text, line, spans,
                  found_spans(r, line, spans));
        if (at == r->line && focus)
            canvas_cursor(c, y, 0, false);
    }
}

static void draw_place(const struct reader *r, struct canvas c)
{
    char page[48], place[120];
    const char *label = json_text(r->page, "page_label", "");
    int number = page_number(r), pages = (int)json_int(r->page, "pages", 0);
    format_page(r->page, page, sizeof page);
    bool differs = *label && atoi(label) != number;
    if (c.cols < 60)
        snprintf(place, sizeof place, "%s", page);
    else if (differs)
        snprintf(place, sizeof place, "%s (PDF page %d of %d)", page, number, pages);
    else
        snprintf(place, sizeof place, "%s of %d", page, pages);
    int cells = (int)text_cells(place, strlen(place));
    canvas_cut(c, 0, 1, c.cols - cells - 4, ROLE_TITLE, json_text(r->page, "title", ""));
    canvas_right(c, 0, c.cols - 1, ROLE_SOURCE, place);
}

static void draw_page(const struct reader *r, struct canvas c, bool focus)
{
    const cJSON *item;
    const char *section = "";
    char facts[48];
    draw_place(r, c);
    cJSON_ArrayForEach (item, r->outline) {
        if (json_int(item, "page", 1) <= page_number(r))
            section = json_text(item, "title", "");
    }
    int passages = passage_count(r);
    snprintf(facts, sizeof facts, "passage %zu of %d", r->passage + 1, passages);
    heading_draw(c, 1, section, passages ? facts : NULL, 6);
    draw_text(r, canvas_part(c, 2, 0, c.rows - 2, c.cols), focus);
}

static void draw(const struct view *view, struct canvas c)
{
    const struct reader *r = (const struct reader *)view;
    bool focus = ui_focus(view);
    if (!r->page) {
        if (!ui_running(view->ui, view, CALL_PAGE))
            heading_text(c, 1, 2, c.cols - 4, 4, ROLE_TEXT,
                         "Nothing is open. Choose a passage in Search and press o, or a document in the Library.");
    } else if (outline_beside(r)) {
        int left = c.cols * 2 / 5 - 1;
        draw_contents(r, canvas_part(c, 0, 0, c.rows, left), focus && r->contents);
        for (int y = 0; y < c.rows; y++)
            canvas_glyph(c, y, left, ROLE_RULE, GLYPH_BAR);
        draw_page(r, canvas_part(c, 0, left + 2, c.rows, c.cols - left - 2), focus && !r->contents);
    } else if (r->contents) {
        draw_contents(r, c, focus);
    } else {
        draw_page(r, c, focus);
    }
}

static void keys(const struct view *view, struct keyrow *row)
{
    const struct reader *r = (const struct reader *)view;
    const struct keymap *map = &view->ui->map;
    if (r->contents) {
        view_key(row, ACT_ENTER, "go there");
        view_key(row, ACT_BACK, "back to the page");
        return;
    }
    if (!r->page) {
        view_key(row, ACT_SEARCH, NULL);
        return;
    }
    view_key(row, ACT_PAGE_DOWN, NULL);
    row->entries[0].keys = map->changed[ACT_PAGE_DOWN] ? NULL : "Space";
    view_key(row, ACT_PAGE_UP, NULL);
    row->entries[1].keys = map->changed[ACT_PAGE_UP] ? NULL : "b";
    if (passage_count(r) > 1 || *view->ui->find)
        view_key(row, ACT_NEXT, *view->ui->find ? "next place" : NULL);
    if (r->list.count)
        view_key(row, ACT_OPEN, NULL);
    view_key(row, ACT_COPY, NULL);
}

static void status(const struct view *view, struct status *s)
{
    const struct reader *r = (const struct reader *)view;
    if (!r->page)
        return;
    if (*r->from && view->ui->before != PANE_LOGIN && !ui_running(view->ui, view, CALL_PAGE))
        snprintf(s->left, sizeof s->left, "Opened from %s  Esc goes back to it", r->from);
    if (r->contents)
        snprintf(s->right, sizeof s->right, "%zu of %zu", r->list.selected + 1, r->list.count);
    else if (r->lines.count)
        snprintf(s->right, sizeof s->right, "line %zu/%zu", r->line + 1, r->lines.count);
    else
        snprintf(s->left, sizeof s->left, "This page has no text.");
}

const struct view_class reader_class = {
    .pane = PANE_READER,
    .title = "Reader",
    .letter = 'r',
    .needs = "library.page",
    .size = sizeof(struct reader),
    .stop = stop,
    .act = act,
    .reply = reply,
    .layout = layout,
    .draw = draw,
    .keys = keys,
    .status = status,
};
