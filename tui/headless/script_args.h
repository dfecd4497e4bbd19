/* script_args.h - from words on a command line to the params of a method. */
#ifndef TUI_HEADLESS_SCRIPT_ARGS_H
#define TUI_HEADLESS_SCRIPT_ARGS_H

#include "tui/headless/script.h"

/* The params, the caller's to cJSON_Delete; NULL with ERR_INVALID_PARAMS (usage) and a sentence. Understands
 * --json, and --limit, --cursor and --all where the command is a list. */
cJSON *script_args_parse(struct script *script, const struct script_command *command, int argc, char **argv,
                         struct err *err);
/* Names of courses, documents and people become their ids, by asking the server. */
bool script_args_resolve(struct script *script, const struct script_command *command, cJSON *params, struct err *err)
    MUST_CHECK;
/* "edurag memory add FACT" */
void script_args_usage(const struct script_command *command, struct buf *out);

#endif
