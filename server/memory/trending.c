/* trending.c - what many search. */
#include "server/memory/trending.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/memory/subjects.h"
#include "server/store/tx.h"

enum { SEARCHES_MOST = 200000 };

/* That somebody searched for a topic. */
struct mention {
    const char *topic, *person; /* lent by the subjects and the rows */
};

static int by_topic(const void *a, const void *b)
{
    const struct mention *x = a, *y = b;
    int topic = strcmp(x->topic, y->topic);
    return topic ? topic : strcmp(x->person, y->person);
}

/* Rows come wording by wording, so each is looked up once. */
static size_t find_mentions(struct subjects *subjects, const struct rows *rows, struct mention *mentions)
{
    const char *wording = NULL, *topic = NULL;
    size_t count = 0;
    for (int i = 0; i < rows_count(rows); i++) {
        const char *query = rows_text(rows, i, 0);
        if (!wording || strcmp(wording, query) != 0)
            topic = subjects_find(subjects, query);
        wording = query;
        if (topic)
            mentions[count++] = (struct mention){topic, rows_text(rows, i, 1)};
    }
    if (count)
        qsort(mentions, count, sizeof *mentions, by_topic);
    return count;
}

static void quote(struct buf *array, const char *text)
{
    buf_text(array, array->length > 1 ? ",\"" : "\"");
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            buf_char(array, '\\');
        buf_char(array, *text);
    }
    buf_char(array, '"');
}

/* As array literals of the same length. */
static void write_counts(const struct mention *mentions, size_t count, struct buf *topics, struct buf *people)
{
    buf_char(topics, '{'), buf_char(people, '{');
    for (size_t from = 0, to; from < count; from = to) {
        int persons = 0;
        for (to = from; to < count && !strcmp(mentions[to].topic, mentions[from].topic); to++)
            persons += to == from || strcmp(mentions[to - 1].person, mentions[to].person) != 0;
        quote(topics, mentions[from].topic);
        buf_printf(people, "%s%d", from ? "," : "", persons);
    }
    buf_char(topics, '}'), buf_char(people, '}');
}

/* Topics that were counted before and are no name of the library any more. */
static bool write_gone(const char *course, struct subjects *subjects, struct buf *gone, struct err *err)
{
    AUTO(rows_free) struct rows *known = NULL;
    if (!tx_worker(SQL_WORKER_TRENDING_KNOWN, &known, err, BIND_TEXT(course)))
        return false;
    for (int i = 0; i < rows_count(known); i++) {
        const char *topic = rows_text(known, i, 0), *now = subjects_find(subjects, topic);
        if (!now || strcmp(now, topic) != 0)
            quote(gone, topic);
    }
    return true;
}

/* `course` NULL: everybody, and the open library. No transaction stays open meanwhile: names by the ten thousand and
 * searches by the hundred thousand take their time. */
static bool count_place(const char *course, int people, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(subjects_freep) struct subjects *subjects = NULL;
    AUTO(buf_free) struct buf topics = {0}, counts = {0}, gone = {0};
    buf_char(&gone, '{');
    if (!tx_worker(SQL_WORKER_TRENDING_SEARCHES, &rows, err, BIND_TEXT(course), BIND_INT(SEARCHES_MOST)))
        return false;
    AUTO(mem_freep) struct mention *mentions = mem_array((size_t)rows_count(rows), sizeof *mentions);
    size_t count = 0;
    if (rows_count(rows) >= people) {
        AUTO(mem_freep) char *scope = mem_printf("{%s}", course ? course : "00000000-0000-0000-0000-000000000000");
        if (!subjects_load(scope, &subjects, err) || !write_gone(course, subjects, &gone, err))
            return false;
        count = find_mentions(subjects, rows, mentions);
    }
    write_counts(mentions, count, &topics, &counts);
    buf_char(&gone, '}');
    return tx_worker(SQL_WORKER_TRENDING_TAKE, NULL, err, BIND_TEXT(course), BIND_INT(people), BIND_TEXT(topics.data),
                     BIND_TEXT(counts.data), BIND_TEXT(gone.data));
}

bool trending_count(int people, struct err *err)
{
    AUTO(rows_free) struct rows *places = NULL;
    if (!tx_worker(SQL_WORKER_TRENDING_PLACES, &places, err, BIND_INT(people)))
        return false;
    for (int i = 0; i < rows_count(places); i++)
        if (!count_place(rows_text(places, i, 0), people, err))
            return false;
    return true;
}
