/* hyphens.c - words that a line's end has cut in two. */
#include "server/ingest/hyphens.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/normal.h"

/* The words of a document, as hashes: a false one in 2^64 harms nobody. */
struct words {
    uint64_t *slots; /* 0: free */
    size_t capacity, count;
};

static const uint64_t hash_start = 14695981039346656037u;

static uint64_t hash_add(uint64_t hash, uint32_t c)
{
    return (hash ^ (uint32_t)u_foldCase((UChar32)c, U_FOLD_CASE_DEFAULT)) * 1099511628211u;
}

static size_t slot_of(const struct words *words, uint64_t hash)
{
    size_t i = (size_t)(hash ^ hash >> 32) & (words->capacity - 1);
    while (words->slots[i] && words->slots[i] != hash)
        i = (i + 1) & (words->capacity - 1);
    return i;
}

static void words_add(struct words *words, uint64_t hash)
{
    if (words->count * 2 >= words->capacity) {
        struct words bigger = {.capacity = words->capacity ? words->capacity * 2 : 4096, .count = words->count};
        bigger.slots = mem_array(bigger.capacity, sizeof *bigger.slots);
        for (size_t i = 0; i < words->capacity; i++)
            if (words->slots[i])
                bigger.slots[slot_of(&bigger, words->slots[i])] = words->slots[i];
        free(words->slots);
        *words = bigger;
    }
    size_t i = slot_of(words, hash);
    words->count += !words->slots[i];
    words->slots[i] = hash;
}

static bool words_has(const struct words *words, uint64_t hash)
{
    return words->capacity && words->slots[slot_of(words, hash)] != 0;
}

static bool is_hyphen(uint32_t c)
{
    return c == '-' || c == 0x2010;
}

/* The bytes at the end of `text` that are a hyphen behind a letter, or 0. */
static size_t cut_at_end(const char *text)
{
    size_t length = strlen(text), hyphen = 0;
    if (length && text[length - 1] == '-')
        hyphen = 1;
    else if (length > 3 && !memcmp(text + length - 3, "\xe2\x80\x90", 3))
        hyphen = 3;
    if (!hyphen || length < hyphen + 2)
        return 0;
    size_t at = length - hyphen - 1;
    while (at && ((unsigned char)text[at] & 0xC0) == 0x80)
        at--;
    return normal_letter(text_next(text, length, &at)) ? hyphen : 0;
}

/* Adds the words of a line, compounds with their hyphens too, but not what its ends may have cut. */
static void collect(struct words *words, const char *text, bool cut_before)
{
    size_t length = strlen(text), end = length - cut_at_end(text);
    bool first = cut_before;
    for (size_t at = 0; at < end;) {
        uint64_t word = hash_start, compound = hash_start;
        int letters = 0, parts = 0;
        size_t from = at;
        uint32_t c = text_next(text, length, &at);
        while (normal_letter(c) || (letters && is_hyphen(c))) {
            if (is_hyphen(c)) {
                if (letters > 1 && !first)
                    words_add(words, word);
                first = false;
                parts++;
                word = hash_start;
                compound = hash_add(compound, '-');
            } else {
                word = hash_add(word, c);
                compound = hash_add(compound, c);
            }
            letters++;
            from = at;
            if (at >= end)
                break;
            c = text_next(text, length, &at);
        }
        bool cut = end < length && from >= end;
        if (letters > 1 && !cut && !first) {
            words_add(words, word);
            if (parts)
                words_add(words, compound);
        }
        if (letters)
            first = false;
    }
}

static uint64_t hash_letters(uint64_t hash, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(text, length, &at);
        if (!normal_letter(c))
            break;
        hash = hash_add(hash, c);
    }
    return hash;
}

/* Moves the rest of the cut word up to `line`; true where nothing is left of `next`. */
static bool join(const struct words *words, struct line *line, struct line *next)
{
    size_t hyphen = cut_at_end(line->text), length = strlen(line->text), at = 0;
    if (!hyphen || !*next->text || !normal_lower(text_next(next->text, strlen(next->text), &at)))
        return false;
    size_t head = length - hyphen, start = head;
    while (start) {
        size_t before = start - 1, probe;
        while (before && ((unsigned char)line->text[before] & 0xC0) == 0x80)
            before--;
        probe = before;
        if (!normal_letter(text_next(line->text, length, &probe)))
            break;
        start = before;
    }
    uint64_t front = hash_letters(hash_start, line->text + start, head - start);
    size_t rest = strcspn(next->text, " ");
    bool joined = words_has(words, hash_letters(front, next->text, rest));
    if (!joined && !words_has(words, hash_letters(hash_add(front, '-'), next->text, rest)))
        return false;
    char *text = mem_printf("%.*s%s%.*s", (int)head, line->text, joined ? "" : "-", (int)rest, next->text);
    free(line->text);
    line->text = text;
    memmove(next->text, next->text + rest, strlen(next->text + rest) + 1);
    if (*next->text == ' ')
        memmove(next->text, next->text + 1, strlen(next->text));
    return !*next->text;
}

void hyphens_join(struct document *document)
{
    struct words words = {0};
    for (size_t p = 0; p < document->page_count; p++) {
        bool cut = false;
        const struct page *page = &document->pages[p];
        for (size_t i = 0; i < page->line_count; i++) {
            collect(&words, page->lines[i].text, cut);
            cut = cut_at_end(page->lines[i].text) > 0;
        }
    }
    for (size_t p = 0; p < document->page_count; p++) {
        struct page *page = &document->pages[p];
        for (size_t i = 0; i + 1 < page->line_count; i++) {
            if (page->lines[i].repeated || page->lines[i + 1].repeated ||
                !join(&words, &page->lines[i], &page->lines[i + 1]))
                continue;
            free(page->lines[i + 1].text);
            memmove(&page->lines[i + 1], &page->lines[i + 2], (page->line_count - i - 2) * sizeof *page->lines);
            page->line_count--;
            i--; /* what moved up may have been cut at its end too */
        }
    }
    free(words.slots);
}
