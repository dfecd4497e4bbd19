/* redact_pattern.h - PCRE2 as redaction uses it: compiled once with JIT, bounded at every match.
 *
 * A pattern is compiled at its first use and lives as long as the program. Match data is per thread.
 */
#ifndef SERVER_MEMORY_REDACT_PATTERN_H
#define SERVER_MEMORY_REDACT_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct redact_pattern {
    const char *text;     /* PCRE2, UTF, extended; caseless where it says (?i) */
    bool anchored;        /* matches at `at` only */
    _Atomic(void *) code; /* redact_pattern.c's own */
};

enum redact_match { REDACT_MATCH_NONE, REDACT_MATCH_YES, REDACT_MATCH_LIMIT };

/* Looks from `at` on. `text` is valid UTF-8. On YES *start and *end are set. */
enum redact_match redact_pattern_find(struct redact_pattern *pattern, const char *text, size_t length, size_t at,
                                      size_t *start, size_t *end);

#endif
