/* search_draw.c - passages and answers, above each other or side by side. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tui/views/search.h"
#include "tui/widgets/heading.h"
#include "tui/format.h"

static bool writing(const struct search *s)
{
    return s->answer.count && s->answer.turns[s->answer.count - 1].writing;
}

/* How many rows the passages keep above an answer. */
static int passage_rows(const struct search *s, int rows)
{
    if (!s->answer.count)
        return 0;
    const cJSON *citations = s->answer.turns[0].citations;
    int count = citations ? cJSON_GetArraySize(citations) : s->results.list.count < 3 ? (int)s->results.list.count : 3;
    int most = rows / 4;
    return count > most ? most : count;
}

static bool small(const struct search *s)
{
    return s->view.ui->size <= UI_SMALL;
}

/* Where the answer begins in a narrow window; the heading of its first turn is its own line. */
static int answer_top(const struct search *s, int rows)
{
    return small(s) ? 1 : 2 + passage_rows(s, rows);
}

void search_draw_layout(struct view *view, int rows, int cols)
{
    struct search *s = (struct search *)view;
    bool wide = view->ui->size == UI_WIDE;
    int left = wide ? cols * 2 / 5 - 1 : cols;
    s->rows = rows;
    results_layout(&s->results, rows - 2, left, view->ui->size);
    if (wide)
        answer_layout(&s->answer, rows - 1, cols - left - 2 < 80 ? cols - left - 2 : 80, true);
    else
        answer_layout(&s->answer, rows - answer_top(s, rows), cols, false);
}

static void draw_nothing(const struct search *s, struct canvas c)
{
    const struct ui *ui = s->view.ui;
    char line[400];
    if (s->results.reply && !s->results.list.count) {
        snprintf(line, sizeof line,
                 *s->course ? "Nothing found for “%.150s” in %.100s. Press c to search the whole library."
                            : "Nothing found for “%.150s”. Try other words, or fewer.",
                 json_text(s->results.reply, "query", field_text(&s->query)), s->course);
    } else if (!s->results.reply) {
        snprintf(line, sizeof line, "Type what you want to know and press Enter. Try: what is a transition state");
    } else {
        return;
    }
    if (!ui_running(ui, &s->view, SEARCH_CALL_QUERY))
        heading_text(c, 0, 2, c.cols - 4, 4, ROLE_TEXT, line);
}

static void draw_results(const struct search *s, struct canvas c)
{
    const struct ui *ui = s->view.ui;
    size_t count = s->results.list.count;
    char title[240], facts[64], found[32];
    const char *corrected = json_text(s->results.reply, "corrected", "");
    format_count((long)count, "passage", "passages", found, sizeof found);
    snprintf(title, sizeof title, "%.110s%s%.100s", *s->course ? s->course : "The whole library",
             *corrected ? ", spelled " : "", corrected);
    snprintf(facts, sizeof facts, "%s, %.0f ms", found, fmax(1, json_double(s->results.reply, "took_ms", 1)));
    if (small(s))
        heading_draw(c, 0, s->results.reply ? found : title, NULL, 1);
    else
        heading_draw(c, 0, title, s->results.reply ? facts : NULL, ui->size == UI_WIDE ? 2 : 4);
    struct canvas body = canvas_part(c, 1, 0, c.rows - 1, c.cols);
    draw_nothing(s, body);
    results_draw(&s->results, ui, body, s->part == PART_RESULTS || (s->part == PART_ANSWER && ui->size == UI_WIDE),
                 s->part == PART_RESULTS && ui_focus(&s->view));
}

/* Above the answer: the passages it stands on, by number. */
static void draw_passages(const struct search *s, struct canvas c, int rows)
{
    const cJSON *citations = s->answer.turns[0].citations, *entry;
    heading_draw(c, 0, "Passages", *s->course ? s->course : "The whole library", 1);
    int y = 1;
    if (citations) {
        cJSON_ArrayForEach (entry, citations) {
            const cJSON *row = results_find(&s->results, json_text(entry, "chunk_id", ""));
            if (y > rows)
                break;
            canvas_format(c, y, 2, ROLE_SOURCE, "%lld", (long long)json_int(entry, "n", 0));
            results_title(c, y++, 4, entry, json_text(row ? row : entry, "heading", ""), true);
        }
        return;
    }
    for (int i = 0; i < rows && (size_t)i < s->results.list.count; i++)
        results_title(c, y++, 4, s->results.rows[i], json_text(s->results.rows[i], "heading", ""), true);
}

