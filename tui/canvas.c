/* canvas.c - cells to draw on, without a terminal. */
#include "tui/canvas.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

static const struct cell blank = {.text = ' ', .width = 1};

void canvas_clear(struct sheet *s)
{
    for (int i = 0; i < s->rows * s->cols; i++)
        s->cells[i] = blank;
    s->cursor_y = s->cursor_x = 0;
    s->cursor_shown = false;
}

void canvas_resize(struct sheet *s, int rows, int cols)
{
    s->rows = rows < 1 ? 1 : rows;
    s->cols = cols < 1 ? 1 : cols;
    free(s->cells);
    s->cells = mem_array((size_t)s->rows * (size_t)s->cols, sizeof *s->cells);
    canvas_clear(s);
}

void canvas_free(struct sheet *s)
{
    free(s->cells);
    *s = (struct sheet){0};
}

void canvas_row(const struct sheet *s, int row, struct buf *out)
{
    int last = s->cols;
    const struct cell *line = s->cells + (size_t)row * (size_t)s->cols;
    while (last > 0 && line[last - 1].text == ' ' && line[last - 1].width == 1)
        last--;
    for (int i = 0; i < last; i++) {
        if (!line[i].width)
            continue;
        text_append(out, line[i].text);
        for (int m = 0; m < 3 && line[i].marks[m]; m++)
            text_append(out, line[i].marks[m]);
    }
}

struct canvas canvas_all(struct sheet *s)
{
    return (struct canvas){.sheet = s, .rows = s->rows, .cols = s->cols};
}

struct canvas canvas_part(struct canvas c, int y, int x, int rows, int cols)
{
    if (y < 0)
        rows += y, y = 0;
    if (x < 0)
        cols += x, x = 0;
    if (rows > c.rows - y)
        rows = c.rows - y;
    if (cols > c.cols - x)
        cols = c.cols - x;
    return (struct canvas){c.sheet, c.y + y, c.x + x, rows < 0 ? 0 : rows, cols < 0 ? 0 : cols};
}

/* A cell of the canvas, or NULL outside of it and for the sheet's last one. */
static struct cell *cell_at(struct canvas c, int y, int x)
{
    if (y < 0 || x < 0 || y >= c.rows || x >= c.cols)
        return NULL;
    int row = c.y + y, col = c.x + x;
    if (row == c.sheet->rows - 1 && col == c.sheet->cols - 1)
        return NULL;
    return c.sheet->cells + (size_t)row * (size_t)c.sheet->cols + col;
}

/* What overwrites one half of a wide character blanks the other. */
static void unpair(struct canvas c, int y, int x)
{
    struct canvas whole = canvas_all(c.sheet);
    struct cell *here = cell_at(c, y, x);
    if (here && here->width == 0) {
        struct cell *left = cell_at(whole, c.y + y, c.x + x - 1);
        if (left)
            *left = blank;
    } else if (here && here->width == 2) {
        struct cell *right = cell_at(whole, c.y + y, c.x + x + 1);
        if (right)
            *right = blank;
    }
}

static bool place(struct canvas c, int y, int x, uint32_t text, int width, enum role role)
{
    struct cell *first = cell_at(c, y, x), *second = width == 2 ? cell_at(c, y, x + 1) : NULL;
    if (!first || (width == 2 && !second))
        return false;
    unpair(c, y, x);
    if (second)
        unpair(c, y, x + 1);
    *first = (struct cell){.text = text, .role = (uint8_t)role, .width = (uint8_t)width};
    if (second)
        *second = (struct cell){.role = (uint8_t)role};
    return true;
}

static void mark(struct canvas c, int y, int x, uint32_t text)
{
    struct cell *cell = cell_at(c, y, x);
    for (int i = 0; cell && i < 3; i++) {
        if (!cell->marks[i]) {
            cell->marks[i] = text;
            return;
        }
    }
}

/* Bytes that can matter for `width` cells; the rest of an endless text is not even looked at. */
static size_t enough(const char *text, size_t length, int width)
{
    size_t most = (size_t)(width < 0 ? 0 : width) * 16 + 64;
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xC0) == 0x80)
        most--;
    return most;
}

