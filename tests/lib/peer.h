/* peer.h - a WebSocket server of a test's own: says what the test tells it to, misbehaves on purpose.
 *
 * Listens on a Unix socket, or on a loopback port of its own with or without TLS (a self-signed certificate,
 * new for each peer). A thread for each connection; `on_message` runs there.
 */
#ifndef TESTS_LIB_PEER_H
#define TESTS_LIB_PEER_H

#include <stdbool.h>
#include <stddef.h>

struct peer;
struct peer_line; /* one connection */

struct peer_options {
    const char *path; /* Unix socket; NULL: loopback */
    int port;         /* loopback: 0 chooses one */
    bool tls;
    int status;  /* answer the handshake with this HTTP status instead; 0: accept */
    bool silent; /* accept the connection and never answer the handshake */
    void (*on_open)(struct peer_line *line, const char *request, void *user); /* the handshake as it came */
    void (*on_message)(struct peer_line *line, const char *text, size_t length, void *user);
    void *user;
};

struct peer *peer_start(const struct peer_options *options); /* aborts where it can't */
void peer_stop(struct peer *p);                              /* cuts every connection */
const char *peer_url(const struct peer *p);
const char *peer_fingerprint(const struct peer *p); /* SHA-256 of its certificate, hex */
int peer_port(const struct peer *p);

void peer_send(struct peer_line *line, const char *text);
void peer_send_pieces(struct peer_line *line, const char *text, size_t each); /* as fragments */
void peer_close(struct peer_line *line, int code, const char *reason);
void peer_cut(struct peer_line *line);
/* {"jsonrpc":"2.0","id":ID,"result":RESULT} for the request in `text`; an error likewise. */
void peer_result(struct peer_line *line, const char *text, const char *result);
void peer_error(struct peer_line *line, const char *text, const char *error);

#endif
