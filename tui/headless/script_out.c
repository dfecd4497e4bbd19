/* script_out.c - lines of text for people. */
#include "tui/headless/script_out.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/format.h"

static void put_blanks(struct script_out_flow *f, int count)
{
    fprintf(f->out, "%*s", count, "");
    f->column += count;
}

static void put_word(struct script_out_flow *f)
{
    if (!f->word.length)
        return;
    int cells = (int)text_cells(f->word.data, f->word.length);
    bool over = f->cited || f->column + f->blanks + cells > f->width;
    f->cited = f->by_sentence && f->word.data[0] == '[' && f->word.data[f->word.length - 1] == ']';
    if (f->column && over) {
        fputc('\n', f->out);
        f->column = 0;
        put_blanks(f, f->indent);
    } else {
        put_blanks(f, f->blanks);
    }
    f->blanks = 0;
    fwrite(f->word.data, 1, f->word.length, f->out);
    f->column += cells;
    buf_clear(&f->word);
}

static void end_line(struct script_out_flow *f)
{
    put_word(f);
    fputc('\n', f->out);
    f->column = f->blanks = 0;
    f->cited = false;
}

void script_out_feed(struct script_out_flow *flow, const char *text)
{
    AUTO(buf_free) struct buf clean = {0};
    text_clean(&clean, text, strlen(text), TEXT_KEEP_NEWLINES);
    for (size_t i = 0; i < clean.length; i++) {
        char c = clean.data[i];
        if (c == '\n')
            end_line(flow);
        else if (c == ' ')
            put_word(flow), flow->blanks++;
        else
            buf_char(&flow->word, c);
    }
    fflush(flow->out);
}

void script_out_end(struct script_out_flow *flow)
{
    put_word(flow);
    if (flow->column)
        fputc('\n', flow->out);
    buf_free(&flow->word);
    fflush(flow->out);
}

void script_out_prose(struct script *script, const char *text, int indent)
{
    struct script_out_flow f = {.out = script->out, .width = script->width, .indent = indent};
    script_out_feed(&f, text);
    script_out_end(&f);
}

void script_out_printf(struct script *script, int indent, const char *format, ...)
{
    char *text = NULL;
    va_list args;
    va_start(args, format);
    int length = vasprintf(&text, format, args);
    va_end(args);
    if (length >= 0)
        script_out_prose(script, text, indent);
    free(text);
}

void script_out_items(struct script *script, const char *head, const char *const *items, size_t count, int between)
{
    int indent = (int)text_cells(head, strlen(head)), column = indent;
    fputs(head, script->out);
    for (size_t i = 0; i < count; i++) {
        AUTO(buf_free) struct buf clean = {0};
        text_clean(&clean, items[i], strlen(items[i]), TEXT_ONE_LINE);
        int cells = (int)text_cells(clean.data, clean.length), gap = i ? between : 0;
        if (i && column + gap + cells > script->width) {
            fprintf(script->out, "\n%*s", indent, "");
            column = indent;
            gap = 0;
        }
        fprintf(script->out, "%*s%s", gap, "", clean.data);
        column += gap + cells;
    }
    fputc('\n', script->out);
}

static char *scratch(void)
{
    static char texts[4][80];
    static unsigned next;
    return texts[next++ % 4];
}

const char *script_out_when(const cJSON *object, const char *member)
{
    char *text = scratch();
    format_when(format_time(json_text(object, member, NULL)), time(NULL), FORMAT_WHEN_CLOCK, text);
    return text;
}

const char *script_out_page(const cJSON *place)
{
    char *text = scratch();
    const char *label = json_text(place, "page_label", "");
    if (*label)
        snprintf(text, 80, "page %.60s", label);
    else
        snprintf(text, 80, "page %lld", (long long)json_int(place, "page", 1));
    return text;
}

