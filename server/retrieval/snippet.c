/* snippet.c - the few lines of a passage that show why it was found. */
#include "server/retrieval/snippet.h"

#include "common/mem.h"
#include "common/text.h"

enum {
    BEFORE = 60,   /* code points shown before a match too deep in an endless sentence */
    RUN_LEAST = 3, /* words in a row that decide where a snippet begins */
};

void snippet_free(struct snippet *snippet)
{
    buf_free(&snippet->text);
}

/* The byte `count` code points behind `start`, not past `end`. */
static size_t forward(const struct passage *p, size_t start, size_t end, size_t count)
{
    size_t at = start;
    while (at < end && count--)
        text_next(p->text, end, &at);
    return at < end ? at : end;
}

static bool blank_at(const struct passage *p, size_t byte)
{
    return (unsigned char)p->text[byte] <= ' ';
}

/* Where a snippet that starts here ends: with its page, its words, or after SNIPPET_MOST. */
static size_t reach(const struct passage *p, size_t start)
{
    size_t page_end, end;
    passage_span_at(p, start, &page_end);
    end = forward(p, start, page_end, SNIPPET_MOST);
    if (end == page_end)
        return end;
    size_t cut = end;
    while (cut > start && !blank_at(p, cut))
        cut--;
    return cut > start ? cut : end;
}

/* The weight of the question's distinct words between two bytes. */
static float held(const struct passage *p, const struct passage_words *words, size_t start, size_t end)
{
    uint64_t seen = 0;
    float sum = 0;
    for (size_t i = 0; i < p->match_count; i++) {
        const struct passage_match *m = &p->matches[i];
        if (m->start < start || m->end > end || seen >> m->word & 1)
            continue;
        seen |= 1ull << m->word;
        sum += words->weights[m->word];
    }
    return sum;
}

/* A few words before a match, for text whose sentences hide it. */
static size_t near_match(const struct passage *p, size_t at)
{
    size_t page_end, page_start = passage_span_at(p, at, &page_end)->start;
    for (size_t n = 0; at > page_start && (n < BEFORE || !blank_at(p, at - 1)); at--)
        n += (p->text[at - 1] & 0xC0) != 0x80;
    return at;
}

/* The sentence that holds the words as they were asked, on their page. */
static size_t before_run(const struct passage *p)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < p->sentence_count && p->sentences[i].start <= p->run_start; i++)
        best = p->sentences[i].start;
    return best != SIZE_MAX && p->run_start < reach(p, best) ? best : near_match(p, p->run_start);
}

void snippet_make(struct snippet *snippet, const struct passage *p, const struct passage_words *words)
{
    size_t best = 0;
    float most = 0;
    for (size_t i = 0; i < p->sentence_count; i++) {
        size_t start = p->sentences[i].start;
        if (held(p, words, start, p->sentences[i].end) <= 0)
            continue;
        float here = held(p, words, start, reach(p, start));
        if (here > most) {
            most = here;
            best = start;
        }
    }
    if (most <= 0 && p->match_count)
        best = near_match(p, p->matches[0].start);
    if (p->run >= RUN_LEAST)
        best = before_run(p);
    snippet_cut(snippet, p, best, reach(p, best));
}

/* Where the marked run ends that begins with match `first`: characters of scripts without blanks overlap in
 * pairs and are marked as one. */
static size_t run_end(const struct passage *p, size_t first)
{
    size_t end = p->matches[first].end;
    for (size_t i = first + 1; i < p->match_count && p->matches[i].start < end; i++)
        end = p->matches[i].end > end ? p->matches[i].end : end;
    return end;
}

void snippet_cut(struct snippet *snippet, const struct passage *p, size_t start, size_t end)
{
    size_t page_end, at = start, points = 0, match = 0, marked = 0;
    bool blank = false;
    *snippet = (struct snippet){.page = passage_span_at(p, start, &page_end)->page};
    end = end < page_end ? end : page_end;
    while (at < end) {
        size_t from = at;
        uint32_t c = text_next(p->text, end, &at);
        if (c <= ' ') {
            blank = snippet->text.length > 0;
            continue;
        }
        if (blank)
            buf_char(&snippet->text, ' ');
        points += blank;
        blank = false;
        while (match < p->match_count && p->matches[match].start < from)
            match++;
        if (from >= marked && match < p->match_count && p->matches[match].start == from &&
            snippet->mark_count < SNIPPET_MARKS_MOST) {
            size_t run = run_end(p, match), *mark = snippet->marks[snippet->mark_count++];
            marked = run < end ? run : end;
            mark[0] = points;
            mark[1] = points + text_count(p->text + from, marked - from);
        }
        buf_bytes(&snippet->text, p->text + from, at - from);
        points++;
    }
    buf_reserve(&snippet->text, 0);
}
