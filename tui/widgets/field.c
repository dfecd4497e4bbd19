/* field.c - a text field: line editing, history, masked and many-lined ones. */
#include "tui/widgets/field.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/widgets/wrap.h"

enum { MOST = 4000, KEPT = 65536 };

void field_free(struct field *f)
{
    if (f->masked && f->text.data)
        mem_wipe(f->text.data, f->text.length);
    buf_free(&f->text);
    buf_free(&f->killed);
    for (int i = 0; i < f->history_count; i++)
        free(f->history[i]);
    free(f->draft);
    *f = (struct field){0};
}

const char *field_text(const struct field *f)
{
    return f->text.data ? f->text.data : "";
}

static void replace(struct field *f, const char *text)
{
    if (f->masked && f->text.data)
        mem_wipe(f->text.data, f->text.length);
    buf_clear(&f->text);
    buf_text(&f->text, text);
    f->at = f->text.length;
    f->selected = false;
}

void field_set(struct field *f, const char *text)
{
    replace(f, text ? text : "");
    f->history_at = f->history_count;
}

/* Removes bytes [from, to), which become what Ctrl-Y brings back where `keep`. */
static void cut(struct field *f, size_t from, size_t to, bool keep)
{
    if (from >= to)
        return;
    if (keep && !f->masked) {
        buf_clear(&f->killed);
        buf_bytes(&f->killed, f->text.data + from, to - from);
    }
    memmove(f->text.data + from, f->text.data + to, f->text.length - to + 1);
    f->text.length -= to - from;
    f->at = from;
}

void field_insert(struct field *f, const char *text, size_t length)
{
    if (f->selected)
        replace(f, "");
    AUTO(buf_free) struct buf clean = {0};
    AUTO(buf_free) struct buf straight = {0};
    for (size_t i = 0; i < length && i < KEPT; i++) { /* a terminal pastes CR for the end of a line */
        if (text[i] == '\r')
            buf_char(&straight, '\n');
        else if (text[i] != '\n' || i == 0 || text[i - 1] != '\r')
            buf_char(&straight, text[i]);
    }
    text_clean(&clean, straight.data ? straight.data : "", straight.length,
               f->many_lines ? TEXT_KEEP_NEWLINES : TEXT_ONE_LINE);
    if (!clean.length || f->text.length + clean.length > KEPT)
        return;
    buf_reserve(&f->text, clean.length);
    if (!f->text.data)
        buf_text(&f->text, "");
    memmove(f->text.data + f->at + clean.length, f->text.data + f->at, f->text.length - f->at + 1);
    memcpy(f->text.data + f->at, clean.data, clean.length);
    f->text.length += clean.length;
    f->at += clean.length;
    if (clean.data)
        mem_wipe(clean.data, f->masked ? clean.length : 0);
    if (straight.data)
        mem_wipe(straight.data, f->masked ? straight.length : 0);
}

/* A step over one character with its combining marks. */
static size_t before(const struct field *f, size_t at)
{
    while (at > 0) {
        do
            at--;
        while (at > 0 && ((unsigned char)f->text.data[at] & 0xC0) == 0x80);
        size_t next = at;
        if (text_width(text_next(f->text.data, f->text.length, &next)) > 0 || f->text.data[at] == '\n')
            break;
    }
    return at;
}

static size_t after(const struct field *f, size_t at)
{
    if (at < f->text.length)
        text_next(f->text.data, f->text.length, &at);
    while (at < f->text.length) {
        size_t next = at;
        if (text_width(text_next(f->text.data, f->text.length, &next)) > 0 || f->text.data[at] == '\n')
            break;
        at = next;
    }
    return at;
}

static size_t word_left(const struct field *f)
{
    size_t at = f->at;
    while (at > 0 && (f->text.data[at - 1] == ' ' || f->text.data[at - 1] == '\n'))
        at--;
    while (at > 0 && f->text.data[at - 1] != ' ' && f->text.data[at - 1] != '\n')
        at--;
    return at;
}

static size_t word_right(const struct field *f)
{
    size_t at = f->at;
    while (at < f->text.length && f->text.data[at] == ' ')
        at++;
    while (at < f->text.length && f->text.data[at] != ' ')
        at++;
    return at;
}

static void walk(struct field *f, int step)
{
    int to = f->history_at + step;
    if (to < 0 || to > f->history_count)
        return;
    if (f->history_at == f->history_count) {
        free(f->draft);
        f->draft = mem_dup(field_text(f));
    }
    f->history_at = to;
    replace(f, to == f->history_count ? (f->draft ? f->draft : "") : f->history[to]);
}

void field_remember(struct field *f, const char *entry)
{
    if (!*entry)
        return;
    for (int i = 0; i < f->history_count; i++) {
        if (strcmp(f->history[i], entry) == 0 || f->history_count == FIELD_HISTORY) {
            free(f->history[i]);
            memmove(f->history + i, f->history + i + 1, (size_t)(f->history_count - i - 1) * sizeof *f->history);
            f->history_count--;
            break;
        }
    }
    f->history[f->history_count++] = mem_dup(entry);
    f->history_at = f->history_count;
}

