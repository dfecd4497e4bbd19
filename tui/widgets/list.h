/* list.h - which row is selected and which is the first on the screen.
 *
 * The selection follows a row's identity, not its number, when the rows are loaded again.
 */
#ifndef TUI_WIDGETS_LIST_H
#define TUI_WIDGETS_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/canvas.h"

struct list {
    size_t count, selected, top;
    char id[64]; /* of the selected row */
};

typedef const char *list_id(const void *rows, size_t index);
typedef int list_height(const void *rows, size_t index);

/* After the rows changed: the row with the same id is selected, else the same number, else the last. */
void list_reload(struct list *l, size_t count, list_id *id, const void *rows);
void list_select(struct list *l, size_t index, list_id *id, const void *rows);
bool list_move(struct list *l, long step, list_id *id, const void *rows); /* false: it is at the end */
/* Scrolls as little as needed so that the selected row is whole within `rows_shown`. */
void list_fit(struct list *l, int rows_shown, list_height *height, const void *rows);
/* The selected row's marks: the glyph and the cursor in column 0, the style on its title's letters. */
void list_mark(struct canvas c, int y, int title_x, int title_cells, bool focus);

#endif
