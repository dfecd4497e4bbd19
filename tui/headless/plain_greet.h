/* plain_greet.h - how the dialogue in lines begins: who are you, and where you are. */
#ifndef TUI_HEADLESS_PLAIN_GREET_H
#define TUI_HEADLESS_PLAIN_GREET_H

#include "tui/headless/script.h"

/* Asks for number and password where nobody is logged in yet; the exit code. `*user` is the caller's. */
int plain_greet_login(struct script *script, cJSON **user);
void plain_greet(struct script *script, const cJSON *user);

#endif
