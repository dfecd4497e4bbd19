/* client.c - the RPC client. */
#include "common/client.h"

#include <errno.h>
#include <libwebsockets.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/lookup.h"
#include "common/mem.h"
#include "common/trust.h"

enum { WATCHES = 9 /* one for a lookup */, MESSAGE_MOST = 64 << 20, CONNECT_MS = 10000, RETRY_FIRST_MS = 1000, RETRY_LAST_MS = 30000 };
enum { CLOSE_LOGGED_OUT = 4401, CLOSE_TOO_SLOW = 4408 };

struct pending {
    struct pending *next;
    uint64_t id;
    lws_usec_t deadline; /* 0: none */
    client_reply *reply;
    void *user;
};

struct outgoing {
    struct outgoing *next;
    size_t length;
    unsigned char bytes[]; /* LWS_PRE, then the text */
};

struct watch {
    struct client *client;
    struct lws *wsi;
    int fd; /* the caller's; -1: free */
    void (*ready)(void *user);
    void *user;
};

struct client {
    struct client_options options;
    struct address address;
    char *token;
    struct lws_context *context;
    SSL_CTX *tls;
    struct lws *wsi;
    enum client_state state;
    struct err why;      /* of the connection that is ending */
    struct err last_why; /* of the one that ended last */
    bool leaving;        /* client_disconnect was called */
    lws_usec_t retry_at, lookup_until;
    struct lookup *lookup;       /* of this try */
    int next_found;              /* which of its addresses comes next */
    bool next_now;               /* and it is its turn */
    unsigned tries;
    uint64_t last_id;
    struct pending *pending;
    struct outgoing *first, **last;
    size_t unsent;
    struct buf incoming;
    lws_sorted_usec_list_t timer;
    bool happened;
    struct trust trust;
    struct watch watches[WATCHES];
};

/* ---- what the server says ---- */

void client_error(const cJSON *error, struct err *err)
{
    const cJSON *data = json_get(error, "data");
    const char *reason = json_text(data, "reason", NULL);
    struct err e = {.code = ERR_INTERNAL};
    int64_t code = json_int(error, "code", 0);
    if (reason)
        e.code = err_from_reason(reason);
    else
        for (int i = 1; i < ERR_COUNT; i++)
            if (err_rpc_code((enum err_code)i) == code)
                e.code = (enum err_code)i;
    snprintf(e.say, sizeof e.say, "%s", json_text(error, "message", ""));
    snprintf(e.log, sizeof e.log, "%s", e.say);
    snprintf(e.field, sizeof e.field, "%s", json_text(data, "field", ""));
    snprintf(e.existing, sizeof e.existing, "%s", json_text(data, "existing", ""));
    snprintf(e.until, sizeof e.until, "%s", json_text(data, "until", ""));
    snprintf(e.service, sizeof e.service, "%s", json_text(data, "service", ""));
    snprintf(e.incident, sizeof e.incident, "%s", json_text(data, "incident", ""));
    int64_t wait = json_int(data, "retry_after_ms", 0);
    e.retry_after_ms = wait > 0 && wait < 86400000 ? (long)wait : 0;
    e.limit = json_int(data, "limit", 0);
    *err = e;
}

static void answer(struct client *c, struct pending **link, const cJSON *result, const struct err *err)
{
    struct pending *p = *link;
    *link = p->next;
    c->happened = true;
    if (p->reply)
        p->reply(p->user, result, err);
    free(p);
}

static struct pending **find(struct client *c, uint64_t id)
{
    struct pending **link = &c->pending;
    while (*link && (*link)->id != id)
        link = &(*link)->next;
    return link;
}

static void take_reply(struct client *c, const cJSON *message)
{
    int64_t id = json_int(message, "id", 0);
    struct pending **link = find(c, id > 0 ? (uint64_t)id : 0);
    if (!*link)
        return;
    const cJSON *error = json_get(message, "error"), *result = json_get(message, "result");
    struct err err = {0};
    if (error || !result) {
        client_error(error, &err);
        answer(c, link, NULL, &err);
    } else {
        answer(c, link, result, NULL);
    }
}

