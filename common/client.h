/* client.h - the RPC client: one server, one WebSocket, one thread; for the terminal, scripts and tests.
 *
 * Nothing here blocks except client_service (until something happens or the time is over), and
 * client_open and client_call, which call it. Everything the client has to say arrives as a callback from inside client_service,
 * never from inside another function. Callbacks may start and cancel requests, connect and disconnect;
 * they must not call client_service, client_open, client_call or client_free.
 * Not thread-safe: a client belongs to the thread that made it. Each has its own event loop, in which other
 * descriptors (keyboard, signalfd) can wait too: client_watch.
 */
#ifndef COMMON_CLIENT_H
#define COMMON_CLIENT_H

#include <stdint.h>

#include "common/address.h"
#include "common/json.h"

enum client_state {
    CLIENT_OFF, /* not connected, and not trying */
    CLIENT_CONNECTING,
    CLIENT_ONLINE,
    CLIENT_WAITING,   /* connection lost; the next try comes at client_retry_ms() */
    CLIENT_UNTRUSTED, /* the certificate needs a decision: client_fingerprint(), client_trust() */
};

struct client;

/* Borrowed for the call: `result` is NULL exactly where `err` is not. */
typedef void client_reply(void *user, const cJSON *result, const struct err *err);

struct client_options {
    const char *url;     /* NULL: address_default() */
    const char *token;   /* NULL or "": nobody yet */
    bool reconnect;      /* after a loss try again by itself, after 1, 2, 4 ... 30 s */
    size_t message_most; /* longest message accepted from the server; 0: 64 MiB */
    int connect_ms;      /* 0: 10 s */
    void *user;          /* for the callbacks below; each may be NULL */
    /* `why` is NULL unless a connection was lost, refused or untrusted. ERR_UNAUTHENTICATED: the server
     * ended the login; the token is forgotten and nothing is tried until client_connect. */
    void (*on_state)(void *user, enum client_state state, const struct err *why);
    /* A notification. `params` is borrowed, NULL where there is none. */
    void (*on_notification)(void *user, const char *method, const cJSON *params);
    /* Every message as it came, before anything else sees it; true: that was all, do not parse it. */
    bool (*on_text)(void *user, const char *text, size_t length);
};

/* NULL with `err` where the URL is no address. Does not connect. Options are copied. */
struct client *client_new(const struct client_options *options, struct err *err) MUST_CHECK;
void client_free(struct client *c);   /* pending requests are dropped without their callbacks */
void client_freep(struct client **c); /* for AUTO */

/* Starts to connect, or cuts a waiting time short. Nothing where it is connected or on its way. */
void client_connect(struct client *c);
/* Ends the connection; requests under way are answered with ERR_UNREACHABLE. */
void client_disconnect(struct client *c);
/* For the next handshake. NULL: none. The text is copied. */
void client_token(struct client *c, const char *token);

enum client_state client_state(const struct client *c);
const struct address *client_address(const struct client *c);
int client_retry_ms(const struct client *c);          /* CLIENT_WAITING: until the next try; else 0 */
const struct err *client_why(const struct client *c); /* why the last connection ended, or did not come about */
unsigned client_tries(const struct client *c);        /* failed tries since it was last online */
bool client_verified(const struct client *c);         /* the system's own store vouches for the certificate */

/* SHA-256 of the certificate the server showed, 64 hex digits, "" before any; and the one kept from
 * the first visit, "" where there is none. CLIENT_UNTRUSTED with both: it has changed. */
const char *client_fingerprint(const struct client *c);
const char *client_pinned(const struct client *c);
/* The person has said yes: keep the fingerprint shown last, and connect. */
bool client_trust(struct client *c, struct err *err) MUST_CHECK;

/* Sends a request; `params` is one JSON object, NULL for none. Returns its id (0 is none), which
 * search.sources and search.delta carry. Not connected: it connects and waits its turn. The reply comes
 * exactly once: a result, the server's error, or ERR_UNREACHABLE, ERR_TIMEOUT (timeout_ms, 0: never), ERR_TOO_LARGE. */
uint64_t client_request(struct client *c, const char *method, const char *params, int timeout_ms, client_reply *reply,
                        void *user);
/* Asks the server to stop it; the reply still comes, usually as ERR_CANCELLED. */
void client_cancel(struct client *c, uint64_t id);
/* No reply will come for it any more; what it does on the server goes on. */
void client_forget(struct client *c, uint64_t id);
/* One message as it is (edurag pipe). */
void client_send(struct client *c, const char *text, size_t length);
/* Messages not yet handed to the socket, and requests not yet answered. */
size_t client_unsent(const struct client *c);
size_t client_pending(const struct client *c);

/* Waits until at least one callback was called, or `timeout_ms` are over (-1: no limit; 0: only look);
 * false where nothing happened. */
bool client_service(struct client *c, int timeout_ms);
/* Makes a client_service under way return; the one function for other threads. */
void client_wake(struct client *c);
/* `ready` is called whenever `fd` can be read or has hung up. The descriptor stays the caller's.
 * At most eight. */
bool client_watch(struct client *c, int fd, void (*ready)(void *user), void *user);
void client_unwatch(struct client *c, int fd);

/* For scripts: connect, and wait for it. */
bool client_open(struct client *c, struct err *err) MUST_CHECK;
/* For scripts: a request and its reply; `result` is the caller's to cJSON_Delete, and may be NULL if
 * nobody wants it. Callbacks of others run meanwhile. */
bool client_call(struct client *c, const char *method, const char *params, int timeout_ms, cJSON **result,
                 struct err *err) MUST_CHECK;
/* An error object of the protocol as a struct err. */
void client_error(const cJSON *error, struct err *err);

#endif
