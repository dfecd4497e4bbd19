/* admin.c - what teachers and admins look up about the school. */
#include <string.h>

#include "common/mem.h"
#include "server/memory/memory.h"
#include "server/models/models.h"
#include "server/retrieval/embed.h"
#include "server/rpc/method.h"

struct audit_params {
    int64_t limit;
    const char *cursor;
};
static const struct param audit_spec[] = {PARAMS_LIST(struct audit_params), {0}};

struct students_params {
    const char *query;
    int64_t limit;
    const char *cursor;
};
static const struct param students_spec[] = {
    PARAM(TEXT, struct students_params, query, .optional = true, .max = 200),
    PARAMS_LIST(struct students_params),
    {0},
};

/* `stand_in`: who answers where the service does not; NULL: nobody has to. */
static void write_health(struct buf *result, const char *name, const struct models_health *health, const char *stand_in)
{
    buf_json_key(result, name);
    buf_json_open(result, '{');
    buf_json_member(result, "provider", health->provider);
    buf_json_member(result, "model", health->model);
    buf_json_member_bool(result, "reachable", health->reachable);
    buf_json_member(result, "stand_in", stand_in);
    buf_json_close(result, '}');
}

/* What the database counts, and how the services are that this node asks. */
static bool stats(struct call *call, const void *params, struct buf *result, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct models_health generation, embeddings;
    struct embed_model built_in;
    (void)params;
    if (!tx_run0(call->tx, SQL_ADMIN_STATS, &rows, err))
        return false;
    AUTO(json_freep) cJSON *counted = json_parse(rows_text(rows, 0, 0), strlen(rows_text(rows, 0, 0)), err);
    if (!counted)
        return false;
    models_health(&generation, &embeddings);
    buf_json_open(result, '{');
    const cJSON *member;
    cJSON_ArrayForEach (member, counted) {
        buf_json_key(result, member->string);
        json_write(result, member);
    }
    buf_json_key(result, "providers");
    buf_json_open(result, '{');
    bool fitted = embed_stand_in(&built_in);
    write_health(result, "generation", &generation, models_generator() ? "extractive" : NULL);
    write_health(result, "embeddings", &embeddings, !models_embedder() ? NULL : fitted ? built_in.name : "words");
    write_health(result, "memory", &(struct models_health){memory_provider(), "", memory_reachable()},
                 memory_hindsight() ? "builtin" : NULL);
    buf_json_close(result, '}');
    buf_json_close(result, '}');
    return true;
}

const struct method methods_admin[] = {
    {.name = "admin.stats",
     .summary = "Figures of the school, and how its services are.",
     .access = ACCESS_ADMIN,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .handler = stats,
     .result = "{\"type\":\"object\",\"required\":[\"users\",\"documents\",\"chunks\",\"jobs\",\"searches\",\"online\","
               "\"embeddings\",\"memory\",\"providers\"]}"},
    {.name = "admin.audit",
     .summary = "Who did what to people and access.",
     .access = ACCESS_ADMIN,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = audit_spec,
     .params_size = sizeof(struct audit_params),
     .sql = SQL_ADMIN_AUDIT,
     .result = "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"},
    {.name = "admin.students",
     .summary = "The students of your courses, and how they work.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = students_spec,
     .params_size = sizeof(struct students_params),
     .sql = SQL_ADMIN_STUDENTS,
     .result = "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"},
    {0},
};