static void cell_text(const cJSON *item, const struct script_out_column *c, struct buf *out)
{
    const cJSON *value = json_get(item, c->member);
    if (c->kind == SCRIPT_OUT_WHEN)
        buf_text(out, script_out_when(item, c->member));
    else if (c->kind == SCRIPT_OUT_YES)
        buf_text(out, cJSON_IsTrue(value) ? c->heading : "");
    else if (cJSON_IsNumber(value))
        buf_printf(out, "%.15g", value->valuedouble);
    else if (cJSON_IsString(value))
        text_clean(out, value->valuestring, strlen(value->valuestring), TEXT_ONE_LINE);
    size_t most = (size_t)(c->most ? c->most : 40), at = 0, cells = 0;
    while (at < out->length) {
        size_t next = at;
        cells += (size_t)text_width(text_next(out->data, out->length, &next));
        if (cells > most)
            break;
        at = next;
    }
    if (at < out->length) {
        out->length = at;
        out->data[at] = '\0';
        buf_text(out, "~");
    }
}

static void put_cell(struct script *script, const char *text, size_t width, bool right, bool last)
{
    size_t cells = text_cells(text, strlen(text));
    for (size_t i = cells; right && i < width; i++)
        fputc(' ', script->out);
    fputs(text, script->out);
    for (size_t i = cells; !right && !last && i < width; i++)
        fputc(' ', script->out);
    fputs(last ? "\n" : "  ", script->out);
}

static const char *heading_of(const struct script_out_column *c)
{
    return c->kind == SCRIPT_OUT_YES ? "" : c->heading;
}

/* In the dialogue a row is a sentence that wraps, with a number: rows of columns are no lines to be read aloud. */
static void told(struct script *script, const cJSON *items, const struct script_out_column *columns)
{
    const cJSON *item;
    int number = 0;
    cJSON_ArrayForEach (item, items) {
        AUTO(buf_free) struct buf line = {0};
        buf_printf(&line, "%d. ", ++number);
        for (size_t i = 0, told = 0; columns[i].member; i++) {
            AUTO(buf_free) struct buf text = {0};
            struct script_out_column whole = columns[i];
            size_t length = strlen(whole.member);
            whole.most = 2000;
            cell_text(item, &whole, &text);
            bool named = whole.kind == SCRIPT_OUT_NUMBER || (length > 2 && !strcmp(whole.member + length - 3, "_id"));
            if (text.length)
                buf_printf(&line, "%s%s%s%s", told++ ? ", " : "", named ? whole.heading : "", named ? " " : "",
                           text.data);
        }
        buf_char(&line, '.');
        script_out_prose(script, line.data, 3);
    }
}

void script_out_table(struct script *script, const cJSON *result, const struct script_out_column *columns)
{
    size_t widths[12] = {0}, count = 0;
    const cJSON *items = json_get(result, "items"), *item;
    if (!cJSON_GetArraySize(items)) {
        script_say("Nothing here.");
        return;
    }
    if (script->dialogue) {
        told(script, items, columns);
        return;
    }
    while (columns[count].member && count < COUNT_OF(widths))
        count++;
    for (size_t i = 0; i < count; i++)
        widths[i] = text_cells(heading_of(&columns[i]), strlen(heading_of(&columns[i])));
    cJSON_ArrayForEach (item, items)
        for (size_t i = 0; i < count; i++) {
            AUTO(buf_free) struct buf text = {0};
            cell_text(item, &columns[i], &text);
            size_t cells = text.data ? text_cells(text.data, text.length) : 0;
            if (cells > widths[i])
                widths[i] = cells;
        }
    for (size_t i = 0; i < count; i++)
        put_cell(script, heading_of(&columns[i]), widths[i], columns[i].kind == SCRIPT_OUT_NUMBER, i + 1 == count);
    cJSON_ArrayForEach (item, items)
        for (size_t i = 0; i < count; i++) {
            AUTO(buf_free) struct buf text = {0};
            cell_text(item, &columns[i], &text);
            put_cell(script, text.data ? text.data : "", widths[i], columns[i].kind == SCRIPT_OUT_NUMBER,
                     i + 1 == count);
        }
}
