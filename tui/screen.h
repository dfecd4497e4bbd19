/* screen.h - the terminal itself: the one file that knows ncurses. Copies a sheet of cells to it.
 *
 * Size: SIGWINCH is the caller's (blocked outside its wait), who then asks screen_size and calls
 * screen_resize. Input: bytes of descriptor 0, decoded by keys.h; ncurses reads nothing.
 */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include "common/err.h"
#include "tui/canvas.h"

bool screen_start(struct err *err) MUST_CHECK;
void screen_stop(void); /* the terminal is as before; any number of times */
int screen_colors(void);
bool screen_ascii(void); /* by locale and terminal */
void screen_theme(enum theme theme);
void screen_size(int *rows, int *cols);
void screen_resize(int rows, int cols);
void screen_show(const struct sheet *sheet);
void screen_redraw(void);                            /* the next show draws every cell */
void screen_suspend(void);                           /* to the shell; returns when it is continued */
void screen_write(const char *bytes, size_t length); /* past ncurses: for the clipboard */

#endif
