/* heading.h - rules with a title and facts, bars, and paragraphs: what all panes are made of. */
#ifndef TUI_WIDGETS_HEADING_H
#define TUI_WIDGETS_HEADING_H

#include "tui/canvas.h"

/* `── Title ──────── facts ── `: `tail` is the length of the last rule; facts may be NULL. */
void heading_draw(struct canvas c, int y, const char *title, const char *facts, int tail);
void heading_bar(struct canvas c, int y, int x, int width, double part);
/* Wrapped lines from `y` on, at most `most`; the rows used. */
int heading_text(struct canvas c, int y, int x, int width, int most, enum role role, const char *text);

#endif
