/* normal.h - Unicode forms: NFC to show, NFKC with case folded to search. */
#ifndef SERVER_RETRIEVAL_NORMAL_H
#define SERVER_RETRIEVAL_NORMAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The caller's to free(); never NULL. Text that cannot be normalised comes back as it is. */
char *normal_display(const char *text, size_t length);
/* Ligatures, full-width forms and case resolved; white space as single blanks. */
char *normal_search(const char *text, size_t length);
/* What no page needs: controls (line ends and tabs too), surrogates, noncharacters, byte order marks. */
bool normal_control(uint32_t code_point);
/* Stands for a glyph whose character is unknown: private use, unassigned, U+FFFD. */
bool normal_unknown(uint32_t code_point);
bool normal_letter(uint32_t code_point);
bool normal_lower(uint32_t code_point);
bool normal_upper(uint32_t code_point);

#endif