int canvas_put(struct canvas c, int y, int x, int width, enum role role, const char *text, size_t length)
{
    if (width > c.cols - x)
        width = c.cols - x;
    if (y < 0 || y >= c.rows || width <= 0 || !text || !length)
        return 0;
    AUTO(buf_free) struct buf clean = {0};
    text_clean(&clean, text, enough(text, length, width), TEXT_ONE_LINE);
    int used = 0, last = -1;
    for (size_t at = 0; at < clean.length;) {
        uint32_t cp = text_next(clean.data, clean.length, &at);
        int cells = text_width(cp);
        if (cells <= 0) {
            if (last >= 0)
                mark(c, y, x + last, cp);
            continue;
        }
        if (used + cells > width)
            break;
        last = used;
        if (x + used >= 0 && !place(c, y, x + used, cp, cells, role))
            last = -1;
        used += cells;
    }
    return used;
}

int canvas_text(struct canvas c, int y, int x, enum role role, const char *text)
{
    return canvas_put(c, y, x, c.cols - x, role, text, text ? strlen(text) : 0);
}

int canvas_cut(struct canvas c, int y, int x, int width, enum role role, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    if (width > c.cols - x)
        width = c.cols - x;
    if (width <= 0 || !length)
        return 0;
    size_t seen = enough(text, length, width);
    AUTO(buf_free) struct buf clean = {0};
    text_clean(&clean, text, seen, TEXT_ONE_LINE);
    if (seen == length && text_cells(clean.data ? clean.data : "", clean.length) <= (size_t)width)
        return canvas_put(c, y, x, width, role, clean.data, clean.length);
    int used = canvas_put(c, y, x, width - 1, role, clean.data, clean.length);
    canvas_glyph(c, y, x + used, role, GLYPH_CUT);
    return used + 1;
}

void canvas_right(struct canvas c, int y, int end, enum role role, const char *text)
{
    int cells = (int)text_cells(text, strlen(text));
    canvas_text(c, y, end - cells, role, text);
}

int canvas_format(struct canvas c, int y, int x, enum role role, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    return canvas_text(c, y, x, role, line);
}

const char *canvas_sign(struct canvas c, enum glyph glyph)
{
    return theme_glyph(c.sheet->ascii, glyph);
}

void canvas_glyph(struct canvas c, int y, int x, enum role role, enum glyph glyph)
{
    canvas_text(c, y, x, role, canvas_sign(c, glyph));
}

void canvas_repeat(struct canvas c, int y, int x, int count, enum role role, enum glyph glyph)
{
    const char *sign = canvas_sign(c, glyph);
    size_t at = 0;
    uint32_t cp = text_next(sign, strlen(sign), &at);
    for (int i = 0; i < count; i++)
        place(c, y, x + i, cp, 1, role);
}

void canvas_role(struct canvas c, int y, int x, int width, enum role role)
{
    for (int i = 0; i < width; i++) {
        struct cell *cell = cell_at(c, y, x + i);
        if (cell)
            cell->role = (uint8_t)role;
    }
}

void canvas_unselect(struct canvas c)
{
    const char *sign = canvas_sign(c, GLYPH_CURSOR);
    size_t at = 0;
    uint32_t chosen = text_next(sign, strlen(sign), &at);
    for (int y = 0; y < c.rows; y++) {
        for (int x = 0; x < c.cols; x++) {
            struct cell *cell = cell_at(c, y, x);
            if (cell && cell->role == ROLE_SELECT)
                cell->role = ROLE_TEXT;
            if (cell && x == 0 && cell->text == chosen)
                *cell = blank;
        }
    }
}

void canvas_blank(struct canvas c, int y, int rows)
{
    for (int row = y; row < y + rows; row++) {
        for (int col = 0; col < c.cols; col++) {
            struct cell *cell = cell_at(c, row, col);
            if (!cell)
                continue;
            unpair(c, row, col);
            *cell = blank;
        }
    }
}

void canvas_cursor(struct canvas c, int y, int x, bool shown)
{
    int row = c.y + y, col = c.x + x;
    c.sheet->cursor_y = row < 0 ? 0 : row >= c.sheet->rows ? c.sheet->rows - 1 : row;
    c.sheet->cursor_x = col < 0 ? 0 : col >= c.sheet->cols ? c.sheet->cols - 1 : col;
    c.sheet->cursor_shown = shown;
}
