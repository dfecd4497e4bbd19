/* citations.c - the numbers in an answer: kept where they were given, removed where not. */
#include "server/models/citations.h"

#include <string.h>

#include "common/mem.h"

enum { LONGEST = 48, RANGE_MOST = 10 };

static const char wide_open[] = "\xE3\x80\x90", wide_close[] = "\xE3\x80\x91", en_dash[] = "\xE2\x80\x93";

enum verdict { UNDECIDED, NOT_ONE, IS_ONE };

static bool starts(const char *text, size_t length, const char *with)
{
    size_t n = strlen(with);
    return length >= n && !memcmp(text, with, n);
}

/* Whether the text could go on to be `with`: it is the beginning of it and no more. */
static bool could_be(const char *text, size_t length, const char *with)
{
    return length < strlen(with) && !memcmp(text, with, length);
}

static void write_number(const struct citations *c, size_t n, struct buf *out)
{
    if (n >= 1 && n <= c->count)
        buf_printf(out, "[%zu]", n);
}

/* Reads the inside of a bracket: numbers with commas, semicolons, blanks and dashes between them; behind a
 * dagger anything. `text` is at the first byte inside. */
static enum verdict inside(const struct citations *c, const char *text, size_t length, bool wide, size_t *taken,
                           struct buf *numbers)
{
    size_t number = 0, before = 0;
    bool digits = false, any = false, range = false, rest = false;
    for (size_t i = 0; i < length; i++) {
        /* Decided by the same bytes however few have come: what follows could not change it. */
        if (i >= LONGEST)
            return NOT_ONE;
        if (wide && could_be(text + i, length - i, wide_close))
            return UNDECIDED;
        bool closes = wide ? starts(text + i, length - i, wide_close) : text[i] == ']';
        if (!rest && text[i] >= '0' && text[i] <= '9') {
            number = number < 1000000 ? number * 10 + (size_t)(text[i] - '0') : number;
            digits = any = true;
            continue;
        }
        if (digits) {
            for (size_t n = range && number > before && number - before <= RANGE_MOST ? before + 1 : number;
                 n <= number; n++)
                write_number(c, n, numbers);
            before = number;
            range = digits = false;
            number = 0;
        }
        if (closes) {
            *taken = i + (wide ? 3 : 1);
            return any ? IS_ONE : NOT_ONE;
        }
        if (rest || (wide && any && starts(text + i, length - i, "\xE2\x80\xA0")))
            rest = true;
        else if (text[i] == '-' || starts(text + i, length - i, en_dash))
            range = any;
        else if (!strchr(" ,;^", text[i]) && ((unsigned char)text[i] & 0xC0) != 0x80 &&
                 !could_be(text + i, length - i, en_dash) && !could_be(text + i, length - i, wide_close))
            return NOT_ONE;
    }
    return UNDECIDED;
}

/* Decides about the pending text from `at` on: blanks, then perhaps a bracket. */
static enum verdict decide(const struct citations *c, const char *text, size_t length, size_t *taken,
                           struct buf *numbers)
{
    size_t blanks = 0;
    while (blanks < length && text[blanks] == ' ')
        blanks++;
    const char *bracket = text + blanks;
    size_t left = length - blanks;
    if (blanks > LONGEST)
        return NOT_ONE;
    if (!left || could_be(bracket, left, wide_open))
        return UNDECIDED;
    bool wide = starts(bracket, left, wide_open);
    if (!wide && *bracket != '[')
        return NOT_ONE;
    size_t open = wide ? 3 : 1, within = 0;
    enum verdict verdict = inside(c, bracket + open, left - open, wide, &within, numbers);
    *taken = blanks + open + within;
    if (verdict == IS_ONE && numbers->length && blanks) { /* the blank stays in front of what stays */
        AUTO(buf_free) struct buf kept = {0};
        buf_char(&kept, ' ');
        buf_bytes(&kept, numbers->data, numbers->length);
        buf_clear(numbers);
        buf_bytes(numbers, kept.data, kept.length);
    }
    return verdict;
}

static void put(struct citations *c, const char *text, size_t length, struct buf *out)
{
    for (size_t i = 0; i < length; i++)
        c->half = text[i] == '[' || (c->half && text[i] >= '0' && text[i] <= '9');
    buf_bytes(out, text, length);
}

static void run(struct citations *c, bool last, struct buf *out)
{
    const char *text = c->pending.data ? c->pending.data : "";
    size_t length = c->pending.length, at = 0;
    while (at < length) {
        if (text[at] != ' ' && text[at] != '[' && text[at] != wide_open[0]) {
            put(c, text + at++, 1, out);
            continue;
        }
        AUTO(buf_free) struct buf numbers = {0};
        size_t taken = 0;
        enum verdict verdict = decide(c, text + at, length - at, &taken, &numbers);
        if (verdict == UNDECIDED && !last)
            break;
        if (verdict == IS_ONE) {
            /* A number that goes must not close ranks around itself: "[1[9]1]" is not source 11. */
            bool gap = !numbers.length && c->half;
            put(c, gap ? " " : numbers.data ? numbers.data : "", gap ? 1 : numbers.length, out);
            at += taken;
        } else {
            put(c, text + at++, 1, out);
        }
    }
    AUTO(buf_free) struct buf rest = {0};
    buf_bytes(&rest, text + at, length - at);
    buf_clear(&c->pending);
    buf_bytes(&c->pending, rest.data, rest.length);
}

void citations_feed(struct citations *c, const char *text, size_t length, struct buf *out)
{
    buf_bytes(&c->pending, text, length);
    run(c, false, out);
}

void citations_end(struct citations *c, struct buf *out)
{
    run(c, true, out);
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
}

void citations_free(struct citations *c)
{
    buf_free(&c->pending);
}

size_t citations_at(const char *text, size_t length, size_t *at)
{
    size_t i = *at, n = 0;
    if (i >= length || text[i] != '[')
        return 0;
    for (i++; i < length && text[i] >= '0' && text[i] <= '9' && n < 1000000; i++)
        n = n * 10 + (size_t)(text[i] - '0');
    if (i >= length || text[i] != ']' || !n)
        return 0;
    *at = i + 1;
    return n;
}
