/* vt.c - a terminal without a window: what a program writes becomes the cells that a person would see. */
#include "tests/lib/vt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

enum { NUMBERS = 16 };

static const struct vt_style plain = {.color = -1};

static struct vt_cell *at(struct vt *vt, int y, int x)
{
    return vt->cells + (size_t)y * (size_t)vt->cols + x;
}

/* Erased cells have no style; a background is never set. */
static void erase(struct vt *vt, int y, int from, int to)
{
    for (int x = from < 0 ? 0 : from; x < to && x < vt->cols; x++)
        *at(vt, y, x) = (struct vt_cell){' ', plain};
}

void vt_start(struct vt *vt, int rows, int cols)
{
    *vt = (struct vt){.rows = rows, .cols = cols, .bottom = rows, .style = plain};
    vt->cells = mem_array((size_t)rows * (size_t)cols, sizeof *vt->cells);
    for (int y = 0; y < rows; y++)
        erase(vt, y, 0, cols);
}

void vt_stop(struct vt *vt)
{
    free(vt->cells);
    *vt = (struct vt){0};
}

static void wrong(struct vt *vt, const char *what)
{
    if (!*vt->wrong)
        snprintf(vt->wrong, sizeof vt->wrong, "%.40s (%.*s)", what, (int)vt->count - 1, (const char *)vt->pending + 1);
}

/* Rows from..to move down by n, up where n is negative; what comes in is blank. */
static void scroll(struct vt *vt, int from, int to, int n)
{
    int size = to - from, by = n < 0 ? -n : n;
    size_t row = (size_t)vt->cols * sizeof *vt->cells;
    by = by > size ? size : by;
    if (size <= 0)
        return;
    memmove(at(vt, n > 0 ? from + by : from, 0), at(vt, n > 0 ? from : from + by, 0), (size_t)(size - by) * row);
    for (int i = 0; i < by; i++)
        erase(vt, n > 0 ? from + i : to - 1 - i, 0, vt->cols);
}

static void place(struct vt *vt, int y, int x)
{
    vt->y = y < 0 ? 0 : y >= vt->rows ? vt->rows - 1 : y;
    vt->x = x < 0 ? 0 : x >= vt->cols ? vt->cols - 1 : x;
    vt->wraps = false;
}

static void down(struct vt *vt)
{
    if (vt->y == vt->bottom - 1)
        scroll(vt, vt->top, vt->bottom, -1);
    else
        place(vt, vt->y + 1, vt->x);
}

static void up(struct vt *vt)
{
    if (vt->y == vt->top)
        scroll(vt, vt->top, vt->bottom, 1);
    else
        place(vt, vt->y - 1, vt->x);
}

static void character(struct vt *vt, uint32_t text)
{
    int width = text_width(text);
    if (width <= 0)
        return; /* a mark belongs to the character before it */
    if (vt->wraps || vt->x + width > vt->cols) {
        vt->x = 0;
        vt->wraps = false;
        down(vt);
    }
    *at(vt, vt->y, vt->x) = (struct vt_cell){text, vt->style};
    if (width == 2)
        *at(vt, vt->y, vt->x + 1) = (struct vt_cell){0, vt->style};
    vt->before = text;
    vt->x += width;
    vt->wraps = vt->x >= vt->cols;
    if (vt->wraps)
        vt->x = vt->cols - 1;
}

static void style(struct vt *vt, const int *numbers, int count)
{
    for (int i = 0; i < count; i++) {
        int n = numbers[i];
        if (n == 0)
            vt->style = plain;
        else if (n == 1 || n == 22)
            vt->style.bold = n == 1;
        else if (n == 4 || n == 24)
            vt->style.underline = n == 4;
        else if (n == 7 || n == 27)
            vt->style.reverse = n == 7;
        else if (n >= 30 && n <= 37)
            vt->style.color = n - 30;
        else if (n == 39)
            vt->style.color = -1;
        else if (n == 38 && i + 2 < count && numbers[i + 1] == 5)
            vt->style.color = numbers[i + 2], i += 2;
        else if (n != 49 && n != 10)
            wrong(vt, "a style that nobody asked for");
    }
}

static void erase_screen(struct vt *vt, int kind)
{
    for (int y = kind ? 0 : vt->y + 1; y < (kind == 1 ? vt->y : vt->rows); y++)
        erase(vt, y, 0, vt->cols);
    erase(vt, vt->y, kind ? 0 : vt->x, kind == 1 ? vt->x + 1 : vt->cols);
}

static void shift(struct vt *vt, int by)
{
    struct vt_cell *row = at(vt, vt->y, 0);
    int most = vt->cols - vt->x, n = by < 0 ? -by : by;
    n = n > most ? most : n;
    size_t kept = (size_t)(most - n) * sizeof *row;
    memmove(row + vt->x + (by > 0 ? n : 0), row + vt->x + (by > 0 ? 0 : n), kept);
    erase(vt, vt->y, by > 0 ? vt->x : vt->cols - n, by > 0 ? vt->x + n : vt->cols);
}

