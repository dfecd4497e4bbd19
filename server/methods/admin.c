/* admin.c - what teachers and admins look up about the school. */
#include <string.h>

#include "common/mem.h"
#include "server/memory/memory.h"
#include "server/methods/shapes.h"
#include "server/models/models.h"
#include "server/retrieval/embed.h"
#include "server/rpc/method.h"

#define AUDIT_PARAMS(P, S) PARAMS_LIST(P, S)
METHOD_PARAMS(audit, AUDIT_PARAMS);

#define STUDENTS_PARAMS(P, S)                             \
    P(S, TEXT, query, OPTIONAL, .line = true, .max = 200) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(students, STUDENTS_PARAMS);

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
METHOD_HANDLER(stats, none)
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

#define HEALTH "{provider: text, model: text, reachable: bool, stand_in: text | null}"

const struct method methods_admin[] = {
    {METHOD_CALL("admin.stats", none, stats), .summary = "Figures of the school, and how its services are.",
     .description = "jobs counts them by state; searches are those of the last fourteen days.", .access = ACCESS_ADMIN,
     .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{users: {total: int, students: int, teachers: int, admins: int, disabled: int}, courses: int, "
               "documents: int, indexed: int, chunks: int, jobs: object, searches: [{day: text, searches: int}], "
               "online: int, nodes: int, embeddings: {model: text | null, documents: int, done: int, failed: int}, "
               "memory: {facts: int, pending: int, failed: int, erasures: int}, providers: {generation: " HEALTH
               ", embeddings: " HEALTH ", memory: " HEALTH "}}",
     .example = "{}",
     .example_result =
         "{'users': {'total': 30, 'students': 27, 'teachers': 2, 'admins': 1, 'disabled': 0}, 'courses': 2, "
         "'documents': 14, 'indexed': 13, 'chunks': 1584, 'jobs': {'indexed': 13, 'failed': 1}, 'searches': [{'day': "
         "'2026-11-23', 'searches': 412}], 'online': 12, 'nodes': 1, 'embeddings': {'model': 'builtin-1', 'documents': "
         "13, 'done': 13, 'failed': 0}, 'memory': {'facts': 900, 'pending': 0, 'failed': 0, 'erasures': 0}, "
         "'providers': {'generation': {'provider': 'extractive', 'model': '', 'reachable': true, 'stand_in': null}, "
         "'embeddings': {'provider': 'builtin', 'model': '', 'reachable': true, 'stand_in': null}, 'memory': "
         "{'provider': 'builtin', 'model': '', 'reachable': true, 'stand_in': null}}}"},
    {METHOD_QUERY("admin.audit", audit, SQL_ADMIN_AUDIT), .summary = "Who did what to people and access.",
     .description = "Newest first.", .access = ACCESS_ADMIN, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = SHAPE_LIST("{at: time, actor: text | null, action: "
                          "text, target: text | null, detail: any}"),
     .example = "{'limit': 50}",
     .example_result = "{'items': [{'at': '2026-11-23T09:00:00.000Z', 'actor': 'a1', 'action': 'users.create', "
                       "'target': 's1024', 'detail': null}], 'next_cursor': null}"},
    {METHOD_QUERY("admin.students", students, SQL_ADMIN_STUDENTS),
     .summary = "The students of your courses, and how they work.", .access = ACCESS_TEACHER, .lane = LANE_QUICK,
     .cost = COST_ONE,
     .result = SHAPE_LIST("{user_id: uuid, institution_id: text, "
                          "name: text, searches: int, facts: "
                          "int, last_active_at: time | null}"),
     .example = "{'query': 'okafor'}",
     .example_result =
         "{'items': [{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
         "Okafor', 'searches': 17, 'facts': 9, 'last_active_at': '2026-11-23T09:00:00.000Z'}], 'next_cursor': null}"},
    {0},
};
