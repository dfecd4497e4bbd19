/* schema.c - whether what the server says is what its tables promise. */
#include "tests/lib/schema.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/rpc/method.h"
#include "server/rpc/notifications.h"
#include "server/rpc/shape.h"
#include "tests/lib/ws.h"

static const struct method *const tables[] = {methods_server,    methods_auth,    methods_users, methods_courses,
                                              methods_profile,   methods_library, methods_chat,  methods_search,
                                              methods_recommend, methods_memory,  methods_admin, NULL};

static bool of_type(const char *type, const cJSON *value)
{
    return !strcmp(type, "string") ? cJSON_IsString(value)
           : !strcmp(type, "integer")
               ? cJSON_IsNumber(value) && value->valuedouble == (double)(int64_t)value->valuedouble
           : !strcmp(type, "number")  ? cJSON_IsNumber(value)
           : !strcmp(type, "boolean") ? cJSON_IsBool(value)
           : !strcmp(type, "null")    ? cJSON_IsNull(value)
           : !strcmp(type, "array")   ? cJSON_IsArray(value)
           : !strcmp(type, "object")  ? cJSON_IsObject(value)
                                      : false;
}

static bool type_fits(const cJSON *type, const cJSON *value)
{
    const cJSON *at;
    if (!cJSON_IsArray(type))
        return !type || of_type(cJSON_GetStringValue(type), value);
    cJSON_ArrayForEach (at, type)
        if (of_type(cJSON_GetStringValue(at), value))
            return true;
    return false;
}

static bool format_fits(const char *format, const char *text)
{
    regex_t form;
    const char *pattern = !strcmp(format, "uuid")
                              ? "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
                              : "^[0-9]{4,}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]+)?Z$";
    if (regcomp(&form, pattern, REG_EXTENDED | REG_NOSUB))
        return false;
    bool fits = !regexec(&form, text, 0, NULL, 0);
    regfree(&form);
    return fits;
}

static bool differs(char *where, size_t size, const char *what, const cJSON *value)
{
    AUTO(buf_free) struct buf text = {0};
    if (value)
        json_write(&text, value);
    snprintf(where, size, "%s%s%.120s", what, value ? ": " : "", value ? text.data : "");
    return false;
}

/* Puts a member's name before what is wrong inside it. */
static bool within(char *where, size_t size, const char *name)
{
    AUTO(mem_freep) char *inner = mem_dup(where);
    snprintf(where, size, "%s.%s", name, inner);
    return false;
}

static bool members_fit(const cJSON *schema, const cJSON *value, char *where, size_t size)
{
    const cJSON *at, *properties = json_get(schema, "properties");
    cJSON_ArrayForEach (at, json_get(schema, "required"))
        if (!json_get(value, cJSON_GetStringValue(at)))
            return differs(where, size, "lacks ", at);
    cJSON_ArrayForEach (at, value) {
        const cJSON *member = json_get(properties, at->string);
        if (!member && json_get(schema, "additionalProperties"))
            return differs(where, size, "is not promised", at) || within(where, size, at->string);
        if (member && !schema_fits(member, at, where, size))
            return within(where, size, at->string);
    }
    return true;
}

bool schema_fits(const cJSON *schema, const cJSON *value, char *where, size_t size)
{
    const cJSON *at, *any = json_get(schema, "anyOf"), *constant = json_get(schema, "const");
    const char *format = json_text(schema, "format", NULL);
    if (any) {
        cJSON_ArrayForEach (at, any)
            if (schema_fits(at, value, where, size))
                return true;
        return differs(where, size, "is none of the alternatives", value);
    }
    if (constant && !cJSON_Compare(constant, value, true))
        return differs(where, size, "is not the word", value);
    if (!type_fits(json_get(schema, "type"), value))
        return differs(where, size, "has another type", value);
    if (format && cJSON_IsString(value) && !format_fits(format, value->valuestring))
        return differs(where, size, format, value);
    if (cJSON_IsArray(value) && json_get(schema, "items"))
        cJSON_ArrayForEach (at, value)
            if (!schema_fits(json_get(schema, "items"), at, where, size))
                return within(where, size, "[]");
    return !cJSON_IsObject(value) || members_fit(schema, value, where, size);
}

static const char *shape_of(const char *method, bool notification)
{
    for (const struct notification *n = notifications; notification && n->name; n++)
        if (!strcmp(n->name, method))
            return n->params;
    for (const struct method *const *table = tables; !notification && *table; table++)
        for (const struct method *m = *table; m->name; m++)
            if (!strcmp(m->name, method))
                return m->result;
    return NULL;
}

static void watch(const char *method, const char *message)
{
    struct err err = {0};
    char where[400] = "is promised nowhere";
    AUTO(buf_free) struct buf schema = {0};
    AUTO(json_freep) cJSON *json = json_parse(message, strlen(message), &err);
    const cJSON *value = json_get(json, method ? "result" : "params");
    const char *name = method ? method : json_text(json, "method", NULL),
               *shape = name ? shape_of(name, !method) : NULL;
    if (!json || (method && (!value || !shape)) || (!method && !name)) /* an error, or a method that is none */
        return;
    AUTO(json_freep) cJSON *want = NULL;
    if (shape && shape_schema(&schema, shape, true, &err))
        want = json_parse(schema.data, schema.length, &err);
    if (want && schema_fits(want, value, where, sizeof where))
        return;
    fprintf(stderr, "%s: what the server said is not what its table promises: %s %s\n%.2000s\n", name, where, err.log,
            message);
    abort();
}

void schema_watch(void)
{
    if (ws_watcher != watch) /* at the first server, before there are threads that read it */
        ws_watcher = watch;
}