static void take_message(struct client *c)
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
    } else if (c->options.on_news) {
        c->happened = true;
        c->options.on_news(c->options.user, method, json_get(message, "params"));
    }
}

/* ---- states ---- */

static void set_state(struct client *c, enum client_state state, const struct err *why)
{
    if (c->state == state && !why)
        return;
    c->state = state;
    c->happened = true;
    if (c->options.on_state)
        c->options.on_state(c->options.user, state, why);
}

static void drop_outgoing(struct client *c)
{
    while (c->first) {
        struct outgoing *o = c->first;
        c->first = o->next;
        mem_wipe(o->bytes, LWS_PRE + o->length);
        free(o);
    }
    c->last = &c->first;
    c->unsent = 0;
}

/* Requests made from inside the callbacks stand in a list of their own and wait for the next connection. */
static void fail_all(struct client *c, const struct err *err)
{
    struct pending *list = c->pending;
    c->pending = NULL;
    drop_outgoing(c);
    while (list)
        answer(c, &list, NULL, err);
}

static void describe(struct client *c)
{
    if (c->trust.refused && c->trust.pinned[0])
        err_say(&c->why, ERR_UNTRUSTED,
                "The code of %s has changed since your last visit. This may not be your school's server.",
                c->address.name);
    else if (c->trust.refused)
        err_say(&c->why, ERR_UNTRUSTED, "You have not been at %s before, so its code has to be checked first.",
                c->address.name);
    else if (c->why.code == ERR_NONE)
        err_say(&c->why, ERR_UNREACHABLE,
                c->state == CLIENT_ONLINE ? "The connection to %s was lost." : "%s can't be reached.", c->address.name);
}

static lws_usec_t retry_delay(unsigned tries)
{
    lws_usec_t ms = RETRY_FIRST_MS;
    while (tries-- > 1 && ms < RETRY_LAST_MS)
        ms += ms;
    return (ms < RETRY_LAST_MS ? ms : RETRY_LAST_MS) * LWS_US_PER_MS;
}

static void drop_lookup(struct client *c)
{
    if (c->lookup)
        client_unwatch(c, c->lookup->fd);
    lookup_free(c->lookup);
    c->lookup = NULL;
    c->next_now = false;
}

/* The connection is over, or never came about. */
static void ended(struct client *c)
{
    c->wsi = NULL;
    buf_free(&c->incoming);
    /* libwebsockets serves its time-outs before it sleeps, and would sleep on after this one. */
    if (c->context)
        lws_cancel_service(c->context);
    c->next_now = c->context && c->state == CLIENT_CONNECTING && !c->leaving && !c->trust.refused && c->lookup &&
                  c->next_found < c->lookup->count;
    if (c->next_now)
        return;
    drop_lookup(c);
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
    c->retry_at = next == CLIENT_WAITING ? lws_now_usecs() + retry_delay(c->tries) : 0;
    c->state = next; /* so that a callback which asks again starts a new connection */
    fail_all(c, &why);
    c->happened = true;
    if (c->options.on_state && c->state == next)
        c->options.on_state(c->options.user, next, leaving ? NULL : &why);
}

static void peer_closed(struct client *c, const unsigned char *bytes, size_t length)
{
    if (length < 2)
        return;
    int code = bytes[0] << 8 | bytes[1];
    int text = (int)(length - 2);
    const char *reason = (const char *)bytes + 2;
    if (code == CLOSE_LOGGED_OUT)
        err_say(&c->why, ERR_UNAUTHENTICATED, "You have been logged out%s%.*s.", text ? ": " : "", text, reason);
    else if (code == CLOSE_TOO_SLOW)
        err_say(&c->why, ERR_UNREACHABLE, "The connection was too slow for all the news, and was closed.");
    else if (code == LWS_CLOSE_STATUS_GOINGAWAY)
        err_say(&c->why, ERR_UNREACHABLE, "The server is going down.");
    else if (code == LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE)
        err_say(&c->why, ERR_TOO_LARGE, "That message was longer than the server accepts.");
    else
        err_say(&c->why, ERR_UNREACHABLE, "The server closed the connection (%d%s%.*s).", code, text ? " " : "", text,
                reason);
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

/* ---- libwebsockets ---- */

static int receive(struct client *c, struct lws *wsi, const void *bytes, size_t length)
{
    size_t most = c->options.message_most;
    if (lws_is_first_fragment(wsi))
        buf_clear(&c->incoming);
    if (c->incoming.length + length > most) {
        err_say(&c->why, ERR_TOO_LARGE, "The server sent a message of more than %zu bytes.", most);
        return -1;
    }
    buf_bytes(&c->incoming, bytes, length);
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi))
        return 0;
    take_message(c);
    if (c->incoming.capacity > 1 << 16)
        buf_free(&c->incoming);
    return 0;
}

