/* vocabulary.c - the words of the indexed texts, as they are spelt, and the stems they come down to. */
#include "server/retrieval/vocabulary.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/retrieval/word_hash.h"

/* An open-addressing table of numbers; the keys stand in the arrays they count. */
struct table {
    uint32_t *slots, size; /* a power of two; VOCABULARY_NONE: free */
};

struct vocabulary {
    char *text; /* every distinct string once, NUL-terminated */
    size_t text_used, text_capacity;
    uint32_t *word_text, *word_stem, *word_letters, *stem_text;
    uint8_t *word_length, *word_language;
    uint32_t words, words_capacity, stems, stems_capacity;
    struct table by_word, by_stem;
    uint32_t languages;
};

struct vocabulary *vocabulary_new(void)
{
    struct vocabulary *v = mem_alloc(sizeof *v);
    v->by_word.size = v->by_stem.size = 1024;
    v->by_word.slots = mem_array(1024, sizeof(uint32_t));
    v->by_stem.slots = mem_array(1024, sizeof(uint32_t));
    memset(v->by_word.slots, 0xFF, 1024 * sizeof(uint32_t));
    memset(v->by_stem.slots, 0xFF, 1024 * sizeof(uint32_t));
    return v;
}

void vocabulary_free(struct vocabulary *v)
{
    if (!v)
        return;
    free(v->text);
    free(v->word_text);
    free(v->word_stem);
    free(v->word_letters);
    free(v->stem_text);
    free(v->word_length);
    free(v->word_language);
    free(v->by_word.slots);
    free(v->by_stem.slots);
    free(v);
}

/* The slot that holds the word, or the free one where it would go. */
static uint32_t word_slot(const struct vocabulary *v, enum language language, const char *word, size_t length,
                          uint32_t hash)
{
    uint32_t mask = v->by_word.size - 1, slot = (hash + (uint32_t)language * 0x9E3779B9u) & mask;
    for (uint32_t n; (n = v->by_word.slots[slot]) != VOCABULARY_NONE; slot = (slot + 1) & mask)
        if (v->word_length[n] == length && v->word_language[n] == language &&
            !memcmp(v->text + v->word_text[n], word, length))
            break;
    return slot;
}

static uint32_t stem_slot(const struct vocabulary *v, const char *stem, size_t length)
{
    uint32_t mask = v->by_stem.size - 1, slot = word_hash(stem, length) & mask;
    for (uint32_t n; (n = v->by_stem.slots[slot]) != VOCABULARY_NONE; slot = (slot + 1) & mask) {
        const char *known = v->text + v->stem_text[n];
        if (!strncmp(known, stem, length) && !known[length])
            break;
    }
    return slot;
}

/* Twice the size once it is half full. */
static void table_grow(struct table *table)
{
    free(table->slots);
    table->size *= 2;
    table->slots = mem_array(table->size, sizeof(uint32_t));
    memset(table->slots, 0xFF, table->size * sizeof(uint32_t));
}

static uint32_t keep_text(struct vocabulary *v, const char *text, size_t length)
{
    if (v->text_used + length + 1 > v->text_capacity) {
        v->text_capacity = (v->text_used + length + 1) * 2;
        v->text = mem_grow(v->text, v->text_capacity, 1);
    }
    uint32_t at = (uint32_t)v->text_used;
    memcpy(v->text + at, text, length);
    v->text[at + length] = '\0';
    v->text_used += length + 1;
    return at;
}

/* `same` (a word's text that may be this very string) saves keeping it twice. */
static uint32_t stem_add(struct vocabulary *v, const char *stem, size_t length, uint32_t same)
{
    uint32_t slot = stem_slot(v, stem, length);
    if (v->by_stem.slots[slot] != VOCABULARY_NONE)
        return v->by_stem.slots[slot];
    if (v->stems == v->stems_capacity) {
        v->stems_capacity = v->stems_capacity ? v->stems_capacity * 2 : 512;
        v->stem_text = mem_grow(v->stem_text, v->stems_capacity, sizeof(uint32_t));
    }
    bool shared = !strncmp(v->text + same, stem, length) && !v->text[same + length];
    v->stem_text[v->stems] = shared ? same : keep_text(v, stem, length);
    v->by_stem.slots[slot] = v->stems++;
    if (v->stems * 2 > v->by_stem.size) {
        table_grow(&v->by_stem);
        for (uint32_t i = 0; i < v->stems; i++) {
            const char *text = v->text + v->stem_text[i];
            v->by_stem.slots[stem_slot(v, text, strlen(text))] = i;
        }
    }
    return v->stems - 1;
}

