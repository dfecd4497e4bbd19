/* openrpc.c - the OpenRPC document of this very server, from the table of methods. */
#include "server/rpc/openrpc.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/rpc/notifications.h"
#include "server/rpc/params.h"
#include "server/rpc/rpc.h"
#include "server/rpc/shape.h"

static const char *const access_names[] = {"anyone", "user", "teacher", "admin"};

static void range(struct buf *out, const struct param *param, const char *least, const char *most)
{
    if (param->min > 0)
        buf_json_member_int(out, least, param->min);
    if (param->max > 0)
        buf_json_member_int(out, most, param->max);
}

/* JSON Schema counts characters alone: so many bytes are at most as many of them, and at least a quarter. */
static void byte_range(struct buf *out, const struct param *param)
{
    char text[80];
    buf_json_member_int(out, "minLength", (param->min + 3) / 4);
    if (!param->max)
        return;
    buf_json_member_int(out, "maxLength", param->max);
    snprintf(text, sizeof text, "%" PRId64 " to %" PRId64 " bytes of UTF-8", param->min, param->max);
    buf_json_member(out, "description", text);
}

static void type_of(struct buf *out, const struct param *param, const char *type)
{
    buf_json_key(out, "type");
    if (param->nullable) {
        buf_json_open(out, '[');
        buf_json_string(out, type);
        buf_json_string(out, "null");
        buf_json_close(out, ']');
    } else {
        buf_json_string(out, type);
    }
}

static void words(struct buf *out, const struct param *param)
{
    buf_json_key(out, "enum");
    buf_json_open(out, '[');
    for (const char *word = param->one_of; *word;) {
        size_t length = strcspn(word, "|");
        buf_json_stringn(out, word, length);
        word += length + (word[length] == '|');
    }
    if (param->nullable)
        buf_json_null(out);
    buf_json_close(out, ']');
}

static void items(struct buf *out, bool ids)
{
    buf_json_open(out, '{');
    buf_json_member(out, "type", "string");
    if (ids) {
        buf_json_member(out, "format", "uuid");
    } else {
        buf_json_member_int(out, "minLength", 1);
        buf_json_member_int(out, "maxLength", PARAMS_ITEM_BYTES_MOST);
    }
    buf_json_close(out, '}');
}

static void schema(struct buf *out, const struct param *param)
{
    buf_json_open(out, '{');
    switch (param->type) {
    case PARAM_TYPE_TEXT:
        type_of(out, param, "string");
        if (param->bytes)
            byte_range(out, param);
        else
            range(out, param, "minLength", "maxLength");
        if (param->one_of)
            words(out, param);
        break;
    case PARAM_TYPE_UUID:
        type_of(out, param, "string");
        buf_json_member(out, "format", "uuid");
        break;
    case PARAM_TYPE_INT:
        type_of(out, param, "integer");
        if (param->min || param->max)
            buf_json_member_int(out, "minimum", param->min);
        if (param->max)
            buf_json_member_int(out, "maximum", param->max);
        if (param->fallback)
            buf_json_member_int(out, "default", param->fallback);
        break;
    case PARAM_TYPE_BOOL: type_of(out, param, "boolean"); break;
    case PARAM_TYPE_TEXTS:
    case PARAM_TYPE_UUIDS:
        type_of(out, param, "array");
        if (param->min > 0)
            buf_json_member_int(out, "minItems", param->min);
        buf_json_member_int(out, "maxItems", param->max > 0 ? param->max : PARAMS_ITEMS_MOST);
        buf_json_key(out, "items");
        items(out, param->type == PARAM_TYPE_UUIDS);
        break;
    case PARAM_TYPE_ID: buf_json_member_raw(out, "type", "[\"string\",\"number\"]"); break;
    case PARAM_TYPE_END: break;
    }
    buf_json_close(out, '}');
}

/* Required ones first, as the specification wants; the names are what counts here. */
static void params_of(struct buf *out, const struct method *method, bool optional)
{
    for (const struct param *param = method->params; param && param->type != PARAM_TYPE_END; param++) {
        if (param->optional != optional)
            continue;
        buf_json_open(out, '{');
        buf_json_member(out, "name", param->name);
        buf_json_member_bool(out, "required", !param->optional);
        buf_json_key(out, "schema");
        schema(out, param);
        buf_json_close(out, '}');
    }
}

/* Whether a call of this method can end so: what stands before a lane, and what only work behind one may find. */
static bool may_end_in(const struct method *method, enum err_code code)
{
    bool works = method->lane != LANE_INLINE;
    switch (code) {
    case ERR_INVALID_PARAMS:
    case ERR_BUSY:
    case ERR_INTERNAL: return true;
    case ERR_RATE_LIMITED: return method->cost || method->cost_of;
    case ERR_UNAUTHENTICATED: return works || method->access != ACCESS_ANYONE;
    case ERR_FORBIDDEN: return works || method->access > ACCESS_USER;
    case ERR_NOT_FOUND:
    case ERR_CONFLICT:
    case ERR_TOO_LARGE:
    case ERR_CANCELLED: return works;
    case ERR_UPSTREAM: return method->lane == LANE_SLOW || method->lane_of;
    default: return false;
    }
}

