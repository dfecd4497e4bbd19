/* script_session.h - who a script is: addresses, tokens, passwords, the code of a new server. */
#ifndef TUI_HEADLESS_SCRIPT_SESSION_H
#define TUI_HEADLESS_SCRIPT_SESSION_H

#include "tui/headless/script.h"

/* Makes script->client and connects it, asking about an unknown certificate where there is somebody to ask. With
 * `token` false as nobody. SCRIPT_FINE, or the exit code (told on standard error). */
int script_session_connect(struct script *script, bool token, bool reconnect);
/* The token for this server: EDURAG_TOKEN, else the one kept by login. The caller wipes it. */
bool script_session_token(const struct address *address, char *token, size_t size);
/* One line from the terminal (without echo where `hidden`) or from standard input; the caller frees.
 * NULL at the end of the input. */
char *script_session_ask(const char *prompt, bool hidden);

int script_session_login(struct script *script, const struct script_command *command, cJSON *params);
int script_session_logout(struct script *script, const struct script_command *command, cJSON *params);
int script_session_password(struct script *script, const struct script_command *command, cJSON *params);
int script_session_refresh(struct script *script, const struct script_command *command, cJSON *params);
int script_session_trust(struct script *script, const struct script_command *command, cJSON *params);
/* Logs in on the open connection; `user` is the caller's. Keeps the token where `keep`. */
bool script_session_enter(struct script *script, const char *institution_id, const char *password, bool keep,
                          cJSON **user, struct err *err) MUST_CHECK;

#endif
