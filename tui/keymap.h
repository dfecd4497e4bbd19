/* keymap.h - what keys do: one table for dispatch, the key row, help, `:`, the configuration and the man page.
 *
 * A row is (action, panes, keys, label in the key row, help, command, method). An action may have several
 * rows, one for the panes where it goes by other words.
 */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>

#include "tui/keys.h"

enum pane {
    PANE_LOGIN,
    PANE_SEARCH,
    PANE_READER,
    PANE_RECOMMEND,
    PANE_MEMORY,
    PANE_CHAT,
    PANE_LIBRARY,
    PANE_STUDENTS,
    PANE_ADMIN,
    PANE_COUNT
};
#define IN(pane) (1u << PANE_##pane)

enum action {
    ACT_NONE,
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_FIRST,
    ACT_LAST,
    ACT_ENTER,
    ACT_NEXT_PART,
    ACT_LAST_PART,
    ACT_BACK,
    ACT_GO,
    ACT_PANE,
    ACT_NEXT_PANE,
    ACT_LAST_PANE,
    ACT_NEXT_ROOM,
    ACT_LAST_ROOM,
    ACT_SEARCH,
    ACT_FIND,
    ACT_NEXT,
    ACT_PREVIOUS,
    ACT_COMMAND,
    ACT_HELP,
    ACT_COPY,
    ACT_COPY_SOURCE,
    ACT_BARE,
    ACT_SAVE,
    ACT_OPEN,
    ACT_SOURCE,
    ACT_ASK_ON,
    ACT_COURSE,
    ACT_ADD,
    ACT_DELETE,
    ACT_DELETE_ALL,
    ACT_AGAIN,
    ACT_RENAME,
    ACT_SWITCH,
    ACT_IMPORT,
    ACT_MUTE,
    ACT_WHY,
    ACT_STUDENT,
    ACT_ENROL,
    ACT_RELOAD,
    ACT_STOP,
    ACT_REDRAW,
    ACT_SUSPEND,
    ACT_QUIT,
    ACT_THEME,
    ACT_PROFILE,
    ACT_PLAIN,
    ACT_PASSWORD,
    ACT_LOGOUT,
    ACT_LOGOUT_ALL,
    ACT_REFLECT_ME,
    ACT_HISTORY,
    ACT_UNENROL,
    ACT_COUNT
};

struct keymap_row {
    enum action action;
    unsigned panes;      /* bits of IN(); 0: everywhere */
    const char *keys;    /* "Down j": the defaults, blanks between */
    bool in_text;        /* its keys that are not printable work in a text field too */
    const char *label;   /* in the key row */
    const char *help;    /* NULL: explained by another row */
    const char *command; /* after `:`, with words for its parameters; NULL: not offered */
    const char *method;  /* of the protocol; hidden where the server has it not */
};

struct keymap {
    struct key keys[ACT_COUNT][4];
    int count[ACT_COUNT];
    bool changed[ACT_COUNT];
};

extern const struct keymap_row keymap_rows[];
extern const size_t keymap_row_count;

void keymap_defaults(struct keymap *map);
/* `key.NAME = KEYS`: NAME is the action's in the configuration ("page-down"); false where one is unknown. */
bool keymap_set(struct keymap *map, const char *name, const char *keys);
/* What the key does in this pane; in a text field printable keys do nothing here. */
enum action keymap_action(const struct keymap *map, const struct key *key, enum pane pane, bool in_text);
const struct keymap_row *keymap_row(enum action action, enum pane pane);
const char *keymap_name(enum action action); /* for the configuration; NULL for ACT_NONE */
/* The first key ("PgUp"), or all with blanks between. */
void keymap_keys(const struct keymap *map, enum action action, bool all, char *out, size_t size);

#endif
