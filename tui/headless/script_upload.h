/* script_upload.h - files into the library, and what becomes of them. */
#ifndef TUI_HEADLESS_SCRIPT_UPLOAD_H
#define TUI_HEADLESS_SCRIPT_UPLOAD_H

#include "tui/headless/script.h"

int script_upload_run(struct script *script, const struct script_command *command, cJSON *params);
int script_upload_job(struct script *script, const struct script_command *command,
                      cJSON *params); /* job JOB [--wait] */

#endif