static int writeable(struct client *c, struct lws *wsi)
{
    if (c->leaving) {
        lws_close_reason(wsi, LWS_CLOSE_STATUS_NORMAL, NULL, 0);
        return -1;
    }
    struct outgoing *o = c->first;
    if (!o)
        return 0;
    int sent = lws_write(wsi, o->bytes + LWS_PRE, o->length, LWS_WRITE_TEXT);
    c->first = o->next;
    if (!c->first)
        c->last = &c->first;
    c->unsent--;
    mem_wipe(o->bytes, LWS_PRE + o->length);
    free(o);
    if (sent < 0)
        return -1;
    if (c->first)
        lws_callback_on_writable(wsi);
    return 0;
}

static int handshake(struct client *c, struct lws *wsi, unsigned char **at, size_t room)
{
    if (!c->token)
        return 0;
    char value[STATE_TOKEN + 8];
    int length = snprintf(value, sizeof value, "Bearer %s", c->token);
    int failed =
        lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, (unsigned char *)value, length, at, *at + room);
    mem_wipe(value, sizeof value);
    return failed ? -1 : 0;
}

static void refused(struct client *c, struct lws *wsi, const char *text, size_t length)
{
    unsigned status = wsi ? lws_http_client_http_response(wsi) : 0;
    if (status == 503)
        err_say(&c->why, ERR_UNREACHABLE, "%s has too many visitors now. Please try again in a minute.",
                c->address.name);
    else if (status >= 400 && status < 600)
        err_say(&c->why, ERR_UNREACHABLE, "%s answered, but not as an EduRag server (HTTP %u).", c->address.name,
                status);
    else if (length)
        err_set(&c->why, ERR_UNREACHABLE, "%.*s", (int)length, text);
    if (c->why.code != ERR_NONE && !c->why.say[0])
        snprintf(c->why.say, sizeof c->why.say, "%s can't be reached.", c->address.name);
    ended(c);
}

static int socket_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct client *c = lws_context_user(lws_get_context(wsi));
    (void)user;
    if (!c || (c->wsi && wsi != c->wsi))
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return handshake(c, wsi, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        c->tries = 0;
        set_state(c, CLIENT_ONLINE, NULL);
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(c, wsi, in, length);
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writeable(c, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        peer_closed(c, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (c->state == CLIENT_CONNECTING)
            refused(c, wsi, in, in ? length : 0);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (c->state == CLIENT_ONLINE)
            ended(c);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: /* all that is heard of a handshake without an answer */
        if (wsi == c->wsi && (c->state == CLIENT_CONNECTING || c->state == CLIENT_ONLINE))
            ended(c);
        return 0;
    default:
        return 0;
    }
}

static int watch_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct watch *w = lws_get_opaque_user_data(wsi);
    (void)user, (void)in, (void)length;
    if (!w || w->wsi != wsi)
        return 0;
    if (reason == LWS_CALLBACK_RAW_RX_FILE || reason == LWS_CALLBACK_RAW_CLOSE_FILE) {
        if (reason == LWS_CALLBACK_RAW_CLOSE_FILE)
            w->wsi = NULL;
        w->client->happened = true;
        w->ready(w->user);
    }
    return 0;
}

static const struct lws_protocols protocols[] = {
    {.name = "edurag.v1", .callback = socket_event},
    {.name = "watch", .callback = watch_event},
    {0},
};

