/* trending.c - what many search. */
#include "server/memory/trending.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/memory/redact.h"
#include "server/memory/topics.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum { SEARCHES_MOST = 50000, PEOPLE_LEAST = 3, TOPICS_MOST = 50 };

struct search {
    size_t topic;
    const char *person;
    char *wording; /* lower case, blanks folded */
};

static char *folded(const char *query)
{
    struct buf out = {0};
    for (const char *p = query; *p; p++)
        if (*p != ' ' || (out.length && p[1] && p[1] != ' '))
            buf_char(&out, (char)((unsigned char)*p < 0x80 ? tolower((unsigned char)*p) : *p));
    return buf_take(&out);
}

static int by_topic(const void *a, const void *b)
{
    const struct search *x = a, *y = b;
    if (x->topic != y->topic)
        return x->topic < y->topic ? -1 : 1;
    int wording = strcmp(x->wording, y->wording);
    return wording ? wording : strcmp(x->person, y->person);
}

static int by_person(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int distinct(const struct search *searches, size_t count)
{
    AUTO(mem_freep) const char **people = mem_array(count, sizeof *people);
    int n = 0;
    for (size_t i = 0; i < count; i++)
        people[i] = searches[i].person;
    qsort(people, count, sizeof *people, by_person);
    for (size_t i = 0; i < count; i++)
        n += i == 0 || strcmp(people[i - 1], people[i]) != 0;
    return n;
}

/* The wording of a topic that most people typed; NULL where none was typed by enough. */
static const char *label_of(const struct search *searches, size_t count)
{
    const char *best = NULL;
    int most = PEOPLE_LEAST - 1;
    for (size_t from = 0, to; from < count; from = to) {
        for (to = from; to < count && !strcmp(searches[to].wording, searches[from].wording);)
            to++;
        int people = distinct(searches + from, to - from);
        if (people > most) {
            most = people;
            best = searches[from].wording;
        }
    }
    return best;
}

static bool tells_nothing_private(const char *label)
{
    AUTO(buf_free) struct buf out = {0};
    struct redact_counts counts = {{0}};
    return redact_text(NULL, label, strlen(label), &out, &counts, NULL) && !redact_total(&counts);
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

struct trend {
    struct buf labels, searches, people; /* array literals */
};

static void trend_free(struct trend *t)
{
    buf_free(&t->labels);
    buf_free(&t->searches);
    buf_free(&t->people);
}

static void gather(struct trend *t, const struct search *searches, size_t count)
{
    int told = 0;
    buf_char(&t->labels, '{'), buf_char(&t->searches, '{'), buf_char(&t->people, '{');
    for (size_t from = 0, to; from < count && told < TOPICS_MOST; from = to) {
        for (to = from; to < count && searches[to].topic == searches[from].topic;)
            to++;
        const char *label = searches[from].topic == TOPICS_NOWHERE ? NULL : label_of(searches + from, to - from);
        if (!label || !tells_nothing_private(label))
            continue;
        quote(&t->labels, label);
        buf_printf(&t->searches, "%s%zu", told ? "," : "", to - from);
        buf_printf(&t->people, "%s%d", told ? "," : "", distinct(searches + from, to - from));
        told++;
    }
    buf_char(&t->labels, '}'), buf_char(&t->searches, '}'), buf_char(&t->people, '}');
}

static void read_searches(const struct rows *rows, struct search *searches)
{
    AUTO(topics_free) struct topics topics = {0};
    struct tokens *tokens = tokens_new();
    for (int i = 0; i < rows_count(rows); i++) {
        searches[i] = (struct search){.person = rows_text(rows, i, 0), .wording = folded(rows_text(rows, i, 1))};
        searches[i].topic = topics_place(&topics, tokens, searches[i].wording);
    }
    tokens_free(tokens);
    qsort(searches, (size_t)rows_count(rows), sizeof *searches, by_topic);
}

bool trending_count(struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *mine = NULL, *rows = NULL;
    AUTO(trend_free) struct trend trend = {0};
    if (!tx_begin(pool_worker(), NULL, &tx, err) || !tx_run0(tx, SQL_TRENDING_LOCK, &mine, err))
        return false;
    if (!rows_bool(mine, 0, 0))
        return true;
    if (!tx_run(tx, SQL_TRENDING_SEARCHES, &rows, err, BIND_INT(SEARCHES_MOST)))
        return false;
    size_t count = (size_t)rows_count(rows);
    AUTO(mem_freep) struct search *searches = mem_array(count, sizeof *searches);
    read_searches(rows, searches);
    gather(&trend, searches, count);
    for (size_t i = 0; i < count; i++)
        free(searches[i].wording);
    return tx_run(tx, SQL_TRENDING_REPLACE, NULL, err, BIND_TEXT(trend.labels.data), BIND_TEXT(trend.searches.data), BIND_TEXT(trend.people.data)) &&
           tx_commit(&tx, err);
}
