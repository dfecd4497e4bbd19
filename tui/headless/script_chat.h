/* script_chat.h - chat for scripts: follow and send. */
#ifndef TUI_HEADLESS_SCRIPT_CHAT_H
#define TUI_HEADLESS_SCRIPT_CHAT_H

#include "tui/headless/script.h"

int script_chat_run(struct script *script, const struct script_command *command,
                    cJSON *params); /* follow, and send lines of standard input */
int script_chat_tail(struct script *script, const struct script_command *command, cJSON *params); /* follow only */
int script_chat_read(struct script *script, const struct script_command *command,
                     cJSON *params); /* what stands there now */
/* "14:05 Lena: so competitive" */
void script_chat_line(struct script *script, const cJSON *message);

#endif
