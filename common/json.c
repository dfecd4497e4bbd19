/* json.c - JSON as this project reads it: strict, with nothing ambiguous let through. */
#include "common/json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/text.h"

static int hex4(const char *p, size_t left)
{
    int value = 0;
    if (left < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* `p` is just behind "\u"; how many bytes the escape and its partner take, or 0 where it is refused. */
static size_t unicode_escape(const char *p, size_t left)
{
    int unit = hex4(p, left);
    if (unit <= 0 || (unit >= 0xDC00 && unit <= 0xDFFF))
        return 0;
    if (unit < 0xD800 || unit > 0xDBFF)
        return 4;
    if (left < 10 || p[4] != '\\' || p[5] != 'u')
        return 0;
    int low = hex4(p + 6, left - 6);
    return low >= 0xDC00 && low <= 0xDFFF ? 10 : 0;
}

/* What cJSON would let through or cut: seen before it gets the text. */
static bool scan(const char *text, size_t length, struct err *err)
{
    int depth = 0;
    bool inside = false;
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (inside) {
            if ((unsigned char)c < 0x20)
                return err_set(err, ERR_PARSE, "control character in a string");
            if (c == '"') {
                inside = false;
            } else if (c == '\\') {
                i++;
                if (i < length && text[i] == 'u') {
                    size_t taken = unicode_escape(text + i + 1, length - i - 1);
                    if (!taken)
                        return err_set(err, ERR_PARSE, "\\u0000, a lone surrogate or a broken escape");
                    i += taken;
                }
            }
        } else if (c == '"') {
            inside = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_DEPTH)
                return err_set(err, ERR_PARSE, "nested deeper than %d", JSON_DEPTH);
        } else if (c == '}' || c == ']') {
            depth--;
        } else if ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
            return err_set(err, ERR_PARSE, "control character outside a string"); /* cJSON takes any for a blank */
        }
    }
    return true;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool unique_names(const cJSON *value)
{
    if (!cJSON_IsObject(value) && !cJSON_IsArray(value))
        return true;
    size_t count = 0;
    for (const cJSON *item = value->child; item; item = item->next, count++)
        if (!unique_names(item))
            return false;
    if (!cJSON_IsObject(value) || count < 2)
        return true;
    const char **names = malloc(count * sizeof *names);
    if (!names)
        return false;
    size_t i = 0;
    for (const cJSON *item = value->child; item; item = item->next)
        names[i++] = item->string;
    qsort(names, count, sizeof *names, by_name);
    bool unique = true;
    for (i = 1; i < count && unique; i++)
        unique = strcmp(names[i - 1], names[i]) != 0;
    free(names);
    return unique;
}

cJSON *json_parse(const char *text, size_t length, struct err *err)
{
    if (!text_valid_utf8(text, length)) {
        err_set(err, ERR_PARSE, "not UTF-8");
        return NULL;
    }
    if (!scan(text, length, err))
        return NULL;
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, length, &end, 0);
    if (!json) {
        err_set(err, ERR_PARSE, "not JSON");
        return NULL;
    }
    while (end < text + length && strchr(" \t\r\n", *end))
        end++;
    if (end != text + length)
        err_set(err, ERR_PARSE, "text behind the JSON value");
    else if (!unique_names(json))
        err_set(err, ERR_PARSE, "a name stands twice in one object");
    else
        return json;
    cJSON_Delete(json);
    return NULL;
}

void json_freep(cJSON **json)
{
    cJSON_Delete(*json);
    *json = NULL;
}

const cJSON *json_get(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, name) : NULL;
}

const char *json_text(const cJSON *object, const char *name, const char *fallback)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsString(item) ? item->valuestring : fallback;
}

bool json_is_int(const cJSON *value, int64_t *out)
{
    const double most = 9007199254740991.0;
    if (!cJSON_IsNumber(value))
        return false;
    double d = value->valuedouble;
    if (!(d >= -most && d <= most) || trunc(d) < d || trunc(d) > d)
        return false;
    *out = (int64_t)d;
    return true;
}

int64_t json_int(const cJSON *object, const char *name, int64_t fallback)
{
    int64_t value;
    return json_is_int(json_get(object, name), &value) ? value : fallback;
}

double json_double(const cJSON *object, const char *name, double fallback)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : fallback;
}

bool json_bool(const cJSON *object, const char *name, bool fallback)
{
    const cJSON *item = json_get(object, name);
    return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

void json_write(struct buf *out, const cJSON *value)
{
    char *text = cJSON_PrintUnformatted(value);
    buf_json_raw(out, text ? text : "null");
    cJSON_free(text);
}
