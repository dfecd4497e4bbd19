/* keymap.c - what keys do: one table for dispatch, the key row, help, `:`, the configuration and the man page. */
#include "tui/keymap.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define LISTS (~IN(LOGIN))

const struct keymap_row keymap_rows[] = {
    /* The open pane's own keys first: what they find, they take from the general rows below. */
    {ACT_ENTER, IN(SEARCH), "Enter", true, "ask", "ask this question, or open the chosen source", "ask QUESTION",
     "search.ask"},
    {ACT_OPEN, IN(SEARCH) | IN(RECOMMEND), "o", false, "open page", "open the page in the reader", NULL,
     "library.page"},
    {ACT_SOURCE, IN(SEARCH), "1 to 9", false, "open source", "open that source of the answer", NULL, "library.page"},
    {ACT_NEXT_PART, IN(SEARCH), "Tab", true, "answer", "passages, answer, search line", NULL, NULL},
    {ACT_ASK_ON, IN(SEARCH), "f", false, "ask on", "ask on in the same conversation", NULL, "search.ask"},
    {ACT_COURSE, IN(SEARCH), "c", false, "course", "choose a course", NULL, "courses.list"},
    {ACT_COPY, IN(SEARCH), "y", false, "copy", "copy passage and source", NULL, NULL},
    {ACT_SAVE, IN(SEARCH), "e", false, "save", "save the answer with its sources as a file", "save answer FILE", NULL},
    {ACT_HISTORY, IN(SEARCH), "h", false, "earlier searches", "earlier searches, and the answers kept of them",
     "history", "search.history"},
    {ACT_DELETE_ALL, IN(SEARCH), "D", false, "clear history", "clear your search history (asks first)", "history clear",
     "search.clear_history"},

    {ACT_PAGE_DOWN, IN(READER), "PgDn Space", true, "next page", "a screen forward, then the next page", NULL, NULL},
    {ACT_PAGE_UP, IN(READER), "PgUp b", true, "page before", "a screen back, then the page before", NULL, NULL},
    {ACT_NEXT, IN(READER), "n", false, "next passage", "next passage, or next place found", NULL, NULL},
    {ACT_PREVIOUS, IN(READER), "N", false, "passage before", "passage or place before", NULL, NULL},
    {ACT_OPEN, IN(READER), "o", false, "contents", "the contents of this document", NULL, "library.outline"},
    {ACT_COPY, IN(READER), "y", false, "copy", "copy passage and source", NULL, NULL},
    {ACT_COPY_SOURCE, IN(READER), "Y", false, "copy source", "copy the source only", NULL, NULL},
    {ACT_COPY_SOURCE, IN(SEARCH), "Y", false, "copy source", NULL, NULL, NULL},

    {ACT_ENTER, IN(RECOMMEND), "Enter", true, "search", "search for this", NULL, "search.query"},
    {ACT_COPY, IN(RECOMMEND), "y", false, "copy", "copy topic and source", NULL, NULL},

    {ACT_ADD, IN(MEMORY), "a", false, "add", "tell EduRag something to remember", "memory add FACT", "memory.retain"},
    {ACT_FIND, IN(MEMORY), "/", false, "recall", "find facts by meaning", NULL, "memory.recall"},
    {ACT_DELETE, IN(MEMORY), "d", false, "forget", "forget this fact (asks first)", NULL, "memory.forget"},
    {ACT_DELETE_ALL, IN(MEMORY), "D", false, "forget all", "erase everything that is kept about you",
     "memory forget all", "memory.forget"},
    {ACT_SAVE, IN(MEMORY), "e", false, "save a copy", "save all that is kept about you", "memory export FILE",
     "memory.export"},
    {ACT_NEXT_PART, IN(MEMORY), "Tab", true, "who looked", "facts, and who looked at them", NULL, NULL},

    {ACT_ENTER, IN(CHAT), "Enter", true, "send", "send the line; on a line that was not sent: try again", NULL,
     "chat.send"},
    {ACT_PAGE_UP, IN(CHAT), "PgUp b", true, "older", "older lines", NULL, NULL},
    {ACT_NEXT_PART, IN(CHAT), "Tab", true, "choose a line", "between the lines and what you type", NULL, NULL},
    {ACT_LAST_ROOM, IN(CHAT), "Alt-Left", true, "", "the room before", NULL, NULL},
    {ACT_NEXT_ROOM, IN(CHAT), "Alt-Right", true, "room", "the next room", NULL, NULL},
    {ACT_COPY, IN(CHAT), "y", false, "copy", "copy this line", NULL, NULL},
    {ACT_AGAIN, IN(CHAT), "r", false, "try again", "send again what was not sent", NULL, NULL},
    {ACT_DELETE, IN(CHAT), "d", false, "delete", "delete this line (teachers)", NULL, "chat.delete"},
    {ACT_MUTE, IN(CHAT), "m", false, "mute", "mute this person for a while (teachers)", NULL, "chat.mute"},

    {ACT_AGAIN, IN(LIBRARY), "r", false, "try again", "read this file again", NULL, "library.retry"},
    {ACT_WHY, IN(LIBRARY), "w", false, "why", "the whole record of this file", NULL, "library.job"},
    {ACT_ADD, IN(LIBRARY), "a", false, "add", "add a PDF", "library add FILE", "library.upload_begin"},
    {ACT_ENTER, IN(LIBRARY), "Enter", true, "open", "open this document", NULL, "library.page"},
    {ACT_RENAME, IN(LIBRARY), "R", false, "rename", "give this document another title", NULL, "library.update"},
    {ACT_COURSE, IN(LIBRARY), "c", false, "course", "move this document to a course", NULL, "library.update"},
    {ACT_DELETE, IN(LIBRARY), "d", false, "delete", "delete this document (asks first)", NULL, "library.delete"},

    {ACT_STUDENT, IN(STUDENTS), "p", false, "another student", "choose a student", NULL, "admin.students"},
    {ACT_SAVE, IN(STUDENTS), "e", false, "save", "save this reflection as a file", NULL, NULL},
    {ACT_ADD, IN(STUDENTS), "a", false, "add", "add a course", NULL, "courses.create"},
    {ACT_RENAME, IN(STUDENTS), "R", false, "rename", "give this course another title", NULL, "courses.update"},
    {ACT_DELETE, IN(STUDENTS), "d", false, "delete", "delete this course (asks first)", NULL, "courses.delete"},
    {ACT_RELOAD, IN(STUDENTS), "Ctrl-R", true, "again", "reflect again", NULL, "memory.reflect"},

    {ACT_ADD, IN(ADMIN), "a", false, "add", "add a person or a course", NULL, "users.create"},
    {ACT_IMPORT, IN(ADMIN), "i", false, "import list", "people from a list, shown before it is done",
     "people import FILE", "users.import"},
    {ACT_AGAIN, IN(ADMIN), "r", false, "new password", "a new password (asks first); a failed job: read again", NULL,
     "users.reset_password"},
    {ACT_RENAME, IN(ADMIN), "R", false, "role", "change the role; a course: its title", NULL, "users.update"},
    {ACT_SWITCH, IN(ADMIN), "x", false, "switch off", "switch the account off or on", NULL, "users.update"},
    {ACT_ENROL, IN(ADMIN) | IN(STUDENTS), "E", false, "enrol", "put people into this course", NULL, "courses.enrol"},
    {ACT_UNENROL, IN(ADMIN) | IN(STUDENTS), "U", false, "take out", "take people out of this course", NULL,
     "courses.unenrol"},
    {ACT_DELETE, IN(ADMIN), "d", false, "delete", "delete (asks first)", NULL, "users.delete"},
    {ACT_WHY, IN(ADMIN), "w", false, "why", "the whole record of this job", NULL, "library.job"},
    {ACT_STUDENT, IN(ADMIN), "p", false, "another student", "choose a student", NULL, "admin.students"},
    {ACT_SAVE, IN(ADMIN), "e", false, "save", "save this reflection, or the new passwords, as a file", NULL, NULL},
    {ACT_COPY, IN(ADMIN), "y", false, "copy", "copy the password that is shown", NULL, NULL},
    {ACT_ENTER, IN(ADMIN), "Enter", true, "open", "more about this row", NULL, NULL},
    {ACT_LAST_ROOM, IN(ADMIN) | IN(STUDENTS), "Alt-Left", true, "", "the section before", NULL, NULL},
    {ACT_NEXT_ROOM, IN(ADMIN) | IN(STUDENTS), "Alt-Right", true, "section", "the next section", NULL, NULL},

    {ACT_ENTER, IN(LOGIN), "Enter", true, "choose", "choose, or log in", NULL, NULL},
    {ACT_COPY, IN(LOGIN), "y", false, "copy the code", "copy the code of this server", NULL, NULL},

    {ACT_UP, 0, "Up k", true, "", NULL, NULL, NULL},
    {ACT_DOWN, 0, "Down j", true, "move", "move", NULL, NULL},
    {ACT_PAGE_UP, 0, "PgUp b", true, "", NULL, NULL, NULL},
    {ACT_PAGE_DOWN, 0, "PgDn Space", true, "a screen", "a screen at a time", NULL, NULL},
    {ACT_FIRST, 0, "Home", true, "first", NULL, NULL, NULL},
    {ACT_LAST, 0, "End G", true, "last", "first, last", NULL, NULL},
    {ACT_ENTER, 0, "Enter", true, "open", NULL, NULL, NULL},
    {ACT_NEXT_PART, 0, "Tab", true, "next part", NULL, NULL, NULL},
    {ACT_LAST_PART, 0, "Shift-Tab", true, "part before", NULL, NULL, NULL},
    {ACT_FIND, LISTS, "/", false, "find", NULL, NULL, NULL},
    {ACT_NEXT, LISTS, "n", false, "next", "find here, next, last", NULL, NULL},
    {ACT_PREVIOUS, LISTS, "N", false, "last", NULL, NULL, NULL},
    {ACT_COMMAND, LISTS, ":", false, "command", "type a command", NULL, NULL},
    {ACT_BACK, 0, "Esc", true, "back", "one step back", NULL, NULL},
    {ACT_HELP, 0, "? F1", true, "keys", "this page", "help", NULL},
    {ACT_QUIT, 0, "q Ctrl-D", true, "leave", "leave", "quit", NULL},
    {ACT_GO, LISTS, "g", false, "go", "go to a pane", NULL, NULL},
    {ACT_PANE, LISTS, "Alt-1 Alt-9", true, "", "go to a pane", NULL, NULL},
    {ACT_LAST_PANE, LISTS, "Ctrl-P", true, "", NULL, NULL, NULL},
    {ACT_NEXT_PANE, LISTS, "Ctrl-N", true, "", "next, last pane", NULL, NULL},
    {ACT_SEARCH, LISTS, "s", false, "new search", "new search", NULL, "search.query"},
    {ACT_COPY, LISTS, "y", false, "copy", NULL, NULL, NULL},
    {ACT_BARE, LISTS, "v", false, "bare text", NULL, NULL, NULL},
    {ACT_RELOAD, LISTS, "Ctrl-R", true, "load again", "load again", NULL, NULL},
    {ACT_STOP, 0, "Ctrl-C", true, "stop", "stop what is running", NULL, NULL},
    {ACT_REDRAW, 0, "Ctrl-L", true, "draw again", "draw again", NULL, NULL},
    {ACT_SUSPEND, 0, "Ctrl-Z", true, "", "to the shell", NULL, NULL},

    /* Without a key of their own: `:` has them. */
    {ACT_THEME, 0, "", false, "", NULL, "theme dark|light|16|mono", NULL},
    {ACT_PROFILE, 0, "", false, "", NULL, "avatar LETTERS", "profile.update"},
    {ACT_PLAIN, 0, "", false, "", NULL, "plain on|off", "profile.update"},
    {ACT_PASSWORD, 0, "", false, "", NULL, "password", "auth.change_password"},
    {ACT_LOGOUT, 0, "", false, "", NULL, "logout", "auth.logout"},
    {ACT_LOGOUT_ALL, 0, "", false, "", NULL, "logout everywhere", "auth.logout"},
    {ACT_REFLECT_ME, 0, "", false, "", NULL, "memory reflect", "memory.reflect"},
};
const size_t keymap_row_count = COUNT_OF(keymap_rows);

