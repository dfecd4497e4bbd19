/* manual.c - what edurag(1) says out of the program's own tables. */
#include "tui/manual.h"

#include <stdio.h>
#include <string.h>

#include "common/mdoc.h"
#include "common/mem.h"
#include "tui/headless/script_args.h"
#include "tui/headless/script_help.h"
#include "tui/keymap.h"

static void commands(struct buf *out)
{
    for (const struct script_command *c = script_table; c->words; c++) {
        AUTO(buf_free) struct buf usage = {0};
        script_args_usage(c, &usage);
        buf_text(out, ".It Li ");
        mdoc_argument(out, usage.data + strlen("edurag "));
        buf_char(out, '\n');
        mdoc_prose(out, c->summary);
    }
}

static void options(struct buf *out)
{
    for (const struct script_option *o = script_help_globals; o->option; o++) {
        buf_printf(out, ".It Fl %s%s%s\n", o->option + 1, o->value ? " Ar " : "", o->value ? o->value : "");
        mdoc_prose(out, o->summary);
    }
}

/* One row: its keys, its name in the configuration, what it does. */
static void key(struct buf *out, const struct keymap_row *row)
{
    const char *name = keymap_name(row->action), *what = row->help     ? row->help
                                                         : *row->label ? row->label
                                                                       : row->command;
    buf_text(out, ".It Li ");
    mdoc_argument(out, *row->keys ? row->keys : ":");
    if (name)
        buf_printf(out, " Pq %s", name);
    buf_char(out, '\n');
    mdoc_prose(out, what ? what : name);
    if (row->command && what != row->command) {
        buf_text(out, "Also\n.Li ");
        AUTO(mem_freep) char *command = mem_printf(":%s", row->command);
        mdoc_argument(out, command);
        buf_text(out, " .\n");
    }
}

static void keys(struct buf *out)
{
    static const struct {
        unsigned panes;
        const char *title;
    } groups[] = {{IN(SEARCH), "Search"},     {IN(READER), "Reader"}, {IN(RECOMMEND), "Recommendations"},
                  {IN(MEMORY), "Memory"},     {IN(CHAT), "Chat"},     {IN(LIBRARY), "Library"},
                  {IN(STUDENTS), "Students"}, {IN(ADMIN), "Admin"},   {IN(LOGIN), "Login"},
                  {0, "Everywhere"}};
    for (size_t g = 0; g < COUNT_OF(groups); g++) {
        buf_printf(out, ".Pp\n%s:\n.Bl -tag -width Ds -compact\n", groups[g].title);
        for (size_t i = 0; i < keymap_row_count; i++) {
            const struct keymap_row *row = &keymap_rows[i];
            bool general = !row->panes || row->panes == ~IN(LOGIN);
            if (groups[g].panes ? !general && row->panes & groups[g].panes : general)
                key(out, row);
        }
        buf_text(out, ".El\n");
    }
}

bool manual_print(const char *part)
{
    static const struct {
        const char *name;
        void (*write)(struct buf *out);
    } parts[] = {{"commands", commands}, {"options", options}, {"keys", keys}};
    AUTO(buf_free) struct buf out = {0};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (!strcmp(part, parts[i].name))
            parts[i].write(&out);
    return out.data && fputs(out.data, stdout) >= 0 && fflush(stdout) == 0;
}
