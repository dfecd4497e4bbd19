/* rows.c - a list that the server gives page by page. */
#include "tui/views/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { NEAR = 20 };

static const char *row_id(const void *rows, size_t index)
{
    const struct rows *r = rows;
    return json_text(r->at[index], r->id, "");
}

void rows_clear(struct rows *r)
{
    cJSON_Delete(r->items);
    free(r->at);
    free(r->cursor);
    *r = (struct rows){.list = r->list, .id = r->id};
    r->list.count = 0;
}

static void rebuild(struct rows *r)
{
    const cJSON *entry;
    size_t count = 0;
    free(r->at);
    r->at = mem_array((size_t)cJSON_GetArraySize(r->items) + 1, sizeof *r->at);
    cJSON_ArrayForEach (entry, r->items)
        r->at[count++] = entry;
    list_reload(&r->list, count, row_id, r);
}

void rows_take(struct rows *r, const cJSON *result, const char *id)
{
    const cJSON *items = json_get(result, "items");
    bool more = r->loading_more && r->items;
    r->id = id;
    r->loading_more = false;
    free(r->cursor);
    r->cursor = mem_dup(json_text(result, "next_cursor", NULL));
    if (more) {
        const cJSON *entry;
        cJSON_ArrayForEach (entry, items)
            cJSON_AddItemToArray(r->items, cJSON_Duplicate(entry, true));
    } else {
        cJSON_Delete(r->items);
        r->items = cJSON_IsArray(items) ? cJSON_Duplicate(items, true) : cJSON_CreateArray();
    }
    rebuild(r);
}

const cJSON *rows_selected(const struct rows *r)
{
    return r->list.selected < r->list.count ? r->at[r->list.selected] : NULL;
}

const cJSON *rows_named(const struct rows *r, const char *id)
{
    for (size_t i = 0; i < r->list.count; i++)
        if (strcmp(row_id(r, i), id) == 0)
            return r->at[i];
    return NULL;
}

bool rows_move(struct rows *r, enum action action, int page)
{
    page = page > 1 ? page : 1;
    switch ((int)action) {
    case ACT_UP: list_move(&r->list, -1, row_id, r); return true;
    case ACT_DOWN: list_move(&r->list, 1, row_id, r); return true;
    case ACT_PAGE_UP: list_move(&r->list, -page, row_id, r); return true;
    case ACT_PAGE_DOWN: list_move(&r->list, page, row_id, r); return true;
    case ACT_FIRST: list_select(&r->list, 0, row_id, r); return true;
    case ACT_LAST: list_select(&r->list, r->list.count, row_id, r); return true;
    default: return false;
    }
}

bool rows_find(struct rows *r, const struct ui *ui, int step, const char *const *members)
{
    size_t count = r->list.count;
    for (size_t i = 1; i <= count; i++) {
        size_t at = (r->list.selected + (step > 0 ? i : count - i % count)) % count;
        for (const char *const *member = members; *member; member++)
            if (ui_found(ui, json_text(r->at[at], *member, NULL))) {
                list_select(&r->list, at, row_id, r);
                return true;
            }
    }
    return false;
}

void rows_position(const struct rows *r, long total, char *out, size_t size)
{
    *out = 0;
    if (!r->list.count)
        return;
    if (total > (long)r->list.count)
        snprintf(out, size, "%zu of %ld", r->list.selected + 1, total);
    else
        snprintf(out, size, "%zu of %zu%s", r->list.selected + 1, r->list.count, r->cursor ? "+" : "");
}

const char *rows_more(struct rows *r)
{
    if (!r->cursor || r->loading_more || r->list.selected + NEAR < r->list.count)
        return NULL;
    r->loading_more = true;
    return r->cursor;
}

void rows_forget(struct rows *r, const char *id)
{
    for (size_t i = 0; i < r->list.count; i++) {
        if (strcmp(row_id(r, i), id) != 0)
            continue;
        cJSON_DeleteItemFromArray(r->items, (int)i);
        rebuild(r);
        return;
    }
}

void rows_put(struct rows *r, const cJSON *row, const char *id)
{
    const char *name = json_text(row, id, "");
    r->id = id;
    if (!r->items)
        r->items = cJSON_CreateArray();
    for (size_t i = 0; i < r->list.count; i++) {
        if (strcmp(row_id(r, i), name) == 0) {
            cJSON_ReplaceItemInArray(r->items, (int)i, cJSON_Duplicate(row, true));
            rebuild(r);
            return;
        }
    }
    cJSON_InsertItemInArray(r->items, 0, cJSON_Duplicate(row, true));
    rebuild(r);
}
