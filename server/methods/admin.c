/* admin.c - what teachers and admins look up about the school. */
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

const struct method methods_admin[] = {
    {.name = "admin.audit", .summary = "Who did what to people and access.", .access = ACCESS_ADMIN,
     .lane = LANE_QUICK, .cost = COST_ONE, .params = audit_spec, .params_size = sizeof(struct audit_params),
     .sql = SQL_ADMIN_AUDIT, .result = "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"},
    {.name = "admin.students", .summary = "The students of your courses, and how they work.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .params = students_spec,
     .params_size = sizeof(struct students_params), .sql = SQL_ADMIN_STUDENTS,
     .result = "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"},
    {0},
};
