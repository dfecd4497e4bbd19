/* client.c - the RPC client: its socket and its event loop. */
#include "common/client_inside.h"

#include <errno.h>
#include <libwebsockets.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/client_errors.h"
#include "common/mem.h"

enum { MESSAGE_MOST = 64 << 20, CONNECT_MS = 10000, REST_US = 60 * LWS_US_PER_SEC };

/* So that ring() finds its client. */
struct alarm {
    lws_sorted_usec_list_t timer;
    struct client *client;
};

/* ---- the socket ---- */

int64_t client_now(void)
{
    return lws_now_usecs();
}

void client_drop_outgoing(struct client *c)
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
    client_take(c);
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
    client_errors_refused(&c->why, &c->address, wsi ? lws_http_client_http_response(wsi) : 0, text, length);
    client_ended(c);
}

static int socket_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct client *c = lws_context_user(lws_get_context(wsi));
    (void)user;
    if (!c || (c->wsi && wsi != c->wsi))
        return 0;
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER: return handshake(c, wsi, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        c->tries = 0;
        client_enter(c, CLIENT_ONLINE, NULL);
        lws_callback_on_writable(wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE: return receive(c, wsi, in, length);
    case LWS_CALLBACK_CLIENT_WRITEABLE: return writeable(c, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: client_errors_closed(&c->why, in, length); return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        if (c->state == CLIENT_CONNECTING)
            refused(c, wsi, in, in ? length : 0);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        if (c->state == CLIENT_ONLINE)
            client_ended(c);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: /* all that is heard of a handshake without an answer */
        if (wsi == c->wsi && (c->state == CLIENT_CONNECTING || c->state == CLIENT_ONLINE))
            client_ended(c);
        return 0;
    default: return 0;
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
        .fd_limit_per_thread = 16 + CLIENT_WATCHES,
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
    c->alarm = mem_alloc(sizeof *c->alarm);
    c->alarm->client = c;
    c->options = *options;
    c->options.url = c->options.token = NULL;
    if (!c->options.message_most)
        c->options.message_most = MESSAGE_MOST;
    if (!c->options.connect_ms)
        c->options.connect_ms = CONNECT_MS;
    c->address = address;
    c->trust.server = c->address.name;
    c->waker = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    c->last = &c->first;
    for (size_t i = 0; i < CLIENT_WATCHES; i++)
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
    c->options.on_notification = NULL;
    c->options.on_text = NULL;
    for (size_t i = 0; i < CLIENT_WATCHES; i++)
        client_unwatch(c, c->watches[i].fd);
    client_drop_lookup(c);
    pending_silence(&c->pending);
    c->leaving = true;
    struct lws_context *context = c->context;
    c->context = NULL;
    if (context)
        lws_context_destroy(context);
    if (c->tls)
        SSL_CTX_free(c->tls);
    client_fail(c, NULL);
    buf_free(&c->incoming);
    client_token(c, NULL);
    if (c->waker >= 0)
        close(c->waker);
    free(c->alarm);
    free(c);
}

void client_freep(struct client **c)
{
    client_free(*c);
    *c = NULL;
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
        client_ended(c);
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
    client_ended(c);
}

static void start(struct client *c)
{
    c->trust.refused = c->leaving = false;
    c->retry_at = 0;
    c->why = (struct err){0};
    client_enter(c, CLIENT_CONNECTING, NULL);
    if (c->address.local || lookup_needless(c->address.host)) {
        connect_to(c, c->address.host);
        return;
    }
    c->next_found = 0;
    c->lookup_until = lws_now_usecs() + (lws_usec_t)c->options.connect_ms * LWS_US_PER_MS;
    c->lookup = lookup_start(c->address.host);
    if (!c->lookup || !client_watch(c, c->lookup->fd, looked_up, c))
        client_ended(c);
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
        client_drop_lookup(c);
        c->state = CLIENT_OFF;
    }
}

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

/* ---- the loop ---- */

/* Usually the sleep ends first. Where the time is over before the sleep begins, it must not begin. */
static void ring(lws_sorted_usec_list_t *timer)
{
    client_wake(lws_container_of(timer, struct alarm, timer)->client);
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
        client_ended(c);
    for (uint64_t late; (late = pending_late(&c->pending, now));) {
        struct err err = {0};
        err_set(&err, ERR_TIMEOUT, "no reply in time");
        client_cancel(c, late);
        c->happened |= pending_answer(&c->pending, late, NULL, &err);
    }
    lws_usec_t deadline = pending_deadline(&c->pending);
    if (deadline && (!next || deadline < next))
        next = deadline;
    if (c->retry_at && (!next || c->retry_at < next))
        next = c->retry_at;
    return next;
}

/* The library wakes every 30 s for housekeeping of its own. A connection on which nothing is under way is waited for
 * here instead, until a descriptor is ready or something is due; a server that does not even ping is left to the library
 * after a minute, which then asks whether it is there. False where the library must wait. */
static bool rest(struct client *c, lws_usec_t until)
{
    struct pollfd fds[CLIENT_WATCHES + 2] = {{.fd = c->waker, .events = POLLIN}};
    nfds_t count = 1;
    uint64_t woken;
    if (c->state != CLIENT_ONLINE || c->unsent || pending_count(&c->pending) || c->waker < 0)
        return false;
    struct pollfd room = {.fd = lws_get_socket_fd(c->wsi), .events = POLLOUT};
    if (poll(&room, 1, 0) != 1)
        return false;
    lws_service(c->context, -1); /* an answer to a ping leaves, and then nothing of it is left */
    lws_service(c->context, -1);
    if (c->happened || c->state != CLIENT_ONLINE)
        return true;
    if (c->unsent || lws_service_adjust_timeout(c->context, 1000, 0) == 0)
        return false;
    fds[count++] = (struct pollfd){.fd = lws_get_socket_fd(c->wsi), .events = POLLIN};
    for (size_t i = 0; i < CLIENT_WATCHES; i++)
        if (c->watches[i].wsi)
            fds[count++] = (struct pollfd){.fd = c->watches[i].fd, .events = POLLIN};
    lws_usec_t now = lws_now_usecs(), wait = until && until - now < REST_US ? until - now : REST_US;
    poll(fds, count, wait > 0 ? (int)((wait + LWS_US_PER_MS - 1) / LWS_US_PER_MS) : 0);
    if (read(c->waker, &woken, sizeof woken) == (ssize_t)sizeof woken)
        c->happened = true;
    return true;
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
            lws_sul_schedule(c->context, 0, &c->alarm->timer, ring, next - now);
        /* A negative time only looks; any other waits for a descriptor or a timer. */
        bool waited = (!next || next > now) && rest(c, next);
        lws_service(c->context, waited || (next && next <= now) ? -1 : 0);
        lws_sul_cancel(&c->alarm->timer);
        once = true;
    }
    bool happened = c->happened;
    c->happened = false;
    return happened;
}

void client_wake(struct client *c)
{
    ssize_t told = write(c->waker, &(uint64_t){1}, sizeof(uint64_t));
    (void)told; /* full is as good: it is readable */
    lws_cancel_service(c->context);
}

bool client_watch(struct client *c, int fd, void (*ready)(void *user), void *user)
{
    struct watch *w = NULL;
    for (size_t i = 0; i < CLIENT_WATCHES && !w; i++)
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
    for (size_t i = 0; i < CLIENT_WATCHES && fd >= 0; i++) {
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