/* The server sees to it that idle sockets are asked for; this is for a server that vanished. */
static const lws_retry_bo_t idle = {.secs_since_valid_ping = 120, .secs_since_valid_hangup = 150};

static struct lws_context *context_new(struct client *c)
{
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .user = c,
        .gid = -1,
        .uid = -1,
        .fd_limit_per_thread = 16 + WATCHES,
        .timeout_secs = (unsigned)(c->options.connect_ms + 999) / 1000,
        .connect_timeout_secs = (unsigned)(c->options.connect_ms + 999) / 1000,
        .max_http_header_data = STATE_TOKEN + 2048,
        .pt_serv_buf_size = STATE_TOKEN + 4096,
        .retry_and_idle_policy = &idle,
        .provided_client_ssl_ctx = c->tls,
        .options = c->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0,
    };
    return lws_create_context(&info);
}

struct client *client_new(const struct client_options *options, struct err *err)
{
    struct address address;
    if (!address_parse(options->url ? options->url : address_default(), &address, err))
        return NULL;
    lws_set_log_level(0, NULL);
    struct client *c = mem_alloc(sizeof *c);
    c->options = *options;
    c->options.url = c->options.token = NULL;
    if (!c->options.message_most)
        c->options.message_most = MESSAGE_MOST;
    if (!c->options.connect_ms)
        c->options.connect_ms = CONNECT_MS;
    c->address = address;
    c->trust.server = c->address.name;
    c->last = &c->first;
    for (size_t i = 0; i < WATCHES; i++)
        c->watches[i].fd = -1;
    client_token(c, options->token);
    if (address.tls)
        c->tls = trust_tls(&c->trust);
    if (!address.tls || c->tls)
        c->context = context_new(c);
    if (c->context)
        return c;
    client_free(c);
    err_set(err, ERR_INTERNAL, "no event loop: %s", strerror(errno));
    return NULL;
}

void client_free(struct client *c)
{
    if (!c)
        return;
    c->options.on_state = NULL;
    c->options.on_news = NULL;
    c->options.on_text = NULL;
    for (size_t i = 0; i < WATCHES; i++)
        client_unwatch(c, c->watches[i].fd);
    drop_lookup(c);
    for (struct pending *p = c->pending; p; p = p->next)
        p->reply = NULL;
    c->leaving = true;
    struct lws_context *context = c->context;
    c->context = NULL;
    if (context)
        lws_context_destroy(context);
    if (c->tls)
        SSL_CTX_free(c->tls);
    fail_all(c, NULL);
    buf_free(&c->incoming);
    client_token(c, NULL);
    free(c);
}

void client_freep(struct client **c)
{
    client_free(*c);
    *c = NULL;
}

void client_token(struct client *c, const char *token)
{
    char *copy = token && *token && strlen(token) < STATE_TOKEN ? mem_dup(token) : NULL;
    if (c->token)
        mem_wipe(c->token, strlen(c->token));
    free(c->token);
    c->token = copy;
}

/* ---- connecting ---- */

static void connect_to(struct client *c, const char *address)
{
    char unix_address[sizeof c->address.path + 1];
    snprintf(unix_address, sizeof unix_address, "+%s", c->address.path);
    struct lws_client_connect_info info = {
        .context = c->context,
        .address = c->address.local ? unix_address : address,
        .port = c->address.port,
        .ssl_connection = c->address.tls ? LCCSCF_USE_SSL : 0,
        .path = "/ws",
        .host = c->address.local ? "localhost" : c->address.host,
        .protocol = "edurag.v1",
        .local_protocol_name = "edurag.v1",
        .alpn = "http/1.1",
        .ietf_version_or_minus_one = -1,
        .pwsi = &c->wsi,
    };
    c->why = (struct err){0};
    /* A failure at once may or may not have been told to socket_event already. */
    if (lws_client_connect_via_info(&info))
        return;
    c->wsi = NULL;
    if (c->state == CLIENT_CONNECTING && !c->next_now)
        ended(c);
}

static void connect_next(struct client *c)
{
    c->next_now = false;
    connect_to(c, c->lookup->found[c->next_found++]);
}

