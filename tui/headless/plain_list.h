/* plain_list.h - the numbered list that stands last on the page: what a number means, what "more" shows. */
#ifndef TUI_HEADLESS_PLAIN_LIST_H
#define TUI_HEADLESS_PLAIN_LIST_H

#include "tui/headless/script.h"

enum plain_list_kind { PLAIN_NONE, PLAIN_PASSAGES, PLAIN_SOURCES, PLAIN_DOCUMENTS, PLAIN_TOPICS, PLAIN_QUERIES };

struct plain_list {
    enum plain_list_kind kind;
    cJSON *items; /* cleaned */
    int shown;
};

/* Takes a copy of `items`, cleaned, and shows the first ones. */
void plain_list_show(struct plain_list *l, struct script *script, enum plain_list_kind kind, const cJSON *items);
/* The list without showing it (the sources of an answer stand there already). */
void plain_list_set(struct plain_list *l, enum plain_list_kind kind, const cJSON *items);
void plain_list_more(struct plain_list *l, struct script *script);
/* Number 1 is the first; NULL: there is none. A source goes by its own n. */
const cJSON *plain_list_item(const struct plain_list *l, int number);
void plain_list_free(struct plain_list *l);

#endif
