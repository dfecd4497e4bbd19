/* manual.h - what edurag(1) says out of the program's own tables. */
#ifndef TUI_MANUAL_H
#define TUI_MANUAL_H

#include <stdbool.h>

/* "commands", "options" or "keys", as mdoc on standard output; false where it is none of them. */
bool manual_print(const char *part);

#endif
