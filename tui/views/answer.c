/* answer.c - the turns of a conversation about the library, laid out in lines with their marks. */
#include "tui/views/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/widgets/heading.h"
#include "tui/format.h"

enum { TURNS_MOST = 100, MEASURE = 72 };

static void free_turn(struct turn *t)
{
    free(t->query);
    buf_free(&t->text);
    cJSON_Delete(t->citations);
    cJSON_Delete(t->sentences);
}

void answer_clear(struct answer *a)
{
    for (size_t i = 0; i < a->count; i++)
        free_turn(&a->turns[i]);
    free(a->turns);
    free(a->lines);
    *a = (struct answer){0};
}

struct turn *answer_begin(struct answer *a, const char *query, int64_t now)
{
    if (a->count == TURNS_MOST) {
        free_turn(&a->turns[0]);
        memmove(a->turns, a->turns + 1, --a->count * sizeof *a->turns);
    }
    a->turns = mem_grow(a->turns, a->count + 1, sizeof *a->turns);
    struct turn *t = &a->turns[a->count++];
    *t = (struct turn){.query = mem_dup(query), .writing = true, .grounded = true, .since = now, .at = -1};
    a->selected = a->count - 1;
    a->follow = true;
    return t;
}

struct turn *answer_writing(struct answer *a)
{
    struct turn *last = a->count ? &a->turns[a->count - 1] : NULL;
    return last && last->writing ? last : NULL;
}

void answer_finish(struct turn *t, const cJSON *result, int64_t now)
{
    buf_clear(&t->text);
    buf_text(&t->text, json_text(result, "answer", ""));
    cJSON_Delete(t->citations);
    cJSON_Delete(t->sentences);
    t->citations = cJSON_Duplicate(json_get(result, "citations"), true);
    t->sentences = cJSON_Duplicate(json_get(result, "sentences"), true);
    t->grounded = json_bool(result, "grounded", true);
    t->degraded = json_bool(result, "memory_degraded", false);
    t->extractive = strcmp(json_text(result, "generation", ""), "extractive") == 0;
    const cJSON *used = json_get(result, "memory_used");
    t->memory_used = cJSON_IsArray(used) ? cJSON_GetArraySize(used) : (int)json_int(result, "memory_used", 0);
    t->took = json_int(result, "took_ms", now - t->since);
    snprintf(t->search_id, sizeof t->search_id, "%s", json_text(result, "search_id", ""));
    t->at = format_time(json_text(result, "at", NULL));
    t->writing = false;
}

void answer_fail(struct answer *a, struct turn *t)
{
    t->writing = false;
    t->took = 0;
    if (t->text.length || t->lost)
        return; /* what has arrived stays */
    size_t at = (size_t)(t - a->turns);
    free_turn(t);
    memmove(t, t + 1, (a->count - at - 1) * sizeof *t);
    a->count--;
    a->selected = a->count ? a->count - 1 : 0;
}

void answer_found(struct answer *a, const cJSON *thread)
{
    struct turn *t = a->count ? &a->turns[a->count - 1] : NULL;
    const cJSON *turns = json_get(thread, "turns"), *last = cJSON_GetArrayItem(turns, cJSON_GetArraySize(turns) - 1);
    if (!t || !t->lost)
        return;
    t->lost = false;
    if (strcmp(json_text(last, "query", ""), t->query) == 0 && *json_text(last, "answer", ""))
        answer_finish(t, last, t->since);
}

const cJSON *answer_citation(const struct turn *t, int n)
{
    const cJSON *entry;
    cJSON_ArrayForEach (entry, t->citations) {
        if (json_int(entry, "n", 0) == n)
            return entry;
    }
    return NULL;
}

static struct answer_line *add(struct answer *a, enum answer_kind kind, size_t turn)
{
    if (a->line_count == a->line_room) {
        a->line_room = a->line_room ? a->line_room * 2 : 64;
        a->lines = mem_grow(a->lines, a->line_room, sizeof *a->lines);
    }
    struct answer_line *line = &a->lines[a->line_count++];
    *line = (struct answer_line){.kind = kind, .turn = turn};
    return line;
}

static void add_text(struct answer *a, size_t turn, size_t from, size_t to, int width, char mark)
{
    const char *text = a->turns[turn].text.data;
    AUTO(wrap_free) struct wrap lines = {0};
    while (from < to && (text[from] == ' ' || text[from] == '\n'))
        from++;
    while (to > from && (text[to - 1] == ' ' || text[to - 1] == '\n'))
        to--;
    wrap_text(&lines, text + from, to - from, width);
    for (size_t i = 0; i < lines.count; i++) {
        struct answer_line *line = add(a, LINE_TEXT, turn);
        line->text = (struct wrap_line){lines.lines[i].from + from, lines.lines[i].to + from};
        line->mark = i == 0 ? mark : 0;
    }
}