static const char *const names[ACT_COUNT] = {
    [ACT_UP] = "up",
    [ACT_DOWN] = "down",
    [ACT_PAGE_UP] = "page-up",
    [ACT_PAGE_DOWN] = "page-down",
    [ACT_FIRST] = "first",
    [ACT_LAST] = "last",
    [ACT_ENTER] = "enter",
    [ACT_NEXT_PART] = "next-part",
    [ACT_LAST_PART] = "last-part",
    [ACT_BACK] = "back",
    [ACT_GO] = "go",
    [ACT_NEXT_PANE] = "next-pane",
    [ACT_LAST_PANE] = "last-pane",
    [ACT_NEXT_ROOM] = "next-room",
    [ACT_LAST_ROOM] = "last-room",
    [ACT_SEARCH] = "search",
    [ACT_FIND] = "find",
    [ACT_NEXT] = "next",
    [ACT_PREVIOUS] = "previous",
    [ACT_COMMAND] = "command",
    [ACT_HELP] = "help",
    [ACT_COPY] = "copy",
    [ACT_COPY_SOURCE] = "copy-source",
    [ACT_BARE] = "bare",
    [ACT_SAVE] = "save",
    [ACT_OPEN] = "open",
    [ACT_ASK_ON] = "ask-on",
    [ACT_COURSE] = "course",
    [ACT_ADD] = "add",
    [ACT_DELETE] = "delete",
    [ACT_DELETE_ALL] = "delete-all",
    [ACT_AGAIN] = "again",
    [ACT_RENAME] = "rename",
    [ACT_SWITCH] = "switch",
    [ACT_IMPORT] = "import",
    [ACT_MUTE] = "mute",
    [ACT_WHY] = "why",
    [ACT_STUDENT] = "student",
    [ACT_ENROL] = "enrol",
    [ACT_RELOAD] = "reload",
    [ACT_STOP] = "stop",
    [ACT_REDRAW] = "redraw",
    [ACT_SUSPEND] = "suspend",
    [ACT_QUIT] = "quit",
    [ACT_HISTORY] = "history",
    [ACT_UNENROL] = "unenrol",
};

