/* redact_names.c - finds a person's own name and institution id in a text. */
#include "server/memory/redact_names.h"

#include <string.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "common/mem.h"
#include "common/text.h"

enum { PARTS_MAX = 8, FOLDED_MAX = 96 };

/* A word of the text: where it lies, and its letters folded (lower case, no accents). */
struct word {
    size_t start, end;
    bool capital;
    char folded[FOLDED_MAX];
};

struct name {
    struct word part[PARTS_MAX];
    size_t letters[PARTS_MAX];
    size_t count;
};

static bool in_word(uint32_t c)
{
    return c < 0x80 ? (c | 0x20) >= 'a' && (c | 0x20) <= 'z'
                    : u_isalpha((UChar32)c) || (U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK);
}

/* Appends a code point to `folded` as its base letters. */
static void fold(struct buf *folded, uint32_t c)
{
    UErrorCode status = U_ZERO_ERROR;
    UChar apart[8];
    const UNormalizer2 *nfkd = unorm2_getNFKDInstance(&status);
    int32_t n = U_SUCCESS(status) ? unorm2_getDecomposition(nfkd, (UChar32)c, apart, 8, &status) : -1;
    if (n < 0 || U_FAILURE(status) || U16_IS_SURROGATE(apart[0])) {
        text_append(folded, (uint32_t)u_tolower((UChar32)c));
        return;
    }
    for (int32_t i = 0; i < n; i++)
        if (!(U_GET_GC_MASK((UChar32)apart[i]) & U_GC_M_MASK))
            text_append(folded, (uint32_t)u_tolower((UChar32)apart[i]));
}

/* The next word from *at on; false at the end. */
static bool next_word(const char *text, size_t length, size_t *at, struct word *word)
{
    uint32_t c = 0;
    size_t start = *at;
    while (*at < length) {
        start = *at;
        if ((c = (unsigned char)text[*at]) < 0x80 && !in_word(c)) {
            start = length;
            ++*at;
            continue;
        }
        if (in_word(c = text_next(text, length, at)))
            break;
        start = length;
    }
    if (start >= length)
        return false;
    AUTO(buf_free) struct buf folded = {0};
    word->start = start;
    word->capital = c < 0x80 ? c <= 'Z' : u_isUUppercase((UChar32)c) || u_istitle((UChar32)c);
    size_t filled = 0;
    for (;;) {
        word->end = *at;
        if (c < 0x80) {
            if (filled < FOLDED_MAX - 5)
                word->folded[filled++] = (char)(c | 0x20);
        } else if (!(U_GET_GC_MASK((UChar32)c) & U_GC_M_MASK)) {
            buf_clear(&folded);
            fold(&folded, c);
            if (filled + folded.length < FOLDED_MAX) {
                memcpy(word->folded + filled, folded.data, folded.length);
                filled += folded.length;
            }
        }
        size_t ahead = *at;
        if (ahead < length && (unsigned char)text[ahead] < 0x80 && in_word((unsigned char)text[ahead])) {
            c = (unsigned char)text[(*at)++];
            continue;
        }
        if (ahead >= length || !in_word(c = text_next(text, length, &ahead))) {
            word->folded[filled] = '\0';
            return true;
        }
        *at = ahead;
    }
}

static void name_read(const char *text, struct name *name)
{
    size_t at = 0, length = strlen(text);
    while (name->count < PARTS_MAX && next_word(text, length, &at, &name->part[name->count])) {
        const struct word *w = &name->part[name->count];
        name->letters[name->count++] = text_count(text + w->start, w->end - w->start);
    }
}

static bool joined(const char *text, const struct word *a, const struct word *b)
{
    for (size_t i = a->end; i < b->start; i++)
        if (!strchr(" ,.-_'\xE2\x80\x99", text[i]) || b->start - a->end > 4)
            return false;
    return true;
}

/* Where the whole name ends that begins with `first`, with any of its parts and going round; 0 where it
 * does not stand here. `at` is behind the first word. */
static size_t whole_name(const struct name *name, const char *text, size_t length, size_t at, const struct word *first)
{
    for (size_t from = 0; from < name->count; from++) {
        struct word before = *first, next = *first;
        size_t i = 0, ahead = at;
        while (i < name->count && !strcmp(next.folded, name->part[(from + i) % name->count].folded)) {
            before = next;
            if (++i < name->count && (!next_word(text, length, &ahead, &next) || !joined(text, &before, &next)))
                break;
        }
        if (i == name->count)
            return before.end;
    }
    return 0;
}

static bool name_part(const struct name *name, const struct word *word)
{
    for (size_t i = 0; i < name->count; i++)
        if (name->letters[i] >= 3 && (word->capital || !name->part[i].capital) &&
            !strcmp(word->folded, name->part[i].folded))
            return true;
    return false;
}

/* "[email]" and the like are ours, even where somebody is called that. */
static bool is_placeholder(const char *text, size_t length, const struct word *word)
{
    return word->start && text[word->start - 1] == '[' && word->end < length && text[word->end] == ']';
}

static void take_name(const struct name *name, const char *text, size_t length, struct buf *out,
                      struct redact_counts *counts)
{
    struct word word, last = {0};
    size_t at = 0, copied = 0;
    bool taken = false;
    while (next_word(text, length, &at, &word)) {
        size_t end = name->count > 1 ? whole_name(name, text, length, at, &word) : 0;
        if (!end && name_part(name, &word))
            end = word.end;
        if (end && is_placeholder(text, length, &word))
            end = 0;
        if (end) {
            if (!taken || !joined(text, &last, &word)) { /* "Okafor, Maya" is one name */
                buf_bytes(out, text + copied, word.start - copied);
                buf_text(out, "[name]");
                counts->of[REDACT_NAME]++;
            }
            copied = at = word.end = end;
        }
        taken = end > 0;
        last = word;
    }
    buf_bytes(out, text + copied, length - copied);
}

static bool alphanumeric(char c)
{
    return (unsigned char)c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

static void take_id(const char *id, const char *text, size_t length, struct buf *out, struct redact_counts *counts)
{
    size_t size = strlen(id), copied = 0;
    for (size_t i = 0; i + size <= length;) {
        if ((text[i] | 0x20) != (id[0] | 0x20)) {
            i++;
            continue;
        }
        bool here = !strncasecmp(text + i, id, size) && (!i || !alphanumeric(text[i - 1])) &&
                    (i + size == length || !alphanumeric(text[i + size]));
        bool ours = here && i && text[i - 1] == '[' && text[i + size] == ']';
        if (!here || ours) {
            i++;
            continue;
        }
        buf_bytes(out, text + copied, i - copied);
        buf_text(out, "[id]");
        counts->of[REDACT_ID]++;
        copied = i += size;
    }
    buf_bytes(out, text + copied, length - copied);
}

void redact_names_pass(const struct redact_person *person, const char *text, size_t length, struct buf *out,
                       struct redact_counts *counts)
{
    AUTO(buf_free) struct buf without = {0};
    if (person && person->institution_id && strlen(person->institution_id) >= 3)
        take_id(person->institution_id, text, length, &without, counts);
    else
        buf_bytes(&without, text, length);
    struct name name = {0};
    if (person && person->name)
        name_read(person->name, &name);
    if (name.count)
        take_name(&name, without.data, without.length, out, counts);
    else
        buf_bytes(out, without.data, without.length);
}
