/* list.c - which row is selected and which is the first on the screen. */
#include "tui/widgets/list.h"

#include <stdio.h>
#include <string.h>

void list_select(struct list *l, size_t index, list_id *id, const void *rows)
{
    l->selected = l->count == 0 ? 0 : index >= l->count ? l->count - 1 : index;
    const char *name = l->count && id ? id(rows, l->selected) : NULL;
    snprintf(l->id, sizeof l->id, "%s", name ? name : "");
}

void list_reload(struct list *l, size_t count, list_id *id, const void *rows)
{
    l->count = count;
    size_t keep = l->selected;
    for (size_t i = 0; *l->id && id && i < count; i++) {
        const char *name = id(rows, i);
        if (name && strcmp(name, l->id) == 0) {
            keep = i;
            break;
        }
    }
    list_select(l, keep, id, rows);
    if (l->top >= count)
        l->top = count ? count - 1 : 0;
}

bool list_move(struct list *l, long step, list_id *id, const void *rows)
{
    size_t before = l->selected;
    long to = (long)l->selected + step;
    list_select(l, to < 0 ? 0 : (size_t)to, id, rows);
    return l->selected != before;
}

void list_fit(struct list *l, int rows_shown, list_height *height, const void *rows)
{
    if (!l->count) {
        l->top = 0;
        return;
    }
    if (l->selected < l->top)
        l->top = l->selected;
    int used = 0;
    size_t first = l->selected + 1;
    while (first > 0) { /* the earliest first row that still shows the selected one whole */
        used += height ? height(rows, first - 1) : 1;
        if (used > rows_shown && first - 1 != l->selected)
            break;
        first--;
    }
    if (l->top < first)
        l->top = first;
    while (l->top > 0) { /* no empty rows below the last one while there are earlier ones */
        int shown = 0;
        for (size_t i = l->top - 1; i < l->count && shown <= rows_shown; i++)
            shown += height ? height(rows, i) : 1;
        if (shown > rows_shown)
            break;
        l->top--;
    }
}

void list_mark(struct canvas c, int y, int title_x, int title_cells, bool focus)
{
    canvas_glyph(c, y, 0, ROLE_TEXT, GLYPH_CURSOR);
    canvas_role(c, y, title_x, title_cells, ROLE_SELECT);
    if (focus)
        canvas_cursor(c, y, 0, false);
}
