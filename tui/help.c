/* help.c - the keys of the open pane, from the same table that the program obeys. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "tui/ui_frame.h"
#include "tui/widgets/heading.h"

/* Keys that go together, as they are shown while nobody has changed one of them. */
static const struct {
    const char *shown;
    enum action actions[3]; /* the first one's help is the text */
} everywhere[] = {
    {"Up Down  j k", {ACT_DOWN, ACT_UP}},
    {"PgUp PgDn", {ACT_PAGE_DOWN, ACT_PAGE_UP}},
    {"Home End  gg G", {ACT_LAST, ACT_FIRST}},
    {"/ then n N", {ACT_NEXT, ACT_FIND, ACT_PREVIOUS}},
    {":", {ACT_COMMAND}},
    {"Esc", {ACT_BACK}},
    {"?  F1", {ACT_HELP}},
    {"q", {ACT_QUIT}},
    {"g then a letter", {ACT_GO}},
    {"Alt-1 to Alt-9", {ACT_PANE}},
    {"Ctrl-N Ctrl-P", {ACT_NEXT_PANE, ACT_LAST_PANE}},
    {"s", {ACT_SEARCH}},
    {"Ctrl-R", {ACT_RELOAD}},
    {"Ctrl-C", {ACT_STOP}},
    {"Ctrl-L", {ACT_REDRAW}},
    {"Ctrl-Z", {ACT_SUSPEND}},
};
enum { EVERYWHERE = COUNT_OF(everywhere), HALF = EVERYWHERE / 2, OWN_MOST = 40 };

/* The open pane's rows that this server can serve. */
static size_t own_rows(const struct ui *ui, const struct keymap_row **rows)
{
    size_t count = 0;
    for (size_t i = 0; i < keymap_row_count && count < OWN_MOST; i++) {
        const struct keymap_row *row = &keymap_rows[i];
        bool own = row->panes & (1u << ui->open) && row->panes < 1u << PANE_COUNT;
        if (own && row->help && *row->keys && ui_can(ui, row->method))
            rows[count++] = row;
    }
    return count;
}

size_t help_rows(const struct ui *ui)
{
    const struct keymap_row *rows[OWN_MOST];
    return own_rows(ui, rows) + EVERYWHERE;
}

/* The help of the general row of an action, whatever the open pane calls it. */
static const char *general_help(enum action action)
{
    for (size_t i = 0; i < keymap_row_count; i++)
        if (keymap_rows[i].action == action && keymap_rows[i].help &&
            (!keymap_rows[i].panes || keymap_rows[i].panes >= 1u << PANE_COUNT))
            return keymap_rows[i].help;
    return "";
}

static void general_keys(const struct ui *ui, size_t i, char *out, size_t size)
{
    bool changed = false;
    size_t used = 0;
    for (int k = 0; k < 3 && everywhere[i].actions[k]; k++)
        changed = changed || ui->map.changed[everywhere[i].actions[k]];
    snprintf(out, size, "%s", everywhere[i].shown);
    for (int k = 0; changed && k < 3 && everywhere[i].actions[k] && used + 1 < size; k++) {
        char keys[48];
        keymap_keys(&ui->map, everywhere[i].actions[k], false, keys, sizeof keys);
        int n = snprintf(out + used, size - used, "%s%s", used ? " " : "", keys);
        used += n > 0 ? (size_t)n : 0;
    }
}

void help_open(struct ui *ui)
{
    ui->over.kind = OVER_HELP;
    ui->over.finding = false;
    ui->over.list = (struct list){.count = help_rows(ui)};
    field_free(&ui->over.find);
}

static bool row_matches(const struct ui *ui, size_t index, const char *word)
{
    const struct keymap_row *rows[OWN_MOST];
    size_t own = own_rows(ui, rows);
    char keys[64];
    if (index < own) {
        keymap_keys(&ui->map, rows[index]->action, true, keys, sizeof keys);
        return strcasestr(rows[index]->help, word) || strcasestr(keys, word);
    }
    general_keys(ui, index - own, keys, sizeof keys);
    return strcasestr(general_help(everywhere[index - own].actions[0]), word) || strcasestr(keys, word);
}

