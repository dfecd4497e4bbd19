/* script.h - the commands for scripts: one table feeds running, --help, completions and the man page.
 *
 * Data goes to standard output, everything else to standard error. With --json the server's result is
 * one line as it came; streams are one event a line. Without, everything that others wrote is cleaned first.
 */
#ifndef TUI_HEADLESS_SCRIPT_H
#define TUI_HEADLESS_SCRIPT_H

#include <stdio.h>

#include "common/client.h"

enum script_exit {
    SCRIPT_FINE,
    SCRIPT_OTHER,
    SCRIPT_USAGE,
    SCRIPT_SETUP,
    SCRIPT_LOGIN,
    SCRIPT_UNREACHABLE,
    SCRIPT_LIMITED,
    SCRIPT_TIMEOUT,
    SCRIPT_SERVER,
    SCRIPT_UNAVAILABLE,
};

struct script;

enum script_kind {
    SCRIPT_END = 0,
    SCRIPT_TEXT, /* one word, or a quoted text */
    SCRIPT_REST, /* all that is left, joined by blanks; a single - reads standard input */
    SCRIPT_INT,
    SCRIPT_SWITCH,  /* takes no value: true */
    SCRIPT_NOT,     /* takes no value: false */
    SCRIPT_WORDS,   /* all that is left, as a list; last */
    SCRIPT_COURSE,  /* a course's id or code */
    SCRIPT_ROOM,    /* the same, for a chat room */
    SCRIPT_SHELF,   /* the same, or "open" for the open library (null) */
    SCRIPT_PDF,     /* a document's id, or words of its title that only one has */
    SCRIPT_PERSON,  /* a person's id or school number, among users.list */
    SCRIPT_STUDENT, /* the same, among admin.students */
    SCRIPT_CONTENT, /* a file's name; its content is the value */
};

struct script_arg {
    const char *name; /* of the param; one that starts with a dot stays with the command */
    enum script_kind kind;
    const char *flag; /* "--course"; NULL: by its place */
    bool optional;
    const char *shown; /* "COURSE" in help */
    const char *words; /* TEXT: the allowed ones, for completions: "student|teacher|admin" */
};

struct script_command {
    const char *words; /* "memory add" */
    const char *summary;
    const char *method;            /* what it calls */
    const struct script_arg *args; /* ends with a zero row; NULL: none */
    /* Prints the result; NULL prints nothing but what `done` says. */
    void (*print)(struct script *script, const cJSON *result);
    const char *done; /* a sentence for standard error where it went well */
    /* Instead of calling the method once: the exit code. `params` is what the arguments say. */
    int (*run)(struct script *script, const struct script_command *command, cJSON *params);
    bool list;        /* takes --limit, --cursor and --all */
    bool offline;     /* needs no connection */
    int timeout_ms;   /* 0: 60 s */
    const char *also; /* further methods that it uses, separated by blanks */
};

extern const struct script_command script_table[]; /* ends with words NULL */

/* A run of the program. */
struct script {
    struct client *client;
    const char *server; /* from --server, or NULL */
    const char *token;  /* of a session that goes on here; NULL: as script_session_token says */
    bool json, all;
    bool terminal; /* standard error is one: progress may be drawn */
    bool dialogue; /* --plain: the rows of a list are sentences, not columns */
    int width;     /* columns for prose */
    FILE *out;
};

/* script.c: runs `argv` ("memory", "add", "..."), which are no global options any more. The exit code. */
int script_main(struct script *script, int argc, char **argv);
/* The command whose words begin argv, and how many they are; NULL: none. */
const struct script_command *script_find(int argc, char **argv, int *words);
/* One request, its failure told on standard error: SCRIPT_FINE and `result` (the caller's), or the code. */
int script_call(struct script *script, const char *method, const cJSON *params, int timeout_ms, cJSON **result);
/* A result as the command prints it, or as JSON. */
void script_show(struct script *script, const struct script_command *command, const cJSON *result);
/* Tells an error on standard error, and which exit code it is. */
int script_fail(struct script *script, const struct err *err);
/* A sentence on standard error, or (--plain) where script_say_to says. */
void script_say_to(FILE *out);
void script_say_width(int width); /* until the next script_say_to: lines of at most so many cells */
void script_say(const char *format, ...) PRINTF_LIKE(1, 2);
/* A JSON value as one line of standard output. */
void script_line(struct script *script, const cJSON *value);

#endif
