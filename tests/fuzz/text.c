/* text.c - what others wrote, made safe for a terminal: alone, in cells and in lines.
 * FUZZ_LONGEST 600
 */
#include "common/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/fake_terminal.h"
#include "tui/widgets/wrap.h"

/* What may never reach a terminal, told again in other words than text.c's. */
static bool dangerous(uint32_t c, bool newline)
{
    return c < 0x20 ? c != '\n' || !newline
                    : (c >= 0x7F && c < 0xA0) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
                          (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
                          (c >= 0xE000 && c <= 0xF8FF) || (c >= 0xE0000 && c <= 0xE007F) || c > 0x10FFFF;
}

static void clean_is_clean(const char *text, size_t length, enum text_clean_flags flags, struct buf *out)
{
    AUTO(buf_free) struct buf twice = {0};
    text_clean(out, text, length, flags);
    buf_bytes(out, "", 0);
    FUZZ_MUST(out->length <= 3 * length, "%zu bytes became %zu", length, out->length);
    FUZZ_MUST(text_valid_utf8(out->data, out->length), "not UTF-8");
    int cells = 0, marks = 0;
    for (size_t at = 0; at < out->length;) {
        uint32_t c = text_next(out->data, out->length, &at);
        FUZZ_MUST(!dangerous(c, flags == TEXT_KEEP_NEWLINES), "U+%04X came through", c);
        cells += text_width(c);
        marks = text_width(c) || c == '\n' ? 0 : marks + 1;
        FUZZ_MUST(marks <= 3, "%d marks on one character", marks);
    }
    FUZZ_MUST((size_t)cells == text_cells(out->data, out->length), "cells are counted in two ways");
    text_clean(&twice, out->data, out->length, flags);
    FUZZ_MUST(twice.length == out->length && (!out->length || !memcmp(twice.data, out->data, out->length)),
              "cleaning twice changes it");
}

static void lines_fit(const char *text, size_t length, int width)
{
    struct wrap wrap = {0};
    wrap_text(&wrap, text, length, width);
    size_t behind = 0;
    for (size_t i = 0; i < wrap.count; i++) {
        struct wrap_line line = wrap.lines[i];
        FUZZ_MUST(line.from >= behind && line.to >= line.from && line.to <= length, "a line outside the text");
        FUZZ_MUST(text_valid_utf8(text + line.from, line.to - line.from), "a character was cut");
        FUZZ_MUST(text_cells(text + line.from, line.to - line.from) <= (size_t)(width > 2 ? width : 2),
                  "a line is too wide");
        behind = line.to;
    }
    for (size_t at = behind; at < length; at++)
        FUZZ_MUST(text[at] == ' ' || text[at] == '\n', "text was lost at the end");
    wrap_free(&wrap);
}

static void in_cells(const char *text, size_t length, int rows, int cols, int x)
{
    struct fake_terminal g = {0};
    canvas_resize(&g.ui.sheet, rows, cols);
    for (int y = 0; y < rows; y++)
        FUZZ_MUST(canvas_put(canvas_all(&g.ui.sheet), y, x - 3, y * 2 + 1, ROLE_TEXT, text, length) <= y * 2 + 1,
                  "drew beyond its width");
    canvas_cut(canvas_part(canvas_all(&g.ui.sheet), 0, 2, rows, cols - 4), rows - 1, x, cols, ROLE_TEXT, text);
    fake_terminal_sane(&g);
    canvas_free(&g.ui.sheet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    uint8_t how = fuzz_byte(&in);
    size_t length;
    AUTO(mem_freep) char *text = fuzz_rest(&in, &length);
    AUTO(buf_free) struct buf line = {0};
    AUTO(buf_free) struct buf lines = {0};
    clean_is_clean(text, length, TEXT_ONE_LINE, &line);
    clean_is_clean(text, length, TEXT_KEEP_NEWLINES, &lines);
    lines_fit(lines.data, lines.length, how % 40 + 1);
    in_cells(text, length, 4, how % 30 + 6, how % 11);
    return 0;
}