static void find(struct ui *ui, bool next)
{
    const char *word = field_text(&ui->over.find);
    for (size_t i = 0; *word && i < ui->over.list.count; i++) {
        size_t at = (ui->over.list.selected + i + (next ? 1 : 0)) % ui->over.list.count;
        if (row_matches(ui, at, word)) {
            list_select(&ui->over.list, at, NULL, NULL);
            return;
        }
    }
}

static void run(struct ui *ui)
{
    const struct keymap_row *rows[OWN_MOST];
    size_t own = own_rows(ui, rows), at = ui->over.list.selected;
    enum action action = at < own ? rows[at]->action : everywhere[at - own].actions[0];
    ui->over.kind = OVER_NONE;
    if (action != ACT_HELP && action != ACT_SOURCE && action != ACT_PANE)
        ui_keys_act(ui, action, NULL);
}

bool help_key(struct ui *ui, const struct key *key)
{
    if (ui->over.finding) {
        if (key->code == KEYS_ENTER || key->code == KEYS_ESC)
            ui->over.finding = false;
        else if (field_key(&ui->over.find, key))
            find(ui, false);
        return true;
    }
    enum action action = keymap_action(&ui->map, key, ui->open, false);
    if (ui_keys_move(ui, &ui->over.list, action, ui->rows - 5) || action == ACT_NONE)
        return true;
    if (action == ACT_FIND) {
        ui->over.finding = true;
        field_free(&ui->over.find);
        return true;
    }
    if (action == ACT_NEXT && ui->over.find.text.length) {
        find(ui, true);
        return true;
    }
    if (action == ACT_ENTER) {
        run(ui);
        return true;
    }
    ui->over.kind = OVER_NONE; /* a listed key closes help and acts */
    return action == ACT_BACK || action == ACT_HELP || action == ACT_QUIT;
}

static void draw_row(const struct ui *ui, struct canvas c, int y, int x, int text_x, size_t index)
{
    const struct keymap_row *rows[OWN_MOST];
    size_t own = own_rows(ui, rows);
    char keys[64];
    if (index < own)
        keymap_keys(&ui->map, rows[index]->action, rows[index]->action == ACT_SOURCE, keys, sizeof keys);
    else
        general_keys(ui, index - own, keys, sizeof keys);
    const char *help = index < own ? rows[index]->help : general_help(everywhere[index - own].actions[0]);
    canvas_text(c, y, x, ROLE_KEY, keys);
    canvas_cut(c, y, text_x, c.cols - text_x, ROLE_TEXT, help);
    if (ui->over.list.selected == index) {
        canvas_glyph(c, y, x - 2, ROLE_TEXT, GLYPH_CURSOR);
        canvas_cursor(c, y, x - 2, false);
    }
}

void help_draw(const struct ui *ui, struct canvas c)
{
    const struct keymap_row *rows[OWN_MOST];
    size_t own = own_rows(ui, rows), selected = ui->over.list.selected;
    bool two = c.cols >= 76;
    char title[80], facts[64];
    snprintf(title, sizeof title, "Keys in %s", ui->views[ui->open]->class->title);
    snprintf(facts, sizeof facts, "/ find a key %s Esc close", canvas_sign(c, GLYPH_MIDDLE));
    canvas_blank(c, 0, c.rows);
    /* Row by row: its own keys, a heading, the general ones in one or two columns. */
    int general = two ? HALF : EVERYWHERE, total = (int)own + 1 + general;
    int row = selected < own ? (int)selected : (int)own + 1 + ((int)(selected - own) % general);
    int room = c.rows - 1, top = row >= room ? row - room + 1 : 0;
    if (top > total - room)
        top = total > room ? total - room : 0;
    heading_draw(c, 0, title, facts, 3);
    for (int i = 0; i < room && i + top < total; i++) {
        int at = i + top;
        if (at < (int)own) {
            draw_row(ui, c, i + 1, 2, 15, (size_t)at);
        } else if (at == (int)own) {
            heading_draw(c, i + 1, "Keys everywhere", NULL, 0);
            canvas_text(c, i + 1, c.cols - 1, ROLE_RULE, " ");
        } else {
            size_t index = (size_t)at - 1;
            draw_row(ui, canvas_part(c, 0, 0, c.rows, two ? 42 : c.cols), i + 1, 2, 19, index);
            if (two)
                draw_row(ui, c, i + 1, 42, 60, index + HALF);
        }
    }
}
