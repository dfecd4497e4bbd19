/* results.c - the passages that were found, as a list. */
#include "tui/views/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/widgets/wrap.h"
#include "tui/format.h"

enum { SNIPPET_ROWS = 2, SPANS = 48 };

static const char *row_id(const void *rows, size_t index)
{
    return json_text(((const struct results *)rows)->rows[index], "chunk_id", "");
}

void results_clear(struct results *r)
{
    cJSON_Delete(r->reply);
    free(r->rows);
    r->reply = NULL;
    r->rows = NULL;
    r->list.count = 0;
}

void results_take(struct results *r, const cJSON *reply)
{
    const cJSON *entry, *list = json_get(reply, "results");
    size_t count = 0;
    results_clear(r);
    r->reply = cJSON_Duplicate(reply, true);
    list = json_get(r->reply, "results");
    r->rows = mem_array((size_t)cJSON_GetArraySize(list) + 1, sizeof *r->rows);
    cJSON_ArrayForEach (entry, list)
        r->rows[count++] = entry;
    list_reload(&r->list, count, row_id, r);
}

const cJSON *results_selected(const struct results *r)
{
    return r->list.selected < r->list.count ? r->rows[r->list.selected] : NULL;
}

const cJSON *results_find(const struct results *r, const char *chunk_id)
{
    for (size_t i = 0; i < r->list.count; i++)
        if (strcmp(row_id(r, i), chunk_id) == 0)
            return r->rows[i];
    return NULL;
}

bool results_move(struct results *r, enum action action, int rows)
{
    long page = rows / (r->one_line ? 1 : 4);
    page = page > 1 ? page : 1;
    switch ((int)action) {
    case ACT_UP: list_move(&r->list, -1, row_id, r); return true;
    case ACT_DOWN: list_move(&r->list, 1, row_id, r); return true;
    case ACT_PAGE_UP: list_move(&r->list, -page, row_id, r); return true;
    case ACT_PAGE_DOWN: list_move(&r->list, page, row_id, r); return true;
    case ACT_FIRST: list_select(&r->list, 0, row_id, r); return true;
    case ACT_LAST: list_select(&r->list, r->list.count, row_id, r); return true;
    default: return false;
    }
}

bool results_next(struct results *r, const struct ui *ui, int step)
{
    size_t count = r->list.count;
    for (size_t i = 1; i <= count; i++) {
        size_t at = (r->list.selected + (step > 0 ? i : count - i % count)) % count;
        const cJSON *row = r->rows[at];
        if (ui_found(ui, json_text(row, "title", "")) || ui_found(ui, json_text(row, "snippet", "")) ||
            ui_found(ui, json_text(row, "heading", ""))) {
            list_select(&r->list, at, row_id, r);
            return true;
        }
    }
    return false;
}

static int snippet_width(const struct results *r)
{
    return r->cols - (r->wide ? 4 : 3);
}

static int height(const void *rows, size_t index)
{
    const struct results *r = rows;
    if (r->one_line)
        return 1;
    const char *snippet = json_text(r->rows[index], "snippet", "");
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, snippet, strnlen(snippet, 2000), snippet_width(r));
    return 2 + (lines.count < SNIPPET_ROWS ? (int)lines.count : SNIPPET_ROWS);
}

void results_layout(struct results *r, int rows, int cols, enum ui_size size)
{
    r->cols = cols;
    r->one_line = size <= UI_SMALL;
    r->narrow = size == UI_NARROW;
    r->wide = size == UI_WIDE;
    list_fit(&r->list, r->one_line ? rows : rows + 1, height, r); /* the last row's blank line may be cut off */
}

