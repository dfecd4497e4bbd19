/* lookup.c - the addresses of a host, without waiting for them. */
#include "common/lookup.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/mem.h"

/* The thread's own: it may outlive whoever asked. */
struct question {
    int fd;
    char host[256];
};

bool lookup_needless(const char *host)
{
    unsigned char bytes[16];
    return !strcmp(host, "localhost") || inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static void *ask(void *arg)
{
    struct question *q = arg;
    char found[LOOKUP_MOST][LOOKUP_TEXT] = {0};
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *list = NULL;
    int count = 0;
    if (!getaddrinfo(q->host, NULL, &hints, &list))
        for (const struct addrinfo *a = list; a && count < LOOKUP_MOST; a = a->ai_next)
            if (!getnameinfo(a->ai_addr, a->ai_addrlen, found[count], LOOKUP_TEXT, NULL, 0, NI_NUMERICHOST))
                count++;
    if (list)
        freeaddrinfo(list);
    /* One write below PIPE_BUF: whole or not at all. Nobody may be reading any more. */
    ssize_t written = write(q->fd, found, sizeof found);
    (void)written;
    close(q->fd);
    free(q);
    return NULL;
}

/* Signals belong to the thread that asked; a pipe without a reader is no reason to die. */
static bool start_thread(struct question *q)
{
    pthread_t thread;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool fine = !pthread_create(&thread, NULL, ask, q);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fine)
        pthread_detach(thread);
    return fine;
}

struct lookup *lookup_start(const char *host)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC))
        return NULL;
    struct question *q = mem_alloc(sizeof *q);
    struct lookup *l = mem_alloc(sizeof *l);
    l->fd = fds[0];
    q->fd = fds[1];
    strncpy(q->host, host, sizeof q->host - 1);
    if (start_thread(q))
        return l;
    close(fds[1]);
    free(q);
    lookup_free(l);
    return NULL;
}

int lookup_take(struct lookup *l)
{
    ssize_t n = read(l->fd, l->found, sizeof l->found);
    l->count = 0;
    if (n == (ssize_t)sizeof l->found)
        while (l->count < LOOKUP_MOST && *l->found[l->count])
            l->found[l->count++][LOOKUP_TEXT - 1] = '\0';
    return l->count;
}

void lookup_free(struct lookup *l)
{
    if (!l)
        return;
    close(l->fd);
    free(l);
}
