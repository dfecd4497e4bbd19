/* upload.h - one file on its way to the server: its sum, its pieces, and going on after an interruption. */
#ifndef TUI_VIEWS_UPLOAD_H
#define TUI_VIEWS_UPLOAD_H

#include "tui/ui.h"

enum upload_state {
    UPLOAD_NONE,
    UPLOAD_SUMMING,
    UPLOAD_BEGIN,
    UPLOAD_SENDING,
    UPLOAD_COMMIT,
    UPLOAD_WAITING,
    UPLOAD_FAILED
};

struct upload {
    enum upload_state state;
    int file; /* descriptor; -1: none */
    char name[256], course_id[48], upload_id[48], sha256[65], why[300];
    int64_t size, offset, chunk, summed;
    int64_t again_at; /* the server asked for a rest */
    void *sum;
    time_t failed_at;
};

/* Tags that the owner passes on. */
enum { UPLOAD_CALL_BEGIN = 501, UPLOAD_CALL_CHUNK, UPLOAD_CALL_COMMIT, UPLOAD_CALL_ABORT };

bool upload_open(struct upload *u, const char *path, const char *course_id, int64_t most, struct err *err) MUST_CHECK;
void upload_close(struct upload *u);
/* A step of work that does not wait; milliseconds until the next, -1: a reply comes first. */
int upload_step(struct upload *u, struct view *view);
/* True where the file has arrived whole; then it is closed. */
bool upload_reply(struct upload *u, struct view *view, const struct reply *r);
void upload_stop(struct upload *u, struct view *view); /* the server forgets it too */
void upload_online(struct upload *u);                  /* connected again: goes on where it was */

#endif
