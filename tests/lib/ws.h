/* ws.h - the smallest WebSocket client that can put load on a server: no library between it and the socket.
 *
 * For benchmarks and tests that hold thousands of connections in one thread. Blocking while it connects,
 * non-blocking afterwards: poll the fd (epoll) and call ws_read when it is readable. Not for hostile
 * servers: what breaks the protocol ends the connection. An idle one costs its struct and nothing else.
 */
#ifndef TESTS_LIB_WS_H
#define TESTS_LIB_WS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct ws {
    int fd;
    SSL *ssl;
    struct buf in;     /* what of a message has come so far; empty between messages */
    uint64_t messages; /* received so far */
    int close_code;    /* 0 while open; 1006 where the socket just ended */
};

/* One message; lent for the call. */
typedef void ws_message(struct ws *ws, const char *text, size_t length, void *context);

/* target: "127.0.0.1:7420" or "/path/of/a.sock"; tls: NULL for plain; token: NULL for none. */
bool ws_open(struct ws *ws, const char *target, SSL_CTX *tls, const char *token, struct err *err) MUST_CHECK;
void ws_close(struct ws *ws);
bool ws_send(struct ws *ws, const char *text, size_t length); /* a whole text frame, masked; waits if it must */
/* Takes what is there; false once the connection has ended. Answers pings. */
bool ws_read(struct ws *ws, ws_message *message, void *context);
/* Waits up to `ms` for the next message whose text contains `needle` and returns a copy of it, or NULL. */
char *ws_wait(struct ws *ws, const char *needle, int ms);
/* A call and its reply's text (free it), or NULL. `params` is JSON. */
char *ws_call(struct ws *ws, int id, const char *method, const char *params, int ms);
/* NULL, or who sees each reply of ws_call, with its method, and each notification that ws_wait meets, with NULL. */
extern void (*ws_watcher)(const char *method, const char *message);

#endif
