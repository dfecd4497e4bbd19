/* script_pipe.h - the protocol itself for scripts: one call, or lines of JSON-RPC both ways over one socket. */
#ifndef TUI_HEADLESS_SCRIPT_PIPE_H
#define TUI_HEADLESS_SCRIPT_PIPE_H

#include "tui/headless/script.h"

int script_pipe_call(struct script *script, const struct script_command *command, cJSON *params);
int script_pipe_run(struct script *script, const struct script_command *command, cJSON *params);

#endif
