/* proxy.h - stands between an eduragd and its PostgreSQL, and is as bad as a network can be.
 *
 * Listens on a Unix socket of its own and passes on to the server's. A thread for each connection.
 */
#ifndef TESTS_LIB_PROXY_H
#define TESTS_LIB_PROXY_H

enum proxy_mode {
    PROXY_PASS,   /* what comes goes */
    PROXY_SLOW,   /* each piece waits for `ms` first */
    PROXY_SILENT, /* connections are accepted and stay, but nothing passes: neither bytes nor their end */
    PROXY_GONE,   /* connections end, and new ones end at once */
};

struct proxy;

/* `server`: the directory of PostgreSQL's socket. What fails ends the program. */
struct proxy *proxy_start(const char *server);
void proxy_stop(struct proxy *proxy);
/* A connection string through it for that role, lent until proxy_stop. */
const char *proxy_url(struct proxy *proxy, const char *role);
void proxy_set(struct proxy *proxy, enum proxy_mode mode, int ms);
/* Each connection that is open now ends in the middle of the next thing that the server says on it. */
void proxy_cut(struct proxy *proxy);
/* Each connection that is open now stays silent for ever, as where a peer is gone without a word; new ones pass. */
void proxy_forget(struct proxy *proxy);

#endif
