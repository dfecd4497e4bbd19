/* script_out.h - lines of text for people: wrapped, cleaned, in columns. */
#ifndef TUI_HEADLESS_SCRIPT_OUT_H
#define TUI_HEADLESS_SCRIPT_OUT_H

#include "tui/headless/script.h"

/* Prose as it comes: breaks lines between words at `width`, keeps blanks that stand together. {.out, .width} starts one. */
struct script_out_flow {
    FILE *out;
    int width, indent; /* of every line but the first */
    bool by_sentence;  /* a line ends after a citation: [1] */
    bool cited;
    int column, blanks; /* where the line is; how many blanks stand before the next word */
    struct buf word;
};
void script_out_feed(struct script_out_flow *flow, const char *text); /* cleaned here; line feeds end lines */
void script_out_end(struct script_out_flow *flow);                    /* the last word, and a line end */

/* One paragraph or more, of any text. */
void script_out_prose(struct script *script, const char *text, int indent);
/* "Title, page 212." in pieces: printf, cleaned, wrapped. */
void script_out_printf(struct script *script, int indent, const char *format, ...) PRINTF_LIKE(3, 4);
/* Short texts behind each other, none broken where it can be helped, `between` blanks apart. */
void script_out_items(struct script *script, const char *head, const char *const *items, size_t count, int between);
/* A member that is a time, as a person says it; "" where there is none. Four at once stay valid. */
const char *script_out_when(const cJSON *object, const char *member);
/* "page 212" from page_label, else page; likewise. */
const char *script_out_page(const cJSON *place);

enum script_out_kind { SCRIPT_OUT_TEXT, SCRIPT_OUT_WHEN, SCRIPT_OUT_NUMBER, SCRIPT_OUT_YES };
struct script_out_column {
    const char *member;
    enum script_out_kind kind;
    const char *heading; /* YES: the word that stands where it is true */
    int most;            /* cells; 0: 40 */
};
/* result.items, one a line under headings; columns end with member NULL. Says so where there is none. */
void script_out_table(struct script *script, const cJSON *result, const struct script_out_column *columns);

#endif
