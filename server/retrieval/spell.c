/* spell.c - the word that was meant, among those that stand in the texts of a scope. */
#include "server/retrieval/spell.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

enum { LETTERS_LEAST = 4, LETTERS_LEAST_FOR_TWO = 8, HOLDERS_MOST = 100000 };

static size_t decode(const char *word, size_t length, uint32_t out[TOKENS_WORD_MOST])
{
    size_t count = 0;
    for (size_t at = 0; at < length && count < TOKENS_WORD_MOST;)
        out[count++] = text_next(word, length, &at);
    return count;
}

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

unsigned spell_distance(const uint32_t *a, size_t a_length, const uint32_t *b, size_t b_length, unsigned most)
{
    /* Optimal string alignment, three rows. */
    unsigned rows[3][TOKENS_WORD_MOST + 1], *two = rows[0], *one = rows[1], *now = rows[2];
    if (a_length > b_length + most || b_length > a_length + most)
        return most + 1;
    for (size_t j = 0; j <= b_length; j++)
        one[j] = (unsigned)j;
    for (size_t i = 1; i <= a_length; i++) {
        unsigned best = now[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            now[j] = least(least(one[j], now[j - 1]) + 1, one[j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], two[j - 2] + 1);
            best = least(best, now[j]);
        }
        if (best > most)
            return most + 1;
        unsigned *spare = two;
        two = one;
        one = now;
        now = spare;
    }
    return least(one[b_length], most + 1);
}

struct candidate {
    uint32_t word, holders;
    unsigned distance;
};

static int by_promise(const void *x, const void *y)
{
    const struct candidate *a = x, *b = y;
    if (a->distance != b->distance)
        return a->distance < b->distance ? -1 : 1;
    if (a->holders != b->holders)
        return a->holders > b->holders ? -1 : 1;
    return a->word < b->word ? -1 : 1;
}

/* Words without blanks around them (Han and their kin) and numbers are never corrected. */
static bool correctable(const uint32_t *letters, size_t count)
{
    if (count < LETTERS_LEAST)
        return false;
    for (size_t i = 0; i < count; i++)
        if ((letters[i] >= '0' && letters[i] <= '9') || (letters[i] >= 0x2E80 && letters[i] <= 0x9FFF))
            return false;
    return true;
}

/* Every word near enough, by what its letters allow first: most are dismissed by one comparison. */
static size_t gather(const struct lexical *lexical, const uint64_t *bits, const char *word, size_t length,
                     struct candidate **out)
{
    const struct vocabulary *v = lexical_vocabulary(lexical);
    const uint8_t *lengths = vocabulary_lengths(v);
    const uint32_t *letters = vocabulary_letters(v);
    uint32_t wanted = vocabulary_letters_of(word, length), a[TOKENS_WORD_MOST], b[TOKENS_WORD_MOST];
    size_t a_count = decode(word, length, a), count = 0, capacity = 0;
    unsigned most = a_count >= LETTERS_LEAST_FOR_TWO ? 2 : 1;
    int apart = (int)most * (a_count == length ? 2 : 4), longer = (int)most * (a_count == length ? 1 : 4);
    for (uint32_t i = 0; i < vocabulary_words(v); i++) {
        if (abs((int)lengths[i] - (int)length) > longer || __builtin_popcount(letters[i] ^ wanted) > apart)
            continue;
        size_t b_count = decode(vocabulary_word_text(v, i), lengths[i], b);
        unsigned distance = spell_distance(a, a_count, b, b_count, most);
        if (distance > most || b_count < LETTERS_LEAST - 1)
            continue;
        uint32_t holders = lexical_holders(lexical, vocabulary_stem_of(v, i), bits, HOLDERS_MOST);
        if (!holders)
            continue;
        if (count == capacity)
            *out = mem_grow(*out, capacity = capacity ? capacity * 2 : 16, sizeof **out);
        (*out)[count++] = (struct candidate){i, holders, distance};
    }
    return count;
}

uint32_t spell_correct(const struct lexical *lexical, const uint64_t *bits, const char *word, size_t length)
{
    uint32_t letters[TOKENS_WORD_MOST];
    if (!correctable(letters, decode(word, length, letters)))
        return VOCABULARY_NONE;
    AUTO(mem_freep) struct candidate *candidates = NULL;
    size_t count = gather(lexical, bits, word, length, &candidates);
    if (count)
        qsort(candidates, count, sizeof *candidates, by_promise);
    for (size_t i = 0; i < count; i++)
        if (lexical_word_visible(lexical, candidates[i].word, bits))
            return candidates[i].word;
    return VOCABULARY_NONE;
}
