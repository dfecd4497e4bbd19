/* known.c - the courses, documents and people that replies have named, so that `:` can complete them. */
#include "tui/known.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

static const struct {
    enum known_kind kind;
    const char *id, *word, *name;
} shapes[] = { /* a document names its course too, so it stands first */
    {KNOWN_DOCUMENT, "pdf_id", NULL, "title"},
    {KNOWN_COURSE, "course_id", "code", "title"},
    {KNOWN_PERSON, "user_id", "institution_id", "name"},
};

static void free_entry(struct known_entry *e)
{
    free(e->id);
    free(e->word);
    free(e->name);
}

void known_clear(struct known *k)
{
    for (size_t i = 0; i < k->count; i++)
        free_entry(&k->entries[i]);
    free(k->entries);
    *k = (struct known){0};
}

/* The newest last; of too many the oldest goes. */
static void put(struct known *k, struct known_entry fresh)
{
    size_t at = 0;
    while (at < k->count && (k->entries[at].kind != fresh.kind || strcmp(k->entries[at].id, fresh.id) != 0))
        at++;
    if (at == k->count && k->count == KNOWN_MOST) {
        free_entry(&k->entries[0]);
        memmove(k->entries, k->entries + 1, --k->count * sizeof *k->entries);
        at--;
    }
    if (at == k->count)
        k->entries = mem_grow(k->entries, ++k->count, sizeof *k->entries);
    else
        free_entry(&k->entries[at]);
    k->entries[at] = fresh;
}

static void take_row(struct known *k, const cJSON *row)
{
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const char *id = json_text(row, shapes[i].id, NULL), *word = shapes[i].word ? json_text(row, shapes[i].word, NULL) : "";
        const char *name = json_text(row, shapes[i].name, NULL);
        if (id && word && name) {
            put(k, (struct known_entry){shapes[i].kind, mem_dup(id), mem_dup(word), mem_dup(name)});
            return;
        }
    }
}

void known_take(struct known *k, const cJSON *result)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, json_get(result, "items")) take_row(k, row);
}

enum known_kind known_kind_of(const char *parameter)
{
    static const struct {
        const char *name;
        enum known_kind kind;
    } kinds[] = {
        {"course_id", KNOWN_COURSE}, {"room", KNOWN_COURSE}, {"pdf_id", KNOWN_DOCUMENT}, {"user_id", KNOWN_PERSON},
        {"institution_ids", KNOWN_PERSON}, {"institution_id", KNOWN_PERSON},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].name, parameter) == 0)
            return kinds[i].kind;
    return KNOWN_NOTHING;
}

/* Without the character that the end of the room may have cut in two. */
static void drop_last(char *text)
{
    size_t end = strlen(text);
    while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
        end--;
    text[end && (unsigned char)text[end - 1] >= 0xc0 ? end - 1 : end] = 0;
}

static bool fits(const struct known_entry *e, const char *typed, size_t length)
{
    return !length || (*e->word && strncasecmp(e->word, typed, length) == 0) || strncasecmp(e->id, typed, length) == 0 ||
           strcasestr(e->name, typed);
}

size_t known_fitting(const struct known *k, const char *parameter, const char *typed, const char **value, char *list, size_t size)
{
    enum known_kind kind = known_kind_of(parameter);
    bool number = strncmp(parameter, "institution_id", 14) == 0;
    size_t count = 0, length = strlen(typed), used = 0;
    *list = 0;
    for (size_t i = 0; i < k->count; i++) {
        const struct known_entry *e = &k->entries[i];
        if (e->kind != kind || !fits(e, typed, length))
            continue;
        if (!count++)
            *value = number ? e->word : e->id;
        if (used < size)
            used += (size_t)snprintf(list + used, size - used, "%s%s%s%s", used ? ", " : "", e->word, *e->word ? " " : "", e->name);
    }
    if (used >= size)
        drop_last(list);
    return count;
}
