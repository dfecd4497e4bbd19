/* theme.c - roles of style and what they look like: four themes, and the glyphs in two alphabets. */
#include "tui/theme.h"

#include <stddef.h>
#include <string.h>

#define B STYLE_BOLD
#define U STYLE_UNDERLINE
#define R STYLE_REVERSE
enum { NORMAL = -1, RED = 1, GREEN = 2, YELLOW = 3, MAGENTA = 5, CYAN = 6 };

static const struct style styles[ROLE_COUNT][THEME_COUNT] = {
    /*                   dark            light          16 colours        mono */
    [ROLE_TEXT] = {{NORMAL, 0}, {NORMAL, 0}, {NORMAL, 0}, {NORMAL, 0}},
    [ROLE_DIM] = {{247, 0}, {240, 0}, {NORMAL, 0}, {NORMAL, 0}},
    [ROLE_RULE] = {{247, 0}, {240, 0}, {NORMAL, 0}, {NORMAL, 0}},
    [ROLE_TITLE] = {{247, B}, {240, B}, {NORMAL, B}, {NORMAL, B}},
    [ROLE_TAB] = {{247, 0}, {240, 0}, {NORMAL, 0}, {NORMAL, 0}},
    [ROLE_TAB_OPEN] = {{NORMAL, B}, {NORMAL, B}, {NORMAL, B}, {NORMAL, B}},
    [ROLE_SELECT] = {{NORMAL, R}, {NORMAL, R}, {NORMAL, R}, {NORMAL, R}},
    [ROLE_INPUT] = {{NORMAL, B}, {NORMAL, B}, {NORMAL, B}, {NORMAL, B}},
    [ROLE_MATCH] = {{222, B}, {94, B}, {YELLOW, B}, {NORMAL, B | U}},
    [ROLE_PASSAGE] = {{222, 0}, {94, 0}, {YELLOW, 0}, {NORMAL, B}},
    [ROLE_SOURCE] = {{151, 0}, {22, 0}, {GREEN, 0}, {NORMAL, U}},
    [ROLE_KEY] = {{117, B}, {25, B}, {CYAN, B}, {NORMAL, B}},
    [ROLE_GOOD] = {{114, 0}, {22, 0}, {GREEN, 0}, {NORMAL, 0}},
    [ROLE_WARN] = {{221, 0}, {94, 0}, {YELLOW, 0}, {NORMAL, B}},
    [ROLE_BAD] = {{210, B}, {124, B}, {RED, B}, {NORMAL, R}},
    [ROLE_MINE] = {{153, 0}, {24, 0}, {CYAN, 0}, {NORMAL, 0}},
    [ROLE_MENTION] = {{219, B}, {90, B}, {MAGENTA, B}, {NORMAL, B | U}},
    [ROLE_BAR] = {{117, 0}, {25, 0}, {CYAN, 0}, {NORMAL, 0}},
};

static const char *const names[THEME_COUNT] = {"dark", "light", "16", "mono"};

static const char *const glyphs[GLYPH_COUNT][2] = {
    [GLYPH_CURSOR] = {"▸", ">"},     [GLYPH_BAR] = {"│", "|"},        [GLYPH_RULE] = {"─", "-"},
    [GLYPH_FULL] = {"█", "#"},       [GLYPH_LIGHT] = {"░", "."},      [GLYPH_CUT] = {"…", "~"},
    [GLYPH_DOT] = {"●", "*"},        [GLYPH_MIDDLE] = {"·", "-"},     [GLYPH_OK] = {"✓", "ok"},
    [GLYPH_NOT_OK] = {"✗", "x"},     [GLYPH_ARROW] = {"→", "->"},     [GLYPH_STEP_1] = {"▁", "."},
    [GLYPH_STEP_1 + 1] = {"▂", ":"}, [GLYPH_STEP_1 + 2] = {"▃", "-"}, [GLYPH_STEP_1 + 3] = {"▄", "="},
    [GLYPH_STEP_1 + 4] = {"▅", "+"}, [GLYPH_STEP_1 + 5] = {"▆", "*"}, [GLYPH_STEP_1 + 6] = {"▇", "%"},
    [GLYPH_STEP_8] = {"█", "#"},
};

const char *theme_name(enum theme theme)
{
    return names[theme];
}

bool theme_find(const char *name, enum theme *theme)
{
    for (int i = 0; name && i < THEME_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            *theme = (enum theme)i;
            return true;
        }
    }
    return false;
}

struct style theme_style(enum theme theme, enum role role)
{
    return styles[role][theme];
}

enum theme theme_choose(const char *configured, const char *environment, const char *no_color, int colors)
{
    enum theme theme;
    if (theme_find(configured, &theme) || theme_find(environment, &theme))
        return theme;
    if ((no_color && *no_color) || colors < 8)
        return THEME_MONO;
    return colors < 256 ? THEME_16 : THEME_DARK;
}

const char *theme_glyph(bool ascii, enum glyph glyph)
{
    return glyphs[glyph][ascii];
}
