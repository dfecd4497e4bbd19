/* extractive.c - an answer without a language model: the best sentences of what was found, word for word. */
#include "server/models/extractive.h"

#include <math.h>
#include <string.h>

#include "common/text.h"

enum { SHORTEST = 25, LONGEST = 600 /* code points; headings and tables are neither */ };
static const float SEEN_AGAIN = 0.25f, SOURCE_WEIGHT = 0.5f, LEAST_OF_BEST = 0.35f;

void extractive_free(struct extractive_answer *answer)
{
    buf_free(&answer->text);
}

/* The question's weight in a sentence, words that are already answered counting for less; long
 * sentences have to hold more. */
static float gain(const struct extractive_candidate *c, const float *weights, uint64_t answered)
{
    size_t length = text_count(c->text, c->length);
    float sum = 0;
    if (length < SHORTEST || length > LONGEST)
        return 0;
    for (uint64_t bits = c->holds; bits; bits &= bits - 1) {
        int word = __builtin_ctzll(bits);
        sum += weights[word] * (answered >> word & 1 ? SEEN_AGAIN : 1);
    }
    return sum * (1 + SOURCE_WEIGHT * c->score) / (1 + 0.2f * logf(1 + (float)length / 150));
}

/* Overlapping passages hold the same sentences. */
static bool chosen_before(const struct extractive_answer *answer, const struct extractive_candidate *c)
{
    for (size_t i = 0; i < answer->count; i++) {
        const struct extractive_candidate *chosen = answer->sentences[i].from;
        if (chosen->length == c->length && !memcmp(chosen->text, c->text, c->length))
            return true;
    }
    return false;
}

static bool choose_one(struct extractive_answer *answer, const struct extractive_candidate *candidates, size_t count,
                       const float *weights, uint64_t *answered, float *first)
{
    const struct extractive_candidate *best = NULL;
    float most = 0;
    for (size_t i = 0; i < count; i++) {
        float value = gain(&candidates[i], weights, *answered);
        if (value <= most || chosen_before(answer, &candidates[i]))
            continue;
        most = value;
        best = &candidates[i];
    }
    if (!best || most < *first * LEAST_OF_BEST)
        return false;
    *first = *first > 0 ? *first : most;
    *answered |= best->holds;
    answer->sentences[answer->count++] = (struct extractive_sentence){.from = best};
    return true;
}

static bool reads_before(const struct extractive_candidate *a, const struct extractive_candidate *b)
{
    if (a->document != b->document)
        return a->document < b->document;
    return a->order != b->order ? a->order < b->order : a->start < b->start;
}

static void write_answer(struct extractive_answer *answer)
{
    size_t points = 0;
    for (size_t i = 0; i < answer->count; i++) {
        struct extractive_sentence *s = &answer->sentences[i];
        if (i) {
            buf_char(&answer->text, ' ');
            points++;
        }
        s->answer_start = points;
        for (size_t at = 0; at < s->from->length;) {
            size_t from = at;
            bool blank = text_next(s->from->text, s->from->length, &at) <= ' ';
            if (blank && answer->text.length && answer->text.data[answer->text.length - 1] == ' ')
                continue;
            buf_bytes(&answer->text, blank ? " " : s->from->text + from, blank ? 1 : at - from);
            points++;
        }
        s->answer_end = points;
        size_t before = answer->text.length;
        buf_printf(&answer->text, " [%zu]", i + 1);
        points += answer->text.length - before;
    }
}

void extractive_make(struct extractive_answer *answer, const struct extractive_candidate *candidates, size_t count,
                     const float weights[EXTRACTIVE_WORDS])
{
    uint64_t answered = 0;
    float first = 0;
    *answer = (struct extractive_answer){0};
    while (answer->count < EXTRACTIVE_MOST && choose_one(answer, candidates, count, weights, &answered, &first))
        continue;
    for (size_t i = 1; i < answer->count; i++) /* in reading order */
        for (size_t k = i; k > 0 && reads_before(answer->sentences[k].from, answer->sentences[k - 1].from); k--) {
            struct extractive_sentence spare = answer->sentences[k];
            answer->sentences[k] = answer->sentences[k - 1];
            answer->sentences[k - 1] = spare;
        }
    write_answer(answer);
}
