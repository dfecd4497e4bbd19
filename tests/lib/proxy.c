/* proxy.c - stands between an eduragd and its PostgreSQL, and is as bad as a network can be. */
#include "tests/lib/proxy.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/mem.h"

enum { TICK_MS = 20, URLS = 4 };

struct proxy {
    char directory[40];
    char server[200];
    int listener;
    pthread_t thread;
    atomic_bool stopping;
    atomic_int mode, ms, lines, cuts, forgets; /* cuts, forgets: how often it was asked for */
    char *urls[URLS];
    int url_count;
};

struct line {
    struct proxy *proxy;
    int client, server;
    int cuts, forgets; /* when it was opened */
};

static void must(bool fine, const char *what)
{
    if (!fine) {
        perror(what);
        exit(1);
    }
}

static struct sockaddr_un address(const char *directory)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%.80s/.s.PGSQL.5432", directory);
    return at;
}

static bool put(int to, const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        ssize_t n = send(to, bytes + at, length - at, MSG_NOSIGNAL);
        if (n <= 0)
            return false;
        at += (size_t)n;
    }
    return true;
}

static void wait_ms(int ms)
{
    poll(NULL, 0, ms);
}

/* One piece; false: the connection is over. */
static bool pass(struct line *line, bool from_server)
{
    char bytes[8192];
    struct proxy *p = line->proxy;
    int from = from_server ? line->server : line->client, to = from_server ? line->client : line->server;
    ssize_t n = recv(from, bytes, sizeof bytes, 0);
    if (n <= 0)
        return false;
    if (atomic_load(&p->mode) == PROXY_SLOW)
        wait_ms(atomic_load(&p->ms));
    bool cut = from_server && atomic_load(&p->cuts) != line->cuts;
    return put(to, bytes, cut ? (size_t)n / 2 : (size_t)n) && !cut;
}

static bool step(struct line *line)
{
    struct proxy *p = line->proxy;
    int mode = atomic_load(&p->mode);
    if (mode == PROXY_GONE)
        return false;
    if (mode == PROXY_SILENT || atomic_load(&p->forgets) != line->forgets) {
        wait_ms(TICK_MS);
        return true;
    }
    struct pollfd fds[] = {{line->client, POLLIN, 0}, {line->server, POLLIN, 0}};
    if (poll(fds, 2, TICK_MS) < 0)
        return errno == EINTR;
    return (!fds[0].revents || pass(line, false)) && (!fds[1].revents || pass(line, true));
}

static void *serve(void *argument)
{
    struct line *line = argument;
    struct proxy *p = line->proxy;
    struct sockaddr_un at = address(p->server);
    bool reached = false;
    while (!atomic_load(&p->stopping) && (reached || atomic_load(&p->mode) != PROXY_GONE)) {
        if (!reached && atomic_load(&p->mode) != PROXY_SILENT &&
            connect(line->server, (struct sockaddr *)&at, sizeof at) != 0)
            break;
        reached = reached || atomic_load(&p->mode) != PROXY_SILENT;
        if (!step(line))
            break;
    }
    close(line->server);
    close(line->client);
    free(line);
    atomic_fetch_sub(&p->lines, 1);
    return NULL;
}

static void *listen_for(void *argument)
{
    struct proxy *p = argument;
    for (int client; (client = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0;) {
        struct line *line = mem_alloc(sizeof *line);
        *line = (struct line){p, client, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), atomic_load(&p->cuts),
                              atomic_load(&p->forgets)};
        pthread_t thread;
        atomic_fetch_add(&p->lines, 1);
        must(!pthread_create(&thread, NULL, serve, line), "proxy thread");
        pthread_detach(thread);
    }
    return NULL;
}

struct proxy *proxy_start(const char *server)
{
    struct proxy *p = mem_alloc(sizeof *p);
    snprintf(p->directory, sizeof p->directory, "/tmp/edurag-proxy-XXXXXX");
    snprintf(p->server, sizeof p->server, "%s", server);
    must(mkdtemp(p->directory) != NULL, p->directory);
    struct sockaddr_un at = address(p->directory);
    p->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(!bind(p->listener, (struct sockaddr *)&at, sizeof at) && !listen(p->listener, 64), at.sun_path);
    must(!chmod(p->directory, 0755) && !chmod(at.sun_path, 0777), "chmod"); /* for a server that is no longer root */
    must(!pthread_create(&p->thread, NULL, listen_for, p), "proxy thread");
    return p;
}

void proxy_stop(struct proxy *p)
{
    struct sockaddr_un at = address(p->directory);
    atomic_store(&p->stopping, true);
    shutdown(p->listener, SHUT_RDWR);
    pthread_join(p->thread, NULL);
    while (atomic_load(&p->lines))
        wait_ms(TICK_MS);
    close(p->listener);
    unlink(at.sun_path);
    rmdir(p->directory);
    while (p->url_count)
        free(p->urls[--p->url_count]);
    free(p);
}

const char *proxy_url(struct proxy *p, const char *role)
{
    must(p->url_count < URLS, "urls");
    return p->urls[p->url_count++] = mem_printf("host='%s' port=5432 user=%s dbname=edurag", p->directory, role);
}

void proxy_set(struct proxy *p, enum proxy_mode mode, int ms)
{
    atomic_store(&p->ms, ms);
    atomic_store(&p->mode, mode);
}

void proxy_cut(struct proxy *p)
{
    atomic_fetch_add(&p->cuts, 1);
}

void proxy_forget(struct proxy *p)
{
    atomic_fetch_add(&p->forgets, 1);
}
