/* courses.c - courses and who is in them. The queries are the methods. */
#include "server/rpc/method.h"

#define COURSE_SCHEMA \
    "{\"type\":\"object\",\"required\":[\"course_id\",\"code\",\"title\",\"teacher\",\"members\",\"documents\"]}"
#define ITEMS_SCHEMA "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"

struct list_params {
    int64_t limit;
    const char *cursor;
};
static const struct param list_spec[] = {PARAMS_LIST(struct list_params), {0}};

struct members_params {
    const char *course_id;
    int64_t limit;
    const char *cursor;
};
static const struct param members_spec[] = {
    PARAM(UUID, struct members_params, course_id, .optional = false),
    PARAMS_LIST(struct members_params),
    {0},
};

struct create_params {
    const char *code, *title;
};
static const struct param create_spec[] = {
    PARAM(TEXT, struct create_params, code, .min = 1, .max = 40),
    PARAM(TEXT, struct create_params, title, .min = 1, .max = 200),
    {0},
};

struct update_params {
    const char *course_id, *code, *title;
    int64_t chat_ttl_seconds;
};
static const struct param update_spec[] = {
    PARAM(UUID, struct update_params, course_id, .optional = false),
    PARAM(TEXT, struct update_params, code, .optional = true, .min = 1, .max = 40),
    PARAM(TEXT, struct update_params, title, .optional = true, .min = 1, .max = 200),
    PARAM(INT, struct update_params, chat_ttl_seconds, .optional = true, .min = 1, .max = 34560000),
    {0},
};

struct one_params {
    const char *course_id;
};
static const struct param one_spec[] = {
    PARAM(UUID, struct one_params, course_id, .optional = false),
    {0},
};

struct enrol_params {
    const char *course_id;
    const cJSON *institution_ids;
};
static const struct param enrol_spec[] = {
    PARAM(UUID, struct enrol_params, course_id, .optional = false),
    PARAM(TEXTS, struct enrol_params, institution_ids, .min = 1, .max = 1000),
    {0},
};

const struct method methods_courses[] = {
    {.name = "courses.list",
     .summary = "Your courses.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = list_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_COURSES_LIST,
     .result = ITEMS_SCHEMA},
    {.name = "courses.members",
     .summary = "Who is in a course of yours.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = members_spec,
     .params_size = sizeof(struct members_params),
     .sql = SQL_COURSES_MEMBERS,
     .result = ITEMS_SCHEMA},
    {.name = "courses.create",
     .summary = "Begin a course.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = create_spec,
     .params_size = sizeof(struct create_params),
     .sql = SQL_COURSES_CREATE,
     .result = COURSE_SCHEMA},
    {.name = "courses.update",
     .summary = "Change a course's code, title or how long its chat stays.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = update_spec,
     .params_size = sizeof(struct update_params),
     .sql = SQL_COURSES_UPDATE,
     .result = COURSE_SCHEMA},
    {.name = "courses.delete",
     .summary = "Delete a course.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = one_spec,
     .params_size = sizeof(struct one_params),
     .sql = SQL_COURSES_DELETE,
     .result = "{\"type\":\"object\"}"},
    {.name = "courses.enrol",
     .summary = "Take people into a course, by their school numbers.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = enrol_spec,
     .params_size = sizeof(struct enrol_params),
     .sql = SQL_COURSES_ENROL,
     .result = "{\"type\":\"object\",\"required\":[\"changed\",\"unknown\"]}"},
    {.name = "courses.unenrol",
     .summary = "Take people out of a course, by their school numbers.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = enrol_spec,
     .params_size = sizeof(struct enrol_params),
     .sql = SQL_COURSES_UNENROL,
     .result = "{\"type\":\"object\",\"required\":[\"changed\",\"unknown\"]}"},
    {0},
};
