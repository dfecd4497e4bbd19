/* library.h - documents in a test's database without a PDF: passages go through the ordinary storage path
 * (worker.store_document), with the vectors that the built-in embedder gives a small library.
 */
#ifndef TESTS_LIB_LIBRARY_H
#define TESTS_LIB_LIBRARY_H

#include <stddef.h>

struct library_passage {
    int page;         /* rising, from 1 */
    const char *text; /* what the page holds is its passages, joined by line ends */
};

/* An indexed document; `course_id` NULL: the open library. `directory`: of the harness. What fails ends the
 * program with a sentence. */
void library_put(const char *directory, const char *title, const char *course_id,
                 const struct library_passage *passages, size_t count, char pdf_id[40]);
void library_delete(const char *directory, const char *pdf_id);
/* The first column of the first row of any statement as that role; free it. */
char *library_sql(const char *directory, const char *role, const char *sql);

#endif
