/* pdf.h - PDFs of our own making, right ones and hostile ones: objects at their places, a table that finds them.
 */
#ifndef TESTS_LIB_PDF_H
#define TESTS_LIB_PDF_H

#include "common/buf.h"

enum { PDF_OBJECTS = 4096 };

struct pdf {
    struct buf out;
    size_t places[PDF_OBJECTS]; /* of objects by number; 0: none */
    int most;                   /* the highest number used */
    const char *trailer;        /* further entries; NULL: none */
};

/* Object `number` with this body; the first call writes the head. */
void pdf_object(struct pdf *pdf, int number, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* A stream; `entries` go into its dictionary beside /Length, which is right unless they bring their own. */
void pdf_stream(struct pdf *pdf, int number, const char *entries, const void *bytes, size_t length);
/* A page at `number` (under 2 0 R) that says `text` in font 3; its content is `number` + 1. */
void pdf_page(struct pdf *pdf, int number, const char *text);
/* Catalog 1, font 3 (Helvetica), and the page tree 2 over these kids, ended by 0. `catalog` may be NULL. */
void pdf_frame(struct pdf *pdf, const char *catalog, const int *kids);
/* Table, trailer with /Root 1 0 R, end. The bytes are the caller's. */
struct buf pdf_end(struct pdf *pdf);

/* Deflate (zlib) of `total` times one byte, without ever having them. */
void pdf_flate_run(struct buf *out, char byte, size_t total);
/* Deflate of bytes of which most are as those `period` before. */
void pdf_flate(struct buf *out, const void *bytes, size_t length, size_t period);
/* One byte `total` times, deflated `layers` times; the filters' names for the dictionary. */
const char *pdf_bomb(struct buf *out, char byte, size_t total, int layers);

#endif