const char *keymap_name(enum action action)
{
    return names[action];
}

static void add(struct keymap *map, enum action action, const char *keys)
{
    char copy[64], *save = NULL;
    snprintf(copy, sizeof copy, "%s", keys);
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        struct key key;
        bool known = false;
        if (!keys_parse(word, &key) || map->count[action] == 4)
            continue;
        for (int i = 0; i < map->count[action]; i++)
            known = known || keys_same(&map->keys[action][i], &key);
        if (!known)
            map->keys[action][map->count[action]++] = key;
    }
}

void keymap_defaults(struct keymap *map)
{
    *map = (struct keymap){0};
    for (size_t i = 0; i < keymap_row_count; i++)
        if (keymap_rows[i].action != ACT_SOURCE && keymap_rows[i].action != ACT_PANE)
            add(map, keymap_rows[i].action, keymap_rows[i].keys);
}

bool keymap_set(struct keymap *map, const char *name, const char *keys)
{
    struct key key;
    char first[32] = "";
    sscanf(keys, "%31s", first);
    for (int i = 0; i < ACT_COUNT; i++) {
        if (!names[i] || strcmp(names[i], name) != 0)
            continue;
        if (!keys_parse(first, &key))
            return false;
        map->count[i] = 0;
        map->changed[i] = true;
        add(map, (enum action)i, keys);
        return true;
    }
    return false;
}

