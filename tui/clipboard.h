/* clipboard.h - how text gets out of a terminal: through tmux, or by OSC 52. */
#ifndef TUI_CLIPBOARD_H
#define TUI_CLIPBOARD_H

/* NULL, or a sentence where this terminal cannot copy. Does not wait. */
const char *clipboard_copy(const char *text);

#endif
