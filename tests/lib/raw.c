/* raw.c - a WebSocket peer that can misbehave: handshakes and frames exactly as a test writes them. */
#include "tests/lib/raw.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"

enum { REPLY_MS = 10000 };

static int dial(const char *target)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    struct sockaddr_in inet = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    bool unix_socket = target[0] == '/';
    if (unix_socket)
        snprintf(local.sun_path, sizeof local.sun_path, "%s", target);
    else
        inet.sin_port = htons((uint16_t)atoi(strrchr(target, ':') + 1));
    int fd = socket(unix_socket ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr *to = unix_socket ? (const struct sockaddr *)&local : (const struct sockaddr *)&inet;
    if (fd >= 0 && connect(fd, to, unix_socket ? sizeof local : sizeof inet) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

bool raw_connect(struct raw *r, const char *target, SSL_CTX *tls)
{
    *r = (struct raw){.fd = dial(target)};
    if (r->fd < 0 || !tls)
        return r->fd >= 0;
    r->ssl = SSL_new(tls);
    SSL_set_fd(r->ssl, r->fd);
    return SSL_connect(r->ssl) == 1;
}

bool raw_bytes(struct raw *r, const void *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        const char *from = (const char *)bytes + at;
        ssize_t n = r->ssl ? SSL_write(r->ssl, from, (int)(length - at)) : send(r->fd, from, length - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 1 when all have come, 0 at the end of the connection, -1 out of time. */
static int get(struct raw *r, void *bytes, size_t length, int64_t until)
{
    for (size_t at = 0; at < length;) {
        int64_t left = until - now_ms();
        struct pollfd p = {.fd = r->fd, .events = POLLIN};
        if (!(r->ssl && SSL_pending(r->ssl)) && (left <= 0 || poll(&p, 1, (int)left) != 1))
            return -1;
        char *to = (char *)bytes + at;
        ssize_t n = r->ssl ? SSL_read(r->ssl, to, (int)(length - at)) : recv(r->fd, to, length - at, 0);
        if (n <= 0)
            return 0;
        at += (size_t)n;
    }
    return 1;
}

void raw_request(struct raw *r, const char *request)
{
    int64_t until = now_ms() + REPLY_MS;
    size_t n = 0;
    r->status = 0;
    raw_bytes(r, request, strlen(request));
    while (n < sizeof r->head - 1 && get(r, r->head + n, 1, until) == 1) {
        r->head[++n] = '\0';
        if (n >= 4 && !strcmp(r->head + n - 4, "\r\n\r\n")) {
            r->status = atoi(r->head + 9);
            return;
        }
    }
    r->head[n] = '\0';
}

void raw_handshake(struct raw *r, const char *path, const char *extra)
{
    AUTO(mem_freep)
    char *request =
        mem_printf("GET %s HTTP/1.1\r\nHost: school.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                   "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                   path, extra);
    raw_request(r, request);
}

void raw_open(struct raw *r, const char *target, SSL_CTX *tls)
{
    if (!raw_connect(r, target, tls)) {
        fprintf(stderr, "raw: no connection to %s\n", target);
        abort();
    }
    raw_handshake(r, "/ws", "Sec-WebSocket-Protocol: edurag.v1\r\n");
    if (r->status != 101) {
        fprintf(stderr, "raw: %s\n", r->head);
        abort();
    }
}

bool raw_frame(struct raw *r, int first, const char *payload, size_t length)
{
    static const unsigned char mask[4] = {9, 8, 7, 6};
    AUTO(buf_free) struct buf out = {0};
    int bytes = length < 126 ? 0 : length < 65536 ? 2 : 8;
    buf_char(&out, (char)first);
    buf_char(&out, (char)(0x80 | (bytes == 0 ? (int)length : bytes == 2 ? 126 : 127)));
    for (int i = bytes - 1; i >= 0; i--)
        buf_char(&out, (char)(length >> 8 * i));
    buf_bytes(&out, mask, 4);
    for (size_t i = 0; i < length; i++)
        buf_char(&out, (char)(payload[i] ^ mask[i % 4]));
    return raw_bytes(r, out.data, out.length);
}

bool raw_text(struct raw *r, const char *text)
{
    return raw_frame(r, 0x81, text, strlen(text));
}

int raw_next(struct raw *r, int ms)
{
    unsigned char head[2], more[8];
    int64_t until = now_ms() + ms;
    int got = get(r, head, 2, until);
    if (got != 1)
        return got == 0 ? -1 : -2;
    size_t length = head[1] & 0x7F, bytes = length == 126 ? 2 : length == 127 ? 8 : 0;
    if (bytes && get(r, more, bytes, until) != 1)
        return -1;
    if (bytes)
        length = 0;
    for (size_t i = 0; i < bytes; i++)
        length = length << 8 | more[i];
    free(r->payload);
    r->payload = mem_alloc(length + 1);
    r->length = length;
    r->final = head[0] & 0x80;
    if (length && get(r, r->payload, length, until) != 1)
        return -1;
    return head[0] & 15;
}

int raw_close_code(struct raw *r, int ms)
{
    for (int opcode; (opcode = raw_next(r, ms)) != -2;) {
        if (opcode == -1)
            return 1006;
        if (opcode == 8)
            return r->length < 2 ? 1005 : (unsigned char)r->payload[0] << 8 | (unsigned char)r->payload[1];
    }
    return 0;
}

void raw_close(struct raw *r)
{
    SSL_free(r->ssl);
    if (r->fd >= 0)
        close(r->fd);
    free(r->payload);
    *r = (struct raw){.fd = -1};
}
