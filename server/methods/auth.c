/* auth.c - logging in, staying in, leaving: what changes who a socket is. */
#include "server/rpc/method.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define PASSWORD(struct_, member_, ...) PARAM(TEXT, struct_, member_, .bytes = true, .secret = true, __VA_ARGS__)

struct login_params {
    const char *institution_id, *password;
};
static const struct param login_spec[] = {
    PARAM(TEXT, struct login_params, institution_id, .min = 1, .max = 200),
    PASSWORD(struct login_params, password, .min = 1, .max = 1024),
    {0},
};

struct resume_params {
    const char *token;
};
static const struct param resume_spec[] = {
    PASSWORD(struct resume_params, token, .min = 1, .max = 4000),
    {0},
};

struct logout_params {
    bool everywhere;
};
static const struct param logout_spec[] = {
    PARAM(BOOL, struct logout_params, everywhere, .optional = true),
    {0},
};

struct change_params {
    const char *old_password, *new_password;
};
static const struct param change_spec[] = {
    PASSWORD(struct change_params, old_password, .min = 1, .max = 1024),
    PASSWORD(struct change_params, new_password, .min = 8, .max = 72),
    {0},
};

/* {"error": {"reason": ..., "message": ..., ...}}: what the database refuses and yet wants remembered. */
static bool refused(struct call *call, const cJSON *json, struct err *err)
{
    const cJSON *error = json_get(json, "error");
    if (!error)
        return false;
    call->commit_anyway = true;
    err_say(err, err_from_reason(json_text(error, "reason", "")), "%s", json_text(error, "message", ""));
    err->retry_after_ms = (long)json_int(error, "retry_after_ms", 0);
    snprintf(err->field, sizeof err->field, "%s", json_text(error, "field", ""));
    return true;
}

/* The first column of the first row, read as JSON; NULL with `err` where the query failed, *none where it
 * gave SQL null. */
static cJSON *ask(struct call *call, enum query query, const struct bind *values, size_t count, bool *none,
                  struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_query(call->tx, query, values, count, &rows, err))
        return NULL;
    const char *text = rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    if (!text) {
        *none = true;
        return NULL;
    }
    return json_parse(text, strlen(text), err);
}

static bool already(struct call *call, struct err *err)
{
    if (!call->caller.user_id[0])
        return false;
    err_say(err, ERR_CONFLICT, "You are logged in here already. Log out first.");
    return true;
}

static void write_user(struct buf *out, const cJSON *json)
{
    buf_json_key(out, "user");
    json_write(out, json_get(json, "user"));
}

static bool login(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct login_params *p = params;
    bool none = false;
    if (already(call, err))
        return false;
    const struct bind binds[] = {BIND_TEXT(p->institution_id), BIND_TEXT(p->password), BIND_TEXT(call->caller.address)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_LOGIN, binds, COUNT_OF(binds), &none, err);
    if (!json || refused(call, json, err))
        return false;
    const char *token = json_text(json, "token", ""), *expires_at = json_text(json, "expires_at", "");
    call_authenticated(call, token, json_get(json, "user"), json_text(json, "sid", ""), expires_at);
    buf_json_open(result, '{');
    buf_json_member(result, "token", token);
    buf_json_member(result, "expires_at", expires_at);
    write_user(result, json);
    buf_json_close(result, '}');
    return true;
}

/* The sentence is also the reason that a socket is closed with. */
static bool say_why(struct call *call, const char *token, struct err *err)
{
    static const struct {
        const char *word, *sentence;
    } ends[] = {
        {"expired", "The token has expired. Please log in again."},
        {"revoked", "The token was revoked. Please log in again."},
        {"disabled", "The account is disabled. Please ask your school."},
    };
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(call->tx, SQL_AUTH_TOKEN_END, &rows, err, BIND_TEXT(token)))
        return false;
    const char *word = rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    for (size_t i = 0; i < COUNT_OF(ends); i++)
        if (word && !strcmp(word, ends[i].word))
            return err_say(err, ERR_UNAUTHENTICATED, "%s", ends[i].sentence);
    return err_say(err, ERR_UNAUTHENTICATED, "The token is bad. Please log in again.");
}

