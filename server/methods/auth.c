/* auth.c - logging in, staying in, leaving: what changes who a socket is. */
#include "server/methods/shapes.h"
#include "server/rpc/method.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"

#define LOGIN_PARAMS(P, S)                                                               \
    P(S, TEXT, institution_id, REQUIRED, .min = 1, .max = 200)                           \
    P(S, TEXT, password, REQUIRED, .bytes = true, .secret = true, .min = 1, .max = 1024) \
    P(S, TEXT, device, OPTIONAL, .bytes = true, .secret = true, .min = 1, .max = 200)    \
    P(S, TEXT, device_name, OPTIONAL, .min = 1, .max = 64)
METHOD_PARAMS(login, LOGIN_PARAMS);

#define DEVICE_PARAMS(P, S) P(S, UUID, device_id, REQUIRED)
METHOD_PARAMS(device, DEVICE_PARAMS);

#define RESUME_PARAMS(P, S) P(S, TEXT, token, REQUIRED, .bytes = true, .secret = true, .min = 1, .max = 4000)
METHOD_PARAMS(resume, RESUME_PARAMS);

#define LOGOUT_PARAMS(P, S) P(S, BOOL, everywhere, OPTIONAL)
METHOD_PARAMS(logout, LOGOUT_PARAMS);

#define CHANGE_PARAMS(P, S)                                                                  \
    P(S, TEXT, old_password, REQUIRED, .bytes = true, .secret = true, .min = 1, .max = 1024) \
    P(S, TEXT, new_password, REQUIRED, .bytes = true, .secret = true, .min = 8, .max = 72)
METHOD_PARAMS(change, CHANGE_PARAMS);

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

