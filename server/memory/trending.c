/* trending.c - what many search. */
#include "server/memory/trending.h"

#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/memory/redact.h"
#include "server/memory/topics.h"
#include "server/retrieval/normal.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

/* Only what many typed alike can name a topic, so no search is compared with more than TOPICS_MOST of them. */
enum { SEARCHES_MOST = 200000, PEOPLE_LEAST = 3, TOPICS_MOST = 50 };

/* Somebody's searches in one wording. */
struct search {
    char *wording; /* case and blanks folded */
    const char *person;
    int times;
    size_t topic;
};

/* Searches from..to, all of one wording. */
struct wording {
    size_t from, to;
    int people;
};

struct count {
    struct search *searches;
    size_t search_count;
    struct wording *wordings; /* those of most people first */
    size_t wording_count;
    const char *labels[TOPICS_MOST];
    struct topics topics;
};

static void count_free(struct count *c)
{
    for (size_t i = 0; i < c->search_count; i++)
        free(c->searches[i].wording);
    free(c->searches);
    free(c->wordings);
    topics_free(&c->topics);
}

static int by_wording(const void *a, const void *b)
{
    const struct search *x = a, *y = b;
    int wording = strcmp(x->wording, y->wording);
    return wording ? wording : strcmp(x->person, y->person);
}

static int by_topic(const void *a, const void *b)
{
    const struct search *x = a, *y = b;
    if (x->topic != y->topic)
        return x->topic < y->topic ? -1 : 1;
    return strcmp(x->person, y->person);
}

static int by_people(const void *a, const void *b)
{
    const struct wording *x = a, *y = b;
    if (x->people != y->people)
        return x->people < y->people ? 1 : -1;
    return x->from < y->from ? -1 : x->from > y->from;
}

/* In searches from..to, in which each person's stand together. */
static int people_in(const struct search *searches, size_t from, size_t to)
{
    int people = 0;
    for (size_t i = from; i < to; i++)
        people += i == from || strcmp(searches[i - 1].person, searches[i].person) != 0;
    return people;
}

static void read_searches(struct count *c, const struct rows *rows)
{
    c->search_count = (size_t)rows_count(rows);
    c->searches = mem_array(c->search_count, sizeof *c->searches);
    c->wordings = mem_array(c->search_count, sizeof *c->wordings);
    for (int i = 0; i < rows_count(rows); i++) {
        const char *query = rows_text(rows, i, 1);
        c->searches[i] = (struct search){.wording = normal_search(query, strlen(query)),
                                         .person = rows_text(rows, i, 0),
                                         .times = (int)rows_int(rows, i, 2, 1),
                                         .topic = TOPICS_NOWHERE};
    }
    qsort(c->searches, c->search_count, sizeof *c->searches, by_wording);
    for (size_t from = 0, to; from < c->search_count; from = to) {
        for (to = from + 1; to < c->search_count && !strcmp(c->searches[to].wording, c->searches[from].wording);)
            to++;
        c->wordings[c->wording_count++] = (struct wording){from, to, people_in(c->searches, from, to)};
    }
    qsort(c->wordings, c->wording_count, sizeof *c->wordings, by_people);
}

static bool tells_nothing_private(const char *label)
{
    AUTO(buf_free) struct buf out = {0};
    struct redact_counts counts = {{0}};
    return redact_text(NULL, label, strlen(label), &out, &counts, NULL) && !redact_total(&counts);
}

/* What most people typed names the topics; whatever else says the same counts there. */
static void find_topics(struct count *c)
{
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    for (size_t i = 0; i < c->wording_count; i++) {
        const struct wording *w = &c->wordings[i];
        const char *text = c->searches[w->from].wording;
        size_t before = c->topics.count, topic = topics_find(&c->topics, tokens, text);
        if (topic == TOPICS_NOWHERE && w->people >= PEOPLE_LEAST && before < TOPICS_MOST && tells_nothing_private(text))
            topic = topics_place(&c->topics, tokens, text);
        if (topic == before)
            c->labels[topic] = text;
        for (size_t at = w->from; at < w->to; at++)
            c->searches[at].topic = topic;
    }
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

static void write_trend(struct trend *t, struct count *c)
{
    buf_char(&t->labels, '{'), buf_char(&t->searches, '{'), buf_char(&t->people, '{');
    qsort(c->searches, c->search_count, sizeof *c->searches, by_topic);
    for (size_t from = 0, to; from < c->search_count && c->searches[from].topic != TOPICS_NOWHERE; from = to) {
        int times = 0;
        for (to = from; to < c->search_count && c->searches[to].topic == c->searches[from].topic; to++)
            times += c->searches[to].times;
        quote(&t->labels, c->labels[c->searches[from].topic]);
        buf_printf(&t->searches, "%s%d", from ? "," : "", times);
        buf_printf(&t->people, "%s%d", from ? "," : "", people_in(c->searches, from, to));
    }
    buf_char(&t->labels, '}'), buf_char(&t->searches, '}'), buf_char(&t->people, '}');
}

bool trending_count(struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *mine = NULL, *rows = NULL;
    AUTO(count_free) struct count count = {0};
    AUTO(trend_free) struct trend trend = {0};
    if (!tx_begin(pool_worker(), NULL, &tx, err) || !tx_run0(tx, SQL_TRENDING_LOCK, &mine, err))
        return false;
    if (!rows_bool(mine, 0, 0))
        return true;
    if (!tx_run(tx, SQL_TRENDING_SEARCHES, &rows, err, BIND_INT(SEARCHES_MOST)))
        return false;
    read_searches(&count, rows);
    find_topics(&count);
    write_trend(&trend, &count);
    return tx_run(tx, SQL_TRENDING_REPLACE, NULL, err, BIND_TEXT(trend.labels.data), BIND_TEXT(trend.searches.data),
                  BIND_TEXT(trend.people.data)) &&
           tx_commit(&tx, err);
}
