/* fake_terminal.h - the terminal's panes under fake_terminal: a client without a terminal and without a server.
 *
 * Requests are kept until the test answers them with JSON as the protocol says; keys are given by
 * name; what is drawn is compared with a text file of the screen, cell by cell.
 */
#ifndef TESTS_LIB_FAKE_TERMINAL_H
#define TESTS_LIB_FAKE_TERMINAL_H

#include "tui/ui.h"

struct fake_terminal {
    struct ui ui;
    struct {
        uint64_t id;
        char *method, *params;
    } asked[256];
    int count;
    uint64_t last_id;
    char *copied, *written, *written_to;
    char token[64];
    bool left, connected, trusted, redrawn, suspended;
};

/* now: Mon 23 Nov 2026 14:06:00 UTC */
void fake_terminal_start(struct fake_terminal *g, int rows, int cols);
void fake_terminal_stop(struct fake_terminal *g);
/* Online and logged in as Maria Okafor with this role; server.info and rpc.discover are answered. */
void fake_terminal_login(struct fake_terminal *g, const char *role);
/* Both, 24 rows of 80 columns. */
void fake_terminal_open(struct fake_terminal *g, const char *role);
void fake_terminal_later(struct fake_terminal *g, int ms);
void fake_terminal_key(struct fake_terminal *g, const char *names); /* "Ctrl-R Down x" */
void fake_terminal_type(struct fake_terminal *g, const char *text);
void fake_terminal_enter(struct fake_terminal *g, const char *text); /* types it, then Enter */
void fake_terminal_paste(struct fake_terminal *g, const char *text);
bool fake_terminal_asked(const struct fake_terminal *g, const char *method); /* and not yet answered */
const char *fake_terminal_params(const struct fake_terminal *g,
                                 const char *method); /* of the last such request; "" for none */
void fake_terminal_answer(struct fake_terminal *g, const char *method, const char *json);
void fake_terminal_fail(struct fake_terminal *g, const char *method, enum err_code code, const char *say);
void fake_terminal_notification(struct fake_terminal *g, const char *method, const char *json);
/* Fails the test and shows both where the screen is not as tests/tui/screens/NAME.txt. */
void fake_terminal_is(struct fake_terminal *g, const char *name);
bool fake_terminal_shows(struct fake_terminal *g, const char *text);
void fake_terminal_print(struct fake_terminal *g);
/* What every screen must be: inside its cells, without a control or a half character. */
void fake_terminal_sane(struct fake_terminal *g);

#endif
