/* topics.c - groups of wordings that mean the same. */
#include "server/memory/topics.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/word_hash.h"

size_t topics_stems(struct tokens *tokens, const char *text, size_t beginning, uint32_t stems[TOPIC_STEMS_MOST])
{
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, strlen(text), &words, &language), n = 0;
    for (size_t i = 0; i < count && n < TOPIC_STEMS_MOST; i++) {
        size_t length = words[i].length;
        if (words[i].stop)
            continue;
        const char *stem = tokens_stem(tokens, language, words[i].word, &length);
        uint32_t hash = word_hash(stem, beginning && length > beginning ? beginning : length);
        size_t at = 0;
        while (at < n && stems[at] != hash)
            at++;
        if (at == n)
            stems[n++] = hash;
    }
    return n;
}

static bool alike(const struct topic *topic, const uint32_t *stems, size_t count)
{
    size_t both = 0;
    for (size_t i = 0; i < topic->stem_count; i++)
        for (size_t j = 0; j < count; j++)
            both += topic->stems[i] == stems[j];
    return 2 * both >= topic->stem_count + count - both;
}

static size_t find(const struct topics *topics, const uint32_t *stems, size_t count)
{
    for (size_t i = 0; count && i < topics->count; i++)
        if (alike(&topics->items[i], stems, count))
            return i;
    return TOPICS_NOWHERE;
}

size_t topics_find(const struct topics *topics, struct tokens *tokens, const char *text)
{
    uint32_t stems[TOPIC_STEMS_MOST];
    return find(topics, stems, topics_stems(tokens, text, 0, stems));
}

size_t topics_place(struct topics *topics, struct tokens *tokens, const char *text)
{
    uint32_t stems[TOPIC_STEMS_MOST];
    size_t n = topics_stems(tokens, text, 0, stems), place = find(topics, stems, n);
    if (!n || place != TOPICS_NOWHERE)
        return place;
    if (topics->count == topics->capacity) {
        topics->capacity = topics->capacity ? topics->capacity * 2 : 32;
        topics->items = mem_grow(topics->items, topics->capacity, sizeof *topics->items);
    }
    struct topic *topic = &topics->items[topics->count];
    *topic = (struct topic){.label = mem_dup(text), .stem_count = n};
    memcpy(topic->stems, stems, n * sizeof *stems);
    return topics->count++;
}

void topics_count(struct topic *topic, int count, int64_t first, int64_t last)
{
    topic->first = topic->count && topic->first < first ? topic->first : first;
    topic->last = topic->count && topic->last > last ? topic->last : last;
    topic->count += count;
}

static int by_count(const void *a, const void *b)
{
    const struct topic *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->label, y->label);
}

void topics_sort(struct topics *topics)
{
    if (topics->count)
        qsort(topics->items, topics->count, sizeof *topics->items, by_count);
}

void topics_free(struct topics *topics)
{
    for (size_t i = 0; i < topics->count; i++)
        free(topics->items[i].label);
    free(topics->items);
    *topics = (struct topics){0};
}
