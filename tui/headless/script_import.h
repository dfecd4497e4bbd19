/* script_import.h - many people at once, from a file. */
#ifndef TUI_HEADLESS_SCRIPT_IMPORT_H
#define TUI_HEADLESS_SCRIPT_IMPORT_H

#include "tui/headless/script.h"

int script_import_run(struct script *script, const struct script_command *command, cJSON *params);

#endif
