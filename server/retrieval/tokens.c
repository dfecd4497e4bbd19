/* tokens.c - text into words: where they stand, how they are spelt for search, and their stems. */
#include "server/retrieval/tokens.h"

#include <libstemmer.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/ubrk.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/stopwords.h"
#include "server/retrieval/word_hash.h"

/* Stemmers in the order of enum language, then those that a script decides alone. */
enum {
    STEMMER_GREEK = LANGUAGE_COUNT,
    STEMMER_ARABIC,
    STEMMER_HINDI,
    STEMMER_TAMIL,
    STEMMER_ARMENIAN,
    STEMMER_COUNT,
    STEMMER_NONE = STEMMER_COUNT
};
static const char *const algorithms[STEMMER_COUNT] = {
    "english",   "german",  "french",  "spanish", "italian", "portuguese", "dutch", "swedish", "danish",
    "norwegian", "finnish", "russian", "greek",   "arabic",  "hindi",      "tamil", "armenian"};

enum { UNITS = 4 * TOKENS_WORD_MOST }; /* UTF-16 room for one word and its normal form */

struct tokens {
    struct sb_stemmer *stemmers[STEMMER_COUNT];
    const UNormalizer2 *fold, *decompose;
    UBreakIterator *dictionary;
    struct token *list;
    size_t count, capacity;
    char *words; /* the normalised words, one after another */
    size_t used, words_capacity;
    char folded[3 * UNITS]; /* the last stem without accents */
};

struct tokens *tokens_new(void)
{
    struct tokens *t = mem_alloc(sizeof *t);
    UErrorCode status = U_ZERO_ERROR;
    t->fold = unorm2_getNFKCCasefoldInstance(&status);
    t->decompose = unorm2_getNFDInstance(&status);
    return t;
}

void tokens_free(struct tokens *t)
{
    if (!t)
        return;
    for (int i = 0; i < STEMMER_COUNT; i++)
        if (t->stemmers[i])
            sb_stemmer_delete(t->stemmers[i]);
    if (t->dictionary)
        ubrk_close(t->dictionary);
    free(t->list);
    free(t->words);
    free(t);
}

void tokens_freep(struct tokens **t)
{
    tokens_free(*t);
    *t = NULL;
}

enum kind { KIND_OTHER, KIND_WORD, KIND_IDEOGRAPH, KIND_DICTIONARY };

static enum kind kind_of(uint32_t code_point, bool inside)
{
    UChar32 c = (UChar32)code_point;
    if (c < 0x80)
        return u_isalnum(c) ? KIND_WORD : KIND_OTHER;
    UErrorCode status = U_ZERO_ERROR;
    switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_BOPOMOFO:
    case USCRIPT_YI: return u_isalnum(c) ? KIND_IDEOGRAPH : KIND_OTHER;
    default: break;
    }
    if (u_getIntPropertyValue(c, UCHAR_LINE_BREAK) == U_LB_COMPLEX_CONTEXT)
        return KIND_DICTIONARY;
    /* Superscripts and subscripts belong to their word: H₂O is h2o. Fractions don't: 1½ is not 112. */
    if (u_isalnum(c) || c == 0xB2 || c == 0xB3 || c == 0xB9 || (c >= 0x2070 && c <= 0x2089))
        return KIND_WORD;
    int8_t type = u_charType(c);
    bool joins = type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK || type == U_FORMAT_CHAR;
    return inside && joins ? KIND_WORD : KIND_OTHER;
}

static struct token *push(struct tokens *t, size_t start, size_t end, size_t extra)
{
    if (t->count == t->capacity) {
        t->capacity = t->capacity ? t->capacity * 2 : 256;
        t->list = mem_grow(t->list, t->capacity, sizeof *t->list);
    }
    if (t->used + extra + 1 > t->words_capacity) {
        t->words_capacity = (t->used + extra + 1) * 2;
        t->words = mem_grow(t->words, t->words_capacity, 1);
    }
    struct token *token = &t->list[t->count++];
    *token = (struct token){.start = (uint32_t)start, .end = (uint32_t)end};
    return token;
}

static size_t cut(const char *text, size_t length)
{
    if (length <= TOKENS_WORD_MOST)
        return length;
    length = TOKENS_WORD_MOST;
    while (length && (text[length] & 0xC0) == 0x80)
        length--;
    return length;
}

