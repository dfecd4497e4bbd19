/* session.h - one connection each: who it is, what it asked, what it is owed, and when it must end.
 *
 * Socket thread only, except what mailbox.h carries over. A session is known to other threads by its
 * number alone; it is freed when its socket is gone, never while a callback may still look at it.
 */
#ifndef SERVER_NET_SESSION_H
#define SERVER_NET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/rpc/rpc.h"

struct frame;
struct lws;
struct membership;
struct session;

enum session_close_code {
    CLOSE_GOING_AWAY = 1001,
    CLOSE_BINARY = 1003,
    CLOSE_TOO_BIG = 1009,
    CLOSE_TRY_AGAIN = 1013,
    CLOSE_TOKEN = 4401,
    CLOSE_TOO_SLOW = 4408,
    CLOSE_REFUSED = 4429,
};

extern const struct rpc_doors session_doors;

void session_start(void);
void session_stop(void);

/* `token`: what the handshake carried, or "". */
struct session *session_new(struct lws *wsi, const char *address, const char *token);
void session_ended(struct session *session);
/* A piece of a text message. `rest`: bytes of its frame still to come; `last`: the message ends here. */
void session_receive(struct session *session, const char *piece, size_t length, size_t rest, bool last);
/* Sends what waits, all in one. false: close now with session_closing's code and reason. */
bool session_writable(struct session *session);
int session_closing(const struct session *session, const char **reason); /* 0: it isn't */
/* Ends a session once what waits is sent; `at_once` drops that. Further calls change nothing. */
void session_close(struct session *session, int code, const char *reason, bool at_once);
void session_tick(void); /* once a second */
/* Around the delivery of mail: what is put meanwhile leaves at its end, all of a socket's in one send. */
void session_hold_sends(void);
void session_send_due(void);

/* Tells everybody and ends each session when its requests are done, or (force) now. */
void session_drain(bool force);
size_t session_count(void);
size_t session_unfinished(void); /* bytes of messages that are not whole yet */

/* For delivery.c. */
struct session *session_find(uint64_t number);
struct session *session_next(const struct session *after); /* NULL: the first; in no order */
struct session *session_of_user(const char *user_id);
struct session *session_of_user_next(const struct session *session);
const char *session_sid(const struct session *session);
const char *session_user(const struct session *session); /* "" for nobody */
/* Whose place the connection takes: a person's, or "" for a stranger's. */
const char *session_place(const struct session *session);
struct membership **session_rooms(struct session *session);
void session_watch(struct session *session);
bool session_watches(const struct session *session); /* and may */
/* Queues a frame. With `chat` it may be dropped, which is counted there. */
void session_put(struct session *session, struct frame *frame, struct membership *chat);
/* `count` lines of a room are lost for this reader, who is told. */
void session_missed(struct session *session, struct membership *chat, uint32_t count);
bool session_entering(const struct session *session); /* a call that says who it is, is on the way */
void session_reread(struct session *session);         /* its token is verified again, soon */
void session_settle(uint64_t number);                 /* a request of it is done: one that should end may end now */

#endif
