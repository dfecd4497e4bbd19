/* courses.c - courses and who is in them. The queries are the methods. */
#include "server/methods/shapes.h"
#include "server/rpc/method.h"

#define LIST_PARAMS(P, S) PARAMS_LIST(P, S)
METHOD_PARAMS(list, LIST_PARAMS);

#define MEMBERS_PARAMS(P, S)        \
    P(S, UUID, course_id, REQUIRED) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(members, MEMBERS_PARAMS);

#define CREATE_PARAMS(P, S)                                       \
    P(S, TEXT, code, REQUIRED, .line = true, .min = 1, .max = 40) \
    P(S, TEXT, title, REQUIRED, .line = true, .min = 1, .max = 200)
METHOD_PARAMS(create, CREATE_PARAMS);

#define UPDATE_PARAMS(P, S)                                         \
    P(S, UUID, course_id, REQUIRED)                                 \
    P(S, TEXT, code, OPTIONAL, .line = true, .min = 1, .max = 40)   \
    P(S, TEXT, title, OPTIONAL, .line = true, .min = 1, .max = 200) \
    P(S, INT, chat_ttl_seconds, OPTIONAL, .min = 1, .max = 34560000)
METHOD_PARAMS(update, UPDATE_PARAMS);

#define ONE_PARAMS(P, S) P(S, UUID, course_id, REQUIRED)
METHOD_PARAMS(one, ONE_PARAMS);

#define ENROL_PARAMS(P, S)          \
    P(S, UUID, course_id, REQUIRED) \
    P(S, TEXTS, institution_ids, REQUIRED, .min = 1, .max = 1000)
METHOD_PARAMS(enrol, ENROL_PARAMS);

const struct method methods_courses[] = {
    {METHOD_QUERY("courses.list", list, SQL_COURSES_LIST), .summary = "Your courses.",
     .description = "Those one is in or teaches; an admin sees all.", .access = ACCESS_USER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_LIST(SHAPE_COURSE), .example = "{'limit': 50}",
     .example_result = "{'items': [{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'code': 'BIO101', 'title': "
                       "'Biochemistry', 'teacher': 'D. Novak', 'members': 28, 'documents': 12}], 'next_cursor': null}"},
    {METHOD_QUERY("courses.members", members, SQL_COURSES_MEMBERS), .summary = "Who is in a course of yours.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_LIST(SHAPE_USER),
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f'}",
     .example_result =
         "{'items': [{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
         "Okafor', 'role': 'student', 'avatar': '', 'plain': false}], 'next_cursor': null}"},
    {METHOD_QUERY("courses.create", create, SQL_COURSES_CREATE), .summary = "Begin a course.",
     .description = "The caller teaches it. A code that they use already is a conflict.", .access = ACCESS_TEACHER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_COURSE,
     .example = "{'code': 'BIO101', 'title': 'Biochemistry'}",
     .example_result = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'code': 'BIO101', 'title': "
                       "'Biochemistry', 'teacher': 'D. Novak', 'members': 0, 'documents': 0}"},
    {METHOD_QUERY("courses.update", update, SQL_COURSES_UPDATE),
     .summary = "Change a course's code, title or how long its chat stays.",
     .description = "chat_ttl_seconds is how long lines of its room stay.", .access = ACCESS_TEACHER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_COURSE,
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'title': 'Biochemistry I'}",
     .example_result = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'code': 'BIO101', 'title': 'Biochemistry "
                       "I', 'teacher': 'D. Novak', 'members': 28, 'documents': 12}"},
    {METHOD_QUERY("courses.delete", one, SQL_COURSES_DELETE), .summary = "Delete a course.",
     .description = "Its documents and its room go with it.", .access = ACCESS_TEACHER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_NOTHING, .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f'}",
     .example_result = "{}"},
    {METHOD_QUERY("courses.enrol", enrol, SQL_COURSES_ENROL),
     .summary = "Take students into a course, by their school numbers.",
     .description = "They are told at once, with the caller's name. Numbers that no student has come back as unknown; "
                    "too many of them are rate_limited.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = "{changed: int, unknown: [text]}",
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'institution_ids': ['s1024', 's1025']}",
     .example_result = "{'changed': 1, 'unknown': ['s1025']}"},
    {METHOD_QUERY("courses.unenrol", enrol, SQL_COURSES_UNENROL),
     .summary = "Take people out of a course, by their school numbers.",
     .description = "Numbers that are not in the course come back as unknown.", .access = ACCESS_TEACHER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = "{changed: int, unknown: [text]}",
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'institution_ids': ['s1024']}",
     .example_result = "{'changed': 1, 'unknown': []}"},
    {METHOD_QUERY("courses.leave", one, SQL_COURSES_LEAVE), .summary = "Leave a course that no admin has put you into.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f'}", .example_result = "{}"},
    {0},
};
