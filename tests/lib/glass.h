/* glass.h - the terminal's panes under glass: a client without a terminal and without a server.
 *
 * Requests are kept until the test answers them with JSON as the protocol says; keys are given by
 * name; what is drawn is compared with a text file of the screen, cell by cell.
 */
#ifndef TESTS_LIB_GLASS_H
#define TESTS_LIB_GLASS_H

#include "tui/ui.h"

struct glass {
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
void glass_start(struct glass *g, int rows, int cols);
void glass_stop(struct glass *g);
/* Online and logged in as Maria Okafor with this role; server.info and rpc.discover are answered. */
void glass_login(struct glass *g, const char *role);
/* Both, 24 rows of 80 columns. */
void glass_open(struct glass *g, const char *role);
void glass_later(struct glass *g, int ms);
void glass_key(struct glass *g, const char *names); /* "Ctrl-R Down x" */
void glass_type(struct glass *g, const char *text);
void glass_enter(struct glass *g, const char *text); /* types it, then Enter */
void glass_paste(struct glass *g, const char *text);
bool glass_asked(const struct glass *g, const char *method); /* and not yet answered */
const char *glass_params(const struct glass *g, const char *method); /* of the last such request; "" for none */
void glass_answer(struct glass *g, const char *method, const char *json);
void glass_fail(struct glass *g, const char *method, enum err_code code, const char *say);
void glass_news(struct glass *g, const char *method, const char *json);
/* Fails the test and shows both where the screen is not as tests/tui/screens/NAME.txt. */
void glass_is(struct glass *g, const char *name);
bool glass_shows(struct glass *g, const char *text);
void glass_print(struct glass *g);
/* What every screen must be: inside its cells, without a control or a half character. */
void glass_sane(struct glass *g);

#endif
