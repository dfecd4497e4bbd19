/* rows.h - a list that the server gives page by page. */
#ifndef TUI_VIEWS_ROWS_H
#define TUI_VIEWS_ROWS_H

#include "tui/ui.h"

struct rows {
    cJSON *items; /* an array; NULL: not loaded yet */
    const cJSON **at;
    char *cursor;   /* of the next page; NULL: that was all */
    const char *id; /* the member that identifies a row */
    struct list list;
    bool loading_more;
};

void rows_take(struct rows *r, const cJSON *result, const char *id); /* after loading_more: appended */
void rows_clear(struct rows *r);
const cJSON *rows_selected(const struct rows *r);
const cJSON *rows_named(const struct rows *r, const char *id);
bool rows_move(struct rows *r, enum action action, int page);
bool rows_find(struct rows *r, const struct ui *ui, int step, const char *const *members); /* NULL-ended */
void rows_position(const struct rows *r, long total, char *out, size_t size);              /* "3 of 50+" */
/* The selection is near the end and there is more: the cursor for the next page, once. */
const char *rows_more(struct rows *r);
/* A row that changed: it takes the place of the one with its id, or the first. */
void rows_put(struct rows *r, const cJSON *row, const char *id);
void rows_forget(struct rows *r, const char *id); /* a row that is gone */

#endif
