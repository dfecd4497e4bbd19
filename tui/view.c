/* view.c - what all panes share. */
#include "tui/view.h"

void view_key(struct keyrow *row, enum action action, const char *label)
{
    if (row->count == 16)
        return;
    row->entries[row->count].action = action;
    row->entries[row->count].keys = NULL;
    row->entries[row->count++].label = label;
}