static void errors_of(struct buf *out, const struct method *method)
{
    char place[64];
    buf_json_open(out, '[');
    for (int code = ERR_NONE + 1; code < ERR_COUNT; code++) {
        if (!may_end_in(method, (enum err_code)code))
            continue;
        snprintf(place, sizeof place, "#/components/errors/%s", err_reason((enum err_code)code));
        buf_json_open(out, '{');
        buf_json_member(out, "$ref", place);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

cJSON *openrpc_example(const char *text, struct err *err)
{
    AUTO(mem_freep) char *json = mem_dup(text);
    for (char *at = json; *at; at++)
        if (*at == '\'')
            *at = '"';
    return json_parse(json, strlen(json), err);
}

static void write_shape(struct buf *out, const char *shape)
{
    struct err err = {0};
    size_t from = out->length;
    if (!shape_schema(out, shape, false, &err)) { /* rpc_check has read it */
        out->length = from;
        buf_text(out, "{}");
    }
}

static void named_value(struct buf *out, const char *name, const cJSON *value)
{
    buf_json_open(out, '{');
    buf_json_member(out, "name", name);
    buf_json_key(out, "value");
    json_write(out, value);
    buf_json_close(out, '}');
}

static void example_of(struct buf *out, const struct method *method)
{
    struct err err = {0};
    AUTO(json_freep) cJSON *params = openrpc_example(method->example ? method->example : "{}", &err);
    AUTO(json_freep) cJSON *result = openrpc_example(method->example_result ? method->example_result : "{}", &err);
    const cJSON *param;
    buf_json_open(out, '[');
    buf_json_open(out, '{');
    buf_json_member(out, "name", method->name);
    buf_json_key(out, "params");
    buf_json_open(out, '[');
    cJSON_ArrayForEach (param, params)
        named_value(out, param->string, param);
    buf_json_close(out, ']');
    buf_json_key(out, "result");
    named_value(out, "result", result);
    buf_json_close(out, '}');
    buf_json_close(out, ']');
}

static void method_entry(struct buf *out, const struct method *method)
{
    buf_json_open(out, '{');
    buf_json_member(out, "name", method->name);
    buf_json_member(out, "summary", method->summary);
    if (method->description)
        buf_json_member(out, "description", method->description);
    buf_json_member(out, "paramStructure", "by-name");
    buf_json_member(out, "x-access", access_names[method->access]);
    buf_json_key(out, "x-cost");
    buf_json_double(out, (double)method->cost / COST_ONE);
    if (method->result)
        buf_json_member(out, "x-shape", method->result);
    if (method->byte_bucket)
        buf_json_member(out, "x-bucket", "upload");
    buf_json_key(out, "params");
    buf_json_open(out, '[');
    params_of(out, method, false);
    params_of(out, method, true);
    buf_json_close(out, ']');
    buf_json_key(out, "result");
    buf_json_open(out, '{');
    buf_json_member(out, "name", "result");
    buf_json_member_bool(out, "required", true);
    buf_json_key(out, "schema");
    write_shape(out, method->result ? method->result : "any");
    buf_json_close(out, '}');
    buf_json_key(out, "examples");
    example_of(out, method);
    buf_json_key(out, "errors");
    errors_of(out, method);
    buf_json_close(out, '}');
}

/* Every error there is, by its reason: `data.reason` is what a program should look at. */
static void components(struct buf *out)
{
    buf_json_open(out, '{');
    buf_json_key(out, "errors");
    buf_json_open(out, '{');
    for (int code = ERR_NONE + 1; code <= ERR_CANCELLED; code++) {
        const char *reason = err_reason((enum err_code)code);
        buf_json_key(out, reason);
        buf_json_open(out, '{');
        buf_json_member_int(out, "code", err_rpc_code((enum err_code)code));
        buf_json_member(out, "message", err_sentence(&(struct err){.code = (enum err_code)code}));
        buf_json_key(out, "data");
        buf_json_open(out, '{');
        buf_json_member(out, "reason", reason);
        buf_json_close(out, '}');
        buf_json_close(out, '}');
    }
    buf_json_close(out, '}');
    buf_json_close(out, '}');
}

static void info(struct buf *out)
{
    buf_json_open(out, '{');
    buf_json_member(out, "title", "EduRag");
    buf_json_member(
        out, "description",
        "JSON-RPC 2.0 in the text frames of one WebSocket at /ws, subprotocol edurag.v1. x-access says who may "
        "call a method (anyone, user, teacher, admin), x-cost how many requests of the rate limit it takes; "
        "x-notifications are what the server says unasked.");
    buf_json_member(out, "version", EDURAG_VERSION);
    buf_json_close(out, '}');
}

/* OpenRPC knows only what is asked for; what comes unasked stands beside it in the same shape. */
static void notifications_of(struct buf *out)
{
    buf_json_open(out, '[');
    for (const struct notification *a = notifications; a->name; a++) {
        buf_json_open(out, '{');
        buf_json_member(out, "name", a->name);
        buf_json_member(out, "summary", a->summary);
        buf_json_key(out, "params");
        write_shape(out, a->params);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

const char *openrpc_document(void)
{
    static struct buf document;
    if (document.length)
        return document.data;
    buf_json_open(&document, '{');
    buf_json_member(&document, "openrpc", "1.4.1");
    buf_json_key(&document, "info");
    info(&document);
    buf_json_key(&document, "components");
    components(&document);
    buf_json_key(&document, "methods");
    buf_json_open(&document, '[');
    for (size_t i = 0; rpc_method(i); i++)
        method_entry(&document, rpc_method(i));
    buf_json_close(&document, ']');
    buf_json_key(&document, "x-notifications");
    notifications_of(&document);
    buf_json_close(&document, '}');
    return document.data;
}
