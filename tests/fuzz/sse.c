/* sse.c - server-sent events: what comes out is what the specification says, however the bytes were cut.
 * FUZZ_LONGEST 1024
 */
#include "server/models/sse.h"
#include "tests/fuzz/fuzz.h"

struct heard {
    struct buf events; /* each behind its length */
    bool failed;
};

static bool hear(void *context, const char *data, size_t length, struct err *err)
{
    struct heard *heard = context;
    (void)err;
    FUZZ_MUST(strlen(data) >= length || memchr(data, 0, length), "an event is not terminated");
    buf_printf(&heard->events, "%zu:", length);
    buf_bytes(&heard->events, data, length);
    return true;
}

/* Pieces as long as the bytes of `cuts` say, again and again; 0: all at once. */
static struct heard feed(const uint8_t *bytes, size_t length, const uint8_t *cuts, size_t cut_count, size_t most)
{
    struct heard heard = {0};
    struct sse sse = {.most = most};
    size_t at = 0;
    for (size_t i = 0; at < length && !heard.failed; i++) {
        size_t n = cut_count ? (size_t)cuts[i % cut_count] % 19 + (cut_count == 1) : length;
        n = n < length - at ? n : length - at;
        n = n || i < 4 * length ? n : 1; /* empty pieces may come, but not for ever */
        char *piece = mem_dupn(bytes + at, n);
        heard.failed = !sse_feed(&sse, piece, n, hear, &heard, NULL);
        free(piece);
        at += n;
        FUZZ_MUST(sse.line.length + sse.data.length <= most + length, "more is kept than came");
        FUZZ_MUST(heard.failed || sse.line.length <= most, "a line longer than allowed is kept");
    }
    heard.failed = heard.failed || !sse_end(&sse, hear, &heard, NULL);
    sse_free(&sse);
    return heard;
}

static void finish(struct buf *data, bool *has, struct heard *heard)
{
    if (*has)
        hear(heard, data->data ? data->data : "", data->length, NULL);
    buf_clear(data);
    *has = false;
}

/* The specification's own algorithm, over the whole. */
static struct heard expected(const uint8_t *bytes, size_t length, size_t most)
{
    struct heard heard = {0};
    struct buf data = {0};
    bool has = false;
    const char *all = (const char *)bytes, *end = all + length;
    size_t bom = length >= 3 && !memcmp(all, "\xEF\xBB\xBF", 3) ? 3 : 0;
    for (const char *line = all; line < end && !heard.failed;) {
        const char *stop = line;
        while (stop < end && *stop != '\r' && *stop != '\n')
            stop++;
        heard.failed = (size_t)(stop - line) + data.length > most;
        const char *from = line + (line == all ? bom : 0);
        size_t n = (size_t)(stop - from);
        const char *colon = n ? memchr(from, ':', n) : NULL;
        size_t name = colon ? (size_t)(colon - from) : n;
        line = stop + (stop < end) + (stop + 1 < end && stop[0] == '\r' && stop[1] == '\n');
        if (heard.failed)
            break;
        if (!n && stop < end)
            finish(&data, &has, &heard);
        if (name != 4 || memcmp(from, "data", 4))
            continue;
        const char *value = from + name + (colon != NULL);
        value += value < stop && *value == ' ';
        if (has)
            buf_char(&data, '\n');
        buf_bytes(&data, value, (size_t)(stop - value));
        has = true;
    }
    if (!heard.failed)
        finish(&data, &has, &heard);
    buf_free(&data);
    return heard;
}

static void same(const char *what, struct heard *a, struct heard *b)
{
    FUZZ_MUST(a->failed == b->failed, "%s: %s and %s", what, a->failed ? "refused" : "taken",
              b->failed ? "refused" : "taken");
    FUZZ_MUST(a->events.length == b->events.length &&
                  (!a->events.length || !memcmp(a->events.data, b->events.data, a->events.length)),
              "%s: other events", what);
    buf_free(&b->events);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    static const size_t limits[] = {SSE_EVENT_MOST, 16, 100, 1};
    size_t most = limits[fuzz_byte(&in) % 4], cuts = fuzz_byte(&in) % 8;
    const uint8_t *lengths = in.at, one = 0;
    cuts = cuts < in.left ? cuts : in.left;
    in.at += cuts;
    in.left -= cuts;
    struct heard whole = feed(in.at, in.left, NULL, 0, most), cut = feed(in.at, in.left, lengths, cuts, most),
                 single = feed(in.at, in.left, &one, 1, most), right = expected(in.at, in.left, most);
    same("in other pieces", &whole, &cut);
    same("byte by byte", &whole, &single);
    same("beside the specification", &whole, &right);
    buf_free(&whole.events);
    return 0;
}
