/* library.h - the state of the library pane, which one file changes and another draws. */
#ifndef TUI_VIEWS_LIBRARY_H
#define TUI_VIEWS_LIBRARY_H

#include "tui/views/rows.h"
#include "tui/views/upload.h"

enum { LIBRARY_QUEUE = 16 };

struct library {
    struct view view;
    struct rows jobs, documents, courses;
    struct upload upload;
    char *queue[LIBRARY_QUEUE]; /* "course_id\npath" of files that wait to be sent */
    int queued;
    struct list list; /* over upload, jobs and documents */
    char path[1024], pdf_id[48];
    int after_courses; /* the question that waits for the courses */
    int rows, cols;
};

size_t library_adding(const struct library *l);                  /* rows above the documents */
bool library_is_upload(const struct library *l, size_t index);   /* what is being sent from here */
const cJSON *library_row(const struct library *l, size_t index); /* job or document; NULL for the upload */
void library_draw_layout(struct view *view, int rows, int cols);
void library_draw_pane(const struct view *view, struct canvas c);
void library_draw_keys(const struct view *view, struct keyrow *keyrow);

#endif
