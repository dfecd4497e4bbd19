/* subjects.c - what the library itself calls things. */
#include "server/memory/subjects.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/memory/topics.h"
#include "server/store/tx.h"

/* "inhibitor" and "inhibition" have two stems and one beginning; so much of it must agree where no stems do. */
enum { BEGINNING = 7, NAMES_MOST = 50000 };

struct subject {
    char *name;
    uint32_t stems[TOPIC_STEMS_MOST]; /* sorted */
    size_t count;
    size_t both; /* of the wording that is looked for */
};

struct posting {
    uint32_t stem;
    uint32_t subject;
};

/* Which subjects hold a stem, or a beginning. */
struct postings_list {
    struct posting *items; /* sorted */
    size_t count;
};

struct subjects {
    struct tokens *tokens;
    struct subject *items; /* by stems, then by name */
    size_t count;
    struct postings_list stems, beginnings;
};

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static int by_stems(const void *a, const void *b)
{
    const struct subject *x = a, *y = b;
    if (x->count != y->count)
        return x->count < y->count ? -1 : 1;
    int order = memcmp(x->stems, y->stems, x->count * sizeof *x->stems);
    return order ? order : strcmp(x->name, y->name);
}

static int by_stem(const void *a, const void *b)
{
    const struct posting *x = a, *y = b;
    if (x->stem != y->stem)
        return x->stem < y->stem ? -1 : 1;
    return x->subject < y->subject ? -1 : x->subject > y->subject;
}

static void post(struct subjects *s, struct postings_list *list, size_t beginning)
{
    uint32_t stems[TOPIC_STEMS_MOST];
    list->items = mem_array(s->count * TOPIC_STEMS_MOST, sizeof *list->items);
    for (size_t i = 0; i < s->count; i++) {
        size_t n = topics_stems(s->tokens, s->items[i].name, beginning, stems);
        for (size_t k = 0; k < n; k++)
            list->items[list->count++] = (struct posting){stems[k], (uint32_t)i};
    }
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, by_stem);
}

/* Names of one meaning are one subject: the first by name. */
static void merge(struct subjects *s)
{
    size_t kept = 0;
    if (s->count)
        qsort(s->items, s->count, sizeof *s->items, by_stems);
    for (size_t i = 0; i < s->count; i++) {
        struct subject *last = kept ? &s->items[kept - 1] : NULL;
        if (last && last->count == s->items[i].count &&
            !memcmp(last->stems, s->items[i].stems, last->count * sizeof *last->stems))
            free(s->items[i].name);
        else
            s->items[kept++] = s->items[i];
    }
    s->count = kept;
}

struct subjects *subjects_new(const char *const *names, size_t count)
{
    struct subjects *s = mem_array(1, sizeof *s);
    s->tokens = tokens_new();
    s->items = mem_array(count, sizeof *s->items);
    for (size_t i = 0; i < count; i++) {
        struct subject subject = {0};
        subject.count = topics_stems(s->tokens, names[i], 0, subject.stems);
        if (!subject.count)
            continue;
        qsort(subject.stems, subject.count, sizeof *subject.stems, by_number);
        subject.name = mem_dup(names[i]);
        s->items[s->count++] = subject;
    }
    merge(s);
    post(s, &s->stems, 0);
    post(s, &s->beginnings, BEGINNING);
    return s;
}

bool subjects_load(const char *courses, struct subjects **subjects, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_worker(SQL_WORKER_SUBJECTS, &rows, err, BIND_TEXT(courses), BIND_INT(NAMES_MOST)))
        return false;
    AUTO(mem_freep) const char **names = mem_array((size_t)rows_count(rows), sizeof *names);
    for (int i = 0; i < rows_count(rows); i++)
        names[i] = rows_text(rows, i, 0);
    *subjects = subjects_new(names, (size_t)rows_count(rows));
    return true;
}

/* As closely as topics are alike, or wholly within a longer wording. */
static bool fits(const struct subject *subject, size_t count, size_t least)
{
    return subject->both >= least && (2 * subject->both >= subject->count + count - subject->both ||
                                      (subject->both == subject->count && subject->count > 1));
}

static bool better(const struct subject *a, const struct subject *b)
{
    if (!b || a->both != b->both)
        return !b || a->both > b->both;
    return a->count != b->count ? a->count < b->count : strcmp(a->name, b->name) < 0;
}

/* The first posting of that stem; their number is *count. */
static const struct posting *postings_of(const struct postings_list *list, uint32_t stem, size_t *count)
{
    size_t low = 0, high = list->count, end;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list->items[middle].stem < stem)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < list->count && list->items[end].stem == stem;)
        end++;
    *count = end - low;
    return &list->items[low];
}

static const struct subject *find(struct subjects *s, const struct postings_list *list, const char *wording,
                                  size_t beginning, size_t least, size_t *both, size_t *of)
{
    uint32_t stems[TOPIC_STEMS_MOST];
    const struct subject *best = NULL;
    size_t count = topics_stems(s->tokens, wording, beginning, stems), n;
    for (size_t k = 0; k < count; k++) {
        const struct posting *at = postings_of(list, stems[k], &n);
        for (size_t i = 0; i < n; i++)
            s->items[at[i].subject].both++;
    }
    for (size_t k = 0; k < count; k++) {
        const struct posting *at = postings_of(list, stems[k], &n);
        for (size_t i = 0; i < n; i++) {
            const struct subject *subject = &s->items[at[i].subject];
            if (subject != best && fits(subject, count, least) && better(subject, best))
                best = subject;
        }
    }
    *both = best ? best->both : 0;
    *of = count;
    for (size_t k = 0; k < count; k++) {
        const struct posting *at = postings_of(list, stems[k], &n);
        for (size_t i = 0; i < n; i++)
            s->items[at[i].subject].both = 0;
    }
    return best;
}

const char *subjects_find(struct subjects *subjects, const char *wording)
{
    size_t stems, beginnings, of;
    const struct subject *found = find(subjects, &subjects->stems, wording, 0, 1, &stems, &of), *looser;
    if (stems < of) {
        looser = find(subjects, &subjects->beginnings, wording, BEGINNING, 2, &beginnings, &of);
        if (beginnings > stems)
            found = looser;
    }
    return found ? found->name : NULL;
}

void subjects_free(struct subjects *subjects)
{
    if (!subjects)
        return;
    for (size_t i = 0; i < subjects->count; i++)
        free(subjects->items[i].name);
    free(subjects->items);
    free(subjects->stems.items);
    free(subjects->beginnings.items);
    tokens_free(subjects->tokens);
    free(subjects);
}

void subjects_freep(struct subjects **subjects)
{
    subjects_free(*subjects);
    *subjects = NULL;
}
