/* wrap.h - text in lines of so many cells, broken between words. */
#ifndef TUI_WIDGETS_WRAP_H
#define TUI_WIDGETS_WRAP_H

#include "tui/canvas.h"

struct wrap_line {
    size_t from, to; /* bytes of the text; the blank a line was broken at belongs to none */
};
struct wrap {
    struct wrap_line *lines;
    size_t count, capacity;
};

/* Appends the lines of cleaned text; line feeds end lines. Words wider than `width` are broken. An empty
 * text has no line. */
void wrap_text(struct wrap *w, const char *text, size_t length, int width);
void wrap_free(struct wrap *w);

/* A stretch of the text that looks different. */
struct wrap_span {
    size_t from, to;
    enum role role;
};
/* Draws bytes [from, to) of text in `role`, the spans over it; the cells used. Spans are in order. */
int wrap_draw(struct canvas c, int y, int x, int width, enum role role, const char *text, struct wrap_line line,
              const struct wrap_span *spans, size_t span_count);

#endif
