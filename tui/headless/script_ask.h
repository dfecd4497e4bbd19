/* script_ask.h - answers as they are written. */
#ifndef TUI_HEADLESS_SCRIPT_ASK_H
#define TUI_HEADLESS_SCRIPT_ASK_H

#include "tui/headless/script.h"

/* Streams the answer; with --json each notification and then the result are a line. */
int script_ask_run(struct script *script, const struct script_command *command, cJSON *params);
/* The same in a dialogue: `result` is the caller's; *stop, set by a signal handler, cancels. */
int script_ask_answer(struct script *script, cJSON *params, const volatile int *stop, cJSON **result);

#endif
