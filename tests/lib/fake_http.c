/* fake_http.c - a small HTTP server for tests that misbehaves when told to. */
#include "tests/lib/fake_http.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"

enum { BODY_MOST = 16 << 20 };

struct fake_http {
    int listener, port;
    fake_handler *handler;
    void *context;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int accepted, open;
};

struct fake_peer {
    struct fake_http *fake;
    int fd;
    bool chunked, cut;
};

static bool send_all(struct fake_peer *peer, const char *bytes, size_t length)
{
    while (length && !peer->cut) {
        ssize_t n = send(peer->fd, bytes, length, MSG_NOSIGNAL);
        if (n <= 0) {
            peer->cut = true;
            break;
        }
        bytes += n;
        length -= (size_t)n;
    }
    return !peer->cut;
}

/* One byte more, or -1. Waits in small steps, so that stopping is seen. */
static int read_byte(struct fake_peer *peer, char *byte)
{
    struct pollfd p = {.fd = peer->fd, .events = POLLIN};
    while (!atomic_load(&peer->fake->stopping))
        if (poll(&p, 1, 50) > 0)
            return recv(peer->fd, byte, 1, 0) == 1 ? 0 : -1;
    return -1;
}

static bool read_head(struct fake_peer *peer, char *head, size_t size)
{
    size_t n = 0;
    while (n + 1 < size) {
        if (read_byte(peer, head + n))
            return false;
        head[++n] = '\0';
        if (n >= 4 && !strcmp(head + n - 4, "\r\n\r\n"))
            return true;
    }
    return false;
}

const char *fake_http_header(const struct fake_request *request, const char *name)
{
    static _Thread_local char value[1024];
    AUTO(mem_freep) char *start = mem_printf("\n%s:", name);
    const char *found = strstr(request->headers, start);
    value[0] = '\0';
    if (found) {
        found += strlen(start);
        found += strspn(found, " ");
        snprintf(value, sizeof value, "%.*s", (int)strcspn(found, "\r\n"), found);
    }
    return value;
}

static bool read_request(struct fake_peer *peer, struct fake_request *r)
{
    char head[16384];
    if (!read_head(peer, head, sizeof head) || sscanf(head, "%11s %1023s", r->verb, r->path) != 2)
        return false;
    const char *lines = strchr(head, '\n');
    snprintf(r->headers, sizeof r->headers, "%s", lines ? lines : "");
    bool name = true;
    for (char *c = r->headers; *c; c++) {
        if (*c == '\n')
            name = true;
        else if (*c == ':')
            name = false;
        else if (name)
            *c = (char)tolower((unsigned char)*c);
    }
    r->length = (size_t)strtoul(fake_http_header(r, "content-length"), NULL, 10);
    if (r->length > BODY_MOST)
        return false;
    r->body = mem_alloc(r->length + 1);
    for (size_t n = 0; n < r->length;) {
        struct pollfd p = {.fd = peer->fd, .events = POLLIN};
        if (poll(&p, 1, 2000) <= 0)
            return false;
        ssize_t got = recv(peer->fd, r->body + n, r->length - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return true;
}

static void *serve(void *context)
{
    struct fake_peer *peer = context;
    int yes = 1;
    setsockopt(peer->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    while (!peer->cut && !atomic_load(&peer->fake->stopping)) {
        struct fake_request request = {0};
        bool fine = read_request(peer, &request);
        if (fine)
            peer->fake->handler(peer->fake->context, &request, peer);
        free(request.body);
        if (!fine)
            break;
    }
    close(peer->fd);
    atomic_fetch_sub(&peer->fake->open, 1);
    free(peer);
    return NULL;
}

static void *listen_on(void *context)
{
    struct fake_http *fake = context;
    while (!atomic_load(&fake->stopping)) {
        struct pollfd p = {.fd = fake->listener, .events = POLLIN};
        if (poll(&p, 1, 50) <= 0)
            continue;
        int fd = accept(fake->listener, NULL, NULL);
        if (fd < 0)
            continue;
        struct fake_peer *peer = mem_alloc(sizeof *peer);
        *peer = (struct fake_peer){.fake = fake, .fd = fd};
        atomic_fetch_add(&fake->accepted, 1);
        atomic_fetch_add(&fake->open, 1);
        pthread_t thread;
        if (pthread_create(&thread, NULL, serve, peer))
            abort();
        pthread_detach(thread);
    }
    return NULL;
}

struct fake_http *fake_http_start(int port, fake_handler *handler, void *context)
{
    struct fake_http *fake = mem_alloc(sizeof *fake);
    fake->handler = handler;
    fake->context = context;
    fake->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
    socklen_t length = sizeof address;
    int yes = 1;
    setsockopt(fake->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fake->listener, (struct sockaddr *)&address, length) || listen(fake->listener, 128) ||
        getsockname(fake->listener, (struct sockaddr *)&address, &length))
        abort();
    fake->port = ntohs(address.sin_port);
    if (pthread_create(&fake->thread, NULL, listen_on, fake))
        abort();
    return fake;
}

int fake_http_port(const struct fake_http *fake)
{
    return fake->port;
}
int fake_http_connections(const struct fake_http *fake)
{
    return atomic_load(&fake->accepted);
}

void fake_http_stop(struct fake_http *fake)
{
    atomic_store(&fake->stopping, true);
    pthread_join(fake->thread, NULL);
    while (atomic_load(&fake->open))
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    close(fake->listener);
    free(fake);
}

void fake_http_reply(struct fake_peer *peer, int status, const char *headers, const char *type, const char *body)
{
    AUTO(mem_freep)
    char *head = mem_printf("HTTP/1.1 %d Fake\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n", status, type,
                            strlen(body), headers);
    send_all(peer, head, strlen(head));
    send_all(peer, body, strlen(body));
}

void fake_http_begin(struct fake_peer *peer, int status, const char *type)
{
    AUTO(mem_freep)
    char *head = mem_printf("HTTP/1.1 %d Fake\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n", status, type);
    send_all(peer, head, strlen(head));
}

bool fake_http_piece(struct fake_peer *peer, const char *bytes, size_t length)
{
    char size[32];
    if (!length)
        return !peer->cut;
    snprintf(size, sizeof size, "%zx\r\n", length);
    return send_all(peer, size, strlen(size)) && send_all(peer, bytes, length) && send_all(peer, "\r\n", 2);
}

void fake_http_end(struct fake_peer *peer)
{
    send_all(peer, "0\r\n\r\n", 5);
}

void fake_http_cut(struct fake_peer *peer)
{
    shutdown(peer->fd, SHUT_RDWR);
    peer->cut = true;
}

bool fake_http_sleep(struct fake_peer *peer, int ms)
{
    for (; ms > 0 && !atomic_load(&peer->fake->stopping); ms -= 10) {
        struct pollfd p = {.fd = peer->fd, .events = POLLRDHUP};
        if (poll(&p, 1, ms < 10 ? ms : 10) > 0)
            return false;
    }
    return !atomic_load(&peer->fake->stopping);
}
