/* ws.c - the smallest WebSocket client that can put load on a server. */
#include "tests/lib/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

void (*ws_watcher)(const char *method, const char *message);

enum { TEXT = 1, CONTINUATION = 0, CLOSE = 8, PING = 9 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int dial(const char *target)
{
    if (target[0] == '/') {
        struct sockaddr_un to = {.sun_family = AF_UNIX};
        snprintf(to.sun_path, sizeof to.sun_path, "%s", target);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        return !connect(fd, (struct sockaddr *)&to, sizeof to) ? fd : (close(fd), -1);
    }
    const char *colon = strrchr(target, ':');
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return !connect(fd, (struct sockaddr *)&to, sizeof to) ? fd : (close(fd), -1);
}

static ssize_t put(struct ws *ws, const void *bytes, size_t length)
{
    if (ws->ssl)
        return SSL_write(ws->ssl, bytes, (int)length);
    return send(ws->fd, bytes, length, MSG_NOSIGNAL);
}

/* >0 bytes, 0 ended, -1 nothing now */
static ssize_t get(struct ws *ws, void *bytes, size_t size)
{
    if (ws->ssl) {
        int n = SSL_read(ws->ssl, bytes, (int)size);
        if (n > 0)
            return n;
        int why = SSL_get_error(ws->ssl, n);
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -1 : 0;
    }
    ssize_t n = recv(ws->fd, bytes, size, 0);
    return n > 0 ? n : n < 0 && (errno == EAGAIN || errno == EINTR) ? -1 : 0;
}

static bool shake_hands(struct ws *ws, const char *token, struct err *err)
{
    char text[3072];
    int n = snprintf(text, sizeof text,
                     "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                     "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                     "Sec-WebSocket-Protocol: edurag.v1\r\n%s%s%s\r\n",
                     token ? "Authorization: Bearer " : "", token ? token : "", token ? "\r\n" : "");
    if (put(ws, text, (size_t)n) != n)
        return err_set(err, ERR_UPSTREAM, "handshake not sent");
    size_t have = 0;
    while (have < sizeof text - 1) {
        ssize_t got = get(ws, text + have, 1); /* nothing behind the head is eaten */
        if (got <= 0)
            return err_set(err, ERR_UPSTREAM, "handshake not answered");
        have += (size_t)got;
        text[have] = '\0';
        if (have >= 4 && !strcmp(text + have - 4, "\r\n\r\n"))
            break;
    }
    if (strncmp(text, "HTTP/1.1 101", 12))
        return err_set(err, ERR_UPSTREAM, "%.40s", text);
    return true;
}

bool ws_open(struct ws *ws, const char *target, SSL_CTX *tls, const char *token, struct err *err)
{
    *ws = (struct ws){.fd = dial(target)};
    if (ws->fd < 0)
        return err_set(err, ERR_UPSTREAM, "%s: %s", target, strerror(errno));
    if (tls) {
        ws->ssl = SSL_new(tls);
        SSL_set_fd(ws->ssl, ws->fd);
        if (SSL_connect(ws->ssl) != 1) {
            ws_close(ws);
            return err_set(err, ERR_UPSTREAM, "TLS handshake");
        }
    }
    if (!shake_hands(ws, token, err)) {
        ws_close(ws);
        return false;
    }
    fcntl(ws->fd, F_SETFL, O_NONBLOCK);
    return true;
}

void ws_close(struct ws *ws)
{
    SSL_free(ws->ssl);
    if (ws->fd >= 0)
        close(ws->fd);
    buf_free(&ws->in);
    *ws = (struct ws){.fd = -1, .close_code = ws->close_code ? ws->close_code : 1006};
}

static bool send_frame(struct ws *ws, int opcode, const char *payload, size_t length)
{
    AUTO(buf_free) struct buf out = {0};
    static const unsigned char mask[4] = {0x12, 0x34, 0x56, 0x78};
    buf_char(&out, (char)(0x80 | opcode));
    if (length < 126) {
        buf_char(&out, (char)(0x80 | length));
    } else {
        int bytes = length < 65536 ? 2 : 8;
        buf_char(&out, (char)(0x80 | (bytes == 2 ? 126 : 127)));
        for (int i = bytes - 1; i >= 0; i--)
            buf_char(&out, (char)(length >> 8 * i));
    }
    buf_bytes(&out, mask, 4);
    size_t head = out.length;
    buf_bytes(&out, payload, length);
    for (size_t i = 0; i < length; i++)
        out.data[head + i] = (char)(out.data[head + i] ^ mask[i % 4]);
    for (size_t at = 0; at < out.length;) {
        ssize_t n = put(ws, out.data + at, out.length - at);
        if (n > 0) {
            at += (size_t)n;
        } else {
            struct pollfd p = {.fd = ws->fd, .events = POLLOUT};
            if (!ws->ssl && errno != EAGAIN)
                return false;
            if (poll(&p, 1, 5000) != 1)
                return false;
        }
    }
    return true;
}

bool ws_send(struct ws *ws, const char *text, size_t length)
{
    return send_frame(ws, TEXT, text, length);
}

/* One whole frame at `p`, or 0: its size, and where its payload lies. */
static size_t whole(const unsigned char *p, size_t have, const char **payload, size_t *length)
{
    if (have < 2)
        return 0;
    size_t head = 2, n = p[1] & 0x7F;
    if (n >= 126) {
        size_t bytes = n == 126 ? 2 : 8;
        head += bytes;
        if (have < head)
            return 0;
        n = 0;
        for (size_t i = 0; i < bytes; i++)
            n = n << 8 | p[2 + i];
    }
    if (have < head + n)
        return 0;
    *payload = (const char *)p + head;
    *length = n;
    return head + n;
}

/* A run of frames; what is left of an unfinished one stays in ws->in. Fragments are joined by moving them
 * together in place. */
static bool take(struct ws *ws, ws_message *message, void *context)
{
    size_t at = 0, kept = 0; /* bytes of fragments kept at the front, without their heads */
    static _Thread_local struct buf joined;
    buf_clear(&joined);
    while (true) {
        const char *payload;
        size_t length, n = whole((unsigned char *)ws->in.data + at, ws->in.length - at, &payload, &length);
        if (!n)
            break;
        unsigned char first = (unsigned char)ws->in.data[at];
        int opcode = first & 15;
        at += n;
        if (opcode == CLOSE) {
            ws->close_code = length >= 2 ? (unsigned char)payload[0] << 8 | (unsigned char)payload[1] : 1005;
            return false;
        }
        if (opcode == PING) {
            send_frame(ws, 10, payload, length);
        } else if (opcode == TEXT || opcode == CONTINUATION) {
            if (first & 0x80 && opcode == TEXT) {
                ws->messages++;
                message(ws, payload, length, context);
            } else {
                buf_bytes(&joined, payload, length);
                if (first & 0x80) {
                    ws->messages++;
                    message(ws, joined.data, joined.length, context);
                    buf_clear(&joined);
                    kept = at;
                    continue;
                }
                continue; /* the next piece decides: until then the bytes stay */
            }
        }
        if (!joined.length)
            kept = at;
    }
    size_t left = ws->in.length - kept;
    if (!left) {
        buf_free(&ws->in);
    } else if (kept) {
        memmove(ws->in.data, ws->in.data + kept, left);
        ws->in.length = left;
        ws->in.data[left] = '\0';
    }
    return true;
}

bool ws_read(struct ws *ws, ws_message *message, void *context)
{
    static _Thread_local char piece[65536];
    while (ws->fd >= 0) {
        ssize_t n = get(ws, piece, sizeof piece);
        if (n < 0)
            return true;
        if (n == 0)
            break;
        buf_bytes(&ws->in, piece, (size_t)n);
        if (!take(ws, message, context))
            break;
        if ((size_t)n < sizeof piece && !ws->ssl)
            return true;
    }
    ws_close(ws);
    return false;
}

struct wanted {
    const char *needle;
    char *found;
};

static void look(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)ws;
    struct wanted *w = context;
    if (!w->found && memmem(text, length, w->needle, strlen(w->needle)))
        w->found = mem_dupn(text, length);
    if (ws_watcher && memmem(text, length < 60 ? length : 60, "\"method\":", 9)) {
        AUTO(mem_freep) char *copy = mem_dupn(text, length);
        ws_watcher(NULL, copy);
    }
}

char *ws_wait(struct ws *ws, const char *needle, int ms)
{
    struct wanted w = {.needle = needle};
    int64_t end = now_ms() + ms;
    while (!w.found && ws->fd >= 0 && now_ms() < end) {
        struct pollfd p = {.fd = ws->fd, .events = POLLIN};
        if (poll(&p, 1, (int)(end - now_ms())) == 1 && !ws_read(ws, look, &w))
            break;
    }
    return w.found;
}

char *ws_call(struct ws *ws, int id, const char *method, const char *params, int ms)
{
    AUTO(buf_free) struct buf out = {0};
    buf_printf(&out, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\",\"params\":%s}", id, method, params);
    char needle[40];
    snprintf(needle, sizeof needle, "\"id\":%d,", id);
    char *reply = ws_send(ws, out.data, out.length) ? ws_wait(ws, needle, ms) : NULL;
    if (reply && ws_watcher)
        ws_watcher(method, reply);
    return reply;
}
