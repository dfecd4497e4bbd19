/* lexical.c - an inverted index in memory over any set of texts, ranked by BM25 (k1 1.2, b 0.75). */
#include "server/retrieval/lexical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/postings.h"
#include "server/retrieval/word_hash.h"

static const float K1 = 1.2f, B = 0.75f;

struct lexical {
    struct vocabulary *vocabulary;
    struct postings_arena arena;
    struct postings *lists; /* by stem */
    uint16_t *times;        /* by stem, all zero between calls of lexical_add */
    uint32_t lists_capacity;
    uint8_t *forward; /* each text's words by number, packed, in reading order */
    size_t forward_used, forward_capacity;
    size_t *starts; /* of each text in `forward`; texts + 1 of them */
    uint16_t *lengths;
    uint32_t texts, texts_capacity;
};

struct lexical *lexical_new(void)
{
    struct lexical *l = mem_alloc(sizeof *l);
    l->vocabulary = vocabulary_new();
    l->texts_capacity = 64;
    l->starts = mem_array(l->texts_capacity + 1, sizeof *l->starts);
    l->lengths = mem_array(l->texts_capacity, sizeof *l->lengths);
    return l;
}

void lexical_free(struct lexical *l)
{
    if (!l)
        return;
    vocabulary_free(l->vocabulary);
    postings_arena_free(&l->arena);
    free(l->lists);
    free(l->times);
    free(l->forward);
    free(l->starts);
    free(l->lengths);
    free(l);
}

uint32_t lexical_count(const struct lexical *l)
{
    return l->texts;
}

const struct vocabulary *lexical_vocabulary(const struct lexical *l)
{
    return l->vocabulary;
}

static void lists_reserve(struct lexical *l)
{
    uint32_t need = vocabulary_stems(l->vocabulary), had = l->lists_capacity;
    if (need <= had)
        return;
    l->lists_capacity = need + need / 2 + 256;
    l->lists = mem_grow(l->lists, l->lists_capacity, sizeof *l->lists);
    l->times = mem_grow(l->times, l->lists_capacity, sizeof *l->times);
    memset(l->lists + had, 0, (l->lists_capacity - had) * sizeof *l->lists);
    memset(l->times + had, 0, (l->lists_capacity - had) * sizeof *l->times);
}

/* Opens the next text; its words follow by add_word, then close_text. */
static void open_text(struct lexical *l, size_t words)
{
    if (l->texts == l->texts_capacity) {
        l->texts_capacity *= 2;
        l->starts = mem_grow(l->starts, (size_t)l->texts_capacity + 1, sizeof *l->starts);
        l->lengths = mem_grow(l->lengths, l->texts_capacity, sizeof *l->lengths);
    }
    if (l->forward_used + words * 5 > l->forward_capacity) {
        l->forward_capacity += l->forward_capacity / 2 + words * 5 + 4096;
        l->forward = mem_grow(l->forward, l->forward_capacity, 1);
    }
    l->lengths[l->texts] = 0;
}

static void add_word(struct lexical *l, uint32_t word)
{
    l->forward_used += postings_write(l->forward + l->forward_used, word);
    lists_reserve(l);
    uint16_t *times = &l->times[vocabulary_stem_of(l->vocabulary, word)];
    *times = (uint16_t)(*times + (*times < UINT16_MAX));
    l->lengths[l->texts] = (uint16_t)(l->lengths[l->texts] + (l->lengths[l->texts] < UINT16_MAX));
}

static uint32_t close_text(struct lexical *l)
{
    const uint32_t *stems = vocabulary_stems_of(l->vocabulary);
    const uint8_t *at = l->forward + l->starts[l->texts], *end = l->forward + l->forward_used;
    while (at < end) {
        uint32_t stem = stems[postings_number(&at)];
        if (l->times[stem])
            postings_add(&l->arena, &l->lists[stem], l->texts, l->times[stem]);
        l->times[stem] = 0;
    }
    l->starts[l->texts + 1] = l->forward_used;
    return l->texts++;
}

uint32_t lexical_add(struct lexical *l, struct tokens *tokens, enum language language, const struct token *words,
                     size_t count)
{
    open_text(l, count);
    for (size_t i = 0; i < count; i++)
        if (!words[i].stop)
            add_word(l, vocabulary_add(l->vocabulary, tokens, language, &words[i]));
    return close_text(l);
}

