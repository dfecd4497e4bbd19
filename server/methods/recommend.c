/* recommend.c - what fits this person next, each with its true reason; and what many search. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/memory/memory.h"
#include "server/memory/topics.h"
#include "server/methods/passage_search.h"
#include "server/retrieval/normal.h"
#include "server/rpc/method.h"

enum {
    FACTS_MOST = 300,
    OPENED_MOST = 2000,
    LIMIT = 6,
    LIMIT_MOST = 20,
    PASSAGES = 12,
    DOCUMENTS_MOST = 2,
    DAY = 86400
};

/* A topic's weight halves every ten days since it last came up. */
static const double HALF_LIFE_DAYS = 10;

#define LIST_PARAMS(P, S) P(S, INT, limit, OPTIONAL, .min = 1, .max = LIMIT_MOST, .fallback = LIMIT)
METHOD_PARAMS(list, LIST_PARAMS);
#define TRENDING_PARAMS(P, S) P(S, INT, limit, OPTIONAL, .min = 1, .max = 200, .fallback = 10)
METHOD_PARAMS(trending, TRENDING_PARAMS);

struct item {
    char *topic, *query, *reason;
    struct place {
        char pdf_id[37];
        char *title;
        int page;
    } documents[DOCUMENTS_MOST];
    size_t document_count;
};

struct items {
    struct item items[LIMIT_MOST];
    size_t count;
};

static void items_free(struct items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        struct item *item = &items->items[i];
        free(item->topic), free(item->query), free(item->reason);
        for (size_t d = 0; d < item->document_count; d++)
            free(item->documents[d].title);
    }
}

static bool opened(const struct rows *rows, const struct passage_search_item *item)
{
    for (int i = 0; rows && i < rows_count(rows); i++)
        if (!strcmp(rows_text(rows, i, 0), item->pdf_id) && rows_int(rows, i, 1, 0) == item->first_page)
            return true;
    return false;
}

static bool named(const struct items *items, const char *topic)
{
    for (size_t i = 0; i < items->count; i++)
        if (!strcmp(items->items[i].topic, topic))
            return true;
    return false;
}

/* The last part of a heading path, without its number: "8.4 Reversible inhibition" -> "Reversible inhibition". */
static const char *heading_name(const char *heading)
{
    if (!heading)
        return "";
    const char *last = strrchr(heading, '>');
    last = last ? last + 1 + strspn(last + 1, " ") : heading;
    const char *behind = last + strspn(last, "0123456789. ");
    return *behind ? behind : last;
}

static void add_document(struct item *item, const struct passage_search_item *found)
{
    for (size_t d = 0; d < item->document_count; d++)
        if (!strcmp(item->documents[d].pdf_id, found->pdf_id))
            return;
    struct place *place = &item->documents[item->document_count++];
    snprintf(place->pdf_id, sizeof place->pdf_id, "%s", found->pdf_id);
    place->title = mem_dup(found->title);
    place->page = found->first_page;
}

/* The best passages for `query` that this person may see and has not opened; nothing is added without one. */
static bool suggest(struct call *call, struct items *items, const char *query, const char *reason,
                    const struct rows *seen, bool name_by_heading, struct err *err)
{
    AUTO(passage_search_free) struct passage_search *found = NULL;
    const struct passage_search_query wanted = {.user_id = call->caller.user_id,
                                                .text = query,
                                                .vector = &(struct embed_question){.vector = NULL},
                                                .most = PASSAGES};
    if (!passage_search_run(call->tx, &wanted, &found, err))
        return false;
    passage_search_read(found);
    struct item item = {0};
    const char *heading = "";
    for (size_t i = 0; i < found->count && item.document_count < DOCUMENTS_MOST; i++) {
        if (opened(seen, &found->items[i]))
            continue;
        if (!item.document_count && name_by_heading)
            heading = heading_name(found->items[i].heading);
        add_document(&item, &found->items[i]);
    }
    const char *topic = *heading && !named(items, heading) ? heading : query;
    if (!item.document_count || named(items, topic)) {
        for (size_t d = 0; d < item.document_count; d++)
            free(item.documents[d].title);
        return true;
    }
    item.topic = mem_dup(topic);
    item.query = mem_dup(query);
    item.reason = mem_dup(reason);
    items->items[items->count++] = item;
    return true;
}

