/* admin.h - the state of the administrator's pane, shared by what it does and what it draws. */
#ifndef TUI_VIEWS_ADMIN_H
#define TUI_VIEWS_ADMIN_H

#include "tui/views/rows.h"

enum section { PEOPLE, COURSES, JOBS, NUMBERS, AUDIT, STUDENTS, SECTIONS };

struct admin_section {
    const char *title, *method, *id; /* id: the member that identifies a row */
};
extern const struct admin_section admin_sections[SECTIONS];

struct admin {
    struct view view;
    enum section section;
    struct rows rows[SECTIONS];
    cJSON *stats;
    size_t stats_top;
    char query[120], role[12];            /* role "": all */
    char number[64], name[120], code[48]; /* of who or what is being added */
    char *csv;
    char target[48], target_name[120];
    char *password; /* shown until a key */
    int shown;
};

const cJSON *admin_selected(const struct admin *a); /* a row of the open section, or NULL */
struct view *admin_students(const struct admin *a); /* the section that is a view of its own */

void admin_draw_layout(struct view *view, int rows, int cols);
void admin_draw_pane(const struct view *view, struct canvas c);
void admin_draw_keys(const struct view *view, struct keyrow *row);
void admin_draw_status(const struct view *view, struct status *s);

#endif
