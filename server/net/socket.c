/* socket.c - the sockets themselves: libwebsockets on a libev loop, TCP, TLS and Unix. */
#include "server/net/socket.h"

#include <ev.h>
#include <libwebsockets.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/config.h"
#include "server/config_check.h"
#include "server/net/bound.h"
#include "server/net/certificate.h"
#include "server/net/delivery.h"
#include "server/net/http.h"
#include "server/net/limits.h"
#include "server/net/mailbox.h"
#include "server/net/outbox.h"
#include "server/net/session.h"

/* Of TLS 1.2: an ephemeral key and an authenticated cipher, or nothing. TLS 1.3 has no others. */
#define TLS12_CIPHERS "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"

enum { RX_PIECE = 2048, DRAIN_FORCE = 6, DRAIN_END = 8, LOG_A_SECOND = 5, ACCEPT_REST_NS = 5000000 };

/* What libwebsockets keeps for each connection of ours. */
struct wire {
    struct session *session;
    struct http_pending *pending;
    char address[64];
};

static struct {
    struct lws_context *context;
    struct ev_loop *loop;
    ev_async wake;
    ev_timer second;
    ev_signal terminate, interrupt, hangup;
    unsigned char *space;  /* LWS_PRE and OUTBOX_SEND bytes */
    lws_retry_bo_t policy; /* when silence becomes a ping, and a ping a hang-up */
    int draining;          /* seconds since it began; 0: it has not */
} net;

/* With no descriptor left the library tries to accept again at once and says so each time: a hundred thousand
 * lines a second, and no processor for anybody else. Then this thread rests, as it does nowhere else. */
static void library_log(int level, const char *line)
{
    static int64_t second;
    static int said;
    char text[300];
    if (strstr(line, "accept: errno"))
        nanosleep(&(struct timespec){.tv_nsec = ACCEPT_REST_NS}, NULL);
    if (second != wait_now() / 1000)
        said = 0;
    second = wait_now() / 1000;
    if (++said > LOG_A_SECOND)
        return;
    snprintf(text, sizeof text, "%s", line);
    text[strcspn(text, "\n")] = '\0';
    log_event(level & LLL_ERR ? LOG_WARN : LOG_DEBUG, "websockets", "text=%s", log_quote(text));
}

void socket_want_write(struct lws *wsi)
{
    lws_callback_on_writable(wsi);
}

void socket_hold(struct lws *wsi, bool hold)
{
    lws_rx_flow_control(wsi, hold ? 0 : 1);
    if (!hold)
        lws_cancel_service(net.context); /* what was read meanwhile is only served on the library's own turn */
}

void socket_kill(struct lws *wsi)
{
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
}

unsigned char *socket_space(void)
{
    return net.space + LWS_PRE;
}

/* LWS_WRITE_RAW passes bytes through as they are, which is how several frames leave in one send. */
bool socket_send(struct lws *wsi, const unsigned char *bytes, size_t length)
{
    return lws_write(wsi, (unsigned char *)(uintptr_t)bytes, length, LWS_WRITE_RAW) >= 0;
}

bool socket_backed_up(struct lws *wsi)
{
    return lws_partial_buffered(wsi);
}

static void peer_address(struct lws *wsi, char *address, size_t size)
{
    struct sockaddr_storage local;
    socklen_t length = sizeof local;
    struct ucred who;
    int fd = lws_get_socket_fd(wsi);
    if (!getsockname(fd, (struct sockaddr *)&local, &length) && local.ss_family == AF_UNIX) {
        length = sizeof who;
        bool known = !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length);
        snprintf(address, size, "uid:%d", known ? (int)who.uid : -1);
        return;
    }
    lws_get_peer_simple(wsi, address, size);
}

static void counted_address(struct lws *wsi, char *address, size_t size)
{
    char peer[64] = "", forwarded[512];
    peer_address(wsi, peer, sizeof peer);
    http_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, forwarded, sizeof forwarded);
    limits_address(peer, forwarded, address, size);
}

static void handshake_token(struct lws *wsi, char *token, size_t size)
{
    http_header(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, token, size);
    if (!strncasecmp(token, "Bearer ", 7)) {
        char *from = token + 7 + strspn(token + 7, " ");
        memmove(token, from, strlen(from) + 1);
        return;
    }
    token[0] = '\0';
    const char *value = lws_get_urlarg_by_name(wsi, "token=", token, (int)size);
    if (value)
        memmove(token, value, strlen(value) + 1);
    else
        token[0] = '\0';
}

static int confirm_upgrade(struct lws *wsi)
{
    char address[64];
    counted_address(wsi, address, sizeof address);
    bool full = !limits_enter(address, wait_now());
    if (!full)
        limits_leave(address, ""); /* it comes in for good once the handshake is through */
    return http_upgrade(wsi, full, net.draining != 0);
}

