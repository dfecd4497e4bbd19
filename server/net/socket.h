/* socket.h - the sockets themselves: libwebsockets on a libev loop, TCP, TLS and Unix.
 *
 * socket_open, then socket_run on the main thread until a SIGTERM or SIGINT has drained it, then
 * socket_close. Everything of net/ and rpc.h runs on the thread of socket_run.
 */
#ifndef SERVER_NET_SOCKET_H
#define SERVER_NET_SOCKET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct lws;

/* Listens as config says. Logs `event=listening` with the address, or the sentence that says why not. */
bool socket_open(struct err *err) MUST_CHECK;
/* Serves until told to stop; at most 10 s longer. */
void socket_run(void);
void socket_stop(void); /* any thread: as SIGTERM */
void socket_close(void);

/* For session.c, on the socket thread. */
void socket_want_write(struct lws *wsi);
void socket_hold(struct lws *wsi, bool hold); /* stops reading, or goes on */
void socket_kill(struct lws *wsi);            /* hangs up soon, without another word */
/* One send of frames that are complete already; false: the socket is broken. */
bool socket_send(struct lws *wsi, const unsigned char *bytes, size_t length);
bool socket_backed_up(struct lws *wsi); /* bytes of an earlier send still wait for the peer */
/* The buffer to gather into, OUTBOX_SEND bytes, for the next socket_send. */
unsigned char *socket_space(void);

#endif
