/* peer.c - a WebSocket server of a test's own. */
#include "tests/lib/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/json.h"
#include "common/mem.h"

enum { LINES = 64 };

struct peer_line {
    struct peer *peer;
    int fd;
    SSL *ssl;
    pthread_t thread;
    pthread_mutex_t lock; /* one writer at a time */
};

struct peer {
    struct peer_options options;
    int listener, stop[2], port;
    char url[160], fingerprint[65];
    SSL_CTX *tls;
    pthread_t thread;
    pthread_mutex_t lock;
    struct peer_line *lines[LINES];
    size_t count;
};

static void must(bool fine, const char *what)
{
    if (!fine) {
        perror(what);
        abort();
    }
}

static SSL_CTX *certificate(struct peer *p)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = X509_new();
    ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
    X509_gmtime_adj(X509_getm_notBefore(x), -60);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"Linden School", -1,
                               -1, 0);
    X509_set_issuer_name(x, X509_get_subject_name(x));
    must(X509_sign(x, key, EVP_sha256()) > 0, "sign");
    unsigned char digest[32];
    unsigned length = 0;
    X509_digest(x, EVP_sha256(), digest, &length);
    for (unsigned i = 0; i < length; i++)
        snprintf(p->fingerprint + 2 * i, 3, "%02X", digest[i]);
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    must(SSL_CTX_use_certificate(tls, x) == 1 && SSL_CTX_use_PrivateKey(tls, key) == 1, "certificate");
    X509_free(x);
    EVP_PKEY_free(key);
    return tls;
}

