/* support.c - whether each cited sentence of an answer is borne out by the passage that it cites. */
#include "server/retrieval/support.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/models/citations.h"
#include "server/retrieval/sentences.h"
#include "server/retrieval/tokens.h"
#include "server/retrieval/word_hash.h"

enum { SENTENCES_MOST = 200, CLAIMS_MOST = 200, NUMBERS_MOST = 12, QUOTED_WORDS = 4 };

/* Shares of a sentence's words of meaning: of one passage, and of one among several that it cites together. */
static const double CLOSE_SHARE = 0.6, PART_SHARE = 0.3;

/* A word reduced to what is compared. */
struct unit {
    uint32_t word, stem; /* hashes */
    size_t start, end;   /* bytes */
    bool meaning, figure;
};

struct units {
    struct unit *items;
    size_t count;
};

/* A sentence of the answer and the numbers in or behind it. */
struct claim {
    size_t start, end; /* bytes, without numbers at its ends */
    size_t numbers[NUMBERS_MOST], number_count;
};

static bool has_digit(const char *word)
{
    return word[strcspn(word, "0123456789")] != '\0';
}

static struct units units_read(struct tokens *tokens, const char *text, size_t length)
{
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, length, &words, &language);
    struct units units = {.items = mem_array(count + 1, sizeof *units.items)};
    /* tokens_stem may reuse what tokens_split lent, so the words are copied first. */
    char(*copies)[TOKENS_WORD_MOST + 1] = mem_array(count + 1, sizeof *copies);
    for (size_t i = 0; i < count; i++) {
        if (words[i].pair)
            continue;
        struct unit *u = &units.items[units.count];
        size_t n = words[i].length < TOKENS_WORD_MOST ? words[i].length : TOKENS_WORD_MOST;
        memcpy(copies[units.count++], words[i].word, n);
        *u = (struct unit){
            .word = words[i].hash, .start = words[i].start, .end = words[i].end, .meaning = !words[i].stop};
    }
    for (size_t i = 0; i < units.count; i++) {
        size_t n = strlen(copies[i]);
        const char *stem = tokens_stem(tokens, language, copies[i], &n);
        units.items[i].stem = word_hash(stem, n);
        units.items[i].figure = has_digit(copies[i]);
    }
    free(copies);
    return units;
}

static void units_free(struct units *units)
{
    free(units->items);
}

static bool holds(const struct units *units, size_t from, size_t to, uint32_t stem)
{
    for (size_t i = from; i < to; i++)
        if (units->items[i].stem == stem)
            return true;
    return false;
}

/* Where sentence[from..to) stands in the passage as it is; count where it does not. */
static size_t find_run(const struct units *passage, const struct units *sentence, size_t from, size_t to)
{
    size_t n = to - from;
    for (size_t at = 0; n && at + n <= passage->count; at++) {
        size_t i = 0;
        while (i < n && passage->items[at + i].word == sentence->items[from + i].word)
            i++;
        if (i == n)
            return at;
    }
    return passage->count;
}

/* The share of the sentence's words of meaning in the passage's units from..to; -1 where a figure is missing. */
static double share(const struct units *passage, size_t from, size_t to, const struct units *sentence, bool *seen)
{
    size_t meant = 0, found = 0;
    bool stats = true;
    for (size_t i = 0; i < sentence->count; i++) {
        const struct unit *u = &sentence->items[i];
        if (!u->meaning && !u->figure)
            continue;
        bool here = holds(passage, from, to, u->stem);
        meant++;
        found += here;
        stats = stats && (here || !u->figure);
        if (seen)
            seen[i] = seen[i] || here;
    }
    return !stats ? -1 : meant ? (double)found / (double)meant : 0;
}

/* The part of the passage that speaks most of the sentence: one of its own sentences. */
static void best_part(const struct support_passage *text, const struct units *passage, const struct units *sentence,
                      struct support_claim *out)
{
    struct sentence parts[SENTENCES_MOST];
    size_t count = sentences_split(text->text, text->length, parts, SENTENCES_MOST);
    double best = -2;
    out->from = 0;
    out->to = count ? parts[0].end : text->length;
    for (size_t p = 0; p < count; p++) {
        size_t from = 0, to;
        while (from < passage->count && passage->items[from].start < parts[p].start)
            from++;
        for (to = from; to < passage->count && passage->items[to].end <= parts[p].end; to++)
            ;
        double here = share(passage, from, to, sentence, NULL);
        if (here > best) {
            best = here;
            out->from = parts[p].start;
            out->to = parts[p].end;
        }
    }
}

