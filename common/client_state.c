/* client_state.c - the RPC client: what it knows of its connection, its requests, and what the server says. */
#include "common/client_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/client_errors.h"
#include "common/mem.h"

enum { RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 30000 };

/* ---- what the server says ---- */

static void take_reply(struct client *c, const cJSON *message)
{
    int64_t id = json_int(message, "id", 0);
    const cJSON *error = json_get(message, "error"), *result = json_get(message, "result");
    struct err err = {0};
    bool failed = error || !result;
    if (failed)
        client_error(error, &err);
    if (id > 0 && pending_answer(&c->pending, (uint64_t)id, failed ? NULL : result, failed ? &err : NULL))
        c->happened = true;
}

void client_take(struct client *c)
{
    const char *text = c->incoming.data ? c->incoming.data : "";
    if (c->options.on_text && c->options.on_text(c->options.user, text, c->incoming.length)) {
        c->happened = true;
        return;
    }
    struct err err = {0};
    AUTO(json_freep) cJSON *message = json_parse(text, c->incoming.length, &err);
    const char *method = json_text(message, "method", NULL);
    if (!method) {
        take_reply(c, message);
    } else if (c->options.on_notification) {
        c->happened = true;
        c->options.on_notification(c->options.user, method, json_get(message, "params"));
    }
}

/* ---- states ---- */

void client_enter(struct client *c, enum client_state state, const struct err *why)
{
    if (c->state == state && !why)
        return;
    c->state = state;
    c->happened = true;
    if (c->options.on_state)
        c->options.on_state(c->options.user, state, why);
}

void client_fail(struct client *c, const struct err *err)
{
    client_drop_outgoing(c);
    if (pending_fail(&c->pending, err))
        c->happened = true;
}

static void describe(struct client *c)
{
    if (c->trust.refused)
        client_errors_untrusted(&c->why, &c->address, c->trust.pinned[0]);
    else if (c->why.code == ERR_NONE)
        client_errors_gone(&c->why, &c->address, c->state == CLIENT_ONLINE);
}

static int64_t retry_delay(unsigned tries)
{
    int64_t ms = RETRY_FIRST_MS;
    while (tries-- > 1 && ms < RETRY_LAST_MS)
        ms += ms;
    return (ms < RETRY_LAST_MS ? ms : RETRY_LAST_MS) * 1000;
}

void client_drop_lookup(struct client *c)
{
    if (c->lookup)
        client_unwatch(c, c->lookup->fd);
    lookup_free(c->lookup);
    c->lookup = NULL;
    c->next_now = false;
}

void client_ended(struct client *c)
{
    c->wsi = NULL;
    buf_free(&c->incoming);
    /* libwebsockets serves its time-outs before it sleeps, and would sleep on after this one. */
    if (c->context)
        client_wake(c);
    c->next_now = c->context && c->state == CLIENT_CONNECTING && !c->leaving && !c->trust.refused && c->lookup &&
                  c->next_found < c->lookup->count;
    if (c->next_now)
        return;
    client_drop_lookup(c);
    describe(c);
    struct err why = c->last_why = c->why;
    c->why = (struct err){0};
    bool leaving = c->leaving;
    c->leaving = false;
    if (why.code == ERR_UNAUTHENTICATED)
        client_token(c, NULL);
    enum client_state next = CLIENT_OFF;
    if (c->trust.refused)
        next = CLIENT_UNTRUSTED;
    else if (c->options.reconnect && !leaving && why.code != ERR_UNAUTHENTICATED)
        next = CLIENT_WAITING;
    c->tries = leaving ? 0 : c->tries + 1;
    c->retry_at = next == CLIENT_WAITING ? client_now() + retry_delay(c->tries) : 0;
    c->state = next; /* so that a callback which asks again starts a new connection */
    client_fail(c, &why);
    c->happened = true;
    if (c->options.on_state && c->state == next)
        c->options.on_state(c->options.user, next, leaving ? NULL : &why);
}

void client_token(struct client *c, const char *token)
{
    char *copy = token && *token && strlen(token) < STATE_TOKEN ? mem_dup(token) : NULL;
    if (c->token)
        mem_wipe(c->token, strlen(c->token));
    free(c->token);
    c->token = copy;
}

enum client_state client_state(const struct client *c)
{
    return c->state;
}

const struct address *client_address(const struct client *c)
{
    return &c->address;
}

int client_retry_ms(const struct client *c)
{
    int64_t left = c->state == CLIENT_WAITING ? c->retry_at - client_now() : 0;
    return left > 0 ? (int)(left / 1000) : 0;
}

const struct err *client_why(const struct client *c)
{
    return &c->last_why;
}

unsigned client_tries(const struct client *c)
{
    return c->tries;
}

/* ---- the certificate ---- */

const char *client_fingerprint(const struct client *c)
{
    return c->trust.fingerprint;
}

const char *client_pinned(const struct client *c)
{
    return c->trust.pinned;
}

bool client_verified(const struct client *c)
{
    return c->trust.verified;
}

bool client_trust(struct client *c, struct err *err)
{
    if (!trust_keep(&c->trust, err))
        return false;
    client_connect(c);
    return true;
}

/* ---- requests ---- */

uint64_t client_request(struct client *c, const char *method, const char *params, int timeout_ms, client_reply *reply,
                        void *user)
{
    int64_t deadline = timeout_ms > 0 ? client_now() + (int64_t)timeout_ms * 1000 : 0;
    uint64_t id = pending_add(&c->pending, deadline, reply, user);
    AUTO(buf_free) struct buf text = {0};
    buf_text(&text, "{\"jsonrpc\":\"2.0\"");
    buf_json_member_int(&text, "id", (int64_t)id);
    buf_json_member(&text, "method", method);
    if (params)
        buf_json_member_raw(&text, "params", params);
    buf_json_close(&text, '}');
    client_send(c, text.data, text.length);
    mem_wipe(text.data, text.length);
    return id;
}

void client_cancel(struct client *c, uint64_t id)
{
    if (!pending_has(&c->pending, id) || c->state != CLIENT_ONLINE)
        return;
    char text[120];
    int length = snprintf(text, sizeof text,
                          "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"rpc.cancel\",\"params\":{\"id\":%llu}}",
                          (unsigned long long)++c->pending.last_id, (unsigned long long)id);
    client_send(c, text, (size_t)length);
}

void client_forget(struct client *c, uint64_t id)
{
    pending_forget(&c->pending, id);
}

size_t client_unsent(const struct client *c)
{
    return c->unsent;
}

size_t client_pending(const struct client *c)
{
    return pending_count(&c->pending);
}
