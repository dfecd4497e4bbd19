/* shape.c - from the one-line notation of a type to its JSON Schema. */
#include "server/rpc/shape.h"

#include <ctype.h>
#include <string.h>

#include "common/mem.h"

enum { MEMBERS_MOST = 48, ALTERNATIVES_MOST = 16, DEPTH_MOST = 12 };

struct reader {
    const char *at, *whole;
    bool exact;
    int depth;
    struct err *err;
};

static const struct {
    const char *word, *schema;
} words[] = {
    {"text", "\"type\":\"string\""},
    {"uuid", "\"type\":\"string\",\"format\":\"uuid\""},
    {"time", "\"type\":\"string\",\"format\":\"date-time\""},
    {"int", "\"type\":\"integer\""},
    {"number", "\"type\":\"number\""},
    {"bool", "\"type\":\"boolean\""},
    {"null", "\"type\":\"null\""},
    {"id", "\"type\":[\"string\",\"number\"]"},
    {"object", "\"type\":\"object\""},
    {"any", ""},
};

static bool broken(struct reader *r, const char *wanted)
{
    return err_set(r->err, ERR_INTERNAL, "%s expected at “%.20s” in the shape %.80s", wanted, r->at, r->whole);
}

static void skip(struct reader *r)
{
    r->at += strspn(r->at, " \n");
}

static bool take(struct reader *r, char c)
{
    skip(r);
    if (*r->at != c)
        return false;
    r->at++;
    return true;
}

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (isalnum((unsigned char)text[n]) || text[n] == '_' || text[n] == '-' || text[n] == '$')
        n++;
    return n;
}

static bool alternatives(struct reader *r, struct buf *out);

/* Behind the opening brace. */
static bool object(struct reader *r, struct buf *out)
{
    struct {
        const char *name;
        size_t length;
    } required[MEMBERS_MOST];
    size_t count = 0;
    bool first = true;
    buf_text(out, "\"type\":\"object\",\"properties\":{");
    for (; !take(r, '}'); first = false) {
        if (!first && !take(r, ','))
            return broken(r, ", or }");
        skip(r);
        const char *name = r->at;
        size_t length = word_length(name);
        if (!length || count == MEMBERS_MOST)
            return broken(r, "a member's name");
        r->at += length;
        if (!take(r, '?'))
            required[count].name = name, required[count++].length = length;
        if (!take(r, ':'))
            return broken(r, ":");
        buf_printf(out, "%s\"%.*s\":", first ? "" : ",", (int)length, name);
        if (!alternatives(r, out))
            return false;
    }
    buf_text(out, "}");
    for (size_t i = 0; i < count; i++)
        buf_printf(out, "%s\"%.*s\"", i ? "," : ",\"required\":[", (int)required[i].length, required[i].name);
    buf_text(out, count ? "]" : "");
    if (r->exact)
        buf_text(out, ",\"additionalProperties\":false");
    return true;
}

/* The members of one schema, without its braces. */
static bool single(struct reader *r, struct buf *out)
{
    if (take(r, '{'))
        return object(r, out);
    if (take(r, '[')) {
        buf_text(out, "\"type\":\"array\",\"items\":");
        return alternatives(r, out) && (take(r, ']') || broken(r, "]"));
    }
    if (take(r, '\'')) {
        size_t length = strcspn(r->at, "'");
        buf_printf(out, "\"const\":\"%.*s\"", (int)length, r->at);
        r->at += length;
        return take(r, '\'') || broken(r, "'");
    }
    size_t length = word_length(r->at);
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strlen(words[i].word) == length && !strncmp(words[i].word, r->at, length)) {
            r->at += length;
            buf_text(out, words[i].schema);
            return true;
        }
    return broken(r, "a type");
}

static bool alternatives(struct reader *r, struct buf *out)
{
    AUTO(buf_free) struct buf all = {0};
    size_t count = 0;
    if (r->depth++ == DEPTH_MOST)
        return broken(r, "less depth");
    do {
        buf_text(&all, count ? ",{" : "{");
        if (count++ == ALTERNATIVES_MOST || !single(r, &all))
            return r->err && r->err->code ? false : broken(r, "fewer alternatives");
        buf_text(&all, "}");
    } while (take(r, '|'));
    r->depth--;
    if (count == 1)
        buf_bytes(out, all.data, all.length);
    else
        buf_printf(out, "{\"anyOf\":[%s]}", all.data);
    return true;
}

bool shape_schema(struct buf *out, const char *shape, bool exact, struct err *err)
{
    struct err lost = {0};
    struct reader r = {.at = shape, .whole = shape, .exact = exact, .err = err ? err : &lost};
    if (!alternatives(&r, out))
        return false;
    skip(&r);
    return !*r.at || broken(&r, "the end");
}
