/* reflect.c - what a person has covered, how often, and where it went quiet. */
#include "server/memory/reflect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "server/retrieval/normal.h"

enum { DAY = 86400, WEEK = 7 * DAY };

static int64_t seconds_of(const char *rfc3339)
{
    struct tm utc = {0};
    return rfc3339 && strptime(rfc3339, "%Y-%m-%dT%H:%M:%S", &utc) ? (int64_t)timegm(&utc) : 0;
}

static void write_time(struct buf *out, const char *name, int64_t at)
{
    char text[32];
    struct tm utc;
    time_t seconds = (time_t)at;
    buf_json_key(out, name);
    if (!at) {
        buf_json_null(out);
        return;
    }
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    buf_json_string(out, text);
}

/* Monday 00:00 of that week: 1970 began on a Thursday. */
static int64_t monday(int64_t at)
{
    int64_t since = at - 4 * DAY;
    return since - (since % WEEK + WEEK) % WEEK + 4 * DAY;
}

static int by_day(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static int distinct_days(int64_t *days, size_t count)
{
    int n = 0;
    if (count)
        qsort(days, count, sizeof *days, by_day);
    for (size_t i = 0; i < count; i++)
        n += i == 0 || days[i] != days[i - 1];
    return n;
}

struct wording {
    const char *text;
    char *folded;
    size_t topic;
    int count;
};

/* The label of a topic is the wording that was used most. */
static void choose_labels(struct topics *topics, const cJSON *searches, const size_t *placed)
{
    const cJSON *row;
    size_t n = 0, i = 0;
    AUTO(mem_freep) struct wording *wordings = mem_array((size_t)cJSON_GetArraySize(searches), sizeof *wordings);
    cJSON_ArrayForEach (row, searches) {
        const char *text = json_text(row, "query", "");
        size_t topic = placed[i++], at = 0;
        char *folded = normal_search(text, strlen(text));
        while (at < n && (wordings[at].topic != topic || strcmp(wordings[at].folded, folded) != 0))
            at++;
        if (at == n)
            wordings[n++] = (struct wording){text, folded, topic, 0};
        else
            free(folded);
        wordings[at].count++;
    }
    for (size_t t = 0; t < topics->count; t++) {
        const struct wording *best = NULL;
        for (size_t at = 0; at < n; at++)
            if (wordings[at].topic == t && (!best || wordings[at].count > best->count))
                best = &wordings[at];
        if (best) {
            free(topics->items[t].label);
            topics->items[t].label = mem_dup(best->text);
        }
    }
    for (size_t at = 0; at < n; at++)
        free(wordings[at].folded);
}

/* Topics sorted, and the searches' numbers with them. */
static void sort_topics(struct reflect *r)
{
    AUTO(mem_freep) char **before = mem_array(r->topics.count, sizeof *before);
    for (size_t t = 0; t < r->topics.count; t++)
        before[t] = r->topics.items[t].label;
    topics_sort(&r->topics);
    for (size_t i = 0; i < r->search_count; i++) {
        size_t to = 0;
        if (r->searches[i].topic == TOPICS_NOWHERE)
            continue;
        while (r->topics.items[to].label != before[r->searches[i].topic])
            to++;
        r->searches[i].topic = to;
    }
}

static void read_searches(struct reflect *r, const cJSON *searches, int64_t *days)
{
    const cJSON *row;
    size_t i = 0;
    struct tokens *tokens = tokens_new();
    AUTO(mem_freep) size_t *placed = mem_array((size_t)cJSON_GetArraySize(searches), sizeof *placed);
    cJSON_ArrayForEach (row, searches) {
        int64_t at = seconds_of(json_text(row, "at", NULL));
        size_t topic = topics_place(&r->topics, tokens, json_text(row, "query", ""));
        if (topic != TOPICS_NOWHERE)
            topics_count(&r->topics.items[topic], 1, at, at);
        r->searches[i] = (struct reflect_search){.at = at, .topic = topic};
        placed[i] = topic;
        days[i++] = at / DAY;
        r->first_at = !r->first_at || at < r->first_at ? at : r->first_at;
        r->last_active_at = at > r->last_active_at ? at : r->last_active_at;
    }
    r->search_count = i;
    tokens_free(tokens);
    choose_labels(&r->topics, searches, placed);
    sort_topics(r);
}

void reflect_compute(struct reflect *r, const cJSON *rows, int64_t now)
{
    const cJSON *searches = json_get(rows, "searches"), *opens = json_get(rows, "opens"), *row;
    size_t n = (size_t)(cJSON_GetArraySize(searches) + cJSON_GetArraySize(opens)),
           count = (size_t)cJSON_GetArraySize(searches);
    AUTO(mem_freep) int64_t *days = mem_array(n, sizeof *days);
    *r = (struct reflect){.searches = mem_array(count, sizeof *r->searches)};
    snprintf(r->name, sizeof r->name, "%s", json_text(rows, "name", ""));
    read_searches(r, searches, days);
    cJSON_ArrayForEach (row, opens) {
        int64_t at = seconds_of(json_text(row, "at", NULL));
        days[count++] = at / DAY;
        r->last_active_at = at > r->last_active_at ? at : r->last_active_at;
    }
    r->active_days = distinct_days(days, n);
    if (r->last_active_at && now - r->last_active_at >= REFLECT_QUIET_DAYS * (int64_t)DAY)
        r->quiet_since = (r->last_active_at / DAY + 1) * DAY;
}

void reflect_free(struct reflect *r)
{
    topics_free(&r->topics);
    free(r->searches);
    *r = (struct reflect){0};
}

/* "5 October", with the year where it is another one. */
static const char *day(int64_t at, int64_t now, char text[40])
{
    struct tm utc, today;
    time_t seconds = (time_t)at, current = (time_t)now;
    char month[24];
    gmtime_r(&seconds, &utc);
    gmtime_r(&current, &today);
    strftime(month, sizeof month, "%B", &utc);
    if (utc.tm_year == today.tm_year)
        snprintf(text, 40, "%d %s", utc.tm_mday, month);
    else
        snprintf(text, 40, "%d %s %d", utc.tm_mday, month, utc.tm_year + 1900);
    return text;
}

static const char *times(int count, char text[32])
{
    if (count == 1)
        return "once";
    if (count == 2)
        return "twice";
    snprintf(text, 32, "%d times", count);
    return text;
}

/* The longest pause of a topic that was taken up again; 0 where it had none of REFLECT_GAP_DAYS. */
static int64_t came_back(const struct reflect *r, size_t topic)
{
    int64_t before = 0, back = 0, longest = REFLECT_GAP_DAYS * (int64_t)DAY;
    for (size_t i = 0; i < r->search_count; i++) {
        if (r->searches[i].topic != topic)
            continue;
        if (before && r->searches[i].at - before >= longest) {
            longest = r->searches[i].at - before;
            back = r->searches[i].at;
        }
        before = r->searches[i].at;
    }
    return back;
}

static void tell_topic(const struct reflect *r, size_t t, bool first, int64_t now, struct buf *text)
{
    const struct topic *topic = &r->topics.items[t];
    char from[40], to[40], count[32];
    buf_printf(text, first ? " The main topic was “%s”, searched %s" : " “%s” was searched %s", topic->label,
               times(topic->count, count));
    if (topic->first / DAY == topic->last / DAY)
        buf_printf(text, " on %s.", day(topic->first, now, from));
    else
        buf_printf(text, " from %s to %s.", day(topic->first, now, from), day(topic->last, now, to));
    int64_t back = came_back(r, t);
    if (back)
        buf_printf(text, " After a longer pause it came back on %s.", day(back, now, from));
    else if (r->last_active_at - topic->last >= REFLECT_GAP_DAYS * (int64_t)DAY)
        buf_text(text, " It has not come up since.");
}

void reflect_prose(const struct reflect *r, bool own, int64_t now, struct buf *text)
{
    char from[40], count[32];
    const char *who = own ? "You" : r->name, *have = own ? "have" : "has";
    if (!r->last_active_at) {
        buf_printf(text, "%s %s not searched or read anything yet.", who, have);
        return;
    }
    if (!r->search_count)
        buf_printf(text, "%s %s read, but not searched, on %d %s.", who, have, r->active_days,
                   r->active_days == 1 ? "day" : "days");
    else
        buf_printf(text, "%s %s searched %s since %s, and %s active on %d %s.", who, have,
                   times((int)r->search_count, count), day(r->first_at, now, from), own ? "were" : "was",
                   r->active_days, r->active_days == 1 ? "day" : "days");
    for (size_t t = 0; t < r->topics.count && t < 3; t++)
        tell_topic(r, t, t == 0, now, text);
    if (r->quiet_since)
        buf_printf(text, " Nothing was searched or read after %s.", day(r->last_active_at, now, from));
}

static void write_weeks(const struct reflect *r, size_t topic, int64_t now, struct buf *out)
{
    int64_t from = monday(r->topics.items[topic].first),
            last = monday(r->topics.items[topic].last > now ? now : r->topics.items[topic].last);
    size_t i = 0;
    buf_json_key(out, "weeks");
    buf_json_open(out, '[');
    for (; from <= last; from += WEEK) {
        int searches = 0;
        for (; i < r->search_count && r->searches[i].at < from + WEEK; i++)
            searches += r->searches[i].topic == topic;
        buf_json_open(out, '{');
        write_time(out, "from", from);
        buf_json_member_int(out, "searches", searches);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

void reflect_write(const struct reflect *r, int64_t now, struct buf *out)
{
    buf_json_key(out, "topics");
    buf_json_open(out, '[');
    for (size_t t = 0; t < r->topics.count && t < REFLECT_TOPICS_MOST; t++) {
        const struct topic *topic = &r->topics.items[t];
        buf_json_open(out, '{');
        buf_json_member(out, "topic", topic->label);
        buf_json_member_int(out, "searches", topic->count);
        write_time(out, "first_at", topic->first);
        write_time(out, "last_at", topic->last);
        write_weeks(r, t, now, out);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
    buf_json_member_int(out, "active_days", r->active_days);
    write_time(out, "last_active_at", r->last_active_at);
    write_time(out, "quiet_since", r->quiet_since);
}
