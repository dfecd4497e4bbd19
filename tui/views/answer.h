/* answer.h - the turns of a conversation about the library, laid out in lines with their marks. */
#ifndef TUI_VIEWS_ANSWER_H
#define TUI_VIEWS_ANSWER_H

#include "tui/ui.h"
#include "tui/widgets/wrap.h"

struct turn {
    char *query;
    struct buf text;  /* what has arrived */
    cJSON *citations; /* of search.sources, then of the reply */
    cJSON *sentences; /* of the reply */
    bool writing, grounded, degraded, extractive;
    bool lost; /* the connection went while it was written: the server may have finished it */
    int memory_used, queue;
    int64_t since, took; /* ms */
    time_t at;           /* of one that was kept; -1: of now */
    char search_id[48];
};

enum answer_kind { LINE_HEADING, LINE_TEXT, LINE_NOTE, LINE_SOURCES, LINE_LEGEND };
struct answer_line {
    enum answer_kind kind;
    size_t turn;
    struct wrap_line text; /* LINE_TEXT: of the turn's text; LINE_SOURCES: citations [from, to) */
    char mark;             /* '=', '~', '?', 0 */
    bool first;            /* of its turn */
};

struct answer {
    struct turn *turns;
    size_t count, selected;
    char thread_id[48];
    struct answer_line *lines;
    size_t line_count, line_room, top;
    int rows;
    bool follow; /* the end stays in sight while it is being written */
};

struct turn *answer_begin(struct answer *a, const char *query, int64_t now);
struct turn *answer_writing(struct answer *a); /* the one being written, or NULL: there is at most one */
void answer_finish(struct turn *t, const cJSON *result, int64_t now);
void answer_fail(struct answer *a, struct turn *t);
void answer_found(struct answer *a, const cJSON *thread); /* search.thread: what became of a lost one */
void answer_clear(struct answer *a);
const cJSON *answer_citation(const struct turn *t, int n);
void answer_layout(struct answer *a, int rows, int cols, bool wide);
void answer_draw(const struct answer *a, const struct ui *ui, struct canvas c, bool focus);
bool answer_move(struct answer *a, enum action action);
/* The selected turn as Markdown with its sources. */
void answer_markdown(const struct answer *a, bool all, struct buf *out);

#endif
