/* settings.c - $XDG_CONFIG_HOME/edurag/config: keys, theme, glyphs. */
#include "tui/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/state.h"
#include "tui/theme.h"

static char *trim(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length && strchr(" \t\r", text[length - 1]))
        text[--length] = 0;
    return text;
}

static bool take(struct settings *s, struct keymap *map, const char *name, const char *value)
{
    enum theme theme;
    if (strcmp(name, "theme") == 0 && theme_find(value, &theme))
        snprintf(s->theme, sizeof s->theme, "%s", value);
    else if (strcmp(name, "glyphs") == 0 && (strcmp(value, "ascii") == 0 || strcmp(value, "unicode") == 0))
        snprintf(s->glyphs, sizeof s->glyphs, "%s", value);
    else
        return strncmp(name, "key.", 4) == 0 && keymap_set(map, name + 4, value);
    return true;
}

void settings_parse(struct settings *s, struct keymap *map, const char *text)
{
    AUTO(mem_freep) char *copy = mem_dup(text);
    char *save = NULL;
    int number = 0;
    *s = (struct settings){0};
    /* Empty lines count too, so the text is split by hand. */
    for (char *line = copy; line; line = save) {
        save = strchr(line, '\n');
        if (save)
            *save++ = 0;
        number++;
        char *name = trim(line), *value = strchr(name, '=');
        if (!*name || *name == '#')
            continue;
        if (value)
            *value++ = 0;
        if ((!value || !take(s, map, trim(name), trim(value))) && !*s->wrong)
            snprintf(s->wrong, sizeof s->wrong, "Line %d of your configuration is not understood: %.60s", number, name);
    }
}

void settings_read(struct settings *s, struct keymap *map)
{
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    char path[1024], text[65536];
    *s = (struct settings){0};
    if (state_shared())
        return;
    if (config && *config)
        snprintf(path, sizeof path, "%s/edurag/config", config);
    else
        snprintf(path, sizeof path, "%s/.config/edurag/config", home ? home : "");
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    settings_parse(s, map, text);
}
