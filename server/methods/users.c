/* users.c - accounts, for admins. The queries are the methods; people's sockets follow by NOTIFY. */
#include "server/methods/lookalike.h"
#include "server/methods/users_import.h"
#include "server/methods/shapes.h"
#include "server/rpc/method.h"

#include "common/mem.h"

#define ROLES "student|teacher|admin"

#define LIST_PARAMS(P, S)                                 \
    P(S, TEXT, query, OPTIONAL, .line = true, .max = 200) \
    P(S, TEXT, role, OPTIONAL, .one_of = ROLES)           \
    PARAMS_LIST(P, S)
METHOD_PARAMS(list, LIST_PARAMS);

#define CREATE_PARAMS(P, S)                                   \
    P(S, TEXT, institution_id, REQUIRED, .min = 1, .max = 64) \
    P(S, TEXT, name, REQUIRED, .min = 1, .max = 200)          \
    P(S, TEXT, role, REQUIRED, .one_of = ROLES)               \
    P(S, TEXT, password, OPTIONAL, .bytes = true, .secret = true, .min = 8, .max = 72)
METHOD_PARAMS(create, CREATE_PARAMS);

#define UPDATE_PARAMS(P, S)                          \
    P(S, UUID, user_id, REQUIRED)                    \
    P(S, TEXT, name, OPTIONAL, .min = 1, .max = 200) \
    P(S, TEXT, role, OPTIONAL, .one_of = ROLES)      \
    P(S, BOOL_GIVEN, disabled, OPTIONAL)
METHOD_PARAMS(update, UPDATE_PARAMS);

#define ONE_PARAMS(P, S) P(S, UUID, user_id, REQUIRED)
METHOD_PARAMS(one, ONE_PARAMS);

#define IMPORT_PARAMS(P, S)                                                            \
    P(S, TEXT, csv, REQUIRED, .bytes = true, .min = 1, .max = USERS_IMPORT_BYTES_MOST) \
    P(S, BOOL, partial, OPTIONAL)
METHOD_PARAMS(import, IMPORT_PARAMS);

static bool answer(struct call *call, enum query query, const struct bind *binds, size_t count, struct buf *result,
                   struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_query(call->tx, query, binds, count, &rows, err))
        return false;
    buf_text(result, rows_text(rows, 0, 0));
    return true;
}

METHOD_HANDLER(create, create)
{
    AUTO(mem_freep) char *number = lookalike_number(params->institution_id), *name = lookalike_name(params->name);
    const struct bind binds[] = {BIND_TEXT(params->institution_id), BIND_TEXT(params->name), BIND_TEXT(params->role),
                                 BIND_TEXT(params->password),       BIND_TEXT(number),       BIND_TEXT(name)};
    return answer(call, SQL_USERS_CREATE, binds, COUNT_OF(binds), result, err);
}

METHOD_HANDLER(update, update)
{
    AUTO(mem_freep) char *name = lookalike_name(params->name);
    const char *disabled = !params->disabled_given ? NULL : params->disabled ? "true" : "false";
    const struct bind binds[] = {BIND_TEXT(params->user_id), BIND_TEXT(params->name), BIND_TEXT(params->role),
                                 BIND_TEXT(disabled), BIND_TEXT(name)};
    return answer(call, SQL_USERS_UPDATE, binds, COUNT_OF(binds), result, err);
}

METHOD_HANDLER(import, import)
{
    return users_import(call, params->csv, params->partial, result, err);
}

#define QUOTA_PARAMS(P, S)        \
    P(S, UUID, user_id, REQUIRED) \
    P(S, INT, bytes, REQUIRED, .min = 0, .max = INT64_C(1099511627776))
METHOD_PARAMS(quota, QUOTA_PARAMS);

const struct method methods_users[] = {
    {METHOD_QUERY("users.list", list, SQL_USERS_LIST), .summary = "The accounts of this school.",
     .description = "By school number; query finds a part of the name or number.", .access = ACCESS_ADMIN,
     .lane = LANE_QUICK, .cost = COST_ONE,
     .result = SHAPE_LIST("{" SHAPE_USER_MEMBERS ", disabled: bool, created_at: time, last_active_at: time | null}"),
     .example = "{'query': 'okafor', 'limit': 50}",
     .example_result = "{'items': [{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', "
                       "'name': 'Maria Okafor', 'role': 'student', 'avatar': '', 'plain': false, 'disabled': false, "
                       "'created_at': '2026-11-23T09:00:00.000Z', 'last_active_at': null}], 'next_cursor': null}"},
    {METHOD_CALL("users.create", create, create), .summary = "Make an account; without a password one is thought up.",
     .description =
         "The password that was thought up is shown this once; where one was given it is null. A number "
         "that is taken is a conflict; a number or a name that only looks like somebody else's is invalid_params.",
     .access = ACCESS_ADMIN, .lane = LANE_LOGIN, .cost = COST_ONE,
     .result = "{user: " SHAPE_USER ", password: text | null}",
     .example = "{'institution_id': 's1024', 'name': 'Maria Okafor', 'role': 'student'}",
     .example_result =
         "{'user': {'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
         "Okafor', 'role': 'student', 'avatar': '', 'plain': false}, 'password': 'amber-57231-canoe-linen'}"},
    {METHOD_CALL("users.import", import, import),
     .summary = "Make the accounts of a list: lines of institution_id,name,role.",
     .description = "At most 1,000 people. All or nothing, unless partial; who is known already is skipped. "
                    "users.progress tells how far it is.",
     .access = ACCESS_ADMIN, .lane = LANE_SLOW, .cost = COST_ONE,
     .result =
         "{created: [{institution_id: text, password: text}], skipped: int, errors: [{line: int, message: text}]}",
     .example = "{'csv': 'institution_id,name,role\\ns1024,Maria Okafor,student'}",
     .example_result = "{'created': [{'institution_id': 's1024', 'password': 'amber-57231-canoe-linen'}], 'skipped': "
                       "0, 'errors': []}"},
    {METHOD_CALL("users.update", update, update), .summary = "Change an account's name or role, or disable it.",
     .description = "The sockets of somebody who is disabled close at once, on every node.", .access = ACCESS_ADMIN,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_USER,
     .example = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'disabled': true}",
     .example_result = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
                       "Okafor', 'role': 'student', 'avatar': '', 'plain': false}"},
    {METHOD_QUERY("users.reset_password", one, SQL_USERS_RESET_PASSWORD),
     .summary = "A new password for an account; its logins end.", .description = "Shown this once.",
     .access = ACCESS_ADMIN, .lane = LANE_LOGIN, .cost = COST_ONE, .result = "{password: text}",
     .example = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11'}",
     .example_result = "{'password': 'amber-57231-canoe-linen'}"},
    {METHOD_QUERY("users.quota", quota, SQL_USERS_QUOTA),
     .summary = "Give a person another share of the library's disk.", .access = ACCESS_ADMIN, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'bytes': 10737418240}", .example_result = "{}"},
    {METHOD_QUERY("users.delete", one, SQL_USERS_DELETE), .summary = "Delete a person and all that is kept on them.",
     .description = "Their documents stay, without a name. It can't be undone.", .access = ACCESS_ADMIN,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11'}", .example_result = "{}"},
    {0},
};