/* What one kind of fact says about a topic; each kind by itself, so that its sentence is true of it. */
struct cause {
    int times, wordings;
    const char *label;           /* the latest wording; lent by the facts */
    int64_t first_age, last_age; /* seconds ago */
};

enum { SEARCHED, ASKED, READ, TOLD, CAUSES };
static const char *const sources[CAUSES] = {"search", "ask", "reading", "client"};
static const char *const verbs[TOLD] = {"searched for", "asked", "read"};

static const char *number(int n, char text[24])
{
    static const char *const words[] = {"", "once", "twice", "three times", "four times", "five times", "six times"};
    if (n < (int)COUNT_OF(words))
        return words[n];
    snprintf(text, 24, "%d times", n);
    return text;
}

static void when(const struct cause *c, char *text, size_t size)
{
    int64_t first = c->first_age / DAY, last = c->last_age / DAY;
    if (c->times > 1 && first < 7)
        snprintf(text, size, "in the last seven days");
    else if (c->times > 1)
        snprintf(text, size, "in the last %lld weeks", (long long)(first / 7 + 1));
    else if (last == 0)
        snprintf(text, size, "in the last day");
    else
        snprintf(text, size, "%lld %s ago", (long long)last, last == 1 ? "day" : "days");
}

static char *reason_of(const struct cause causes[CAUSES])
{
    char often[24], span[48];
    size_t kind = 0;
    while (kind < TOLD && !causes[kind].times)
        kind++;
    const struct cause *c = &causes[kind];
    if (kind == TOLD)
        return mem_printf("You told EduRag: %s", c->label);
    when(c, span, sizeof span);
    return mem_printf("You %s “%s”%s %s %s.", verbs[kind], c->label, c->wordings > 1 ? " and the like" : "",
                      number(c->times, often), span);
}

struct interests {
    struct topics topics;
    struct cause (*causes)[CAUSES]; /* of each topic */
};

static void interests_free(struct interests *i)
{
    topics_free(&i->topics);
    free(i->causes);
}

static bool alike(const char *a, const char *b)
{
    AUTO(mem_freep) char *x = normal_search(a, strlen(a)), *y = normal_search(b, strlen(b));
    return !strcmp(x, y);
}

/* Facts come latest first. */
static void add_cause(struct cause *cause, const char *label, int times, int64_t first, int64_t last)
{
    bool fresh = !cause->times;
    cause->wordings += fresh || !alike(cause->label, label);
    cause->label = fresh ? label : cause->label;
    cause->first_age = fresh || first > cause->first_age ? first : cause->first_age;
    cause->last_age = fresh || last < cause->last_age ? last : cause->last_age;
    cause->times += times;
}

static void read_interests(struct interests *in, const struct rows *facts)
{
    struct tokens *tokens = tokens_new();
    in->causes = mem_array((size_t)rows_count(facts), sizeof *in->causes);
    for (int i = 0; i < rows_count(facts); i++) {
        const char *text = rows_text(facts, i, 5) ? rows_text(facts, i, 5) : rows_text(facts, i, 1);
        size_t at = topics_place(&in->topics, tokens, text), kind = 0;
        if (at == TOPICS_NOWHERE)
            continue;
        int n = (int)rows_int(facts, i, 2, 1);
        int64_t age = rows_int(facts, i, 3, 0);
        while (kind < TOLD && strcmp(rows_text(facts, i, 6), sources[kind]) != 0)
            kind++;
        add_cause(&in->causes[at][kind], text, n, rows_int(facts, i, 7, 0), age);
        in->topics.items[at].count += n;
        in->topics.items[at].weight += (1 + log2(n)) * exp2(-(double)age / DAY / HALF_LIFE_DAYS);
    }
    tokens_free(tokens);
}

/* The heaviest topic not yet taken, which is then taken; TOPICS_NOWHERE when there is none. */
static size_t heaviest(struct topics *topics)
{
    size_t best = TOPICS_NOWHERE;
    for (size_t i = 0; i < topics->count; i++)
        if (topics->items[i].weight > 0 &&
            (best == TOPICS_NOWHERE || topics->items[i].weight > topics->items[best].weight))
            best = i;
    return best;
}

