/* search.h - the state of the search pane, which one file changes and another draws. */
#ifndef TUI_VIEWS_SEARCH_H
#define TUI_VIEWS_SEARCH_H

#include "tui/views/answer.h"
#include "tui/views/results.h"

enum search_part { PART_FIELD, PART_RESULTS, PART_ANSWER };

enum { SEARCH_CALL_QUERY = 1 };

struct search {
    struct view view;
    enum search_part part;
    struct field query;
    struct results results;
    struct answer answer;
    char course_id[48], course[120];
    char kept_id[48]; /* the thread whose answers are being fetched */
    char *previewed;  /* the text of the last preview */
    int64_t typed_at; /* 0: nothing waits to be previewed */
    bool shown, failed, ask_after;
    int rows;
};

void search_draw_layout(struct view *view, int rows, int cols);
void search_draw_pane(const struct view *view, struct canvas c);
void search_draw_keys(const struct view *view, struct keyrow *row);
void search_draw_status(const struct view *view, struct status *status);

#endif
