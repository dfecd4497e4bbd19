/* users.c - accounts, for admins. The queries are the methods; people's sockets follow by NOTIFY. */
#include "server/methods/users_import.h"
#include "server/rpc/method.h"

#define ROLES "student|teacher|admin"
#define USER_SCHEMA \
    "{\"type\":\"object\",\"required\":[\"user_id\",\"institution_id\",\"name\",\"role\",\"avatar\",\"plain\"]}"

struct list_params {
    const char *query, *role;
    int64_t limit;
    const char *cursor;
};
static const struct param list_spec[] = {
    PARAM(TEXT, struct list_params, query, .optional = true, .max = 200),
    PARAM(TEXT, struct list_params, role, .optional = true, .one_of = ROLES),
    PARAMS_LIST(struct list_params),
    {0},
};

struct create_params {
    const char *institution_id, *name, *role, *password;
};
static const struct param create_spec[] = {
    PARAM(TEXT, struct create_params, institution_id, .min = 1, .max = 64),
    PARAM(TEXT, struct create_params, name, .min = 1, .max = 200),
    PARAM(TEXT, struct create_params, role, .one_of = ROLES),
    PARAM(TEXT, struct create_params, password, .optional = true, .bytes = true, .secret = true, .min = 8, .max = 72),
    {0},
};

struct update_params {
    const char *user_id, *name, *role;
    bool disabled;
};
static const struct param update_spec[] = {
    PARAM(UUID, struct update_params, user_id, .optional = false),
    PARAM(TEXT, struct update_params, name, .optional = true, .min = 1, .max = 200),
    PARAM(TEXT, struct update_params, role, .optional = true, .one_of = ROLES),
    PARAM(BOOL, struct update_params, disabled, .optional = true),
    {0},
};

struct one_params {
    const char *user_id;
};
static const struct param one_spec[] = {
    PARAM(UUID, struct one_params, user_id, .optional = false),
    {0},
};

static const struct param import_spec[] = {
    PARAM(TEXT, struct users_import_params, csv, .bytes = true, .min = 1, .max = USERS_IMPORT_BYTES_MOST),
    PARAM(BOOL, struct users_import_params, partial, .optional = true),
    {0},
};

const struct method methods_users[] = {
    {.name = "users.list",
     .summary = "The accounts of this school.",
     .access = ACCESS_ADMIN,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = list_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_USERS_LIST,
     .result = "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"},
    {.name = "users.create",
     .summary = "Make an account; without a password one is thought up.",
     .access = ACCESS_ADMIN,
     .lane = LANE_LOGIN,
     .cost = COST_ONE,
     .params = create_spec,
     .params_size = sizeof(struct create_params),
     .sql = SQL_USERS_CREATE,
     .result = "{\"type\":\"object\",\"required\":[\"user\",\"password\"],\"properties\":{\"user\":" USER_SCHEMA "}}"},
    {.name = "users.import",
     .summary = "Make the accounts of a list: lines of institution_id,name,role.",
     .access = ACCESS_ADMIN,
     .lane = LANE_SLOW,
     .cost = COST_ONE,
     .params = import_spec,
     .params_size = sizeof(struct users_import_params),
     .handler = users_import,
     .result = "{\"type\":\"object\",\"required\":[\"created\",\"skipped\",\"errors\"],\"properties\":{"
               "\"created\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"institution_id\","
               "\"password\"]}},"
               "\"skipped\":{\"type\":\"integer\"},"
               "\"errors\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"required\":[\"line\",\"message\"]}}}}"},
    {.name = "users.update",
     .summary = "Change an account's name or role, or disable it.",
     .access = ACCESS_ADMIN,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = update_spec,
     .params_size = sizeof(struct update_params),
     .sql = SQL_USERS_UPDATE,
     .result = USER_SCHEMA},
    {.name = "users.reset_password",
     .summary = "A new password for an account; its logins end.",
     .access = ACCESS_ADMIN,
     .lane = LANE_LOGIN,
     .cost = COST_ONE,
     .params = one_spec,
     .params_size = sizeof(struct one_params),
     .sql = SQL_USERS_RESET_PASSWORD,
     .result = "{\"type\":\"object\",\"required\":[\"password\"]}"},
    {.name = "users.delete",
     .summary = "Delete a person and all that is kept on them.",
     .access = ACCESS_ADMIN,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = one_spec,
     .params_size = sizeof(struct one_params),
     .sql = SQL_USERS_DELETE,
     .result = "{\"type\":\"object\"}"},
    {0},
};