static bool from_memory(struct call *call, size_t limit, struct items *items, struct err *err)
{
    AUTO(rows_free) struct rows *facts = NULL, *seen = NULL;
    AUTO(interests_free) struct interests in = {0};
    if (!tx_run(call->tx, SQL_MEMORY_FACTS, &facts, err, BIND_INT(FACTS_MOST)) ||
        !tx_run(call->tx, SQL_MEMORY_OPENED, &seen, err, BIND_INT(OPENED_MOST)))
        return false;
    read_interests(&in, facts);
    for (size_t tried = 0; items->count < limit && tried < 2 * limit; tried++) {
        size_t at = heaviest(&in.topics);
        if (at == TOPICS_NOWHERE)
            break;
        AUTO(mem_freep) char *reason = reason_of(in.causes[at]);
        in.topics.items[at].weight = 0;
        if (!suggest(call, items, in.topics.items[at].label, reason, seen, true, err))
            return false;
    }
    return true;
}

static bool from_trending(struct call *call, size_t limit, struct items *items, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(call->tx, SQL_TRENDING_LIST, &rows, err, BIND_INT((int64_t)limit)))
        return false;
    AUTO(json_freep) cJSON *list = json_parse(rows_text(rows, 0, 0), strlen(rows_text(rows, 0, 0)), err);
    const cJSON *trend;
    if (!list)
        return false;
    cJSON_ArrayForEach (trend, json_get(list, "items")) {
        AUTO(mem_freep)
        char *reason = mem_printf("%d people or more searched for this in the last seven days.",
                                  (int)json_int(trend, "searchers", 0));
        if (items->count < limit && !suggest(call, items, json_text(trend, "topic", ""), reason, NULL, false, err))
            return false;
    }
    return true;
}

static void write_item(struct buf *out, const struct item *item)
{
    buf_json_open(out, '{');
    buf_json_member(out, "topic", item->topic);
    buf_json_member(out, "query", item->query);
    buf_json_member(out, "reason", item->reason);
    buf_json_key(out, "documents");
    buf_json_open(out, '[');
    for (size_t d = 0; d < item->document_count; d++) {
        buf_json_open(out, '{');
        buf_json_member(out, "pdf_id", item->documents[d].pdf_id);
        buf_json_member(out, "title", item->documents[d].title);
        buf_json_member_int(out, "page", item->documents[d].page);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
    buf_json_close(out, '}');
}

METHOD_HANDLER(list, list)
{
    AUTO(items_free) struct items items = {0};
    const char *source = "memory";
    if (memory_enabled() && !from_memory(call, (size_t)params->limit, &items, err))
        return false;
    if (!items.count) {
        if (!from_trending(call, (size_t)params->limit, &items, err))
            return false;
        source = items.count ? "trending" : "none";
    }
    buf_json_open(result, '{');
    buf_json_member(result, "source", source);
    buf_json_key(result, "items");
    buf_json_open(result, '[');
    for (size_t i = 0; i < items.count; i++)
        write_item(result, &items.items[i]);
    buf_json_close(result, ']');
    buf_json_close(result, '}');
    return true;
}

const struct method methods_recommend[] = {
    {METHOD_CALL("recommend.list", list, list), .summary = "What fits you next, and why.",
     .description = "From the caller's memory; where there is nothing, from what many search.", .access = ACCESS_USER,
     .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{source: 'memory' | 'trending' | 'none', items: [{topic: text, query: text, reason: text, documents: "
               "[{pdf_id: uuid, title: text, page: int}]}]}",
     .example = "{'limit': 5}",
     .example_result = "{'source': 'memory', 'items': [{'topic': 'Enzymes', 'query': 'enzyme inhibition', 'reason': "
                       "'You searched for this three times.', 'documents': [{'pdf_id': "
                       "'7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes', 'page': 2}]}]}"},
    {METHOD_QUERY("trending.list", trending, SQL_TRENDING_LIST),
     .summary = "What many search, named by the library's own headings.",
     .description =
         "searchers is 5, 10, 20 or 50: so many different people or more, within a week, each counted once; searches "
         "is the same number. At least five people make a topic, and what is shown of it changes only when five "
         "or more have come or gone since.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{items: [{topic: text, searches: int, searchers: int}]}", .example = "{'limit': 10}",
     .example_result = "{'items': [{'topic': 'Enzymes', 'searches': 10, 'searchers': 10}]}"},
    {0}};