METHOD_HANDLER(login, login)
{
    bool none = false;
    if (already(call, err))
        return false;
    const struct bind binds[] = {BIND_TEXT(params->institution_id), BIND_TEXT(params->password),
                                 BIND_TEXT(call->caller.address), BIND_TEXT(params->device),
                                 BIND_TEXT(params->device_name)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_LOGIN, binds, COUNT_OF(binds), &none, err);
    if (!json || refused(call, json, err))
        return false;
    const char *token = json_text(json, "token", ""), *expires_at = json_text(json, "expires_at", "");
    call_authenticated(call, token, json_get(json, "user"), json_text(json, "sid", ""), expires_at);
    buf_json_open(result, '{');
    buf_json_member(result, "token", token);
    buf_json_member(result, "expires_at", expires_at);
    buf_json_member(result, "device", json_text(json, "device", ""));
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

METHOD_HANDLER(resume, resume)
{
    bool none = false;
    if (already(call, err))
        return false;
    const struct bind binds[] = {BIND_TEXT(params->token)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_RESUME, binds, COUNT_OF(binds), &none, err);
    if (none)
        return say_why(call, params->token, err);
    if (!json)
        return false;
    const char *expires_at = json_text(json, "expires_at", "");
    call_authenticated(call, params->token, json_get(json, "user"), json_text(json, "sid", ""), expires_at);
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

METHOD_HANDLER(refresh, none)
{
    bool none = false;
    (void)params;
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_REFRESH, NULL, 0, &none, err);
    return json && !refused(call, json, err) && renewed(call, json, result);
}

METHOD_HANDLER(change_password, change)
{
    bool none = false;
    const struct bind binds[] = {BIND_TEXT(params->old_password), BIND_TEXT(params->new_password)};
    AUTO(json_freep) cJSON *json = ask(call, SQL_AUTH_CHANGE_PASSWORD, binds, COUNT_OF(binds), &none, err);
    return json && !refused(call, json, err) && renewed(call, json, result);
}

METHOD_HANDLER(logout, logout)
{
    if (!tx_run(call->tx, SQL_AUTH_LOGOUT, NULL, err, BIND_TEXT(params->everywhere ? "true" : "false")))
        return false;
    call_close(call, "logged out");
    buf_text(result, "{}");
    return true;
}

const struct method methods_auth[] = {
    {METHOD_CALL("auth.login", login, login), .summary = "Log in with the school's number and a password.",
     .description = "The socket is that person's from here on; on one that is somebody's already it is a conflict. A "
                    "wrong number and a wrong password can't be told apart. After several failures the reply is "
                    "rate_limited with retry_after_ms. Whoever keeps `device` and sends it the next time does not "
                    "wait for what others typed: it proves nothing, its own failures count, and to anybody else it "
                    "is worth nothing. device_name is what auth.devices calls it.",
     .access = ACCESS_ANYONE, .lane = LANE_LOGIN, .cost = COST_ONE, .exclusive = true,
     .result = "{token: text, expires_at: time, device: text, user: " SHAPE_USER "}",
     .example = "{'institution_id': 's1024', 'password': 'amber-57231-canoe-linen'}",
     .example_result = "{'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl', 'expires_at': "
                       "'2026-11-23T21:00:00.000Z', 'device': 'pJ9mVZ0kq2cJ6sX3uT1yB7wE5hN8aL4dR0fG2iK6oQs', 'user': "
                       "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': "
                       "'s1024', 'name': 'Maria Okafor', 'role': 'student', 'avatar': '', 'plain': false}}"},
    {METHOD_CALL("auth.resume", resume, resume), .summary = "Go on with a token from before.",
     .description = "For a client that cannot send the token with the handshake. A bad token is unauthenticated, "
                    "and the socket stays open.",
     .access = ACCESS_ANYONE, .lane = LANE_QUICK, .cost = COST_ONE, .exclusive = true,
     .result = "{expires_at: time, user: " SHAPE_USER "}",
     .example = "{'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl'}",
     .example_result =
         "{'expires_at': '2026-11-23T21:00:00.000Z', 'user': {'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', "
         "'institution_id': 's1024', 'name': 'Maria Okafor', 'role': 'student', 'avatar': '', 'plain': false}}"},
    {METHOD_CALL("auth.refresh", none, refresh), .summary = "A new token for the old one.",
     .description = "The old token is dead at once, on every node.", .access = ACCESS_USER, .lane = LANE_QUICK,
     .cost = COST_ONE, .exclusive = true, .result = "{token: text, expires_at: time}", .example = "{}",
     .example_result = "{'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl', 'expires_at': "
                       "'2026-11-23T21:00:00.000Z'}"},
    {METHOD_CALL("auth.logout", logout, logout), .summary = "End this login, or all of yours.",
     .description = "The reply is followed by close code 4401. With everywhere all tokens of the person are dead.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'everywhere': false}", .example_result = "{}"},
    {METHOD_QUERY("auth.whoami", none, SQL_AUTH_WHOAMI), .summary = "Who you are here.", .access = ACCESS_USER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_USER, .example = "{}",
     .example_result = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
                       "Okafor', 'role': 'student', 'avatar': '', 'plain': false}"},
    {METHOD_QUERY("auth.devices", none, SQL_AUTH_DEVICES), .summary = "Where you have logged in before.",
     .description = "Twenty at most, the latest first. A login from one of them does not wait for what others typed.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{items: [{device_id: uuid, name: text, last_used_at: time, address: text | null}]}", .example = "{}",
     .example_result = "{'items': [{'device_id': '7c9e6679-7425-40de-944b-e07fc1f90ae7', 'name': 'library-12', "
                       "'last_used_at': '2026-11-23T09:00:00.000Z', 'address': '192.0.2.7'}]}"},
    {METHOD_QUERY("auth.forget_device", device, SQL_AUTH_FORGET_DEVICE), .summary = "Know one of your devices no more.",
     .description = "The next login there is one from anywhere. Its logins go on: auth.logout ends them.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'device_id': '7c9e6679-7425-40de-944b-e07fc1f90ae7'}", .example_result = "{}"},
    {METHOD_CALL("auth.change_password", change, change_password),
     .summary = "Choose a new password; other logins of yours end.",
     .description = "8 to 72 bytes. A wrong old password counts like a failed login.", .access = ACCESS_USER,
     .lane = LANE_LOGIN, .cost = COST_ONE, .exclusive = true, .result = "{token: text, expires_at: time}",
     .example = "{'old_password': 'amber-57231-canoe-linen', 'new_password': 'a better one of my own'}",
     .example_result = "{'token': 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJtYXJpYSJ9.c2lnbmF0dXJl', 'expires_at': "
                       "'2026-11-23T21:00:00.000Z'}"},
    {0},
};
