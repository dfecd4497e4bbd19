/* plain.h - the whole terminal in lines, for screen readers, dumb terminals and pipes. */
#ifndef TUI_HEADLESS_PLAIN_H
#define TUI_HEADLESS_PLAIN_H

#include "tui/headless/script.h"

/* Runs until the person leaves or the input ends; the exit code. */
int plain_run(struct script *script);

#endif