static void push_ascii(struct tokens *t, const char *text, size_t start, size_t end)
{
    size_t length = cut(text + start, end - start);
    struct token *token = push(t, start, end, length);
    char *out = t->words + t->used;
    uint32_t hash = WORD_HASH_START;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[start + i];
        c = (unsigned char)(c | (c >= 'A' && c <= 'Z') << 5);
        out[i] = (char)c;
        hash = word_hash_add(hash, c);
    }
    out[length] = '\0';
    token->hash = word_hash_end(hash);
    token->length = (uint32_t)length;
    t->used += length + 1;
}

/* The normal form of any other word; a word of which nothing is left is not pushed. */
static void push_folded(struct tokens *t, const char *text, size_t start, size_t end, bool pair)
{
    UChar units[UNITS], folded[UNITS];
    char out[3 * UNITS];
    int32_t count = 0, length = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(units, UNITS, &count, text + start, (int32_t)cut(text + start, end - start), &status);
    count = unorm2_normalize(t->fold, units, count, folded, UNITS, &status);
    if (U_FAILURE(status))
        return;
    int32_t kept = 0;
    for (int32_t i = 0; i < count;) {
        uint32_t c = folded[i++];
        if (c >= 0xD800 && c < 0xDC00 && i < count)
            c = 0x10000 + ((c - 0xD800) << 10) + (folded[i++] - 0xDC00u);
        if (c == 0x451)
            c = 0x435; /* Russian is written with and without the dots */
        if (kind_of(c, true) != KIND_OTHER)
            U16_APPEND_UNSAFE(units, kept, c);
    }
    u_strToUTF8(out, sizeof out, &length, units, kept, &status);
    if (U_FAILURE(status) || !length)
        return;
    size_t size = cut(out, (size_t)length);
    struct token *token = push(t, start, end, size);
    memcpy(t->words + t->used, out, size);
    t->words[t->used + size] = '\0';
    token->length = (uint32_t)size;
    token->hash = word_hash(out, size);
    token->pair = pair;
    t->used += size + 1;
}

/* Each character, and each pair of neighbours. */
static void push_ideographs(struct tokens *t, const char *text, size_t start, size_t end)
{
    for (size_t at = start; at < end;) {
        size_t second = at, third;
        text_next(text, end, &second);
        push_folded(t, text, at, second, false);
        if (second < end) {
            third = second;
            text_next(text, end, &third);
            push_folded(t, text, at, third, true);
        }
        at = second;
    }
}

static void push_by_dictionary(struct tokens *t, const char *text, size_t start, size_t end)
{
    UErrorCode status = U_ZERO_ERROR;
    if (!t->dictionary)
        t->dictionary = ubrk_open(UBRK_WORD, "", NULL, 0, &status);
    UText source = UTEXT_INITIALIZER;
    utext_openUTF8(&source, text + start, (int64_t)(end - start), &status);
    ubrk_setUText(t->dictionary, &source, &status);
    if (U_FAILURE(status)) {
        push_folded(t, text, start, end, false);
    } else {
        int32_t from = ubrk_first(t->dictionary);
        for (int32_t to = ubrk_next(t->dictionary); to != UBRK_DONE; from = to, to = ubrk_next(t->dictionary))
            push_folded(t, text, start + (size_t)from, start + (size_t)to, false);
    }
    utext_close(&source);
}

/* A word that is not all ASCII, from `start`; returns where it ends (or what is no word). */
static size_t other_word(struct tokens *t, const char *text, size_t length, size_t start)
{
    size_t at = start;
    enum kind kind = kind_of(text_next(text, length, &at), false);
    if (kind == KIND_OTHER)
        return at;
    size_t end = at;
    while (end < length) {
        size_t next = end;
        if (kind_of(text_next(text, length, &next), true) != kind)
            break;
        end = next;
    }
    if (kind == KIND_IDEOGRAPH)
        push_ideographs(t, text, start, end);
    else if (kind == KIND_DICTIONARY)
        push_by_dictionary(t, text, start, end);
    else
        push_folded(t, text, start, end, false);
    return end;
}

static bool ascii_alnum(char c)
{
    unsigned char letter = (unsigned char)(c | 0x20);
    return (unsigned char)(letter - 'a') < 26 || (unsigned char)(c - '0') < 10;
}

