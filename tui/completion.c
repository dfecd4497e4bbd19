/* completion.c - the courses, documents and people that replies have named, so that `:` can complete them. */
#include "tui/completion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"

static const struct {
    enum completion_kind kind;
    const char *id, *word, *name;
} shapes[] = {
    /* a document names its course too, so it stands first */
    {COMPLETION_DOCUMENT, "pdf_id", NULL, "title"},
    {COMPLETION_COURSE, "course_id", "code", "title"},
    {COMPLETION_PERSON, "user_id", "institution_id", "name"},
};

static void free_entry(struct completion_entry *e)
{
    free(e->id);
    free(e->word);
    free(e->name);
}

void completion_clear(struct completion *k)
{
    for (size_t i = 0; i < k->count; i++)
        free_entry(&k->entries[i]);
    free(k->entries);
    *k = (struct completion){0};
}

/* The newest last; of too many the oldest goes. */
static void put(struct completion *k, struct completion_entry fresh)
{
    size_t at = 0;
    while (at < k->count && (k->entries[at].kind != fresh.kind || strcmp(k->entries[at].id, fresh.id) != 0))
        at++;
    if (at == k->count && k->count == COMPLETION_MOST) {
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

static void take_row(struct completion *k, const cJSON *row)
{
    for (size_t i = 0; i < COUNT_OF(shapes); i++) {
        const char *id = json_text(row, shapes[i].id, NULL),
                   *word = shapes[i].word ? json_text(row, shapes[i].word, NULL) : "";
        const char *name = json_text(row, shapes[i].name, NULL);
        if (id && word && name) {
            put(k, (struct completion_entry){shapes[i].kind, mem_dup(id), mem_dup(word), mem_dup(name)});
            return;
        }
    }
}

void completion_take(struct completion *k, const cJSON *result)
{
    const cJSON *row;
    cJSON_ArrayForEach (row, json_get(result, "items"))
        take_row(k, row);
}

enum completion_kind completion_kind_of(const char *parameter)
{
    static const struct {
        const char *name;
        enum completion_kind kind;
    } kinds[] = {
        {"course_id", COMPLETION_COURSE},       {"room", COMPLETION_COURSE},
        {"pdf_id", COMPLETION_DOCUMENT},        {"user_id", COMPLETION_PERSON},
        {"institution_ids", COMPLETION_PERSON}, {"institution_id", COMPLETION_PERSON},
    };
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(kinds[i].name, parameter) == 0)
            return kinds[i].kind;
    return COMPLETION_NOTHING;
}

/* Without the character that the end of the room may have cut in two. */
static void drop_last(char *text)
{
    size_t end = strlen(text);
    while (end && ((unsigned char)text[end - 1] & 0xc0) == 0x80)
        end--;
    text[end && (unsigned char)text[end - 1] >= 0xc0 ? end - 1 : end] = 0;
}

static bool fits(const struct completion_entry *e, const char *typed, size_t length)
{
    return !length || (*e->word && strncasecmp(e->word, typed, length) == 0) ||
           strncasecmp(e->id, typed, length) == 0 || strcasestr(e->name, typed);
}

size_t completion_fitting(const struct completion *k, const char *parameter, const char *typed, const char **value,
                          char *list, size_t size)
{
    enum completion_kind kind = completion_kind_of(parameter);
    bool number = strncmp(parameter, "institution_id", 14) == 0;
    size_t count = 0, length = strlen(typed), used = 0;
    *list = 0;
    for (size_t i = 0; i < k->count; i++) {
        const struct completion_entry *e = &k->entries[i];
        if (e->kind != kind || !fits(e, typed, length))
            continue;
        if (!count++)
            *value = number ? e->word : e->id;
        if (used < size)
            used += (size_t)snprintf(list + used, size - used, "%s%s%s%s", used ? ", " : "", e->word,
                                     *e->word ? " " : "", e->name);
    }
    if (used >= size)
        drop_last(list);
    return count;
}