struct lexical *lexical_copy(const struct lexical *l, const uint64_t *keep, struct tokens *tokens)
{
    struct lexical *copy = lexical_new();
    for (uint32_t text = 0; text < l->texts; text++) {
        if (!(keep[text / 64] >> text % 64 & 1))
            continue;
        open_text(copy, l->lengths[text]);
        const uint8_t *at = l->forward + l->starts[text], *end = l->forward + l->starts[text + 1];
        while (at < end) {
            uint32_t word = postings_number(&at);
            struct token spelt = {.word = vocabulary_word_text(l->vocabulary, word)};
            spelt.length = (uint32_t)strlen(spelt.word);
            spelt.hash = word_hash(spelt.word, spelt.length);
            add_word(copy,
                     vocabulary_add(copy->vocabulary, tokens, vocabulary_language_of(l->vocabulary, word), &spelt));
        }
        close_text(copy);
    }
    return copy;
}

void lexical_scope(const struct lexical *l, struct lexical_scope *scope)
{
    uint64_t sum = 0;
    scope->count = 0;
    for (uint32_t word = 0; word * 64 < l->texts; word++)
        for (uint64_t bits = scope->bits[word]; bits; bits &= bits - 1) {
            sum += l->lengths[word * 64 + (uint32_t)__builtin_ctzll(bits)];
            scope->count++;
        }
    scope->mean_length = scope->count ? (double)sum / scope->count : 0;
}

uint64_t lexical_words(const struct lexical *l, uint32_t from, uint32_t to)
{
    uint64_t sum = 0;
    for (uint32_t text = from; text < to; text++)
        sum += l->lengths[text];
    return sum;
}

void lexical_ask(struct lexical_question *question, uint32_t stem)
{
    size_t i = 0;
    while (i < question->count && (question->terms[i].stem != stem || stem == LEXICAL_NONE))
        i++;
    if (i == LEXICAL_TERMS_MOST)
        return;
    if (i == question->count)
        question->terms[question->count++] = (struct lexical_term){.stem = stem};
    if (question->length < COUNT_OF(question->order))
        question->order[question->length++] = (uint16_t)i;
}

static float idf_of(uint32_t texts, uint32_t holders)
{
    return (float)log(1.0 + ((double)texts - holders + 0.5) / (holders + 0.5));
}

static void score_term(const struct lexical *l, struct lexical_term *term, const struct lexical_scope *scope,
                       float *scores, uint32_t *scratch)
{
    const struct postings *list = &l->lists[term->stem];
    const uint8_t *at = postings_begin(&l->arena, list), *end = at + list->used;
    uint32_t text = 0, found = 0;
    /* First who holds it, within the scope alone: its weight depends on how many they are. */
    for (uint32_t *out = scratch; at < end;) {
        uint32_t times = postings_next(&at, &text);
        out[found * 2] = text;
        out[found * 2 + 1] = times;
        found += (uint32_t)(scope->bits[text / 64] >> text % 64 & 1);
    }
    term->texts = found;
    term->idf = idf_of(scope->count, found);
    float weight = term->idf * (K1 + 1);
    float flat = K1 * (1 - B), slope = scope->mean_length > 0 ? K1 * B / (float)scope->mean_length : 0;
    for (uint32_t i = 0; i < found; i++) {
        float times = (float)scratch[i * 2 + 1];
        scores[scratch[i * 2]] += weight * times / (times + flat + slope * (float)l->lengths[scratch[i * 2]]);
    }
}

void lexical_score(const struct lexical *l, struct lexical_question *question, const struct lexical_scope *scope,
                   float *scores, uint32_t *scratch)
{
    if (l->texts)
        memset(scores, 0, l->texts * sizeof *scores);
    for (size_t i = 0; i < question->count; i++) {
        struct lexical_term *term = &question->terms[i];
        if (term->stem != LEXICAL_NONE)
            score_term(l, term, scope, scores, scratch);
        else
            term->idf = idf_of(scope->count, 0);
    }
}

size_t lexical_stems(const struct lexical *l, uint32_t text, uint32_t *stems, size_t most)
{
    const uint8_t *at = l->forward + l->starts[text], *end = l->forward + l->starts[text + 1];
    const uint32_t *stem_of = vocabulary_stems_of(l->vocabulary);
    size_t count = 0;
    while (at < end && count < most)
        stems[count++] = stem_of[postings_number(&at)];
    return count;
}

/* A rough set of the question's stems: most words of a text are not in it. */
static uint64_t asked_stems(const struct lexical_question *question)
{
    uint64_t asked = 0;
    for (size_t i = 0; i < question->count; i++)
        asked |= 1ull << question->terms[i].stem % 64;
    return asked;
}