/* The whole sentence, or what stands between quotation marks in it. */
static bool quoted(const char *answer, const struct claim *claim, const struct units *sentence,
                   const struct units *passage, struct support_claim *out)
{
    static const char *const open[] = {"“", "\"", "„", "«"}, *const close[] = {"”", "\"", "“", "»"};
    size_t at = sentence->count >= QUOTED_WORDS ? find_run(passage, sentence, 0, sentence->count) : passage->count;
    size_t words = sentence->count;
    const char *text = answer + claim->start;
    size_t length = claim->end - claim->start;
    for (size_t k = 0; k < COUNT_OF(open) && at == passage->count; k++) {
        const char *begin = memmem(text, length, open[k], strlen(open[k]));
        const char *inside = begin ? begin + strlen(open[k]) : NULL;
        const char *end = inside ? memmem(inside, length - (size_t)(inside - text), close[k], strlen(close[k])) : NULL;
        if (!end)
            continue;
        size_t from = 0, to;
        while (from < sentence->count && sentence->items[from].start < (size_t)(inside - text))
            from++;
        for (to = from; to < sentence->count && sentence->items[to].end <= (size_t)(end - text); to++)
            ;
        if (to - from >= QUOTED_WORDS) {
            at = find_run(passage, sentence, from, to);
            words = to - from;
        }
    }
    if (at == passage->count)
        return false;
    out->from = passage->items[at].start;
    out->to = passage->items[at + words - 1].end;
    return true;
}

/* ------------------------------------------------------------------ the answer's sentences */

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void take_numbers(const char *text, size_t from, size_t to, struct claim *claim)
{
    for (size_t i = from; i < to;) {
        size_t at = i, n = citations_at(text, to, &at);
        if (n && claim->number_count < NUMBERS_MOST)
            claim->numbers[claim->number_count++] = n;
        i = n ? at : i + 1;
    }
}

/* Numbers at the front of a sentence belong to the one before it: "… reactions. [1] They …". */
static size_t skip_numbers(const char *text, size_t from, size_t to)
{
    for (;;) {
        size_t at = from;
        while (at < to && is_blank(text[at]))
            at++;
        if (!citations_at(text, to, &at))
            return from;
        from = at;
    }
}

/* Numbers at the end, and the stop behind them. */
static size_t trim_numbers(const char *text, size_t from, size_t to)
{
    size_t end = to;
    for (;;) {
        size_t stop = end;
        while (stop > from && (is_blank(text[stop - 1]) || strchr(".,;:!?", text[stop - 1])))
            stop--;
        if (stop == from || text[stop - 1] != ']')
            return end;
        size_t open = stop - 1;
        while (open > from && text[open] != '[')
            open--;
        size_t at = open;
        if (!citations_at(text, stop, &at) || at != stop)
            return end;
        end = open;
        while (end > from && is_blank(text[end - 1]))
            end--;
    }
}

/* Where the next group of numbers from `from` on begins; `to` where there is none. *behind: where it ends. */
static size_t next_group(const char *text, size_t from, size_t to, size_t *behind)
{
    for (size_t i = from; i < to; i++) {
        size_t at = i;
        if (!citations_at(text, to, &at))
            continue;
        *behind = skip_numbers(text, at, to);
        return i;
    }
    return to;
}

static size_t blanks_in(const char *text, size_t from, size_t to)
{
    size_t blanks = 0;
    for (size_t i = from; i < to; i++)
        blanks += is_blank(text[i]);
    return blanks;
}

/* A sentence is one claim, or several: "Enzymes are proteins [1], and the war began in 1914 [2]." */
static size_t read_sentence(const char *text, size_t from, size_t to, struct claim *claims, size_t capacity)
{
    size_t made = 0, start = from, behind = from, at = from;
    while (made + 1 < capacity && (at = next_group(text, at, to, &behind)) < to) {
        size_t more, next = next_group(text, behind, to, &more);
        if (next < to && blanks_in(text, start, at) > 2 && blanks_in(text, behind, next) > 2) {
            claims[made] = (struct claim){.start = start, .end = trim_numbers(text, start, behind)};
            take_numbers(text, start, behind, &claims[made++]);
            start = behind;
            while (start < to && (is_blank(text[start]) || strchr(",;:", text[start])))
                start++;
        }
        at = behind;
    }
    claims[made] = (struct claim){.start = start, .end = trim_numbers(text, start, to)};
    take_numbers(text, start, to, &claims[made]);
    return made + 1;
}

