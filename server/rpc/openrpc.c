/* openrpc.c - the OpenRPC document of this very server, from the table of methods. */
#include "server/rpc/openrpc.h"

#include <string.h>

#include "common/mem.h"
#include "server/rpc/rpc.h"

static const char *const access_names[] = {"anyone", "user", "teacher", "admin"};

static void range(struct buf *out, const struct param *param, const char *least, const char *most)
{
    if (param->min)
        buf_json_member_int(out, least, param->min);
    if (param->max)
        buf_json_member_int(out, most, param->max);
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

static void schema(struct buf *out, const struct param *param)
{
    buf_json_open(out, '{');
    switch (param->type) {
    case PARAM_TYPE_TEXT:
        type_of(out, param, "string");
        if (!param->bytes)
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
        range(out, param, "minimum", "maximum");
        if (param->fallback)
            buf_json_member_int(out, "default", param->fallback);
        break;
    case PARAM_TYPE_BOOL: type_of(out, param, "boolean"); break;
    case PARAM_TYPE_TEXTS:
    case PARAM_TYPE_UUIDS:
        type_of(out, param, "array");
        range(out, param, "minItems", "maxItems");
        buf_json_member_raw(out, "items", param->type == PARAM_TYPE_TEXTS ? "{\"type\":\"string\"}"
                                                                           : "{\"type\":\"string\",\"format\":\"uuid\"}");
        break;
    case PARAM_TYPE_ID:
        buf_json_member_raw(out, "type", "[\"string\",\"number\"]");
        break;
    case PARAM_TYPE_END: break;
    }
    buf_json_close(out, '}');
}

static void method_entry(struct buf *out, const struct method *method)
{
    buf_json_open(out, '{');
    buf_json_member(out, "name", method->name);
    buf_json_member(out, "summary", method->summary);
    buf_json_member(out, "paramStructure", "by-name");
    buf_json_member(out, "x-access", access_names[method->access]);
    buf_json_key(out, "x-cost");
    buf_json_double(out, (double)method->cost / COST_ONE);
    buf_json_key(out, "params");
    buf_json_open(out, '[');
    for (const struct param *param = method->params; param && param->type != PARAM_TYPE_END; param++) {
        buf_json_open(out, '{');
        buf_json_member(out, "name", param->name);
        buf_json_member_bool(out, "required", !param->optional);
        buf_json_key(out, "schema");
        schema(out, param);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
    buf_json_key(out, "result");
    buf_json_open(out, '{');
    buf_json_member(out, "name", "result");
    buf_json_member_raw(out, "schema", method->result ? method->result : "{}");
    buf_json_close(out, '}');
    buf_json_close(out, '}');
}

const char *openrpc_document(void)
{
    static struct buf document;
    if (document.length)
        return document.data;
    buf_json_open(&document, '{');
    buf_json_member(&document, "openrpc", "1.3.2");
    buf_json_key(&document, "info");
    buf_json_open(&document, '{');
    buf_json_member(&document, "title", "EduRag");
    buf_json_member(&document, "version", EDURAG_VERSION);
    buf_json_close(&document, '}');
    buf_json_key(&document, "methods");
    buf_json_open(&document, '[');
    for (size_t i = 0; rpc_method(i); i++)
        method_entry(&document, rpc_method(i));
    buf_json_close(&document, ']');
    buf_json_close(&document, '}');
    return document.data;
}

bool openrpc_discover(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params, (void)err;
    buf_text(result, openrpc_document());
    return true;
}