static void looked_up(void *user)
{
    struct client *c = user;
    client_unwatch(c, c->lookup->fd);
    c->lookup_until = 0;
    if (lookup_take(c->lookup)) {
        c->next_now = true; /* from due(), not from inside a callback of libwebsockets */
        return;
    }
    err_say(&c->why, ERR_UNREACHABLE, "No server of the name %s is known.", c->address.host);
    ended(c);
}

static void start(struct client *c)
{
    c->trust.refused = c->leaving = false;
    c->retry_at = 0;
    c->why = (struct err){0};
    set_state(c, CLIENT_CONNECTING, NULL);
    if (c->address.local || lookup_needless(c->address.host)) {
        connect_to(c, c->address.host);
        return;
    }
    c->next_found = 0;
    c->lookup_until = lws_now_usecs() + (lws_usec_t)c->options.connect_ms * LWS_US_PER_MS;
    c->lookup = lookup_start(c->address.host);
    if (!c->lookup || !client_watch(c, c->lookup->fd, looked_up, c))
        ended(c);
}

void client_connect(struct client *c)
{
    if (c->state != CLIENT_ONLINE && c->state != CLIENT_CONNECTING)
        c->retry_at = 1; /* at once, from inside client_service */
}

void client_disconnect(struct client *c)
{
    c->retry_at = 0;
    if (c->wsi) {
        c->leaving = true;
        if (c->state == CLIENT_ONLINE)
            lws_callback_on_writable(c->wsi);
        else
            lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    } else {
        drop_lookup(c);
        c->state = CLIENT_OFF;
    }
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
    lws_usec_t left = c->state == CLIENT_WAITING ? c->retry_at - lws_now_usecs() : 0;
    return left > 0 ? (int)(left / LWS_US_PER_MS) : 0;
}

unsigned client_tries(const struct client *c)
{
    return c->tries;
}

/* ---- requests ---- */

void client_send(struct client *c, const char *text, size_t length)
{
    struct outgoing *o = mem_alloc(sizeof *o + LWS_PRE + length);
    o->length = length;
    memcpy(o->bytes + LWS_PRE, text, length);
    *c->last = o;
    c->last = &o->next;
    c->unsent++;
    if (c->state == CLIENT_ONLINE)
        lws_callback_on_writable(c->wsi);
    else
        client_connect(c);
}

uint64_t client_request(struct client *c, const char *method, const char *params, int timeout_ms, client_reply *reply,
                        void *user)
{
    struct pending *p = mem_alloc(sizeof *p), **end = &c->pending;
    p->id = ++c->last_id;
    p->deadline = timeout_ms > 0 ? lws_now_usecs() + (lws_usec_t)timeout_ms * LWS_US_PER_MS : 0;
    p->reply = reply;
    p->user = user;
    while (*end)
        end = &(*end)->next;
    *end = p;
    uint64_t id = p->id;
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
    if (!*find(c, id) || c->state != CLIENT_ONLINE)
        return;
    char text[120];
    int length = snprintf(text, sizeof text,
                          "{\"jsonrpc\":\"2.0\",\"id\":%llu,\"method\":\"rpc.cancel\",\"params\":{\"id\":%llu}}",
                          (unsigned long long)++c->last_id, (unsigned long long)id);
    client_send(c, text, (size_t)length);
}

void client_forget(struct client *c, uint64_t id)
{
    struct pending **link = find(c, id);
    if (*link)
        (*link)->reply = NULL;
}

size_t client_unsent(const struct client *c)
{
    return c->unsent;
}

size_t client_pending(const struct client *c)
{
    size_t count = 0;
    for (const struct pending *p = c->pending; p; p = p->next)
        count++;
    return count;
}

/* ---- the loop ---- */

/* Usually the sleep ends first. Where the time is over before the sleep begins, it must not begin. */
static void ring(lws_sorted_usec_list_t *timer)
{
    lws_cancel_service(lws_container_of(timer, struct client, timer)->context);
}

