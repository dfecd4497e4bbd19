/* results.h - the passages that were found, as a list. */
#ifndef TUI_VIEWS_RESULTS_H
#define TUI_VIEWS_RESULTS_H

#include "tui/ui.h"

struct results {
    cJSON *reply; /* of search.query; NULL: nothing was searched */
    const cJSON **rows;
    struct list list;
    int cols;
    bool one_line, narrow, wide;
};

void results_take(struct results *r, const cJSON *reply);
void results_clear(struct results *r);
const cJSON *results_selected(const struct results *r); /* NULL: none */
/* The passage a citation stands for, or NULL; for its heading. */
const cJSON *results_find(const struct results *r, const char *chunk_id);
bool results_move(struct results *r, enum action action, int rows);
bool results_next(struct results *r, const struct ui *ui, int step); /* to the next that holds what / looks for */
void results_layout(struct results *r, int rows, int cols, enum ui_size size);
void results_draw(const struct results *r, const struct ui *ui, struct canvas c, bool marked, bool focus);
/* `Title · heading        p. 12` in one row; the cells of the title. */
int results_title(struct canvas c, int y, int x, const cJSON *place, const char *heading, bool facts);

#endif
