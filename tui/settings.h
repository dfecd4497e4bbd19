/* settings.h - $XDG_CONFIG_HOME/edurag/config: keys, theme, glyphs. */
#ifndef TUI_SETTINGS_H
#define TUI_SETTINGS_H

#include <stddef.h>

#include "tui/keymap.h"

struct settings {
    char theme[16], glyphs[16]; /* "": not set */
    char wrong[120];            /* a sentence about the first line that was not understood; "": none */
};

/* Lines `theme = dark`, `glyphs = ascii`, `key.NAME = KEYS`; # begins a comment. */
void settings_parse(struct settings *s, struct keymap *map, const char *text);
void settings_read(struct settings *s, struct keymap *map);

#endif