static char mark_of(const cJSON *sentence)
{
    const char *support = json_text(sentence, "support", "none");
    return strcmp(support, "quoted") == 0 ? '=' : strcmp(support, "close") == 0 ? '~' : '?';
}

/* Each sentence on lines of its own, so that its mark stands beside it. */
static void add_sentences(struct answer *a, size_t turn, int width)
{
    const struct turn *t = &a->turns[turn];
    const char *text = t->text.data;
    size_t length = t->text.length, from = 0;
    const cJSON *sentence;
    char mark = 0;
    cJSON_ArrayForEach (sentence, t->sentences) {
        double at = json_double(sentence, "start", 0);
        size_t start = text_offset(text, length, at > 0 ? (size_t)at : 0);
        if (start > from)
            add_text(a, turn, from, start, width, mark);
        from = start > from ? start : from;
        mark = t->grounded ? mark_of(sentence) : 0;
    }
    add_text(a, turn, from, length, width, mark);
}

static int source_cells(const cJSON *citation)
{
    char page[48];
    format_page(citation, page, sizeof page);
    const char *title = json_text(citation, "title", "");
    return (int)(text_cells(title, strlen(title)) + text_cells(page, strlen(page))) +
           (json_int(citation, "n", 0) > 9 ? 6 : 5);
}

static void add_sources(struct answer *a, size_t turn, int width)
{
    const cJSON *citation;
    int used = 0;
    size_t n = 0, from = 0;
    cJSON_ArrayForEach (citation, a->turns[turn].citations) {
        int cells = source_cells(citation);
        if (used && used + 3 + cells > width) {
            add(a, LINE_SOURCES, turn)->text = (struct wrap_line){from, n};
            from = n;
            used = 0;
        }
        used += (used ? 3 : 0) + cells;
        n++;
    }
    if (n > from)
        add(a, LINE_SOURCES, turn)->text = (struct wrap_line){from, n};
}

void answer_layout(struct answer *a, int rows, int cols, bool wide)
{
    int width = wide ? MEASURE : cols - 3;
    a->line_count = 0;
    a->rows = rows;
    if (width > cols - 3)
        width = cols - 3;
    for (size_t i = 0; i < a->count; i++) {
        struct turn *t = &a->turns[i];
        add(a, LINE_HEADING, i);
        size_t before = a->line_count;
        if (!t->grounded)
            add(a, LINE_NOTE, i);
        if (t->text.length && !t->writing && t->sentences)
            add_sentences(a, i, width);
        else if (t->text.length)
            add_text(a, i, 0, t->text.length, width, 0);
        if (a->line_count > before)
            a->lines[before].first = true;
        if (t->writing)
            continue;
        if (wide && t->citations && cJSON_GetArraySize(t->citations))
            add(a, LINE_SOURCES, i)->text = (struct wrap_line){0, 0};
        add_sources(a, i, width);
        if (t->grounded && t->sentences)
            add(a, LINE_LEGEND, i);
    }
    size_t room = rows > 0 ? (size_t)rows : 1, most = a->line_count > room ? a->line_count - room : 0;
    if (a->follow || a->top > most)
        a->top = most;
}

static void draw_heading(const struct answer *a, const struct ui *ui, struct canvas c, int y, size_t turn)
{
    const struct turn *t = &a->turns[turn];
    char title[300], facts[96] = "";
    const char *dot = canvas_sign(c, GLYPH_MIDDLE);
    if (turn)
        snprintf(title, sizeof title, "You asked on: %.200s", t->query);
    else
        snprintf(title, sizeof title, "Answer");
    long seconds = (long)((ui->now - t->since) / 1000);
    if (t->writing && t->queue > 0)
        snprintf(facts, sizeof facts, "%d before you, %ld s", t->queue, seconds);
    else if (t->writing)
        snprintf(facts, sizeof facts, "writing, %ld s", seconds);
    else if (t->at != (time_t)-1)
        format_when(t->at, ui->wall, FORMAT_WHEN_CLOCK, facts);
    else if (t->memory_used > 0)
        snprintf(facts, sizeof facts, "%d fact%s from your memory %s %.1f s", t->memory_used,
                 t->memory_used == 1 ? "" : "s", dot, (double)t->took / 1000);
    else if (t->took)
        snprintf(facts, sizeof facts, "%.1f s", (double)t->took / 1000);
    else if (t->lost)
        snprintf(facts, sizeof facts, "connection lost");
    else
        snprintf(facts, sizeof facts, t->sentences ? "" : "stopped");
    heading_draw(c, y, title, facts, turn ? 3 : ui->size == UI_WIDE ? 6 : 2);
}

/* [1] in the running text. */
static size_t source_spans(const char *text, struct wrap_line line, struct wrap_span *spans, size_t most)
{
    size_t count = 0;
    for (size_t i = line.from; i < line.to && count < most; i++) {
        size_t digits = strspn(text + i + 1, "0123456789");
        if (text[i] == '[' && digits && text[i + 1 + digits] == ']')
            spans[count++] = (struct wrap_span){i, i + digits + 2, ROLE_SOURCE};
    }
    return count;
}