void search_draw_pane(const struct view *view, struct canvas c)
{
    const struct search *s = (const struct search *)view;
    bool focus = ui_focus(view), wide = view->ui->size == UI_WIDE;
    canvas_text(c, 0, 1, ROLE_TEXT, "Search: ");
    field_draw(&s->query, c, 0, 9, c.cols - 10, focus && s->part == PART_FIELD);
    if (wide && s->answer.count) {
        int left = c.cols * 2 / 5 - 1;
        draw_results(s, canvas_part(c, 1, 0, c.rows - 1, left));
        for (int y = 1; y < c.rows; y++)
            canvas_glyph(c, y, left, ROLE_RULE, GLYPH_BAR);
        answer_draw(&s->answer, view->ui,
                    canvas_part(c, 1, left + 2, c.rows - 1, c.cols - left - 2 < 80 ? c.cols - left - 2 : 80),
                    focus && s->part == PART_ANSWER);
    } else if (s->part == PART_ANSWER && s->answer.count) {
        int top = answer_top(s, c.rows);
        if (!small(s))
            draw_passages(s, canvas_part(c, 1, 0, top - 1, c.cols), top - 2);
        answer_draw(&s->answer, view->ui, canvas_part(c, top, 0, c.rows - top, c.cols), focus);
    } else {
        draw_results(s, canvas_part(c, 1, 0, c.rows - 1, c.cols));
    }
}

static void keys_answer(const struct search *s, struct keyrow *row)
{
    if (s->answer.turns[s->answer.selected].citations)
        view_key(row, ACT_SOURCE, NULL);
    if (writing(s))
        view_key(row, ACT_STOP, NULL);
    view_key(row, ACT_NEXT_PART, s->results.list.count ? "passages" : "search line");
    view_key(row, ACT_ASK_ON, NULL);
    view_key(row, ACT_COPY, NULL);
    view_key(row, ACT_SAVE, NULL);
    view_key(row, ACT_SEARCH, NULL);
}

void search_draw_keys(const struct view *view, struct keyrow *row)
{
    const struct search *s = (const struct search *)view;
    if (s->part == PART_ANSWER && s->answer.count) {
        keys_answer(s, row);
        return;
    }
    bool any = s->results.list.count > 0;
    if (s->part == PART_FIELD || any)
        view_key(row, ACT_ENTER, s->part == PART_FIELD ? "search" : "ask");
    if (s->part == PART_RESULTS && any)
        view_key(row, ACT_OPEN, small(s) ? "open" : NULL);
    if (small(s) && s->answer.count)
        view_key(row, ACT_NEXT_PART, "answer");
    if (s->part == PART_RESULTS && any)
        view_key(row, ACT_COPY, NULL);
    if (s->part == PART_RESULTS)
        view_key(row, ACT_COURSE, NULL);
    if (!small(s) && s->part == PART_FIELD && any)
        view_key(row, ACT_NEXT_PART, "passages");
    else if (!small(s) && s->answer.count)
        view_key(row, ACT_NEXT_PART, "answer");
    if (s->part == PART_RESULTS && s->answer.count) {
        view_key(row, ACT_SOURCE, NULL);
        view_key(row, ACT_ASK_ON, NULL);
        view_key(row, ACT_SAVE, NULL);
    }
    if (s->part == PART_RESULTS) {
        view_key(row, ACT_FIND, NULL);
        view_key(row, ACT_SEARCH, NULL);
        if (!any)
            view_key(row, ACT_HISTORY, NULL);
        if (view->ui->size == UI_WIDE)
            view_key(row, ACT_COMMAND, NULL);
    }
}

void search_draw_status(const struct view *view, struct status *st)
{
    const struct search *s = (const struct search *)view;
    if (s->part == PART_ANSWER && s->answer.count) {
        const struct turn *last = &s->answer.turns[s->answer.count - 1];
        if (last->writing)
            snprintf(st->left, sizeof st->left,
                     last->text.length ? "Writing the answer, %ld s  sources are checked when it is complete"
                                       : "Reading the passages, %ld s",
                     (long)((view->ui->now - last->since) / 1000));
        snprintf(st->right, sizeof st->right, "%zu of %zu", s->answer.selected + 1, s->answer.count);
    } else if (s->results.list.count) {
        snprintf(st->right, sizeof st->right, "%zu of %zu", s->results.list.selected + 1, s->results.list.count);
    }
}
