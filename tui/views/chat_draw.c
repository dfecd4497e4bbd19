/* chat_draw.c - the log of a room, and the line one writes. */
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/views/chat.h"
#include "tui/widgets/heading.h"
#include "tui/widgets/wrap.h"
#include "tui/format.h"

enum { INPUT_ROWS = 4 };

static bool small(const struct chat *c)
{
    return c->view.ui->size <= UI_SMALL;
}

static int text_x(const struct chat *c)
{
    return small(c) ? 9 : 19;
}

static int say_width(const struct chat *c)
{
    int width = small(c) ? c->cols - 11 : c->cols - 25;
    return width > 72 ? 72 : width < 4 ? 4 : width;
}

static int line_rows(const struct chat *c, const struct line *line)
{
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, line->text, strlen(line->text), say_width(c) - (line->state == LINE_ON_ITS_WAY ? 2 : 0));
    return lines.count ? (int)lines.count : 1;
}

/* Cells before what is typed. */
static int prompt_cells(const struct chat *c, const struct room *room)
{
    int title = (int)text_cells(room->title, strlen(room->title));
    return small(c) ? 3 : 1 + 3 + (title > 30 ? 30 : title) + 2;
}

static int input_rows(const struct chat *c, const struct room *room, int cols)
{
    return field_rows(&room->field, cols - prompt_cells(c, room) - 1, INPUT_ROWS);
}

/* Rows of the log: the pane without heading, legend and input. */
static int log_rows(const struct chat *c)
{
    const struct room *room = chat_room(c);
    bool legend = !small(c) && c->rows >= 16 && c->view.ui->link == UI_ONLINE;
    int input = room ? input_rows(c, room, c->cols) : 1;
    return c->rows - 1 - (legend ? 1 : 0) - input;
}

static bool rule_before(const struct room *room, size_t i)
{
    return room->new_from >= 0 && room->lines[i].seq > room->new_from &&
           (i == 0 || room->lines[i - 1].seq <= room->new_from);
}

/* The first line shown when `bottom` is the last one. */
static size_t top_of(const struct chat *c, const struct room *room, size_t bottom)
{
    int left = log_rows(c) - (c->view.ui->link == UI_LOST ? 1 : 0);
    size_t top = bottom + 1;
    while (top > 0) {
        left -= line_rows(c, &room->lines[top - 1]) + (rule_before(room, top - 1) ? 1 : 0);
        if (left < 0)
            break;
        top--;
    }
    return top > bottom ? bottom : top;
}

void chat_draw_layout(struct view *view, int rows, int cols)
{
    struct chat *c = (struct chat *)view;
    struct room *room = chat_room(c);
    c->rows = rows;
    c->cols = cols;
    if (!room || !room->count)
        return;
    if (room->at_end || room->bottom >= room->count)
        room->bottom = room->count - 1;
    if (c->in_log && room->selected > room->bottom)
        room->bottom = room->selected;
    while (c->in_log && room->selected < top_of(c, room, room->bottom) && room->bottom > room->selected)
        room->bottom--;
    while (room->bottom + 1 < room->count && top_of(c, room, room->bottom) == 0 &&
           top_of(c, room, room->bottom + 1) == 0)
        room->bottom++;
}

static void draw_heading(const struct chat *c, struct canvas canvas)
{
    AUTO(buf_free) struct buf title = {0};
    char facts[40];
    bool lost = c->view.ui->link == UI_LOST, narrow = small(c);
    for (size_t i = 0; i < c->rooms.count; i++) {
        const struct room *room = &c->rooms.rooms[i];
        bool open = i == c->rooms.open;
        if (narrow && !open)
            continue;
        if (title.length)
            buf_printf(&title, " %s ", canvas_sign(canvas, GLYPH_MIDDLE));
        buf_printf(&title, open ? "[%s]" : "%s", room->title);
        if (room->unread && !open)
            buf_printf(&title, " %d", room->unread);
    }
    snprintf(facts, sizeof facts, "%d online", chat_room(c) ? chat_room(c)->online : 0);
    heading_draw(canvas, 0, title.data ? title.data : "", lost ? "not connected" : facts, lost || narrow ? 2 : 4);
}

static void remaining(const struct chat *c, const struct line *line, char *out, size_t size)
{
    long left = line->expires == -1 ? 3600 : (long)(line->expires - c->view.ui->wall);
    *out = 0;
    if (line->state == LINE_UNSENT)
        snprintf(out, size, "not sent");
    else if (left < 60)
        snprintf(out, size, "%ld s", left < 0 ? 0 : left);
    else if (left < 600)
        snprintf(out, size, "%ld min", left / 60);
}

/* What fits the column: the whole name, else how the person is called. */
static void short_name(const char *name, int width, char *out, size_t size)
{
    snprintf(out, size, "%s", name);
    if (text_cells(name, strlen(name)) <= (size_t)width)
        return;
    format_first(name, out, size);
}

