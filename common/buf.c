/* buf.c - a growing byte string, and JSON written straight into it. */
#include "common/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void buf_free(struct buf *b)
{
    if (!b)
        return;
    free(b->data);
    *b = (struct buf){0};
}

void buf_clear(struct buf *b)
{
    b->length = 0;
    if (b->data)
        b->data[0] = '\0';
}

void buf_reserve(struct buf *b, size_t more)
{
    size_t need = b->length + more + 1;
    if (need <= b->capacity)
        return;
    size_t capacity = b->capacity ? b->capacity : 64;
    while (capacity < need)
        capacity += capacity;
    b->data = mem_grow(b->data, capacity, 1);
    b->data[b->length] = '\0';
    b->capacity = capacity;
}

void buf_bytes(struct buf *b, const void *bytes, size_t length)
{
    buf_reserve(b, length);
    if (length)
        memcpy(b->data + b->length, bytes, length);
    b->length += length;
    b->data[b->length] = '\0';
}

void buf_text(struct buf *b, const char *text)
{
    buf_bytes(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
    buf_bytes(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length <= 0)
        return;
    buf_reserve(b, (size_t)length);
    va_start(args, format);
    vsnprintf(b->data + b->length, (size_t)length + 1, format, args);
    va_end(args);
    b->length += (size_t)length;
}

char *buf_take(struct buf *b)
{
    buf_reserve(b, 0);
    char *text = b->data;
    *b = (struct buf){0};
    return text;
}

/* A comma is due unless the last byte opens something, or is a key's colon, or nothing is there yet.
 * Strings end in a quote, so a bracket inside one can't be mistaken for structure. */
static void separate(struct buf *b)
{
    if (b->length && !strchr("{[:,", b->data[b->length - 1]))
        buf_char(b, ',');
}

void buf_json_open(struct buf *b, char bracket)
{
    separate(b);
    buf_char(b, bracket);
}

void buf_json_close(struct buf *b, char bracket)
{
    buf_char(b, bracket);
}

void buf_json_stringn(struct buf *b, const char *text, size_t length)
{
    separate(b);
    buf_reserve(b, length + 2);
    buf_char(b, '"');
    size_t from = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_bytes(b, text + from, i - from);
        from = i + 1;
        const char *names = "\b\t\n\f\r\"\\", *letters = "btnfr\"\\";
        const char *at = c ? strchr(names, c) : NULL;
        if (at)
            buf_printf(b, "\\%c", letters[at - names]);
        else
            buf_printf(b, "\\u%04x", c);
    }
    buf_bytes(b, text + from, length - from);
    buf_char(b, '"');
}

void buf_json_string(struct buf *b, const char *text)
{
    if (text)
        buf_json_stringn(b, text, strlen(text));
    else
        buf_json_null(b);
}

void buf_json_key(struct buf *b, const char *key)
{
    buf_json_string(b, key);
    buf_char(b, ':');
}

void buf_json_int(struct buf *b, int64_t value)
{
    separate(b);
    buf_printf(b, "%" PRId64, value);
}

void buf_json_double(struct buf *b, double value)
{
    if (!isfinite(value)) {
        buf_json_null(b);
        return;
    }
    separate(b);
    buf_printf(b, "%.10g", value);
}

void buf_json_bool(struct buf *b, bool value)
{
    buf_json_raw(b, value ? "true" : "false");
}

void buf_json_null(struct buf *b)
{
    buf_json_raw(b, "null");
}

void buf_json_raw(struct buf *b, const char *json)
{
    separate(b);
    buf_text(b, json);
}

void buf_json_member(struct buf *b, const char *key, const char *text)
{
    buf_json_key(b, key);
    buf_json_string(b, text);
}

void buf_json_member_int(struct buf *b, const char *key, int64_t value)
{
    buf_json_key(b, key);
    buf_json_int(b, value);
}

void buf_json_member_bool(struct buf *b, const char *key, bool value)
{
    buf_json_key(b, key);
    buf_json_bool(b, value);
}

void buf_json_member_raw(struct buf *b, const char *key, const char *json)
{
    buf_json_key(b, key);
    buf_json_raw(b, json);
}