/* English unless the stop words of another language are more, and at least two. */
static enum language detect(struct tokens *t)
{
    unsigned counts[LANGUAGE_COUNT] = {0};
    enum language best = LANGUAGE_ENGLISH;
    for (size_t i = 0; i < t->count; i++) {
        uint32_t languages = t->list[i].languages;
        for (int l = 0; languages; l++, languages >>= 1)
            counts[l] += languages & 1;
    }
    for (int l = 1; l < LANGUAGE_COUNT; l++)
        if (counts[l] > counts[best] && counts[l] > 1)
            best = (enum language)l;
    return best;
}

size_t tokens_split(struct tokens *t, const char *text, size_t length, const struct token **words,
                    enum language *language)
{
    t->count = t->used = 0;
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && ascii_alnum(text[end]))
            end++;
        if (end < length && (text[end] & 0x80)) {
            at = other_word(t, text, length, at);
        } else {
            if (end > at)
                push_ascii(t, text, at, end);
            at = end + 1;
        }
    }
    size_t offset = 0;
    for (size_t i = 0; i < t->count; i++) {
        t->list[i].word = t->words + offset;
        t->list[i].languages = stopwords_languages(t->list[i].word, t->list[i].length, t->list[i].hash);
        offset += t->list[i].length + 1;
    }
    enum language found = detect(t);
    for (size_t i = 0; i < t->count; i++) {
        uint32_t own = 1u << found | 1u << LANGUAGE_RUSSIAN; /* no other language has words in Cyrillic here */
        t->list[i].stop = t->list[i].languages & own;
    }
    if (language)
        *language = found;
    *words = t->list;
    return t->count;
}

/* Which stemmer, from the first character that is not ASCII; `latin` tells whether accents go. */
static int stemmer_for(enum language language, const char *word, size_t length, bool *latin)
{
    size_t at = 0;
    *latin = false;
    while (at < length && !(word[at] & 0x80))
        at++;
    if (at == length)
        return word[0] >= '0' && word[0] <= '9' ? STEMMER_NONE
               : language == LANGUAGE_RUSSIAN   ? LANGUAGE_ENGLISH
                                                : (int)language;
    UErrorCode status = U_ZERO_ERROR;
    switch (uscript_getScript((UChar32)text_next(word, length, &at), &status)) {
    case USCRIPT_LATIN:
    case USCRIPT_INHERITED: *latin = true; return language == LANGUAGE_RUSSIAN ? LANGUAGE_ENGLISH : (int)language;
    case USCRIPT_CYRILLIC: return LANGUAGE_RUSSIAN;
    case USCRIPT_GREEK: return STEMMER_GREEK;
    case USCRIPT_ARABIC: return STEMMER_ARABIC;
    case USCRIPT_DEVANAGARI: return STEMMER_HINDI;
    case USCRIPT_TAMIL: return STEMMER_TAMIL;
    case USCRIPT_ARMENIAN: return STEMMER_ARMENIAN;
    default: return STEMMER_NONE;
    }
}

static const char *without_accents(struct tokens *t, const char *word, size_t *length)
{
    UChar units[UNITS], apart[UNITS];
    int32_t count = 0, size = 0, kept = 0;
    UErrorCode status = U_ZERO_ERROR;
    u_strFromUTF8(units, UNITS, &count, word, (int32_t)*length, &status);
    count = unorm2_normalize(t->decompose, units, count, apart, UNITS, &status);
    if (U_FAILURE(status))
        return word;
    for (int32_t i = 0; i < count; i++)
        if (u_charType(apart[i]) != U_NON_SPACING_MARK)
            apart[kept++] = apart[i];
    u_strToUTF8(t->folded, sizeof t->folded - 1, &size, apart, kept, &status);
    if (U_FAILURE(status) || !size)
        return word;
    t->folded[size] = '\0';
    *length = (size_t)size;
    return t->folded;
}

const char *tokens_stem(struct tokens *t, enum language language, const char *word, size_t *length)
{
    bool latin;
    int which = stemmer_for(language, word, *length, &latin);
    if (which == STEMMER_NONE)
        return word;
    if (!t->stemmers[which])
        t->stemmers[which] = sb_stemmer_new(algorithms[which], "UTF_8");
    /* English rules know no accents; those of other languages need them. */
    const char *stem = latin && which == LANGUAGE_ENGLISH ? without_accents(t, word, length) : word;
    if (t->stemmers[which]) {
        stem = (const char *)sb_stemmer_stem(t->stemmers[which], (const sb_symbol *)stem, (int)*length);
        *length = (size_t)sb_stemmer_length(t->stemmers[which]);
    }
    return latin && which != LANGUAGE_ENGLISH ? without_accents(t, stem, length) : stem;
}
