/* redact_cases.h - texts that redaction must change, and texts that it must leave; secrets embedded at random. */
#ifndef TESTS_LIB_REDACT_CASES_H
#define TESTS_LIB_REDACT_CASES_H

#include <stdbool.h>

#include "common/buf.h"
#include "server/memory/redact.h"

extern const struct redact_person redact_case_person;

extern const struct redact_case {
    const char *text, *want;
} redact_cases_go[];                          /* ended by NULLs */
extern const char *const redact_cases_stay[]; /* ended by NULL */

/* A telephone number or an address put somewhere into a text of study; the same sequence in every run.
 * false: no fair case, take the next. */
bool redact_case_embed(struct buf *secret, struct buf *text);
unsigned redact_case_roll(unsigned below);

#endif
