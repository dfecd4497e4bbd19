/* vt.h - a terminal without a window: what a program writes becomes the cells that a person would see.
 *
 * It knows what ncurses sends to xterm, screen, tmux, linux and vt100, and says so where something else comes.
 */
#ifndef TESTS_LIB_VT_H
#define TESTS_LIB_VT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vt_style {
    bool bold, underline, reverse;
    int color; /* -1: the terminal's own */
};

struct vt_cell {
    uint32_t text; /* 0: the right half of a wide character */
    struct vt_style style;
};

struct vt {
    int rows, cols, y, x, top, bottom; /* the region that scrolls: top up to and without bottom */
    int kept_y, kept_x;
    bool wraps; /* the last column is written, and the next character wraps */
    struct vt_style style;
    struct vt_cell *cells;
    unsigned char pending[64];
    size_t count;
    uint32_t before; /* the last character, for REP */
    int marks;       /* OSC 9: how far the program has come */
    char wrong[96];  /* the first thing not understood; "" */
};

void vt_start(struct vt *vt, int rows, int cols);
void vt_stop(struct vt *vt);
void vt_feed(struct vt *vt, const char *bytes, size_t length);

#endif
