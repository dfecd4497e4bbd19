/* view.h - what a pane is: a class of functions over a state of its own.
 *
 * Keys (as actions), replies and notifications change the state; `layout` settles what depends on the size;
 * `draw` reads the state and nothing else. Nothing in a view waits, knows a socket or a terminal.
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "common/json.h"
#include "tui/canvas.h"
#include "tui/keymap.h"
#include "tui/widgets/field.h"

struct ui;
struct view;

/* An answer of the server. The strings of `result` are clean for a terminal (sanitize.h). */
struct reply {
    int tag;
    uint64_t call;
    const cJSON *result; /* NULL exactly where err is not */
    const struct err *err;
};

struct keyrow {
    struct {
        enum action action; /* ACT_NONE: `keys` as it is */
        const char *keys, *label;
    } entries[16];
    int count;
};
void view_key(struct keyrow *row, enum action action, const char *label); /* label NULL: the table's */

struct status {
    char left[400], right[48];
    enum role role;
};

enum view_access { VIEW_USER, VIEW_TEACHER, VIEW_ADMIN };

struct view_class {
    enum pane pane;
    const char *title;
    char letter; /* after g */
    enum view_access access;
    const char *needs;            /* the method without which the pane is hidden */
    size_t size;                  /* of the state, which begins with a struct view */
    void (*start)(struct view *); /* made, before the first show */
    void (*show)(struct view *);  /* each time it comes to the front */
    void (*stop)(struct view *);  /* frees what it owns */
    bool (*act)(struct view *, enum action action, const struct key *key); /* false: not mine */
    void (*reply)(struct view *, const struct reply *);
    void (*notification)(struct view *, const char *method, const cJSON *params);
    void (*answer)(struct view *, int tag, const char *text); /* to a question; NULL: no, or Esc */
    void (*online)(struct view *);                            /* connected and logged in, first or again */
    int (*tick)(struct view *); /* now; milliseconds until it wants to be called again, -1: never */
    void (*layout)(struct view *, int rows, int cols);
    void (*draw)(const struct view *, struct canvas);
    void (*keys)(const struct view *, struct keyrow *);
    void (*status)(const struct view *, struct status *);
    struct field *(*field)(struct view *); /* the text field that has the focus, or NULL */
    int (*unread)(const struct view *);
    bool (*unsent)(const struct view *); /* leaving asks first */
    void (*draft)(struct view *, cJSON *store, bool load);
};

struct view {
    const struct view_class *class;
    struct ui *ui;
};

extern const struct view_class login_class, search_class, reader_class, recommend_class, memory_class, chat_class,
    library_class, students_class, admin_class;

#endif
