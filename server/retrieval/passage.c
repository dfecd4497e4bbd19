/* passage.c - a found passage as the database gave it, read for showing. */
#include "server/retrieval/passage.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/word_hash.h"

/* How many words from list[at] on stand as they were asked, from said[from] on. */
static size_t row(const struct token *list, size_t count, size_t at, const struct passage_words *words, size_t from,
                  const uint32_t *hashes)
{
    size_t n = 0;
    for (; at < count && from + n < words->said_count; at++) {
        if (list[at].pair)
            continue;
        if (list[at].hash != hashes[from + n] || strcmp(list[at].word, words->said[from + n]) != 0)
            break;
        n++;
    }
    return n;
}

static void find_run(struct passage *p, const struct token *list, size_t count, const struct passage_words *words)
{
    uint32_t hashes[PASSAGE_SAID_MOST];
    uint64_t said = 0; /* a rough set of them: most words of a passage were not asked for */
    for (size_t w = 0; w < words->said_count; w++) {
        hashes[w] = word_hash(words->said[w], strlen(words->said[w]));
        said |= 1ull << hashes[w] % 64;
    }
    for (size_t i = 0; i < count; i++)
        for (size_t from = 0; said >> list[i].hash % 64 & 1 && !list[i].pair && from < words->said_count; from++) {
            size_t n = list[i].hash == hashes[from] ? row(list, count, i, words, from, hashes) : 0;
            if (n > p->run) {
                p->run = n;
                p->run_start = list[i].start;
            }
        }
}

static void find_matches(struct passage *p, struct tokens *tokens, const struct passage_words *words)
{
    const struct token *list;
    enum language language;
    size_t count = tokens_split(tokens, p->text, p->length, &list, &language);
    bool first[256] = {false}; /* stemming takes most of the time, and keeps a word's first letter */
    for (size_t w = 0; w < words->count; w++)
        first[(unsigned char)words->stems[w][0]] = true;
    p->matches = mem_array(count + 1, sizeof *p->matches);
    find_run(p, list, count, words);
    for (size_t i = 0; i < count; i++) {
        unsigned char letter = (unsigned char)list[i].word[0];
        if (list[i].stop || (letter < 0x80 && !first[letter]))
            continue;
        size_t length = list[i].length, w = 0;
        const char *stem = tokens_stem(tokens, language, list[i].word, &length);
        while (w < words->count && (strncmp(words->stems[w], stem, length) != 0 || words->stems[w][length]))
            w++;
        if (w < words->count)
            p->matches[p->match_count++] = (struct passage_match){list[i].start, list[i].end, (uint8_t)w};
    }
}

static void read_spans(struct passage *p, const char *spans, int first_page)
{
    struct err ignored;
    AUTO(json_freep) cJSON *json = spans ? json_parse(spans, strlen(spans), &ignored) : NULL;
    const cJSON *span;
    cJSON_ArrayForEach (span, json) {
        int64_t at = json_int(span, "at", -1), page = json_int(span, "page", 0);
        if (at < 0 || page < 1 || p->span_count == PASSAGE_SPANS_MOST)
            continue;
        p->spans[p->span_count++] = (struct passage_span){text_offset(p->text, p->length, (size_t)at), (int)page};
    }
    if (!p->span_count)
        p->spans[p->span_count++] = (struct passage_span){0, first_page};
}

void passage_read(struct passage *p, struct tokens *tokens, const struct passage_words *words, const char *text,
                  const char *spans, int first_page)
{
    *p = (struct passage){.text = text, .length = strlen(text)};
    find_matches(p, tokens, words);
    read_spans(p, spans, first_page);
    p->sentences = mem_array(PASSAGE_SENTENCES_MOST, sizeof *p->sentences);
    p->sentence_count = sentences_split(text, p->length, p->sentences, PASSAGE_SENTENCES_MOST);
}

void passage_free(struct passage *p)
{
    free(p->matches);
    free(p->sentences);
    p->matches = NULL;
    p->sentences = NULL;
}

const struct passage_span *passage_span_at(const struct passage *p, size_t byte, size_t *end)
{
    size_t i = 0;
    while (i + 1 < p->span_count && p->spans[i + 1].start <= byte)
        i++;
    *end = i + 1 < p->span_count ? p->spans[i + 1].start : p->length;
    return &p->spans[i];
}
