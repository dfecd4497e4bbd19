/* params.c - a request's params, checked against a method's spec and bound to its struct. */
#include "server/rpc/params.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "common/text.h"

const struct param *params_find(const struct param *spec, const char *name)
{
    for (; spec && spec->type != PARAM_TYPE_END; spec++)
        if (!strcmp(spec->name, name))
            return spec;
    return NULL;
}

static bool is_uuid(const char *text)
{
    for (int i = 0; i < 36; i++) {
        char c = text[i];
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return text[36] == '\0';
}

/* UUIDs may come in upper case; the canonical form is lower. */
static void lower_uuid(char *text)
{
    for (size_t i = 0; text[i] && i < 36; i++)
        if (text[i] >= 'A' && text[i] <= 'F')
            text[i] = (char)(text[i] - 'A' + 'a');
}

static bool one_of(const char *words, const char *text)
{
    size_t length = strlen(text);
    for (const char *word = words; word; word = strchr(word, '|') ? strchr(word, '|') + 1 : NULL)
        if (length && strcspn(word, "|") == length && !strncmp(word, text, length))
            return true;
    return false;
}

/* In place, since nothing gets longer. A line break stays (in one line it becomes a blank, as a tab does); all else arrives as it was written, which is
 * why this is not text_clean: every terminal does that itself. */
static void clean(char *text, bool line)
{
    size_t length = strlen(text), used = 0;
    for (size_t at = 0; at < length;) {
        size_t from = at;
        uint32_t c = text_next(text, length, &at);
        bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c <= 0x9F);
        bool bidi =
            c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
        if (control || bidi)
            continue;
        bool blank = c == '\t' || (line && (c == '\n' || c == 0x2028 || c == 0x2029));
        memmove(text + used, blank ? " " : text + from, blank ? 1 : at - from);
        used += blank ? 1 : at - from;
    }
    text[used] = '\0';
}

static bool read_text(const struct param *param, const cJSON *value, void *at, struct err *err)
{
    if (!cJSON_IsString(value))
        return err_field(err, param->name, "must be a text.");
    const char *text = value->valuestring, *unit = param->bytes ? "bytes" : "characters";
    size_t bytes = strlen(text), length = param->bytes ? bytes : text_count(text, bytes);
    if (param->one_of && !one_of(param->one_of, text)) {
        char words[160];
        size_t n = 0;
        for (const char *p = param->one_of; *p && n + 3 < sizeof words; p++) {
            if (*p == '|')
                words[n++] = ',';
            words[n++] = *p == '|' ? ' ' : *p;
        }
        words[n] = '\0';
        return err_field(err, param->name, "must be one of: %s.", words);
    }
    if (param->min > 0 && length < (size_t)param->min)
        return param->min == 1 ? err_field(err, param->name, "must not be empty.")
                               : err_field(err, param->name, "must have at least %" PRId64 " %s.", param->min, unit);
    if (param->max > 0 && length > (size_t)param->max)
        return err_field(err, param->name, "must have at most %" PRId64 " %s.", param->max, unit);
    if (param->cleaned || param->line)
        clean(value->valuestring, param->line);
    if ((param->cleaned || (param->line && param->min > 0)) && !text[strspn(text, " \n")])
        return err_field(err, param->name, "has nothing in it that could be shown.");
    memcpy(at, &text, sizeof text);
    return true;
}

static bool read_uuid(const struct param *param, const cJSON *value, void *at, struct err *err)
{
    if (cJSON_IsString(value))
        lower_uuid(value->valuestring);
    if (!cJSON_IsString(value) || !is_uuid(value->valuestring))
        return err_field(err, param->name, "must be an id, as this server gives them.");
    const char *text = value->valuestring;
    memcpy(at, &text, sizeof text);
    return true;
}

static bool read_int(const struct param *param, const cJSON *value, void *at, struct err *err)
{
    int64_t number;
    if (!json_is_int(value, &number))
        return err_field(err, param->name, "must be a whole number.");
    if ((param->min || param->max) && (number < param->min || (param->max && number > param->max))) {
        if (!param->max)
            return err_field(err, param->name, "must be at least %" PRId64 ".", param->min);
        return err_field(err, param->name, "must be between %" PRId64 " and %" PRId64 ".", param->min, param->max);
    }
    memcpy(at, &number, sizeof number);
    return true;
}

static bool read_array(const struct param *param, const cJSON *value, void *at, struct err *err)
{
    if (!cJSON_IsArray(value))
        return err_field(err, param->name, "must be a list.");
    int64_t most = param->max ? param->max : PARAMS_ITEMS_MOST, count = cJSON_GetArraySize(value);
    if (count > most || count < param->min)
        return err_field(err, param->name, "must have between %" PRId64 " and %" PRId64 " entries.", param->min, most);
    for (const cJSON *item = value->child; item; item = item->next) {
        if (param->type == PARAM_TYPE_UUIDS && cJSON_IsString(item))
            lower_uuid(item->valuestring);
        if (!cJSON_IsString(item) || (param->type == PARAM_TYPE_UUIDS && !is_uuid(item->valuestring)))
            return err_field(err, param->name, "must hold only %s.", param->type == PARAM_TYPE_UUIDS ? "ids" : "texts");
        if (!*item->valuestring || strlen(item->valuestring) > PARAMS_ITEM_BYTES_MOST)
            return err_field(err, param->name, "holds an entry that is empty or too long.");
    }
    memcpy(at, &value, sizeof value);
    return true;
}