static bool get(struct peer_line *l, void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = l->ssl ? SSL_read(l->ssl, (char *)bytes + at, (int)(length - at))
                           : read(l->fd, (char *)bytes + at, length - at);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static void put(struct peer_line *l, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = l->ssl ? SSL_write(l->ssl, (const char *)bytes + at, (int)(length - at))
                           : send(l->fd, (const char *)bytes + at, length - at, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        at += (size_t)n;
    }
}

static void frame(struct peer_line *l, int first_byte, const void *bytes, size_t length)
{
    unsigned char head[10] = {(unsigned char)first_byte};
    size_t head_length = 2;
    if (length < 126) {
        head[1] = (unsigned char)length;
    } else if (length < 65536) {
        head[1] = 126;
        head[2] = (unsigned char)(length >> 8);
        head[3] = (unsigned char)length;
        head_length = 4;
    } else {
        head[1] = 127;
        for (int i = 0; i < 8; i++)
            head[2 + i] = (unsigned char)(length >> (8 * (7 - i)));
        head_length = 10;
    }
    AUTO(buf_free) struct buf all = {0};
    buf_bytes(&all, head, head_length);
    buf_bytes(&all, bytes, length);
    pthread_mutex_lock(&l->lock);
    put(l, all.data, all.length);
    pthread_mutex_unlock(&l->lock);
}

void peer_send(struct peer_line *line, const char *text)
{
    frame(line, 0x81, text, strlen(text));
}

void peer_send_pieces(struct peer_line *line, const char *text, size_t each)
{
    size_t length = strlen(text);
    for (size_t at = 0; at < length; at += each) {
        bool last = at + each >= length;
        frame(line, (at ? 0 : 1) | (last ? 0x80 : 0), text + at, last ? length - at : each);
    }
}

void peer_close(struct peer_line *line, int code, const char *reason)
{
    char body[125];
    body[0] = (char)(code >> 8);
    body[1] = (char)code;
    size_t length = strlen(reason);
    memcpy(body + 2, reason, length);
    frame(line, 0x88, body, length + 2);
}

void peer_cut(struct peer_line *line)
{
    shutdown(line->fd, SHUT_RDWR);
}

static void reply(struct peer_line *line, const char *text, const char *kind, const char *value)
{
    AUTO(json_freep) cJSON *request = json_parse(text, strlen(text), NULL);
    AUTO(buf_free) struct buf out = {0};
    buf_text(&out, "{\"jsonrpc\":\"2.0\"");
    buf_json_key(&out, "id");
    const cJSON *id = json_get(request, "id");
    AUTO(buf_free) struct buf id_text = {0};
    if (id)
        json_write(&id_text, id);
    buf_json_raw(&out, id ? id_text.data : "null");
    buf_json_member_raw(&out, kind, value);
    buf_json_close(&out, '}');
    peer_send(line, out.data);
}

void peer_result(struct peer_line *line, const char *text, const char *result)
{
    reply(line, text, "result", result);
}

void peer_error(struct peer_line *line, const char *text, const char *error)
{
    reply(line, text, "error", error);
}

static bool upgrade(struct peer_line *l)
{
    AUTO(buf_free) struct buf request = {0};
    char c;
    while (request.length < 16384 &&
           (request.length < 4 || memcmp(request.data + request.length - 4, "\r\n\r\n", 4) != 0)) {
        if (!get(l, &c, 1))
            return false;
        buf_char(&request, c);
    }
    const struct peer_options *o = &l->peer->options;
    if (o->silent) {
        while (get(l, &c, 1))
            ;
        return false;
    }
    AUTO(buf_free) struct buf out = {0};
    if (o->status) {
        buf_printf(&out, "HTTP/1.1 %d No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n", o->status);
        put(l, out.data, out.length);
        return false;
    }
    const char *key = strcasestr(request.data, "sec-websocket-key:");
    must(key != NULL, "key");
    key += strlen("sec-websocket-key:");
    key += strspn(key, " ");
    AUTO(mem_freep) char *joined = mem_printf("%.*s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", (int)strcspn(key, "\r"), key);
    unsigned char digest[EVP_MAX_MD_SIZE], accept[64];
    unsigned length = 0;
    EVP_Digest(joined, strlen(joined), digest, &length, EVP_sha1(), NULL);
    EVP_EncodeBlock(accept, digest, (int)length);
    buf_printf(&out,
               "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: "
               "%s\r\nsec-websocket-protocol: edurag.v1\r\n\r\n",
               (char *)accept);
    put(l, out.data, out.length);
    if (o->on_open)
        o->on_open(l, request.data, o->user);
    return true;
}

/* One frame; false at the end of the connection. A message may come in several. */
static bool take_frame(struct peer_line *l, struct buf *message)
{
    unsigned char head[2], wide[8], mask[4];
    if (!get(l, head, 2))
        return false;
    size_t length = head[1] & 127, extra = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (extra) {
        if (!get(l, wide, extra))
            return false;
        length = 0;
        for (size_t i = 0; i < extra; i++)
            length = length << 8 | wide[i];
    }
    if (!get(l, mask, 4))
        return false;
    AUTO(mem_freep) unsigned char *bytes = mem_alloc(length);
    if (!get(l, bytes, length))
        return false;
    for (size_t i = 0; i < length; i++)
        bytes[i] ^= mask[i % 4];
    int op = head[0] & 15;
    if (op == 8) {
        frame(l, 0x88, bytes, length);
        return false;
    }
    if (op == 9)
        frame(l, 0x8A, bytes, length);
    if (op > 2)
        return true;
    buf_bytes(message, bytes, length);
    if (head[0] & 0x80) {
        if (l->peer->options.on_message)
            l->peer->options.on_message(l, message->data, message->length, l->peer->options.user);
        buf_clear(message);
    }
    return true;
}

static void *serve_line(void *arg)
{
    struct peer_line *l = arg;
    AUTO(buf_free) struct buf message = {0};
    if ((!l->ssl || SSL_accept(l->ssl) == 1) && upgrade(l))
        while (take_frame(l, &message))
            ;
    shutdown(l->fd, SHUT_RDWR);
    return NULL;
}

static void *serve(void *arg)
{
    struct peer *p = arg;
    for (;;) {
        struct pollfd fds[] = {{.fd = p->listener, .events = POLLIN}, {.fd = p->stop[0], .events = POLLIN}};
        poll(fds, 2, -1);
        if (fds[1].revents)
            return NULL;
        int fd = accept(p->listener, NULL, NULL);
        if (fd < 0)
            continue;
        struct peer_line *l = mem_alloc(sizeof *l);
        l->peer = p;
        l->fd = fd;
        pthread_mutex_init(&l->lock, NULL);
        if (p->tls) {
            l->ssl = SSL_new(p->tls);
            SSL_set_fd(l->ssl, fd);
        }
        must(p->count < LINES, "too many connections");
        p->lines[p->count++] = l;
        must(!pthread_create(&l->thread, NULL, serve_line, l), "thread");
    }
}

static void listen_somewhere(struct peer *p)
{
    if (p->options.path) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        snprintf(a.sun_path, sizeof a.sun_path, "%s", p->options.path);
        unlink(a.sun_path);
        p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        must(!bind(p->listener, (struct sockaddr *)&a, sizeof a), "bind");
        snprintf(p->url, sizeof p->url, "unix:%s", a.sun_path);
    } else {
        struct sockaddr_in a = {.sin_family = AF_INET,
                                .sin_port = htons((in_port_t)p->options.port),
                                .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof a;
        int on = 1;
        p->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        setsockopt(p->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        must(!bind(p->listener, (struct sockaddr *)&a, sizeof a), "bind");
        getsockname(p->listener, (struct sockaddr *)&a, &length);
        p->port = ntohs(a.sin_port);
        snprintf(p->url, sizeof p->url, "%s://127.0.0.1:%d", p->options.tls ? "wss" : "ws", p->port);
    }
    must(!listen(p->listener, 16), "listen");
}

struct peer *peer_start(const struct peer_options *options)
{
    signal(SIGPIPE, SIG_IGN); /* SSL_write knows no MSG_NOSIGNAL */
    struct peer *p = mem_alloc(sizeof *p);
    p->options = *options;
    must(!pipe(p->stop), "pipe");
    if (options->tls)
        p->tls = certificate(p);
    listen_somewhere(p);
    must(!pthread_create(&p->thread, NULL, serve, p), "thread");
    return p;
}

void peer_stop(struct peer *p)
{
    must(write(p->stop[1], "x", 1) == 1, "stop");
    pthread_join(p->thread, NULL);
    for (size_t i = 0; i < p->count; i++) {
        struct peer_line *l = p->lines[i];
        shutdown(l->fd, SHUT_RDWR);
        pthread_join(l->thread, NULL);
        if (l->ssl)
            SSL_free(l->ssl);
        close(l->fd);
        pthread_mutex_destroy(&l->lock);
        free(l);
    }
    close(p->listener);
    close(p->stop[0]);
    close(p->stop[1]);
    if (p->tls)
        SSL_CTX_free(p->tls);
    free(p);
}

const char *peer_url(const struct peer *p)
{
    return p->url;
}

const char *peer_fingerprint(const struct peer *p)
{
    return p->fingerprint;
}

int peer_port(const struct peer *p)
{
    return p->port;
}
