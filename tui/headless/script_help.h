/* script_help.h - what the table says about itself: help, completions. */
#ifndef TUI_HEADLESS_SCRIPT_HELP_H
#define TUI_HEADLESS_SCRIPT_HELP_H

#include "tui/headless/script.h"

/* An option of the program itself. */
struct script_option {
    const char *option, *value, *summary;
};
extern const struct script_option script_help_globals[]; /* ended by a row without option */

void script_help_all(struct script *script);
void script_help_command(struct script *script, const struct script_command *command);
int script_help_run(struct script *script, const struct script_command *command, cJSON *params);
int script_help_completions(struct script *script, const struct script_command *command, cJSON *params);

#endif
