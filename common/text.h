/* text.h - Unicode text: valid, counted, cleaned for a terminal, and measured in cells.
 *
 * text_clean is the one function through which everything that others wrote reaches a terminal
 * (documents, chat, names, answers, error messages, file names), whoever wrote it.
 */
#ifndef COMMON_TEXT_H
#define COMMON_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF). */
bool text_valid_utf8(const char *text, size_t length);
/* The code point at *at, which moves behind it; U+FFFD and one byte for what is not UTF-8. *at < length. */
uint32_t text_next(const char *text, size_t length, size_t *at);
void text_append(struct buf *out, uint32_t code_point);
/* Code points in valid UTF-8. */
size_t text_count(const char *text, size_t length);
/* The byte offset of code point number n, or length where there are fewer. */
size_t text_offset(const char *text, size_t length, size_t n);

enum text_clean_flags { TEXT_ONE_LINE = 0, TEXT_KEEP_NEWLINES = 1 };
/* Appends `text` without control and escape sequences, bidi controls, zero-width, private-use and
 * unassigned characters; tabs and (TEXT_ONE_LINE) line ends become blanks; at most three combining
 * marks stay on a character, one at the start gets a dotted circle; each run of bytes that are not
 * UTF-8 becomes one '?'. Never longer than 3 times the input. */
void text_clean(struct buf *out, const char *text, size_t length, enum text_clean_flags flags);
/* Cells that a code point takes on a terminal: 0, 1 or 2; what text_clean drops counts 0. Does not
 * depend on the locale. */
int text_width(uint32_t code_point);
/* Cells of cleaned text. */
size_t text_cells(const char *text, size_t length);

#endif