/* Does what is due, and says when the next thing is (0: never). */
static lws_usec_t due(struct client *c)
{
    lws_usec_t now = lws_now_usecs(), next = c->lookup ? c->lookup_until : 0;
    if (c->retry_at && now >= c->retry_at && !c->wsi)
        start(c);
    if (c->next_now)
        connect_next(c);
    if (c->lookup && c->lookup_until && now >= c->lookup_until)
        ended(c);
    for (struct pending **link = &c->pending; *link;) {
        lws_usec_t deadline = (*link)->deadline;
        if (deadline && now >= deadline) {
            struct err err = {0};
            err_set(&err, ERR_TIMEOUT, "no reply in time");
            client_cancel(c, (*link)->id);
            answer(c, link, NULL, &err);
            link = &c->pending;
            continue;
        }
        if (deadline && (!next || deadline < next))
            next = deadline;
        link = &(*link)->next;
    }
    if (c->retry_at && (!next || c->retry_at < next))
        next = c->retry_at;
    return next;
}

bool client_service(struct client *c, int timeout_ms)
{
    lws_usec_t now = lws_now_usecs(), end = timeout_ms < 0 ? 0 : now + (lws_usec_t)timeout_ms * LWS_US_PER_MS;
    bool once = false;
    for (;;) {
        lws_usec_t next = due(c);
        now = lws_now_usecs();
        if (c->happened || (once && end && now >= end))
            break;
        if (end && (!next || end < next))
            next = end;
        if (next > now)
            lws_sul_schedule(c->context, 0, &c->timer, ring, next - now);
        /* A negative time only looks; any other waits for a descriptor or a timer. */
        lws_service(c->context, next && next <= now ? -1 : 0);
        lws_sul_cancel(&c->timer);
        once = true;
    }
    bool happened = c->happened;
    c->happened = false;
    return happened;
}

void client_wake(struct client *c)
{
    lws_cancel_service(c->context);
}

bool client_watch(struct client *c, int fd, void (*ready)(void *user), void *user)
{
    struct watch *w = NULL;
    for (size_t i = 0; i < WATCHES && !w; i++)
        if (c->watches[i].fd < 0 && !c->watches[i].wsi)
            w = &c->watches[i];
    int copy = w ? dup(fd) : -1;
    if (copy < 0)
        return false;
    *w = (struct watch){.client = c, .fd = fd, .ready = ready, .user = user};
    lws_sock_file_fd_type descriptor = {.filefd = copy};
    w->wsi = lws_adopt_descriptor_vhost(lws_get_vhost_by_name(c->context, "default"), LWS_ADOPT_RAW_FILE_DESC,
                                        descriptor, "watch", NULL);
    if (!w->wsi) {
        close(copy);
        *w = (struct watch){.fd = -1};
        return false;
    }
    lws_set_opaque_user_data(w->wsi, w);
    return true;
}

void client_unwatch(struct client *c, int fd)
{
    for (size_t i = 0; i < WATCHES && fd >= 0; i++) {
        struct watch *w = &c->watches[i];
        if (w->fd != fd)
            continue;
        if (w->wsi) {
            lws_set_opaque_user_data(w->wsi, NULL);
            lws_set_timeout(w->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        }
        *w = (struct watch){.fd = -1};
    }
}

/* ---- for scripts ---- */

struct waiting {
    bool done;
    cJSON *result;
    struct err err;
};

static void waited(void *user, const cJSON *result, const struct err *err)
{
    struct waiting *w = user;
    w->done = true;
    if (result)
        w->result = cJSON_Duplicate(result, true);
    else
        w->err = *err;
}

bool client_call(struct client *c, const char *method, const char *params, int timeout_ms, cJSON **result,
                 struct err *err)
{
    struct waiting w = {0};
    client_request(c, method, params, timeout_ms, waited, &w);
    while (!w.done)
        client_service(c, -1);
    if (!w.result) {
        if (err)
            *err = w.err;
        return false;
    }
    if (result)
        *result = w.result;
    else
        cJSON_Delete(w.result);
    return true;
}

bool client_open(struct client *c, struct err *err)
{
    client_connect(c);
    while (c->state != CLIENT_ONLINE) {
        client_service(c, -1);
        if (c->state != CLIENT_CONNECTING && c->state != CLIENT_ONLINE) {
            if (err)
                *err = c->last_why;
            return false;
        }
    }
    return true;
}
