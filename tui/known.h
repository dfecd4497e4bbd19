/* known.h - the courses, documents and people that replies have named, so that `:` can complete them. */
#ifndef TUI_KNOWN_H
#define TUI_KNOWN_H

#include "common/json.h"

enum { KNOWN_MOST = 1000 };
enum known_kind { KNOWN_COURSE, KNOWN_DOCUMENT, KNOWN_PERSON, KNOWN_NOTHING };

struct known_entry {
    enum known_kind kind;
    char *id, *word, *name; /* word: the course's code, the school number; "" for a document */
};

struct known {
    struct known_entry *entries;
    size_t count;
};

void known_clear(struct known *k);
void known_take(struct known *k, const cJSON *result);
enum known_kind known_kind_of(const char *parameter); /* "course_id"; KNOWN_NOTHING for a free text */
/* How many begin as `typed` does or have it in their name; `value` is what the parameter wants of the
 * first, lent until the next known_take; `list` names them: "BIO101 Biochemistry, CHE1 Chemistry". */
size_t known_fitting(const struct known *k, const char *parameter, const char *typed, const char **value, char *list, size_t size);

#endif