static bool resume(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct resume_params *p = params;
    bool none = false;
    if (already(call, err))
        return false;
    const struct bind binds[] = {BIND_TEXT(p->token)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_RESUME, binds, COUNT_OF(binds), &none, err);
    if (none)
        return say_why(call, p->token, err);
    if (!json)
        return false;
    const char *expires_at = json_text(json, "expires_at", "");
    call_authenticated(call, p->token, json_get(json, "user"), json_text(json, "sid", ""), expires_at);
    buf_json_open(result, '{');
    buf_json_member(result, "expires_at", expires_at);
    write_user(result, json);
    buf_json_close(result, '}');
    return true;
}

/* A new token for the person who is here already. */
static bool renewed(struct call *call, const cJSON *json, struct buf *result)
{
    AUTO(json_freep) cJSON *user = cJSON_CreateObject();
    const char *token = json_text(json, "token", ""), *expires_at = json_text(json, "expires_at", "");
    cJSON_AddStringToObject(user, "user_id", call->caller.user_id);
    cJSON_AddStringToObject(user, "institution_id", call->caller.institution_id);
    cJSON_AddStringToObject(user, "name", call->caller.name);
    cJSON_AddStringToObject(user, "role", call->caller.role);
    call_authenticated(call, token, user, json_text(json, "sid", ""), expires_at);
    buf_json_open(result, '{');
    buf_json_member(result, "token", token);
    buf_json_member(result, "expires_at", expires_at);
    buf_json_close(result, '}');
    return true;
}

static bool refresh(struct call *call, const void *params, struct buf *result, struct err *err)
{
    bool none = false;
    (void)params;
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_REFRESH, NULL, 0, &none, err);
    return json && !refused(call, json, err) && renewed(call, json, result);
}

static bool change_password(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct change_params *p = params;
    bool none = false;
    const struct bind binds[] = {BIND_TEXT(p->old_password), BIND_TEXT(p->new_password)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_CHANGE_PASSWORD, binds, COUNT_OF(binds), &none, err);
    return json && !refused(call, json, err) && renewed(call, json, result);
}

static bool logout(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct logout_params *p = params;
    if (!tx_run(call->tx, SQL_AUTH_LOGOUT, NULL, err, BIND_TEXT(p->everywhere ? "true" : "false")))
        return false;
    call_close(call, "logged out");
    buf_text(result, "{}");
    return true;
}

#define USER_SCHEMA \
    "{\"type\":\"object\",\"required\":[\"user_id\",\"institution_id\",\"name\",\"role\",\"avatar\",\"plain\"]}"

const struct method methods_auth[] = {
    {.name = "auth.login",
     .summary = "Log in with the school's number and a password.",
     .access = ACCESS_ANYONE,
     .lane = LANE_LOGIN,
     .cost = COST_ONE,
     .params = login_spec,
     .params_size = sizeof(struct login_params),
     .handler = login,
     .exclusive = true,
     .result =
         "{\"type\":\"object\",\"required\":[\"token\",\"expires_at\",\"user\"],\"properties\":{\"user\":" USER_SCHEMA
         "}}"},
    {.name = "auth.resume",
     .summary = "Go on with a token from before.",
     .access = ACCESS_ANYONE,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = resume_spec,
     .params_size = sizeof(struct resume_params),
     .handler = resume,
     .exclusive = true,
     .result =
         "{\"type\":\"object\",\"required\":[\"expires_at\",\"user\"],\"properties\":{\"user\":" USER_SCHEMA "}}"},
    {.name = "auth.refresh",
     .summary = "A new token for the old one.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .handler = refresh,
     .exclusive = true,
     .result = "{\"type\":\"object\",\"required\":[\"token\",\"expires_at\"]}"},
    {.name = "auth.logout",
     .summary = "End this login, or all of yours.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = logout_spec,
     .params_size = sizeof(struct logout_params),
     .handler = logout,
     .result = "{\"type\":\"object\"}"},
    {.name = "auth.whoami",
     .summary = "Who you are here.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .sql = SQL_AUTH_WHOAMI,
     .result = USER_SCHEMA},
    {.name = "auth.change_password",
     .summary = "Choose a new password; other logins of yours end.",
     .access = ACCESS_USER,
     .lane = LANE_LOGIN,
     .cost = COST_ONE,
     .params = change_spec,
     .params_size = sizeof(struct change_params),
     .handler = change_password,
     .exclusive = true,
     .result = "{\"type\":\"object\",\"required\":[\"token\",\"expires_at\"]}"},
    {0},
};