static void words_reserve(struct vocabulary *v)
{
    if (v->words < v->words_capacity)
        return;
    v->words_capacity = v->words_capacity ? v->words_capacity * 2 : 512;
    v->word_text = mem_grow(v->word_text, v->words_capacity, sizeof(uint32_t));
    v->word_stem = mem_grow(v->word_stem, v->words_capacity, sizeof(uint32_t));
    v->word_letters = mem_grow(v->word_letters, v->words_capacity, sizeof(uint32_t));
    v->word_length = mem_grow(v->word_length, v->words_capacity, 1);
    v->word_language = mem_grow(v->word_language, v->words_capacity, 1);
}

uint32_t vocabulary_add(struct vocabulary *v, struct tokens *tokens, enum language language, const struct token *token)
{
    const char *word = token->word;
    size_t length = token->length;
    uint32_t slot = word_slot(v, language, word, length, token->hash);
    if (v->by_word.slots[slot] != VOCABULARY_NONE)
        return v->by_word.slots[slot];
    words_reserve(v);
    size_t stem_length = length;
    const char *stem = tokens_stem(tokens, language, word, &stem_length);
    uint32_t n = v->words, text = keep_text(v, word, length);
    v->word_text[n] = text;
    v->word_letters[n] = vocabulary_letters_of(word, length);
    v->word_length[n] = (uint8_t)length;
    v->word_language[n] = (uint8_t)language;
    v->word_stem[n] = stem_add(v, stem, stem_length, text);
    v->by_word.slots[slot] = n;
    v->languages |= 1u << language;
    v->words++;
    if (v->words * 2 > v->by_word.size) {
        table_grow(&v->by_word);
        for (uint32_t i = 0; i < v->words; i++) {
            const char *known = v->text + v->word_text[i];
            uint32_t hash = word_hash(known, v->word_length[i]);
            v->by_word.slots[word_slot(v, v->word_language[i], known, v->word_length[i], hash)] = i;
        }
    }
    return n;
}

uint32_t vocabulary_stem(const struct vocabulary *v, const char *stem, size_t length)
{
    return v->by_stem.slots[stem_slot(v, stem, length)];
}

uint32_t vocabulary_stem_of(const struct vocabulary *v, uint32_t word)
{
    return v->word_stem[word];
}

const uint32_t *vocabulary_stems_of(const struct vocabulary *v)
{
    return v->word_stem;
}

enum language vocabulary_language_of(const struct vocabulary *v, uint32_t word)
{
    return (enum language)v->word_language[word];
}

const char *vocabulary_word_text(const struct vocabulary *v, uint32_t word)
{
    return v->text + v->word_text[word];
}

const char *vocabulary_stem_text(const struct vocabulary *v, uint32_t stem)
{
    return v->text + v->stem_text[stem];
}

uint32_t vocabulary_words(const struct vocabulary *v)
{
    return v->words;
}

uint32_t vocabulary_stems(const struct vocabulary *v)
{
    return v->stems;
}

uint32_t vocabulary_languages(const struct vocabulary *v)
{
    return v->languages;
}

const uint8_t *vocabulary_lengths(const struct vocabulary *v)
{
    return v->word_length;
}

const uint32_t *vocabulary_letters(const struct vocabulary *v)
{
    return v->word_letters;
}

uint32_t vocabulary_letters_of(const char *word, size_t length)
{
    uint32_t letters = 0;
    for (size_t i = 0; i < length; i++)
        letters |= 1u << (word[i] & 31);
    return letters;
}

size_t vocabulary_bytes(const struct vocabulary *v)
{
    return v->text_capacity + v->words_capacity * (3 * sizeof(uint32_t) + 2) + v->stems_capacity * sizeof(uint32_t) +
           (v->by_word.size + v->by_stem.size) * sizeof(uint32_t);
}
