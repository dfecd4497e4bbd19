/* app.h - the full-screen terminal: runs until the person leaves. */
#ifndef TUI_APP_H
#define TUI_APP_H

struct app_settings {
    const char *server;         /* the address, as common/client.h takes it */
    const char *institution_id; /* filled into the login form; NULL: empty */
    const char *token;          /* tried first; NULL: ask */
    const char *theme;          /* from the command line; NULL: configuration, then environment */
    const char *glyphs;         /* "unicode" or "ascii"; NULL: by configuration, locale and terminal */
    char *session;              /* gets the token of whoever logged in, STATE_TOKEN bytes; NULL: nobody asks */
};

enum { APP_PLAIN = 100 };

/* The exit code of the program, or APP_PLAIN where the account that logged in wants lines, not a screen.
 * Standard input and output must be a terminal. */
int app_run(const struct app_settings *settings);

#endif