static size_t read_claims(const char *text, size_t length, struct claim *claims)
{
    struct sentence parts[SENTENCES_MOST];
    size_t count = sentences_split(text, length, parts, SENTENCES_MOST), made = 0;
    for (size_t i = 0; i < count && made < SENTENCES_MOST; i++) {
        size_t from = skip_numbers(text, parts[i].start, parts[i].end), first = made;
        if (made && from > parts[i].start)
            take_numbers(text, parts[i].start, from, &claims[made - 1]);
        while (from < parts[i].end && is_blank(text[from]))
            from++;
        if (from == parts[i].end)
            continue;
        made += read_sentence(text, from, parts[i].end, claims + made, SENTENCES_MOST - made);
        if (!first && parts[i].start < from)
            take_numbers(text, parts[i].start, from, &claims[0]);
    }
    return made;
}

/* ------------------------------------------------------------------ the comparison */

/* The sentence's text with numbers inside it blanked, so that they are no words. */
static char *claim_text(const char *answer, const struct claim *claim)
{
    char *text = mem_dupn(answer + claim->start, claim->end - claim->start);
    size_t length = strlen(text);
    for (size_t i = 0; i < length;) {
        size_t at = i;
        if (citations_at(text, length, &at))
            memset(text + i, ' ', at - i);
        i = at > i ? at : i + 1;
    }
    return text;
}

static void judge(const char *answer, const struct claim *claim, struct tokens *tokens,
                  const struct support_passage *passages, size_t count, struct support *support)
{
    AUTO(mem_freep) char *text = claim_text(answer, claim);
    AUTO(units_free) struct units sentence = units_read(tokens, text, strlen(text));
    AUTO(mem_freep) bool *seen = mem_array(sentence.count + 1, sizeof *seen);
    size_t first = support->count, meant = 0, found = 0;
    double shares[NUMBERS_MOST] = {0};
    for (size_t i = 0; i < claim->number_count && support->count < CLAIMS_MOST; i++) {
        size_t n = claim->numbers[i];
        bool again = n > count;
        for (size_t k = first; k < support->count; k++)
            again = again || support->claims[k].n == n;
        if (again)
            continue;
        struct support_claim *out = &support->claims[support->count];
        *out = (struct support_claim){
            .start = text_count(answer, claim->start), .end = text_count(answer, claim->end), .n = n};
        AUTO(units_free) struct units passage = units_read(tokens, passages[n - 1].text, passages[n - 1].length);
        shares[support->count - first] = share(&passage, 0, passage.count, &sentence, seen);
        best_part(&passages[n - 1], &passage, &sentence, out);
        if (quoted(text, &(struct claim){.end = strlen(text)}, &sentence, &passage, out))
            out->kind = SUPPORT_QUOTED;
        else if (shares[support->count - first] >= CLOSE_SHARE)
            out->kind = SUPPORT_CLOSE;
        support->count++;
    }
    for (size_t i = 0; i < sentence.count; i++) {
        meant += sentence.items[i].meaning || sentence.items[i].figure;
        found += seen[i];
    }
    /* Several passages may bear a sentence together. */
    bool together = meant && (double)found / (double)meant >= CLOSE_SHARE;
    for (size_t i = 0; i < sentence.count; i++)
        together = together && (seen[i] || !sentence.items[i].figure);
    for (size_t k = first; k < support->count && support->count - first > 1; k++)
        if (together && support->claims[k].kind == SUPPORT_NONE &&
            (shares[k - first] >= PART_SHARE || shares[k - first] < 0))
            support->claims[k].kind = SUPPORT_CLOSE;
    for (size_t k = first; k < support->count; k++)
        support->grounded = support->grounded || support->claims[k].kind != SUPPORT_NONE;
}

void support_check(struct support *support, const char *answer, const struct support_passage *passages, size_t count)
{
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    AUTO(mem_freep) struct claim *claims = mem_array(SENTENCES_MOST, sizeof *claims);
    size_t made = read_claims(answer, strlen(answer), claims);
    *support = (struct support){.claims = mem_array(CLAIMS_MOST, sizeof *support->claims)};
    for (size_t i = 0; i < made; i++)
        if (claims[i].number_count)
            judge(answer, &claims[i], tokens, passages, count, support);
}

void support_free(struct support *support)
{
    free(support->claims);
    *support = (struct support){0};
}

const char *support_word(enum support_kind kind)
{
    static const char *const words[] = {"none", "close", "quoted"};
    return words[kind];
}
