/* uploads.h - documents into a test's eduragd, the way a client brings them, and what becomes of them. */
#ifndef TESTS_LIB_UPLOADS_H
#define TESTS_LIB_UPLOADS_H

#include "common/buf.h"
#include "tests/lib/harness.h"

struct upload {
    char upload_id[40], pdf_id[40], job_id[40];
    char reason[32];   /* "ok", or why it was refused */
    char message[320]; /* the refusal's or the job's sentence */
    char state[16];    /* of the job, once uploads_wait has returned */
};

/* Whole file; false where it can't be read. */
bool uploads_read(const char *path, struct buf *bytes);
/* A PDF of our own making: each text is a page of one line. */
void uploads_pdf(struct buf *out, const char *const *pages);
/* begin, chunks of `chunk` bytes (0: as the server says), commit. `course_id` may be NULL. */
struct upload uploads_send(struct ws *ws, const char *filename, const void *bytes, size_t length, size_t chunk,
                           const char *course_id);
/* The same in its two halves: begin and chunks; then commit. */
struct upload uploads_bring(struct ws *ws, const char *filename, const void *bytes, size_t length, size_t chunk,
                            const char *course_id);
void uploads_commit(struct ws *ws, struct upload *upload);
/* Until the job is indexed or failed, up to `ms`; false past it. */
bool uploads_wait(struct ws *ws, struct upload *upload, int ms);

#endif