int results_title(struct canvas c, int y, int x, const cJSON *place, const char *heading, bool facts)
{
    char page[48];
    int width = facts ? c.cols - 10 - x : c.cols - x - 1;
    AUTO(mem_freep)
    char *line = *heading ? mem_printf("%s %s %s", json_text(place, "title", ""), canvas_sign(c, GLYPH_MIDDLE), heading)
                          : mem_dup(json_text(place, "title", ""));
    int cells = canvas_cut(c, y, x, width, ROLE_TEXT, line);
    if (facts) {
        format_page(place, page, sizeof page);
        canvas_right(c, y, c.cols - 1, ROLE_SOURCE, page);
    }
    const char *title = json_text(place, "title", "");
    int own = (int)text_cells(title, strlen(title));
    return own < cells ? own : cells;
}

/* Under 60 columns: the title, what fits of the heading (its number whole), the page. */
static int small_title(struct canvas c, int y, const cJSON *row)
{
    char page[48], number[16] = "";
    const char *title = json_text(row, "title", ""), *heading = json_text(row, "heading", "");
    size_t digits = strspn(heading, "0123456789.");
    format_page(row, page, sizeof page);
    canvas_right(c, y, c.cols - 1, ROLE_SOURCE, page);
    int room = c.cols - 15;
    if (digits && digits < sizeof number)
        snprintf(number, sizeof number, "%.*s", (int)digits, heading);
    if (*number) {
        room = c.cols - 13 - (int)digits;
        int cells = canvas_cut(c, y, 2, room, ROLE_TEXT, title);
        return cells + 1 + canvas_text(c, y, 3 + cells, ROLE_TEXT, number);
    }
    AUTO(mem_freep) char *line = mem_printf("%s %s", title, heading);
    bool fits = (int)text_cells(title, strlen(title)) >= room;
    return canvas_cut(c, y, 2, room, ROLE_TEXT, fits ? title : line);
}

static size_t match_spans(const cJSON *row, const char *text, struct wrap_span *spans)
{
    const cJSON *entry;
    size_t count = 0, length = strlen(text), last = 0;
    cJSON_ArrayForEach (entry, json_get(row, "highlights")) {
        const cJSON *from = cJSON_GetArrayItem(entry, 0), *to = cJSON_GetArrayItem(entry, 1);
        if (!cJSON_IsNumber(from) || !cJSON_IsNumber(to) || from->valuedouble < 0 ||
            to->valuedouble < from->valuedouble || count == SPANS)
            continue;
        size_t a = text_offset(text, length, (size_t)from->valuedouble),
               b = text_offset(text, length, (size_t)to->valuedouble);
        if (a >= last && b > a) {
            spans[count++] = (struct wrap_span){a, b, ROLE_MATCH};
            last = b;
        }
    }
    return count;
}

static void draw_snippet(const struct results *r, struct canvas c, int y, const cJSON *row)
{
    const char *text = json_text(row, "snippet", "");
    struct wrap_span spans[SPANS];
    size_t count = match_spans(row, text, spans);
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, text, strnlen(text, 2000), snippet_width(r));
    for (size_t i = 0; i < lines.count && i < SNIPPET_ROWS; i++) {
        int x = 2 + wrap_draw(c, y + (int)i, 2, snippet_width(r), ROLE_TEXT, text, lines.lines[i], spans, count);
        if (i == SNIPPET_ROWS - 1 && i + 1 < lines.count && lines.lines[i].to < strlen(text) && x < c.cols - 1)
            canvas_glyph(c, y + (int)i, x, ROLE_DIM, GLYPH_CUT);
    }
}

void results_draw(const struct results *r, const struct ui *ui, struct canvas c, bool marked, bool focus)
{
    int y = 0;
    for (size_t i = r->list.top; i < r->list.count && y < c.rows; i++) {
        const cJSON *row = r->rows[i];
        int cells = r->one_line ? small_title(c, y, row)
                                : results_title(c, y, 2, row, json_text(row, "heading", ""), !r->narrow);
        if (!r->one_line)
            draw_snippet(r, c, y + 1, row);
        if (*ui->find && ui_found(ui, json_text(row, "title", "")))
            canvas_role(c, y, 2, cells, ROLE_MATCH);
        if (i == r->list.selected && marked)
            list_mark(c, y, 2, cells, focus);
        y += height(r, i);
    }
}
