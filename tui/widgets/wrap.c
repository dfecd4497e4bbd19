/* wrap.c - text in lines of so many cells, broken between words. */
#include "tui/widgets/wrap.h"

#include <stdlib.h>

#include "common/mem.h"
#include "common/text.h"

static void add(struct wrap *w, size_t from, size_t to)
{
    if (w->count == w->capacity) {
        w->capacity = w->capacity ? w->capacity * 2 : 16;
        w->lines = mem_grow(w->lines, w->capacity, sizeof *w->lines);
    }
    w->lines[w->count++] = (struct wrap_line){from, to};
}

void wrap_free(struct wrap *w)
{
    free(w->lines);
    *w = (struct wrap){0};
}

/* The end of the line that begins at `from`, and where the next begins. */
static size_t line_end(const char *text, size_t length, size_t from, int width, size_t *next)
{
    size_t at = from, space = 0;
    int cells = 0;
    while (at < length) {
        size_t here = at;
        uint32_t c = text_next(text, length, &at);
        if (c == '\n') {
            *next = at;
            return here;
        }
        if (c == ' ' && here > from)
            space = here;
        cells += text_width(c);
        if (cells <= width)
            continue;
        size_t end = space > from ? space : here > from ? here : at;
        *next = end;
        while (end > from && text[end - 1] == ' ')
            end--;
        while (*next < length && text[*next] == ' ')
            (*next)++;
        if (*next < length && text[*next] == '\n' && *next > end)
            (*next)++;
        return end;
    }
    *next = length;
    return length;
}

void wrap_text(struct wrap *w, const char *text, size_t length, int width)
{
    size_t at = 0;
    if (width < 1)
        width = 1;
    while (at < length) {
        size_t next, end = line_end(text, length, at, width, &next);
        add(w, at, end);
        at = next;
    }
    if (length && text[length - 1] == '\n')
        add(w, length, length);
}

int wrap_draw(struct canvas c, int y, int x, int width, enum role role, const char *text, struct wrap_line line,
              const struct wrap_span *spans, size_t span_count)
{
    size_t at = line.from;
    int used = 0;
    for (size_t i = 0; i <= span_count && at < line.to; i++) {
        size_t from = i < span_count ? spans[i].from : line.to, to = i < span_count ? spans[i].to : line.to;
        if (to <= at)
            continue;
        if (from > line.to)
            from = line.to;
        if (to > line.to)
            to = line.to;
        if (from > at) {
            used += canvas_put(c, y, x + used, width - used, role, text + at, from - at);
            at = from;
        }
        if (i < span_count && to > at) {
            used += canvas_put(c, y, x + used, width - used, spans[i].role, text + at, to - at);
            at = to;
        }
    }
    return used;
}