static float pairs_score(const struct lexical_question *question, const struct lexical_scope *scope, uint16_t length,
                         const uint16_t *found)
{
    float sum = 0, flat = K1 * (1 - B), slope = scope->mean_length > 0 ? K1 * B / (float)scope->mean_length : 0;
    for (size_t i = 1; i < question->length; i++) {
        const struct lexical_term *a = &question->terms[question->order[i - 1]],
                                  *b = &question->terms[question->order[i]];
        if (found[i])
            sum += (a->idf + b->idf) * (K1 + 1) * (float)found[i] / ((float)found[i] + flat + slope * (float)length);
    }
    return sum;
}

float lexical_pairs(const struct lexical *l, const struct lexical_question *question, const struct lexical_scope *scope,
                    uint32_t text, size_t *run)
{
    uint16_t found[COUNT_OF(question->order)] = {0};
    uint8_t runs[COUNT_OF(question->order) + 1] = {
        0}; /* [i + 1]: how many of the text's last words end the question's first i + 1 */
    uint32_t order[COUNT_OF(question->order)];
    const uint8_t *at = l->forward + l->starts[text], *end = l->forward + l->starts[text + 1];
    const uint32_t *stems = vocabulary_stems_of(l->vocabulary);
    const uint64_t asked = asked_stems(question);
    const size_t length = question->length;
    bool any = false;
    for (size_t i = 0; i < length; i++)
        order[i] = question->terms[question->order[i]].stem;
    *run = 0;
    while (at < end) {
        uint32_t stem = stems[postings_number(&at)];
        if (!any && !(asked >> stem % 64 & 1))
            continue;
        any = false;
        for (size_t i = length; i-- > 0;) {
            runs[i + 1] = order[i] == stem ? (uint8_t)(runs[i] + 1) : 0;
            any = any || runs[i + 1];
            found[i] = (uint16_t)(found[i] + (runs[i + 1] > 1));
            *run = runs[i + 1] > *run ? runs[i + 1] : *run;
        }
    }
    return pairs_score(question, scope, l->lengths[text], found);
}

float lexical_share(const struct lexical *l, const struct lexical_question *question, uint32_t text)
{
    bool held[LEXICAL_TERMS_MOST] = {false};
    const uint8_t *at = l->forward + l->starts[text], *end = l->forward + l->starts[text + 1];
    const uint32_t *stems = vocabulary_stems_of(l->vocabulary);
    const uint64_t asked = asked_stems(question);
    while (at < end) {
        uint32_t stem = stems[postings_number(&at)];
        for (size_t i = 0; asked >> stem % 64 & 1 && i < question->count; i++)
            held[i] |= question->terms[i].stem == stem;
    }
    float sum = 0, whole = 0;
    for (size_t i = 0; i < question->count; i++) {
        whole += question->terms[i].idf;
        sum += held[i] ? question->terms[i].idf : 0;
    }
    return whole > 0 ? sum / whole : 0;
}

uint32_t lexical_holders(const struct lexical *l, uint32_t stem, const uint64_t *bits, uint32_t most)
{
    if (stem >= vocabulary_stems(l->vocabulary))
        return 0;
    const struct postings *list = &l->lists[stem];
    const uint8_t *at = postings_begin(&l->arena, list), *end = at + list->used;
    uint32_t text = 0, found = 0;
    while (at < end && found < most) {
        postings_next(&at, &text);
        found += (uint32_t)(bits[text / 64] >> text % 64 & 1);
    }
    return found;
}

bool lexical_word_visible(const struct lexical *l, uint32_t word, const uint64_t *bits)
{
    const struct postings *list = &l->lists[vocabulary_stem_of(l->vocabulary, word)];
    const uint8_t *at = postings_begin(&l->arena, list), *end = at + list->used;
    uint32_t text = 0;
    while (at < end) {
        postings_next(&at, &text);
        if (!(bits[text / 64] >> text % 64 & 1))
            continue;
        const uint8_t *from = l->forward + l->starts[text], *to = l->forward + l->starts[text + 1];
        while (from < to)
            if (postings_number(&from) == word)
                return true;
    }
    return false;
}

size_t lexical_bytes(const struct lexical *l)
{
    return vocabulary_bytes(l->vocabulary) + l->arena.capacity +
           l->lists_capacity * (sizeof *l->lists + sizeof *l->times) + l->forward_capacity +
           l->texts_capacity * (sizeof *l->starts + sizeof *l->lengths);
}