static int draw_line(const struct chat *c, struct canvas canvas, int y, const struct line *line, bool selected)
{
    int x = text_x(c), width = say_width(c), shift = 0, first = 0;
    char clock[32], left[32];
    AUTO(wrap_free) struct wrap lines = {0};
    format_when(line->at, c->view.ui->wall, FORMAT_CLOCK, clock);
    if (!small(c))
        canvas_text(canvas, y, 2, ROLE_DIM, clock);
    char name[100];
    short_name(line->name, small(c) ? 6 : 9, name, sizeof name);
    canvas_cut(canvas, y, small(c) ? 2 : 9, small(c) ? 6 : 9,
               line->mine       ? ROLE_MINE
               : line->names_me ? ROLE_MENTION
                                : ROLE_TEXT,
               name);
    if (line->state == LINE_ON_ITS_WAY) {
        canvas_glyph(canvas, y, x, ROLE_DIM, GLYPH_CUT);
        shift = 2;
    }
    wrap_text(&lines, line->text, strlen(line->text), width - shift);
    for (size_t i = 0; i < lines.count && y + (int)i < canvas.rows; i++) {
        int cells = canvas_put(canvas, y + (int)i, x + shift, width, ROLE_TEXT, line->text + lines.lines[i].from,
                               lines.lines[i].to - lines.lines[i].from);
        first = i == 0 ? cells : first;
    }
    remaining(c, line, left, sizeof left);
    int at = line->state == LINE_UNSENT ? canvas.cols - 9 : canvas.cols - 5;
    if (*left && x + shift + first < at)
        canvas_text(canvas, y, at,
                    line->state == LINE_UNSENT ? ROLE_BAD
                    : strchr(left, 's')        ? ROLE_WARN
                                               : ROLE_DIM,
                    left);
    if (line->names_me)
        canvas_text(canvas, y, 0, ROLE_MENTION, "*");
    if (line->state == LINE_UNSENT)
        canvas_text(canvas, y, 0, ROLE_BAD, "!");
    if (selected) {
        if (!line->names_me && line->state != LINE_UNSENT)
            canvas_glyph(canvas, y, 0, ROLE_TEXT, GLYPH_CURSOR);
        canvas_role(canvas, y, x + shift, first, ROLE_SELECT);
        if (ui_focus(&c->view))
            canvas_cursor(canvas, y, 0, false);
    }
    return lines.count ? (int)lines.count : 1;
}

static void rule(struct canvas c, int y, const char *text)
{
    canvas_repeat(c, y, 2, c.cols - 3, ROLE_RULE, GLYPH_RULE);
    canvas_text(c, y, 4, ROLE_RULE, " ");
    int cells = canvas_cut(c, y, 5, c.cols - 8, ROLE_TITLE, text);
    canvas_text(c, y, 5 + cells, ROLE_RULE, " ");
}

static void draw_log(const struct chat *c, struct canvas canvas)
{
    const struct room *room = chat_room(c);
    int y = 0;
    if (!room->count) {
        char line[100];
        snprintf(line, sizeof line, "Nothing said in the last %d minutes. Say hello.", room->ttl ? room->ttl / 60 : 60);
        if (room->joined)
            heading_text(canvas, 0, 2, canvas.cols - 4, 3, ROLE_TEXT, line);
        return;
    }
    size_t bottom = room->bottom < room->count ? room->bottom : room->count - 1;
    for (size_t i = top_of(c, room, bottom); i <= bottom && y < canvas.rows; i++) {
        if (rule_before(room, i))
            rule(canvas, y++, "new");
        if (y < canvas.rows)
            y += draw_line(c, canvas, y, &room->lines[i], c->in_log && i == room->selected);
    }
    if (c->view.ui->link == UI_LOST && y < canvas.rows) {
        char clock[32], text[80];
        format_when((time_t)c->view.ui->lost_at, c->view.ui->wall, FORMAT_CLOCK, clock);
        snprintf(text, sizeof text, "connection lost at %s, your line is kept", clock);
        rule(canvas, y, text);
    }
}

void chat_draw_pane(const struct view *view, struct canvas canvas)
{
    const struct chat *c = (const struct chat *)view;
    const struct room *room = chat_room(c);
    if (!room)
        return;
    int rows = log_rows(c), y = canvas.rows - input_rows(c, room, canvas.cols);
    draw_heading(c, canvas);
    if (y - 1 > rows) { /* the legend has a row */
        char legend[80];
        snprintf(legend, sizeof legend, "lines disappear %d minutes after they are said",
                 room->ttl ? room->ttl / 60 : 60);
        canvas_right(canvas, 1, canvas.cols, ROLE_DIM, legend);
    }
    draw_log(c, canvas_part(canvas, y - rows, 0, rows, canvas.cols));
    int x = 1;
    if (small(c))
        x += canvas_text(canvas, y, 1, ROLE_TEXT, "> ");
    else {
        x += canvas_text(canvas, y, 1, ROLE_TEXT, "To ");
        x += canvas_cut(canvas, y, x, 30, ROLE_TEXT, room->title);
        x += canvas_text(canvas, y, x, ROLE_TEXT, ": ");
    }
    field_draw_rows(&room->field, canvas, y, x, canvas.cols - x - 1, canvas.rows - y, !c->in_log && ui_focus(view));
}
