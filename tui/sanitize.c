/* sanitize.c - everything the server sends, made safe for a terminal before any view sees it. */
#include "tui/sanitize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

/* Which offsets of an object count into which of its strings. */
static const struct {
    const char *text, *offsets;
} counted[] = {{"snippet", "highlights"}, {"text", "passages"}, {"answer", "sentences"}};

static void clean(struct buf *out, const char *text, size_t length)
{
    text_clean(out, text, length, TEXT_KEEP_NEWLINES);
    buf_bytes(out, "", 0);
}

/* Where code point `offset` of the text came to lie. */
static double moved(const char *text, size_t length, double offset)
{
    if (offset <= 0)
        return 0;
    size_t bytes = text_offset(text, length, offset > (double)length ? length : (size_t)offset);
    AUTO(buf_free) struct buf before = {0};
    clean(&before, text, bytes);
    return (double)text_count(before.data ? before.data : "", before.length);
}

static bool is_clean(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x7F || (c < 0x20 && c != '\n'))
            return false;
    }
    return true;
}

static void move_number(cJSON *number, const char *text, size_t length)
{
    if (cJSON_IsNumber(number))
        cJSON_SetNumberValue(number, moved(text, length, number->valuedouble));
}

static void move_offsets(cJSON *object)
{
    for (size_t i = 0; i < COUNT_OF(counted); i++) {
        const char *text = json_text(object, counted[i].text, NULL);
        cJSON *list = cJSON_GetObjectItemCaseSensitive(object, counted[i].offsets), *entry;
        size_t length = text ? strlen(text) : 0;
        if (!text || !cJSON_IsArray(list) || is_clean(text, length))
            continue;
        cJSON_ArrayForEach (entry, list) {
            move_number(cJSON_GetArrayItem(cJSON_IsArray(entry) ? entry : NULL, 0), text, length);
            move_number(cJSON_GetArrayItem(cJSON_IsArray(entry) ? entry : NULL, 1), text, length);
            move_number(cJSON_GetObjectItemCaseSensitive(entry, "start"), text, length);
            move_number(cJSON_GetObjectItemCaseSensitive(entry, "end"), text, length);
        }
    }
}

static void replace(char **text)
{
    if (!*text || is_clean(*text, strlen(*text)))
        return;
    struct buf out = {0};
    clean(&out, *text, strlen(*text));
    cJSON_free(*text);
    *text = buf_take(&out);
}

static void sanitize_members(cJSON *json)
{
    if (cJSON_IsObject(json))
        move_offsets(json);
    if (cJSON_IsString(json))
        replace(&json->valuestring);
    replace(&json->string); /* its name in the object around it */
    cJSON *child;
    if (cJSON_IsObject(json) || cJSON_IsArray(json))
        cJSON_ArrayForEach (child, json)
            sanitize_members(child);
}

cJSON *sanitize_copy(const cJSON *json)
{
    cJSON *copy = json ? cJSON_Duplicate(json, true) : NULL;
    if (copy)
        sanitize_members(copy);
    return copy;
}

void sanitize_text(const char *text, char *out, size_t size)
{
    AUTO(buf_free) struct buf line = {0};
    size_t length = text ? strlen(text) : 0;
    text_clean(&line, text ? text : "", length > size * 4 ? size * 4 : length, TEXT_ONE_LINE);
    size_t keep = line.length < size ? line.length : size - 1;
    while (keep > 0 && keep < line.length && ((unsigned char)line.data[keep] & 0xC0) == 0x80)
        keep--;
    snprintf(out, size, "%.*s", (int)keep, line.data ? line.data : "");
}
