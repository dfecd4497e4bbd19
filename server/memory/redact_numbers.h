/* redact_numbers.h - tells telephone, card and identity numbers from numbers of study.
 *
 * Part of redact.c, which owns the compiled patterns' life and the order of the passes.
 */
#ifndef SERVER_MEMORY_REDACT_NUMBERS_H
#define SERVER_MEMORY_REDACT_NUMBERS_H

#include "server/memory/redact.h"

/* Appends `text` to `out` with numbers replaced. false: match limit. */
bool redact_numbers_pass(const char *text, size_t length, struct buf *out, struct redact_counts *counts,
                         struct err *err) MUST_CHECK;

/* Checks of digit strings (no separators). */
bool redact_numbers_luhn(const char *digits, size_t count);
bool redact_numbers_isbn(const char *digits, size_t count); /* 10 (last may be X) or 13 */
bool redact_numbers_cas(const char *digits, size_t count);
/* `text`: letters and digits of an IBAN in its printed form. How many bytes of it are one, or 0. */
size_t redact_numbers_iban(const char *text, size_t length);

#endif
