/* completion.h - the courses, documents and people that replies have named, so that `:` can complete them. */
#ifndef TUI_COMPLETION_H
#define TUI_COMPLETION_H

#include "common/json.h"

enum { COMPLETION_MOST = 1000 };
enum completion_kind { COMPLETION_COURSE, COMPLETION_DOCUMENT, COMPLETION_PERSON, COMPLETION_NOTHING };

struct completion_entry {
    enum completion_kind kind;
    char *id, *word, *name; /* word: the course's code, the school number; "" for a document */
};

struct completion {
    struct completion_entry *entries;
    size_t count;
};

void completion_clear(struct completion *k);
void completion_take(struct completion *k, const cJSON *result);
enum completion_kind completion_kind_of(const char *parameter); /* "course_id"; COMPLETION_NOTHING for a free text */
/* How many begin as `typed` does or have it in their name; `value` is what the parameter wants of the
 * first, lent until the next completion_take; `list` names them: "BIO101 Biochemistry, CHE1 Chemistry". */
size_t completion_fitting(const struct completion *k, const char *parameter, const char *typed, const char **value,
                          char *list, size_t size);

#endif