static void sequence(struct vt *vt, unsigned char final, const int *numbers, int count)
{
    int n = count && numbers[0] ? numbers[0] : 1, m = count > 1 && numbers[1] ? numbers[1] : 1;
    switch (final) {
    case 'A': place(vt, vt->y - n, vt->x); break;
    case 'B': place(vt, vt->y + n, vt->x); break;
    case 'C': place(vt, vt->y, vt->x + n); break;
    case 'D': place(vt, vt->y, vt->x - n); break;
    case 'G':
    case '`': place(vt, vt->y, n - 1); break;
    case 'd': place(vt, n - 1, vt->x); break;
    case 'H':
    case 'f': place(vt, n - 1, m - 1); break;
    case 'J': erase_screen(vt, count ? numbers[0] : 0); break;
    case 'K': erase(vt, vt->y, count && numbers[0] ? 0 : vt->x, count && numbers[0] == 1 ? vt->x + 1 : vt->cols); break;
    case 'L': scroll(vt, vt->y, vt->bottom, n); break;
    case 'M': scroll(vt, vt->y, vt->bottom, -n); break;
    case 'S': scroll(vt, vt->top, vt->bottom, -n); break;
    case 'T': scroll(vt, vt->top, vt->bottom, n); break;
    case 'P': shift(vt, -n); break;
    case '@': shift(vt, n); break;
    case 'X': erase(vt, vt->y, vt->x, vt->x + n); break;
    case 'b':
        for (int i = 0; i < n; i++)
            character(vt, vt->before);
        break;
    case 'r':
        vt->top = count && numbers[0] ? numbers[0] - 1 : 0;
        vt->bottom = count > 1 && numbers[1] ? numbers[1] : vt->rows;
        place(vt, 0, 0);
        break;
    case 'm': style(vt, count ? numbers : (const int[]){0}, count ? count : 1); break;
    case 'h':
    case 'l':
    case 't':
    case 'c': break; /* modes, the window's title, a question */
    default: wrong(vt, "a sequence"); break;
    }
}

static void finish(struct vt *vt)
{
    int numbers[NUMBERS] = {0}, count = 0;
    const unsigned char *p = vt->pending + 2, *end = vt->pending + vt->count - 1;
    bool private = *p == '?' || *p == '>';
    for (p += private; p < end && count < NUMBERS; p++) {
        if (*p >= '0' && *p <= '9')
            numbers[count] = numbers[count] * 10 + (*p - '0');
        if (*p == ';' || p + 1 == end)
            count++;
    }
    if (!private || *end == 'h' || *end == 'l')
        sequence(vt, *end, numbers, count);
    vt->count = 0;
}

/* After ESC: true while more is to come. */
static bool escape(struct vt *vt, unsigned char byte)
{
    switch (vt->pending[1]) {
    case '[':
        if (vt->count > 2 && byte >= 0x40 && byte <= 0x7E)
            finish(vt);
        return vt->count > 0;
    case ']':
        if (byte == 0x07 && vt->pending[2] == '9')
            vt->marks++;
        return byte != 0x07;
    case '(':
    case ')': return vt->count < 3;
    case '7': vt->kept_y = vt->y, vt->kept_x = vt->x; return false;
    case '8': place(vt, vt->kept_y, vt->kept_x); return false;
    case 'M': up(vt); return false;
    case 'D': down(vt); return false;
    case 'E': down(vt), place(vt, vt->y, 0); return false;
    case '=':
    case '>': return false;
    default: wrong(vt, "an escape"); return false;
    }
}

static void control(struct vt *vt, unsigned char byte)
{
    switch (byte) {
    case '\r': place(vt, vt->y, 0); break;
    case '\n': down(vt); break;
    case '\b': place(vt, vt->y, vt->x - 1); break;
    case '\t': place(vt, vt->y, (vt->x / 8 + 1) * 8); break;
    case 0:
    case 0x07:
    case 0x0E:
    case 0x0F: break;
    default: wrong(vt, "a control"); break;
    }
}

static void feed(struct vt *vt, unsigned char byte)
{
    if (!vt->count && (byte < 0x20 || byte == 0x7F) && byte != 0x1B) {
        control(vt, byte);
        return;
    }
    vt->pending[vt->count++] = byte;
    unsigned char a = vt->pending[0];
    if (a == 0x1B) {
        if ((vt->count > 1 && !escape(vt, byte)) || vt->count == sizeof vt->pending)
            vt->count = 0;
        return;
    }
    size_t need = a < 0x80 ? 1 : a < 0xE0 ? 2 : a < 0xF0 ? 3 : 4, from = 0;
    if (vt->count == need) {
        character(vt, text_next((const char *)vt->pending, need, &from));
        vt->count = 0;
    }
}

void vt_feed(struct vt *vt, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        feed(vt, (unsigned char)bytes[i]);
}