/* Before a connection has said anything: its address, kept with it until it has shaken hands or is gone. */
static int accepted(struct lws *wsi)
{
    char address[64] = "";
    peer_address(wsi, address, sizeof address);
    if (!limits_knock(address, wait_now()))
        return -1;
    lws_set_opaque_user_data(wsi, mem_dup(address));
    return 0;
}

static void knocked(struct lws *wsi)
{
    char *address = lws_get_opaque_user_data(wsi);
    if (!address)
        return;
    limits_knocked(address);
    free(address);
    lws_set_opaque_user_data(wsi, NULL);
}

static int established(struct lws *wsi, struct wire *wire)
{
    char token[4096]; /* as much as a whole head may have: a longer one is refused by the library */
    counted_address(wsi, wire->address, sizeof wire->address);
    if (!limits_enter(wire->address, wait_now())) {
        wire->address[0] = '\0';
        return -1;
    }
    handshake_token(wsi, token, sizeof token);
    wire->session = session_new(wsi, wire->address, token);
    mem_wipe(token, sizeof token);
    return 0;
}

static int close_now(struct lws *wsi, const struct session *session)
{
    const char *reason;
    int code = session_closing(session, &reason);
    char text[120];
    if (!code)
        return -1; /* the socket broke */
    snprintf(text, sizeof text, "%s", reason);
    lws_close_reason(wsi, (enum lws_close_status)code, (unsigned char *)text, strlen(text));
    return -1;
}

static int received(struct lws *wsi, struct wire *wire, const char *piece, size_t length)
{
    struct session *session = wire->session;
    const char *reason;
    if (!session)
        return -1;
    if (lws_frame_is_binary(wsi))
        session_close(session, CLOSE_BINARY, "only text frames", true);
    else
        session_receive(session, piece, length, lws_remaining_packet_payload(wsi),
                        lws_is_final_fragment(wsi) && !lws_remaining_packet_payload(wsi));
    int code = session_closing(session, &reason);
    return code == CLOSE_BINARY || code == CLOSE_TOO_BIG ? close_now(wsi, session) : 0;
}

static int plain_request(struct lws *wsi, struct wire *wire, const char *path)
{
    char peer[64] = "", forwarded[8];
    peer_address(wsi, peer, sizeof peer);
    http_header(wsi, WSI_TOKEN_X_FORWARDED_FOR, forwarded, sizeof forwarded);
    bool loopback = !strncmp(peer, "127.", 4) || !strcmp(peer, "::1") || !strncmp(peer, "::ffff:127.", 11) ||
                    !strncmp(peer, "uid:", 4);
    struct http_request request = {
        .path = path,
        .address = peer,
        .local = loopback && lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) <= 0,
    };
    return http_request(wsi, &request, &wire->pending);
}

static void gone(struct wire *wire)
{
    if (!wire)
        return;
    http_pending_free(&wire->pending);
    if (wire->address[0])
        limits_leave(wire->address, wire->session ? session_place(wire->session) : "");
    if (wire->session)
        session_ended(wire->session);
    wire->session = NULL;
    wire->address[0] = '\0';
}

static int serve(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    struct wire *wire = user;
    switch (reason) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED: return accepted(wsi);
    case LWS_CALLBACK_WSI_DESTROY: knocked(wsi); return 0;
    case LWS_CALLBACK_HTTP: return plain_request(wsi, wire, in);
    case LWS_CALLBACK_HTTP_WRITEABLE: return http_writeable(wsi, &wire->pending);
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE: return confirm_upgrade(wsi);
    case LWS_CALLBACK_OPENSSL_LOAD_EXTRA_SERVER_VERIFY_CERTS: certificate_serve(user); return 0;
    case LWS_CALLBACK_ADD_HEADERS: return http_add_headers(wsi, in);
    case LWS_CALLBACK_ESTABLISHED: knocked(wsi); return established(wsi, wire);
    case LWS_CALLBACK_RECEIVE: return received(wsi, wire, in, length);
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (wire->session && !session_writable(wire->session))
            return close_now(wsi, wire->session);
        return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP: gone(wire); return 0;
    default: return 0; /* others would go to the library's dummy, which serves files */
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "edurag.v1", .callback = serve, .per_session_data_size = sizeof(struct wire), .rx_buffer_size = RX_PIECE},
    {0},
};

static void on_wake(struct ev_loop *loop, ev_async *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
    session_hold_sends();
    mailbox_deliver(delivery_receive);
    session_send_due();
    if (net.draining)
        session_drain(false);
}