static void draw_sources(const struct turn *t, struct canvas c, int y, struct wrap_line range)
{
    const cJSON *citation;
    size_t n = 0;
    int x = 2;
    cJSON_ArrayForEach (citation, t->citations) {
        char page[48];
        if (n >= range.from && n < range.to) {
            format_page(citation, page, sizeof page);
            x += canvas_format(c, y, x, ROLE_SOURCE, "[%lld]", (long long)json_int(citation, "n", 0)) + 1;
            x += canvas_cut(c, y, x, c.cols - x - 2 - (int)strlen(page), ROLE_TEXT, json_text(citation, "title", "")) +
                 1;
            x += canvas_text(c, y, x, ROLE_SOURCE, page) + 3;
        }
        n++;
    }
}

void answer_draw(const struct answer *a, const struct ui *ui, struct canvas c, bool focus)
{
    struct wrap_span spans[32];
    for (int y = 0; y < c.rows && a->top + (size_t)y < a->line_count; y++) {
        const struct answer_line *line = &a->lines[a->top + (size_t)y];
        const struct turn *t = &a->turns[line->turn];
        switch (line->kind) {
        case LINE_HEADING: draw_heading(a, ui, c, y, line->turn); break;
        case LINE_NOTE:
            canvas_cut(c, y, 2, c.cols - 3, ROLE_WARN,
                       "Not found in the library. Nothing below comes from your books.");
            break;
        case LINE_TEXT: {
            size_t count = source_spans(t->text.data, line->text, spans, COUNT_OF(spans));
            int x = 2 + wrap_draw(c, y, 2, c.cols - 2, ROLE_TEXT, t->text.data, line->text, spans, count);
            if (t->writing && line->text.to == t->text.length && t->text.length)
                canvas_glyph(c, y, x, ROLE_DIM, GLYPH_CUT);
            char mark[2] = {line->mark, 0};
            canvas_text(c, y, 0, line->mark == '?' ? ROLE_WARN : ROLE_GOOD, mark);
            break;
        }
        case LINE_SOURCES: draw_sources(t, c, y, line->text); break;
        case LINE_LEGEND:
            canvas_cut(c, y, 2, c.cols - 3, ROLE_DIM,
                       "= word for word   ~ in other words   ? no source named: check it yourself");
            break;
        }
        if (line->first && line->turn == a->selected) {
            if (!line->mark && focus)
                canvas_glyph(c, y, 0, ROLE_TEXT, GLYPH_CURSOR);
            if (focus)
                canvas_cursor(c, y, 0, false);
        }
    }
}

static void select_turn(struct answer *a, size_t turn)
{
    a->selected = turn;
    a->follow = turn + 1 == a->count;
    for (size_t i = 0; i < a->line_count; i++)
        if (a->lines[i].turn == turn && a->lines[i].kind == LINE_HEADING) {
            if (i < a->top || i >= a->top + (size_t)a->rows)
                a->top = i;
            return;
        }
}

bool answer_move(struct answer *a, enum action action)
{
    size_t page = a->rows > 2 ? (size_t)a->rows - 1 : 1;
    size_t most = a->line_count > (size_t)a->rows ? a->line_count - (size_t)a->rows : 0;
    switch ((int)action) {
    case ACT_UP:
        if (a->count > 1 && a->selected > 0)
            select_turn(a, a->selected - 1);
        else if (a->top > 0)
            a->top--, a->follow = false;
        return true;
    case ACT_DOWN:
        if (a->selected + 1 < a->count)
            select_turn(a, a->selected + 1);
        else if (a->top < most)
            a->top++;
        return true;
    case ACT_PAGE_UP:
        a->top = a->top > page ? a->top - page : 0;
        a->follow = false;
        return true;
    case ACT_PAGE_DOWN: a->top = a->top + page < most ? a->top + page : most; return true;
    case ACT_FIRST:
        a->top = 0;
        a->selected = 0;
        a->follow = false;
        return true;
    case ACT_LAST:
        a->top = most;
        a->selected = a->count ? a->count - 1 : 0;
        return true;
    default: return false;
    }
}

void answer_markdown(const struct answer *a, bool all, struct buf *out)
{
    for (size_t i = all ? 0 : a->selected; i < a->count && (all || i == a->selected); i++) {
        const struct turn *t = &a->turns[i];
        const cJSON *citation;
        buf_printf(out, "## %s\n\n%s\n\n", t->query, t->text.data ? t->text.data : "");
        cJSON_ArrayForEach (citation, t->citations) {
            char page[48];
            format_page(citation, page, sizeof page);
            buf_printf(out, "[%lld] %s, %s\n", (long long)json_int(citation, "n", 0), json_text(citation, "title", ""),
                       page);
            if (*json_text(citation, "quote", ""))
                buf_printf(out, "> %s\n", json_text(citation, "quote", ""));
            buf_char(out, '\n');
        }
    }
}
