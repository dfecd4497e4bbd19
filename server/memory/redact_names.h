/* redact_names.h - finds a person's own name and institution id in a text.
 *
 * Part of redact.c. The whole name counts in any order of its parts and any case, without regard to
 * accents; a single part of three letters or more where it is written as a name (capitalised).
 */
#ifndef SERVER_MEMORY_REDACT_NAMES_H
#define SERVER_MEMORY_REDACT_NAMES_H

#include "server/memory/redact.h"

/* Appends `text` to `out` with the person taken out. */
void redact_names_pass(const struct redact_person *person, const char *text, size_t length, struct buf *out,
                       struct redact_counts *counts);

#endif