static void on_second(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)watcher, (void)events;
    lws_cancel_service(net.context); /* the plugin's own timers do not fire without it */
    session_tick();
    if (!net.draining)
        return;
    net.draining++;
    if (net.draining >= DRAIN_FORCE)
        session_drain(true);
    if ((!session_count() && !rpc_jobs()) || net.draining > DRAIN_END)
        ev_break(loop, EVBREAK_ALL);
}

static void drain(struct ev_loop *loop)
{
    if (net.draining)
        return;
    log_event(LOG_INFO, "closing", "sessions=%zu jobs=%zu", session_count(), rpc_jobs());
    net.draining = 1;
    rpc_drain();
    session_drain(false);
    ev_timer_stop(loop, &net.second);
    ev_timer_set(&net.second, 0.1, 1.0); /* idle servers end at once */
    ev_timer_start(loop, &net.second);
}

static void on_signal(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)watcher, (void)events;
    drain(loop);
}

/* A new certificate for handshakes from now on; those who are in keep theirs. Read here, by the thread that
 * never waits: two small files, once in months. What can't be served is not taken, so the old one stays. */
static void on_hangup(struct ev_loop *loop, ev_signal *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
    AUTO(buf_free) struct buf problems = {0};
    if (!config.tls_cert[0]) {
        log_event(LOG_INFO, "reload", "note=\"there is no certificate to read again; other settings need a restart\"");
        return;
    }
    int wrong = config_check_tls(&problems);
    if (problems.length)
        problems.data[strcspn(problems.data, "\n")] = '\0';
    if (wrong || !certificate_read(config.tls_cert, config.tls_key))
        log_event(LOG_WARN, "certificate_kept", "reason=%s note=\"the certificate from before goes on serving\"",
                  log_quote(problems.length ? problems.data : "OpenSSL does not take it."));
    else
        log_event(LOG_INFO, "certificate_read", "path=%s", log_quote(config.tls_cert));
}

static void wake(void)
{
    ev_async_send(net.loop, &net.wake);
}

void socket_stop(void)
{
    kill(getpid(), SIGTERM);
}

/* An IPv4 address on a vhost that may use IPv6 makes the library listen everywhere (its issue 2290), and one at [::] takes
 * IPv4 as well. bound_check looks whether it helped. */
static uint64_t family_options(const char *host)
{
    if (!*host)
        return 0;
    return strchr(host, ':') ? LWS_SERVER_OPTION_IPV6_V6ONLY_MODIFY | LWS_SERVER_OPTION_IPV6_V6ONLY_VALUE
                             : LWS_SERVER_OPTION_DISABLE_IPV6;
}

/* host:port, [v6]:port or :port. */
static bool open_tcp(char *host, size_t size, struct err *err)
{
    int port = 0;
    if (!strcmp(config.listen, "off"))
        return true;
    if (!config_check_address(config.listen, host, size, &port))
        return err_say(err, ERR_INVALID_PARAMS, "EDURAG_LISTEN must be ADDRESS:PORT, such as 127.0.0.1:7420.");
    bool tls = config.tls_cert[0] != '\0';
    if (!tls && !config_check_loopback(host) && !config.allow_insecure)
        return err_say(err, ERR_INVALID_PARAMS,
                       "EDURAG_LISTEN=%s is open to the network without TLS. Set EDURAG_TLS_CERT and EDURAG_TLS_KEY, "
                       "or EDURAG_ALLOW_INSECURE=true where a proxy on a trusted network encrypts.",
                       config.listen);
    struct lws_context_creation_info info = {
        .port = port,
        .iface = host[0] ? strcmp(host, "localhost") ? host : "127.0.0.1" : NULL,
        .protocols = protocols,
        .headers = http_headers,
        .retry_and_idle_policy = &net.policy,
        .timeout_secs = 10,
        .keepalive_timeout = 5,
        .vhost_name = "tcp",
        .options = LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND | family_options(host),
    };
    if (tls) {
        info.ssl_cert_filepath = config.tls_cert;
        info.ssl_private_key_filepath = config.tls_key;
        info.alpn = "http/1.1";
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.ssl_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1;
        info.ssl_cipher_list = TLS12_CIPHERS;
    }
    struct lws_vhost *vhost = lws_create_vhost(net.context, &info);
    if (!vhost)
        return err_say(
            err, ERR_INVALID_PARAMS,
            tls ? "The server can't listen at %s with this certificate and key. Is the address in use, or are "
                  "EDURAG_TLS_CERT and EDURAG_TLS_KEY not readable?"
                : "The server can't listen at %s. Is another program there already?",
            config.listen);
    bool v6 = strchr(host, ':') != NULL;
    log_event(LOG_INFO, "listening", "address=%s%s%s:%d tls=%s", v6 ? "[" : "", host[0] ? host : "*", v6 ? "]" : "",
              lws_get_vhost_listen_port(vhost), tls ? "on" : "off");
    return true;
}

