/* theme.h - roles of style and what they look like: four themes, and the glyphs in two alphabets.
 *
 * The numbers are palette entries on the terminal's own background; every pair was chosen for a
 * contrast of at least 5:1 on black, on dark grey, on white and on solarized light.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include <stdbool.h>

enum role {
    ROLE_TEXT,
    ROLE_DIM,
    ROLE_RULE,
    ROLE_TITLE,
    ROLE_TAB,
    ROLE_TAB_OPEN,
    ROLE_SELECT,
    ROLE_INPUT,
    ROLE_MATCH,
    ROLE_PASSAGE,
    ROLE_SOURCE,
    ROLE_KEY,
    ROLE_GOOD,
    ROLE_WARN,
    ROLE_BAD,
    ROLE_MINE,
    ROLE_MENTION,
    ROLE_BAR,
    ROLE_COUNT
};

enum { STYLE_BOLD = 1, STYLE_UNDERLINE = 2, STYLE_REVERSE = 4 };
struct style {
    short color; /* palette entry, or -1: the terminal's own */
    unsigned flags;
};

enum theme { THEME_DARK, THEME_LIGHT, THEME_16, THEME_MONO, THEME_COUNT };

const char *theme_name(enum theme theme);
bool theme_find(const char *name, enum theme *theme);
struct style theme_style(enum theme theme, enum role role);
/* By name, if it is one; else by NO_COLOR and by how many colours the terminal has. */
enum theme theme_choose(const char *configured, const char *environment, const char *no_color, int colors);

enum glyph {
    GLYPH_CURSOR,
    GLYPH_BAR,
    GLYPH_RULE,
    GLYPH_FULL,
    GLYPH_LIGHT,
    GLYPH_CUT,
    GLYPH_DOT,
    GLYPH_MIDDLE,
    GLYPH_OK,
    GLYPH_NOT_OK,
    GLYPH_ARROW,
    GLYPH_STEP_1,
    GLYPH_STEP_8 = GLYPH_STEP_1 + 7,
    GLYPH_COUNT
};
const char *theme_glyph(bool ascii, enum glyph glyph);

#endif
