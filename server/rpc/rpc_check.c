/* rpc_check.c - whether the tables of methods hold together, before anybody calls one. */
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/rpc/openrpc.h"
#include "server/rpc/params.h"
#include "server/rpc/rpc.h"
#include "server/rpc/shape.h"

static bool wrong(struct err *err, const struct method *method, const char *what, const char *name)
{
    return err_set(err, ERR_INTERNAL, "the row of %s: %s %s", method->name, what, name);
}

static bool query_wants(enum query query, const char *name, const char *suffix)
{
    const struct query_text *text = &query_texts[query];
    size_t length = strlen(name);
    for (int i = 0; i < text->count; i++)
        if (!strncmp(text->params[i], name, length) && !strcmp(text->params[i] + length, suffix))
            return true;
    return false;
}

/* A name that nothing binds would be null in silence, and a filter that it stands in would vanish. */
static bool query_fits(const struct method *method, struct err *err)
{
    const struct query_text *text = &query_texts[method->sql];
    for (int i = 0; i < text->count; i++)
        if (!params_binds(method->params, text->params[i]))
            return wrong(err, method, "nothing binds the query's", text->params[i]);
    for (const struct param *p = method->params; p && p->type != PARAM_TYPE_END; p++)
        if (!query_wants(method->sql, p->name, "") && !query_wants(method->sql, p->name, "_given"))
            return wrong(err, method, "its query does not use", p->name);
    return true;
}

static bool example_fits(const struct method *method, struct err *err)
{
    if (!method->summary || !method->example || !method->example_result)
        return wrong(err, method, "lacks", !method->summary ? "a summary" : "an example");
    AUTO(json_freep) cJSON *params = openrpc_example(method->example, err);
    AUTO(json_freep) cJSON *result = params ? openrpc_example(method->example_result, err) : NULL;
    AUTO(mem_freep) void *bound = mem_alloc(method->params_size + 1);
    struct err why = {0};
    if (!params || !result)
        return wrong(err, method, "its example is no JSON:", params ? method->example_result : method->example);
    if (!params_read(method->params, params, bound, &why))
        return wrong(err, method, "its example is refused:", why.say);
    return true;
}

static bool row_fits(const struct method *method, struct err *err)
{
    AUTO(buf_free) struct buf schema = {0};
    if (!method->handler == !method->sql)
        return wrong(err, method, "wants either a handler or a query", "");
    if (method->sql && !query_fits(method, err))
        return false;
    if (!method->result || !shape_schema(&schema, method->result, false, err))
        return wrong(err, method, "its result has no readable shape:", method->result ? err->log : "");
    return example_fits(method, err);
}

bool rpc_check(const struct method *const *tables, struct err *err)
{
    for (const struct method *const *table = tables; *table; table++)
        for (const struct method *method = *table; method->name; method++) {
            if (!row_fits(method, err))
                return false;
            for (const struct method *const *other = tables; other <= table; other++)
                for (const struct method *m = *other; m->name && m != method; m++)
                    if (!strcmp(m->name, method->name))
                        return wrong(err, method, "stands twice:", m->name);
        }
    return true;
}