static bool open_unix(struct err *err)
{
    struct lws_context_creation_info info = {
        .iface = config.socket,
        .protocols = protocols,
        .headers = http_headers,
        .retry_and_idle_policy = &net.policy,
        .timeout_secs = 10,
        .keepalive_timeout = 5,
        .vhost_name = "unix",
        .options =
            LWS_SERVER_OPTION_UNIX_SOCK | LWS_SERVER_OPTION_VALIDATE_UTF8 | LWS_SERVER_OPTION_FAIL_UPON_UNABLE_TO_BIND,
    };
    if (strlen(config.socket) > 106)
        return err_say(err, ERR_INVALID_PARAMS, "EDURAG_SOCKET is too long a path: at most 106 bytes.");
    if (!lws_create_vhost(net.context, &info))
        return err_say(err, ERR_INVALID_PARAMS, "The server can't listen at the socket %s.", config.socket);
    /* Whoever can reach the directory may connect: who they are is for their token to say. */
    if (chmod(config.socket, 0666))
        log_event(LOG_WARN, "socket_mode", "path=%s", log_quote(config.socket));
    log_event(LOG_INFO, "listening", "socket=%s", log_quote(config.socket));
    return true;
}

/* The library keeps a table of as many descriptors as there may be: no more than we need. */
static void set_descriptors(void)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)config.connections + 1024;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur < want)
        log_event(LOG_WARN, "few_descriptors", "have=%llu want=%llu", (unsigned long long)limit.rlim_cur,
                  (unsigned long long)want);
}

bool socket_open(struct err *err)
{
    struct limits_settings limits = {
        .person_per_minute = config.rate_person,
        .address_per_minute = config.rate_address,
        .upload_burst = config.upload_bytes > 2 * config.message_bytes ? config.upload_bytes : 2 * config.message_bytes,
        .upload_per_second = 8 * 1024 * 1024,
        .connections = config.connections,
        .connections_per_person = config.connections_person,
        .buckets = 65536 + config.connections,
        .trusted_proxies = config.trusted_proxies,
    };
    if (!limits_start(&limits, err))
        return false;
    set_descriptors();
    net.policy = (lws_retry_bo_t){.secs_since_valid_ping = (uint16_t)config.ping,
                                  .secs_since_valid_hangup = (uint16_t)(config.ping + config.ping / 2 + 2)};
    net.space = mem_alloc(LWS_PRE + OUTBOX_SEND);
    net.loop = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_SIGNALFD);
    net.draining = 0;
    lws_set_log_level(LLL_ERR, library_log);
    void *loops[1] = {net.loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_LIBEV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_VALIDATE_UTF8,
        .foreign_loops = loops,
        .pt_serv_buf_size = OUTBOX_SEND + 1024,
        .server_string = "edurag",
        .gid = -1,
        .uid = -1,
    };
    net.context = net.loop ? lws_create_context(&info) : NULL;
    if (!net.context)
        return err_say(err, ERR_INTERNAL,
                       "libwebsockets could not start. Is the package libwebsockets-evlib-ev installed?");
    session_start();
    ev_async_init(&net.wake, on_wake);
    ev_async_start(net.loop, &net.wake);
    ev_timer_init(&net.second, on_second, 1.0, 1.0);
    ev_timer_start(net.loop, &net.second);
    ev_signal_init(&net.terminate, on_signal, SIGTERM);
    ev_signal_start(net.loop, &net.terminate);
    ev_signal_init(&net.interrupt, on_signal, SIGINT);
    ev_signal_start(net.loop, &net.interrupt);
    ev_signal_init(&net.hangup, on_hangup, SIGHUP);
    ev_signal_start(net.loop, &net.hangup);
    mailbox_start(wake);
    char host[64] = "";
    return open_tcp(host, sizeof host, err) && (!config.socket[0] || open_unix(err)) &&
           bound_check(strcmp(config.listen, "off") ? host : NULL, config.socket, err);
}

void socket_run(void)
{
    ev_run(net.loop, 0);
    log_event(LOG_INFO, "closed", "sessions=%zu jobs=%zu", session_count(), rpc_jobs());
}

void socket_close(void)
{
    mailbox_stop();
    if (net.context) {
        ev_async_stop(net.loop, &net.wake);
        ev_timer_stop(net.loop, &net.second);
        ev_signal_stop(net.loop, &net.terminate);
        ev_signal_stop(net.loop, &net.interrupt);
        ev_signal_stop(net.loop, &net.hangup);
        lws_context_destroy(net.context);
        session_stop();
    }
    net.context = NULL;
    if (net.loop)
        ev_loop_destroy(net.loop);
    net.loop = NULL;
    limits_stop();
    certificate_drop();
    free(net.space);
    net.space = NULL;
}
