/* canvas.h - cells to draw on, without a terminal.
 *
 * A sheet owns the cells of the whole screen; a canvas is a window into it with its own origin, passed
 * by value. Everything clips. canvas_put is the only way for text into a cell, and cleans what it writes
 * (common/text.h), so nothing that others wrote can reach a terminal as a control. A wide character is
 * never drawn half, and the sheet's last cell is never written (a terminal would scroll).
 */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "tui/theme.h"

struct cell {
    uint32_t text, marks[3]; /* 0: none */
    uint8_t role;
    uint8_t width; /* 1, 2, or 0 for the right half of a wide character */
};

struct sheet {
    int rows, cols;
    struct cell *cells;
    int cursor_y, cursor_x; /* always inside */
    bool cursor_shown;
    bool ascii; /* which glyphs */
};

struct canvas {
    struct sheet *sheet;
    int y, x, rows, cols;
};

void canvas_resize(struct sheet *s, int rows, int cols); /* blank afterwards */
void canvas_clear(struct sheet *s);
void canvas_free(struct sheet *s);
/* The row's text without trailing blanks; for tests and for `v`. */
void canvas_row(const struct sheet *s, int row, struct buf *out);

struct canvas canvas_all(struct sheet *s);
struct canvas canvas_part(struct canvas c, int y, int x, int rows, int cols);
/* Draws cleaned text in at most `width` cells; the number of cells used. */
int canvas_put(struct canvas c, int y, int x, int width, enum role role, const char *text, size_t length);
int canvas_text(struct canvas c, int y, int x, enum role role, const char *text); /* to the right edge */
/* The same, ending in … where it does not fit. */
int canvas_cut(struct canvas c, int y, int x, int width, enum role role, const char *text);
void canvas_right(struct canvas c, int y, int end, enum role role, const char *text); /* ends before column `end` */
int canvas_format(struct canvas c, int y, int x, enum role role, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
void canvas_glyph(struct canvas c, int y, int x, enum role role, enum glyph glyph);
void canvas_repeat(struct canvas c, int y, int x, int count, enum role role, enum glyph glyph);
void canvas_role(struct canvas c, int y, int x, int width, enum role role); /* recolours what stands there */
void canvas_unselect(struct canvas c);                                      /* no row looks chosen */
void canvas_blank(struct canvas c, int y, int rows);
void canvas_cursor(struct canvas c, int y, int x, bool shown);
const char *canvas_sign(struct canvas c, enum glyph glyph);

#endif
