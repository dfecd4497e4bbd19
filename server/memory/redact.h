/* redact.h - takes what identifies a person out of a text before it is stored or sent.
 *
 * The only path by which facts, recall queries and reflection prompts reach the memory tables or an
 * outside service. Numbers that matter for study stay: years, pages, decimals, dates, ISBN, CAS, DOI.
 * Where a number could be either, it goes. Redacting twice changes nothing more.
 * Thread-safe; the patterns are compiled once, at the first use.
 */
#ifndef SERVER_MEMORY_REDACT_H
#define SERVER_MEMORY_REDACT_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"

/* The kinds, and the word in brackets that stands in for each. */
#define REDACT_KINDS(X) \
    X(EMAIL, "email") X(PHONE, "phone") X(URL, "url") X(IBAN, "iban") X(CARD, "card") X(ID, "id") X(NAME, "name")

enum redact_kind {
#define REDACT_ENUM(name, word) REDACT_##name,
    REDACT_KINDS(REDACT_ENUM)
#undef REDACT_ENUM
        REDACT_KIND_COUNT
};

/* Whose text it is: their own name and institution id are taken out. Either may be NULL or "". */
struct redact_person {
    const char *name, *institution_id;
};

struct redact_counts {
    int of[REDACT_KIND_COUNT];
};

/* Appends the redacted text to `out`. `counts` (may be NULL) is added to. The text is valid UTF-8.
 * false (and `out` as it was): a pattern met its match limit, so the text must not be stored or sent. */
bool redact_text(const struct redact_person *person, const char *text, size_t length, struct buf *out,
                 struct redact_counts *counts, struct err *err) MUST_CHECK;

const char *redact_word(enum redact_kind kind); /* "email" … */
int redact_total(const struct redact_counts *counts);

#endif
