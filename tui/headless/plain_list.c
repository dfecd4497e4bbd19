/* plain_list.c - the numbered list that stands last on the page. */
#include "tui/headless/plain_list.h"

#include <string.h>

#include "tui/headless/script_out.h"
#include "tui/headless/script_print.h"
#include "tui/sanitize.h"

enum { PASSAGES_FIRST = 2, PASSAGES_MORE = 4, LINES_EACH = 10 };

void plain_list_free(struct plain_list *l)
{
    cJSON_Delete(l->items);
    *l = (struct plain_list){0};
}

void plain_list_set(struct plain_list *l, enum plain_list_kind kind, const cJSON *items)
{
    cJSON *copy = sanitize_copy(items);
    plain_list_free(l);
    l->kind = kind;
    l->items = copy;
}

static void show_item(struct script *script, enum plain_list_kind kind, const cJSON *item, int number)
{
    const cJSON *document = json_get(item, "documents");
    switch (kind) {
    case PLAIN_PASSAGES: script_print_passage(script, item, number); break;
    case PLAIN_DOCUMENTS:
        script_out_printf(script, 3, "%d. %s, %lld pages.", number, json_text(item, "title", "?"),
                          (long long)json_int(item, "pages", 0));
        break;
    case PLAIN_TOPICS:
        script_out_printf(script, 3, "%d. %s. %s", number, json_text(item, "topic", "?"),
                          json_text(item, "reason", ""));
        cJSON_ArrayForEach (document, json_get(item, "documents"))
            script_out_printf(script, 5, "   %s, %s.", json_text(document, "title", "?"), script_out_page(document));
        break;
    case PLAIN_QUERIES:
        script_out_printf(script, 3, "%d. %s: %s, %lld found.", number, script_out_when(item, "at"),
                          json_text(item, "query", "?"), (long long)json_int(item, "results", 0));
        break;
    default: break;
    }
}

void plain_list_more(struct plain_list *l, struct script *script)
{
    int total = cJSON_GetArraySize(l->items), number = 0;
    int each = l->kind != PLAIN_PASSAGES ? LINES_EACH : l->shown ? PASSAGES_MORE : PASSAGES_FIRST;
    int until = l->shown + each < total ? l->shown + each : total;
    const cJSON *item;
    if (l->shown >= total || l->kind == PLAIN_SOURCES) {
        script_say("That is all.");
        return;
    }
    cJSON_ArrayForEach (item, l->items)
        if (++number > l->shown && number <= until)
            show_item(script, l->kind, item, number);
    l->shown = until;
    if (until < total - 1)
        script_say("%d to %d: type \"more\".", until + 1, total);
    else if (until < total)
        script_say("%d: type \"more\".", total);
}

void plain_list_show(struct plain_list *l, struct script *script, enum plain_list_kind kind, const cJSON *items)
{
    plain_list_set(l, kind, items);
    if (cJSON_GetArraySize(l->items))
        plain_list_more(l, script);
}

const cJSON *plain_list_item(const struct plain_list *l, int number)
{
    const cJSON *item;
    int at = 0;
    cJSON_ArrayForEach (item, l->items)
        if (l->kind == PLAIN_SOURCES ? json_int(item, "n", 0) == number : ++at == number)
            return item;
    return NULL;
}