const struct keymap_row *keymap_row(enum action action, enum pane pane)
{
    const struct keymap_row *general = NULL;
    for (size_t i = 0; i < keymap_row_count; i++) {
        const struct keymap_row *row = &keymap_rows[i];
        if (row->action != action)
            continue;
        if (row->panes & (1u << pane) && row->panes != LISTS)
            return row;
        if (!general && (!row->panes || row->panes & (1u << pane)))
            general = row;
    }
    return general;
}

static bool printable(const struct key *key)
{
    return key->code == KEYS_CHAR && !key->mods;
}

enum action keymap_action(const struct keymap *map, const struct key *key, enum pane pane, bool in_text)
{
    if (in_text && printable(key))
        return ACT_NONE;
    if (key->code == KEYS_CHAR && key->ch >= '1' && key->ch <= '9') {
        if (key->mods == KEYS_ALT && pane != PANE_LOGIN)
            return ACT_PANE;
        if (!key->mods && pane == PANE_SEARCH)
            return ACT_SOURCE;
    }
    for (int special = 1; special >= 0; special--) { /* what belongs to this pane wins */
        for (size_t i = 0; i < keymap_row_count; i++) {
            const struct keymap_row *row = &keymap_rows[i];
            bool own = row->panes && row->panes != LISTS;
            if (own != (special == 1) || (row->panes && !(row->panes & (1u << pane))) || (in_text && !row->in_text))
                continue;
            for (int k = 0; k < map->count[row->action]; k++)
                if (keys_same(&map->keys[row->action][k], key))
                    return row->action;
        }
    }
    return ACT_NONE;
}

void keymap_keys(const struct keymap *map, enum action action, bool all, char *out, size_t size)
{
    size_t used = 0;
    *out = 0;
    if (action == ACT_SOURCE) {
        snprintf(out, size, all ? "1 to 9" : "1-9");
        return;
    }
    for (int i = 0; i < map->count[action] && (all || i == 0) && used + 1 < size; i++) {
        char name[32];
        keys_name(&map->keys[action][i], name, sizeof name);
        int n = snprintf(out + used, size - used, "%s%s", i ? " " : "", name);
        used += n > 0 ? (size_t)n : 0;
    }
}
