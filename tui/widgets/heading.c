/* heading.c - rules with a title and facts, bars, and paragraphs: what all panes are made of. */
#include "tui/widgets/heading.h"

#include <string.h>

#include "common/mem.h"
#include "common/text.h"
#include "tui/widgets/wrap.h"

void heading_draw(struct canvas c, int y, const char *title, const char *facts, int tail)
{
    int end = c.cols - 1, cells = facts ? (int)text_cells(facts, strlen(facts)) : 0;
    int title_cells = (int)text_cells(title, strlen(title));
    canvas_repeat(c, y, 0, end, ROLE_RULE, GLYPH_RULE);
    if (facts && *facts && cells + tail + 8 < c.cols) {
        int at = c.cols - 2 - tail - cells;
        int least = title_cells < 20 ? title_cells : 20;
        if (at - 1 > least + 4) {
            canvas_text(c, y, at - 1, ROLE_RULE, " ");
            canvas_put(c, y, at, cells, ROLE_RULE, facts, strlen(facts));
            canvas_text(c, y, at + cells, ROLE_RULE, tail ? " " : "  ");
            for (int i = 0; !tail && i < c.cols - at - cells; i++)
                canvas_text(c, y, at + cells + i, ROLE_RULE, " ");
            if (tail)
                canvas_repeat(c, y, at + cells + 1, tail, ROLE_RULE, GLYPH_RULE);
            end = at - 2;
        }
    }
    if (tail)
        canvas_text(c, y, c.cols - 1, ROLE_RULE, " ");
    if (!title_cells)
        return;
    canvas_text(c, y, 2, ROLE_RULE, " ");
    int used = canvas_cut(c, y, 3, end - 4, ROLE_TITLE, title);
    canvas_text(c, y, 3 + used, ROLE_RULE, " ");
}

void heading_bar(struct canvas c, int y, int x, int width, double part)
{
    int full = (int)(part * width + 0.5);
    full = full < 0 ? 0 : full > width ? width : full;
    canvas_repeat(c, y, x, full, ROLE_BAR, GLYPH_FULL);
    canvas_repeat(c, y, x + full, width - full, ROLE_BAR, GLYPH_LIGHT);
}

int heading_text(struct canvas c, int y, int x, int width, int most, enum role role, const char *text)
{
    AUTO(wrap_free) struct wrap lines = {0};
    wrap_text(&lines, text, strlen(text), width);
    int used = 0;
    for (size_t i = 0; i < lines.count && used < most; i++, used++) {
        size_t from = lines.lines[i].from, to = lines.lines[i].to;
        int cells = canvas_put(c, y + used, x, width, role, text + from, to - from);
        if (used == most - 1 && i + 1 < lines.count) /* the rest does not fit */
            canvas_glyph(c, y + used, x + (cells + 2 <= width ? cells + 1 : width - 1), role, GLYPH_CUT);
    }
    return used;
}
