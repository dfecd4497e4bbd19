/* subjects.h - what the library itself calls things: its documents' titles and headings.
 *
 * What others are shown of people's searches is named by these alone, so that nobody's own words ever show, and
 * several wordings of one thing have one name. One thread.
 */
#ifndef SERVER_MEMORY_SUBJECTS_H
#define SERVER_MEMORY_SUBJECTS_H

#include <stddef.h>

#include "common/err.h"

struct subjects;

/* Of the documents in these courses (an array literal of ids; the open library is the course of that id), as the worker. */
bool subjects_load(const char *courses, struct subjects **subjects, struct err *err) MUST_CHECK;
/* From names, sorted by name; for tests. */
struct subjects *subjects_new(const char *const *names, size_t count);
/* The name of what this wording is about, lent until subjects_free; NULL where the library has none. */
const char *subjects_find(struct subjects *subjects, const char *wording);
void subjects_free(struct subjects *subjects);
void subjects_freep(struct subjects **subjects); /* for AUTO */

#endif
