/* harmful.h - text that would harm a terminal, and what of it must never reach one: a list of the tests' own. */
#ifndef TESTS_LIB_HARMFUL_H
#define TESTS_LIB_HARMFUL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Escape sequences, C1 controls, bidi overrides, floods of marks and of nothing, broken UTF-8; ended by NULL. */
extern const char *const harmful_texts[];
/* Whether a terminal could obey it, hide it or turn the rest around. Line ends are none of it. */
bool harmful_character(uint32_t code_point);
/* NULL where the text is harmless; else what is wrong with it. Lent until the next call. */
const char *harmful_in(const char *text, size_t length);

#endif
