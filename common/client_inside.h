/* client_inside.h - what the files of the client share; for nobody else.
 *
 * client.c has the socket and the loop, client_state.c what is to be done about what they bring. The two call each
 * other: they are one object, cut in two because one file of it would be too long to read.
 */
#ifndef COMMON_CLIENT_INSIDE_H
#define COMMON_CLIENT_INSIDE_H

#include "common/buf.h"
#include "common/client.h"
#include "common/lookup.h"
#include "common/pending.h"
#include "common/trust.h"

enum { CLIENT_WATCHES = 9 /* one for a lookup */ };

struct outgoing {
    struct outgoing *next;
    size_t length;
    unsigned char bytes[]; /* room for the frame's head (LWS_PRE), then the text */
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
    struct err why;                 /* of the connection that is ending */
    struct err last_why;            /* of the one that ended last */
    bool leaving;                   /* client_disconnect was called */
    int64_t retry_at, lookup_until; /* of client_now() */
    struct lookup *lookup;          /* of this try */
    int next_found;                 /* which of its addresses comes next */
    bool next_now;                  /* and it is its turn */
    unsigned tries;
    struct pending pending;
    struct outgoing *first, **last;
    size_t unsent;
    struct buf incoming;
    struct alarm *alarm;
    bool happened;
    int waker; /* an eventfd: client_wake, for a client that rests */
    struct trust trust;
    struct watch watches[CLIENT_WATCHES];
};

int64_t client_now(void); /* microseconds */
void client_enter(struct client *c, enum client_state state, const struct err *why);
/* The connection is over, or never came about. */
void client_ended(struct client *c);
/* A whole message has come. */
void client_take(struct client *c);
void client_drop_lookup(struct client *c);
void client_drop_outgoing(struct client *c);
/* Nothing waits any more: every request gets `err`. */
void client_fail(struct client *c, const struct err *err);

#endif
