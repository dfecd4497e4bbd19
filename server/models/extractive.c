/* extractive.c - an answer without a language model: the best sentences of the passages, word for word. */
#include "server/models/extractive.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

enum { SHORTEST = 25, LONGEST = 600 /* code points; headings and tables are neither */ };
static const float SEEN_AGAIN = 0.25f, SOURCE_WEIGHT = 0.5f, LEAST_OF_BEST = 0.35f;

void extractive_free(struct extractive_answer *answer)
{
    buf_free(&answer->text);
}

/* The question's weight in a sentence, words that are already answered counting for less; long
 * sentences have to hold more. */
static float gain(const struct extractive_source *source, const struct sentence *sentence, const struct passage_words *words,
                  uint64_t answered, uint64_t *holds)
{
    const struct passage *p = &source->passage;
    size_t length = text_count(p->text + sentence->start, sentence->end - sentence->start);
    float sum = 0;
    *holds = 0;
    if (length < SHORTEST || length > LONGEST)
        return 0;
    for (size_t i = 0; i < p->match_count; i++) {
        uint64_t bit = 1ull << p->matches[i].word;
        if (p->matches[i].start < sentence->start || p->matches[i].end > sentence->end || *holds & bit)
            continue;
        *holds |= bit;
        sum += words->weights[p->matches[i].word] * (answered & bit ? SEEN_AGAIN : 1);
    }
    return sum * (1 + SOURCE_WEIGHT * source->score) / (1 + 0.2f * logf(1 + (float)length / 150));
}

/* Overlapping passages hold the same sentences. */
static bool chosen_before(const struct extractive_answer *answer, const struct extractive_source *sources, size_t source,
                          const struct sentence *s)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct extractive_sentence *c = &answer->sentences[i];
        if (c->end - c->start == s->end - s->start &&
            !memcmp(sources[c->source].passage.text + c->start, sources[source].passage.text + s->start, s->end - s->start))
            return true;
    }
    return false;
}

static bool choose_one(struct extractive_answer *answer, const struct extractive_source *sources, size_t count,
                       const struct passage_words *words, uint64_t *answered, float *first)
{
    float most = 0;
    uint64_t holds = 0;
    struct extractive_sentence best = {0};
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < sources[i].passage.sentence_count; k++) {
            const struct sentence *s = &sources[i].passage.sentences[k];
            uint64_t here;
            float value = gain(&sources[i], s, words, *answered, &here);
            if (value <= most || chosen_before(answer, sources, i, s))
                continue;
            most = value;
            holds = here;
            best = (struct extractive_sentence){.source = i, .start = s->start, .end = s->end};
        }
    if (most <= 0 || most < *first * LEAST_OF_BEST)
        return false;
    *first = *first > 0 ? *first : most;
    *answered |= holds;
    answer->sentences[answer->count++] = best;
    return true;
}

static bool reads_before(const struct extractive_sentence *a, const struct extractive_sentence *b,
                         const struct extractive_source *sources)
{
    const struct extractive_source *x = &sources[a->source], *y = &sources[b->source];
    if (x->document != y->document)
        return x->document < y->document;
    return x->order != y->order ? x->order < y->order : a->start < b->start;
}

static void write_answer(struct extractive_answer *answer, const struct extractive_source *sources)
{
    size_t points = 0;
    for (size_t i = 0; i < answer->count; i++) {
        struct extractive_sentence *s = &answer->sentences[i];
        const char *text = sources[s->source].passage.text;
        if (i) {
            buf_char(&answer->text, ' ');
            points++;
        }
        s->answer_start = points;
        for (size_t at = s->start; at < s->end;) {
            size_t from = at;
            bool blank = text_next(text, s->end, &at) <= ' ';
            if (blank && answer->text.length && answer->text.data[answer->text.length - 1] == ' ')
                continue;
            buf_bytes(&answer->text, blank ? " " : text + from, blank ? 1 : at - from);
            points++;
        }
        s->answer_end = points;
        size_t before = answer->text.length;
        buf_printf(&answer->text, " [%zu]", i + 1);
        points += answer->text.length - before;
    }
}

void extractive_make(struct extractive_answer *answer, const struct extractive_source *sources, size_t count,
                     const struct passage_words *words)
{
    uint64_t answered = 0;
    float first = 0;
    *answer = (struct extractive_answer){0};
    while (answer->count < EXTRACTIVE_MOST && choose_one(answer, sources, count, words, &answered, &first))
        continue;
    for (size_t i = 1; i < answer->count; i++) /* in reading order */
        for (size_t k = i; k > 0 && reads_before(&answer->sentences[k], &answer->sentences[k - 1], sources); k--) {
            struct extractive_sentence spare = answer->sentences[k];
            answer->sentences[k] = answer->sentences[k - 1];
            answer->sentences[k - 1] = spare;
        }
    write_answer(answer, sources);
}