static bool read_one(const struct param *param, const cJSON *value, char *bound, struct err *err)
{
    void *at = bound + param->offset;
    switch (param->type) {
    case PARAM_TYPE_TEXT: return read_text(param, value, at, err);
    case PARAM_TYPE_UUID: return read_uuid(param, value, at, err);
    case PARAM_TYPE_INT: return read_int(param, value, at, err);
    case PARAM_TYPE_TEXTS:
    case PARAM_TYPE_UUIDS: return read_array(param, value, at, err);
    case PARAM_TYPE_BOOL:
        if (!cJSON_IsBool(value))
            return err_field(err, param->name, "must be true or false.");
        *(bool *)at = cJSON_IsTrue(value);
        return true;
    case PARAM_TYPE_ID:
        if (!cJSON_IsString(value) && !cJSON_IsNumber(value))
            return err_field(err, param->name, "must be the id of a request.");
        memcpy(at, &value, sizeof value);
        return true;
    case PARAM_TYPE_END: break;
    }
    return err_set(err, ERR_INTERNAL, "param %s has no type", param->name);
}

bool params_read(const struct param *spec, const cJSON *object, void *bound, struct err *err)
{
    if (cJSON_IsArray(object)) {
        if (object->child)
            return err_field(err, "params", "must be an object with names.");
        object = NULL;
    }
    for (const cJSON *item = object ? object->child : NULL; item; item = item->next)
        if (!params_find(spec, item->string))
            return err_field(err, *item->string && strlen(item->string) < 40 ? item->string : "params",
                             "is not something that this method takes.");
    for (const struct param *param = spec; param && param->type != PARAM_TYPE_END; param++) {
        const cJSON *value = json_get(object, param->name);
        bool null = cJSON_IsNull(value);
        if (value && param->given)
            *((bool *)bound + param->given) = true;
        if (value && !null) {
            if (!read_one(param, value, bound, err))
                return false;
            continue;
        }
        if (null ? !param->nullable && !param->optional : !param->optional)
            return err_field(err, param->name, "is missing.");
        if (null && !param->nullable && param->given)
            return err_field(err, param->name, "must not be null.");
        if (param->type == PARAM_TYPE_INT)
            memcpy((char *)bound + param->offset, &param->fallback, sizeof param->fallback);
    }
    return true;
}

void params_wipe(const struct param *spec, cJSON *object)
{
    for (cJSON *item = cJSON_IsObject(object) ? object->child : NULL; item; item = item->next) {
        const struct param *param = params_find(spec, item->string);
        if (param && param->secret && cJSON_IsString(item))
            mem_wipe(item->valuestring, strlen(item->valuestring));
    }
}

static const char *value_text(const struct param *param, const void *bound, const cJSON *object, struct buf *text)
{
    const char *at = (const char *)bound + param->offset;
    const cJSON *value = json_get(object, param->name);
    if (param->type == PARAM_TYPE_INT) {
        int64_t number;
        memcpy(&number, at, sizeof number);
        if ((!value || cJSON_IsNull(value)) && !param->fallback)
            return NULL;
        buf_printf(text, "%" PRId64, number);
        return text->data;
    }
    if (!value || cJSON_IsNull(value))
        return NULL;
    if (param->type == PARAM_TYPE_BOOL)
        return cJSON_IsTrue(value) ? "true" : "false";
    if (param->type == PARAM_TYPE_TEXT || param->type == PARAM_TYPE_UUID)
        return value->valuestring;
    json_write(text, value);
    return text->data;
}

/* The param of a query's NAME_given: one that tells absent from null. */
static const struct param *given_param(const struct param *spec, const char *wanted)
{
    for (; spec && spec->type != PARAM_TYPE_END; spec++) {
        size_t length = strlen(spec->name);
        if (spec->given && !strncmp(wanted, spec->name, length) && !strcmp(wanted + length, "_given"))
            return spec;
    }
    return NULL;
}

bool params_binds(const struct param *spec, const char *name)
{
    return params_find(spec, name) || given_param(spec, name) || !strcmp(name, "address") || !strcmp(name, "session");
}

static const char *given_text(const struct param *spec, const cJSON *object, const char *wanted)
{
    const struct param *param = given_param(spec, wanted);
    return !param ? NULL : json_get(object, param->name) ? "true" : "false";
}

size_t params_bind(const struct param *spec, const void *bound, const cJSON *object, const struct caller *caller,
                   enum query query, struct bind *binds, struct buf texts[QUERY_PARAMS_MOST])
{
    const struct query_text *text = &query_texts[query];
    for (int i = 0; i < text->count; i++) {
        const char *name = text->params[i];
        const struct param *param = params_find(spec, name);
        const char *value = param                      ? value_text(param, bound, object, &texts[i])
                            : !strcmp(name, "address") ? caller->address
                            : !strcmp(name, "session") ? (caller->sid[0] ? caller->sid : NULL)
                                                       : given_text(spec, object, name);
        binds[i] = BIND_TEXT(value);
    }
    return (size_t)text->count;
}
