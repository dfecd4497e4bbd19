/* field.h - a text field: line editing, history, masked and many-lined ones.
 *
 * The text is always valid UTF-8 without controls (many-lined: line feeds). A paste is one insertion.
 */
#ifndef TUI_WIDGETS_FIELD_H
#define TUI_WIDGETS_FIELD_H

#include "tui/canvas.h"
#include "tui/keys.h"

enum { FIELD_HISTORY = 100 };

struct field {
    struct buf text; /* data may be NULL while empty */
    size_t at;       /* byte offset of the cursor */
    size_t most;     /* code points; 0: 4,000 */
    bool many_lines, masked, pasted;
    bool selected; /* the next character replaces all of it */
    struct buf killed;
    char *history[FIELD_HISTORY];  /* oldest first */
    int history_count, history_at; /* history_at == count: the draft */
    char *draft;
};

void field_free(struct field *f);
const char *field_text(const struct field *f);     /* never NULL */
void field_set(struct field *f, const char *text); /* the cursor at its end */
void field_insert(struct field *f, const char *text, size_t length);
/* The key's effect on the text; false where it is none of the field's keys. */
bool field_key(struct field *f, const struct key *key);
void field_remember(struct field *f, const char *entry); /* to the end of the history; no repeats */
size_t field_too_long(const struct field *f);            /* code points over `most` */
/* One line, scrolled so that the cursor is seen; puts the hardware cursor where `focus`. */
void field_draw(const struct field *f, struct canvas c, int y, int x, int width, bool focus);
int field_rows(const struct field *f, int width, int most);
void field_draw_rows(const struct field *f, struct canvas c, int y, int x, int width, int rows, bool focus);

#endif
