/* envelope.c - JSON-RPC 2.0 around a result: replies, errors, notifications, and ids as they came. */
#include "server/rpc/envelope.h"

#include <string.h>

#include "common/mem.h"

void envelope_begin(struct buf *out, const char *id)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buf_text(out, id ? id : "null");
    buf_text(out, ",\"result\":");
}

void envelope_end(struct buf *out)
{
    buf_char(out, '}');
}

void envelope_error(struct buf *out, const char *id, const struct err *err, const char *incident)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":");
    buf_text(out, id ? id : "null");
    buf_text(out, ",\"error\":{");
    buf_json_member_int(out, "code", err_rpc_code(err->code));
    buf_json_member(out, "message", err_sentence(err));
    buf_json_key(out, "data");
    buf_json_open(out, '{');
    buf_json_member(out, "reason", err_reason(err->code));
    if (err->field[0])
        buf_json_member(out, "field", err->field);
    if (err->existing[0])
        buf_json_member(out, "existing", err->existing);
    if (err->until[0])
        buf_json_member(out, "until", err->until);
    if (err->service[0])
        buf_json_member(out, "service", err->service);
    if (err->cause[0])
        buf_json_member(out, "cause", err->cause);
    if (err->retry_after_ms > 0)
        buf_json_member_int(out, "retry_after_ms", err->retry_after_ms);
    if (err->limit > 0)
        buf_json_member_int(out, "limit", err->limit);
    if (incident)
        buf_json_member(out, "incident", incident);
    buf_text(out, "}}}");
}

void envelope_notification(struct buf *out, const char *method, const char *params)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"method\":");
    buf_json_string(out, method);
    buf_text(out, ",\"params\":");
    buf_text(out, params);
    buf_char(out, '}');
}

static const char *skip_space(const char *p)
{
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p)
{
    for (p++; *p && *p != '"'; p++)
        if (*p == '\\' && p[1])
            p++;
    return *p ? p + 1 : p;
}

static const char *skip_value(const char *p)
{
    if (*p == '"')
        return skip_string(p);
    if (*p != '{' && *p != '[')
        return p + strcspn(p, ",]} \t\r\n");
    int depth = 0;
    while (*p) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[')
            depth++;
        if ((*p == '}' || *p == ']') && --depth == 0)
            return p + 1;
        p++;
    }
    return p;
}

char *envelope_id(const char *object)
{
    const char *p = skip_space(object);
    if (*p != '{')
        return NULL;
    p = skip_space(p + 1);
    while (*p == '"') {
        const char *name = p;
        p = skip_space(skip_string(p));
        bool found = !strncmp(name, "\"id\"", 4);
        const char *value = skip_space(*p == ':' ? p + 1 : p);
        p = skip_value(value);
        if (found)
            return mem_dupn(value, (size_t)(p - value));
        p = skip_space(p);
        if (*p == ',')
            p = skip_space(p + 1);
    }
    return NULL;
}

const char *envelope_first(const char *array)
{
    const char *p = skip_space(array);
    if (*p != '[')
        return NULL;
    p = skip_space(p + 1);
    return *p == ']' || !*p ? NULL : p;
}

const char *envelope_next(const char *element)
{
    const char *p = skip_space(skip_value(element));
    return *p == ',' ? skip_space(p + 1) : NULL;
}