static bool control(struct field *f, uint32_t c)
{
    switch (c) {
    case 'a': f->at = 0; return true;
    case 'e': f->at = f->text.length; return true;
    case 'w': cut(f, word_left(f), f->at, true); return true;
    case 'u': cut(f, 0, f->at, true); return true;
    case 'k': cut(f, f->at, f->text.length, true); return true;
    case 'y':
        if (f->killed.data)
            field_insert(f, f->killed.data, f->killed.length);
        return true;
    case 'j':
        if (f->many_lines)
            field_insert(f, "\n", 1);
        return f->many_lines;
    default: return false;
    }
}

static bool moves(struct field *f, const struct key *key)
{
    bool words = key->mods & KEYS_CTRL;
    switch ((int)key->code) {
    case KEYS_LEFT:
        if (key->mods & KEYS_ALT)
            return false;
        f->at = words ? word_left(f) : before(f, f->at);
        return true;
    case KEYS_RIGHT:
        if (key->mods & KEYS_ALT)
            return false;
        f->at = words ? word_right(f) : after(f, f->at);
        return true;
    case KEYS_HOME: f->at = 0; return true;
    case KEYS_END: f->at = f->text.length; return true;
    case KEYS_BACKSPACE: cut(f, key->mods & KEYS_ALT ? word_left(f) : before(f, f->at), f->at, false); return true;
    case KEYS_DELETE: cut(f, f->at, after(f, f->at), false); return true;
    case KEYS_UP: walk(f, -1); return true;
    case KEYS_DOWN: walk(f, 1); return true;
    default: return false;
    }
}

bool field_key(struct field *f, const struct key *key)
{
    if (key->code == KEYS_PASTE) {
        field_insert(f, key->paste, key->paste_length);
        return true;
    }
    if (key->code == KEYS_CHAR && !key->mods) {
        AUTO(buf_free) struct buf letter = {0};
        text_append(&letter, key->ch);
        field_insert(f, letter.data, letter.length);
        return true;
    }
    if (key->code == KEYS_ENTER && key->mods & KEYS_ALT && f->many_lines) {
        field_insert(f, "\n", 1);
        return true;
    }
    if (f->selected && (key->code == KEYS_BACKSPACE || key->code == KEYS_DELETE)) {
        replace(f, "");
        return true;
    }
    bool taken = key->code == KEYS_CHAR ? key->mods == KEYS_CTRL && control(f, key->ch) : moves(f, key);
    if (taken)
        f->selected = false;
    return taken;
}

size_t field_too_long(const struct field *f)
{
    size_t count = text_count(field_text(f), f->text.length), most = f->most ? f->most : MOST;
    return count > most ? count - most : 0;
}

/* What is shown for the text: itself, or a star for each character. */
static void shown(const struct field *f, struct buf *out, size_t *cursor)
{
    const char *text = field_text(f);
    *cursor = f->at;
    if (!f->masked) {
        buf_bytes(out, text, f->text.length);
    } else {
        for (size_t i = text_count(text, f->text.length); i > 0; i--)
            buf_char(out, '*');
        *cursor = text_count(text, f->at);
    }
    buf_bytes(out, "", 0);
}

void field_draw(const struct field *f, struct canvas c, int y, int x, int width, bool focus)
{
    AUTO(buf_free) struct buf line = {0};
    size_t cursor, from = 0;
    if (width < 1)
        return;
    shown(f, &line, &cursor);
    const char *text = line.data ? line.data : "";
    while (text_cells(text + from, cursor - from) >= (size_t)width && from < cursor)
        text_next(text, line.length, &from);
    canvas_put(c, y, x, width, f->selected ? ROLE_SELECT : ROLE_INPUT, text + from, line.length - from);
    if (focus)
        canvas_cursor(c, y, x + (int)text_cells(text + from, cursor - from), true);
}

int field_rows(const struct field *f, int width, int most)
{
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, field_text(f), f->text.length, width > 1 ? width - 1 : 1);
    int rows = (int)lines.count;
    return rows < 1 ? 1 : rows > most ? most : rows;
}

void field_draw_rows(const struct field *f, struct canvas c, int y, int x, int width, int rows, bool focus)
{
    AUTO(wrap_free) struct wrap lines = {0};
    const char *text = field_text(f);
    wrap_text(&lines, text, f->text.length, width > 1 ? width - 1 : 1);
    size_t row = 0;
    while (row + 1 < lines.count && lines.lines[row + 1].from <= f->at)
        row++;
    size_t first = row >= (size_t)rows ? row - (size_t)rows + 1 : 0;
    for (size_t i = first; i < lines.count && i < first + (size_t)rows; i++)
        canvas_put(c, y + (int)(i - first), x, width, ROLE_INPUT, text + lines.lines[i].from,
                   lines.lines[i].to - lines.lines[i].from);
    size_t from = lines.count ? lines.lines[row].from : 0;
    if (focus)
        canvas_cursor(c, y + (int)(row - first), x + (int)text_cells(text + from, f->at - from), true);
}
