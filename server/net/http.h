/* http.h - the plain HTTP that stands beside the socket, and what every answer carries.
 *
 * Socket thread. A route is a row in http.c; its handler fills an http_reply and never waits.
 */
#ifndef SERVER_NET_HTTP_H
#define SERVER_NET_HTTP_H

#include <libwebsockets.h>
#include <stdbool.h>

#include "common/buf.h"

struct http_request {
    const char *path, *address;
    bool local; /* from loopback or the Unix socket, and through no proxy */
};

struct http_pending;
struct http_reply {
    unsigned status;
    const char *type; /* content type */
    struct buf body;
};

/* The headers that the library adds to every reply of a vhost. */
extern const struct lws_protocol_vhost_options *const http_headers;
/* LWS_CALLBACK_ADD_HEADERS: the same for the 101. */
int http_add_headers(struct lws *wsi, struct lws_process_html_args *args);

/* Whether a browser page of this origin may use the server. environment: development, staging, production. */
bool http_origin_allowed(const char *environment, const char *origins, const char *origin);

/* A handshake: 0 to go on, 1 once it was refused with a status, -1 to hang up. `address`: the peer's, behind
 * its proxies. `full`: no place for another connection; `closing`: the server is. */
int http_upgrade(struct lws *wsi, bool full, bool closing);
/* LWS_CALLBACK_HTTP and LWS_CALLBACK_HTTP_WRITEABLE; *pending keeps what is not sent yet. */
int http_request(struct lws *wsi, const struct http_request *request, struct http_pending **pending);
int http_writeable(struct lws *wsi, struct http_pending **pending);
void http_pending_free(struct http_pending **pending);

/* What /readyz asks besides the database: NULL when ready, else why not. Before the socket runs. */
void http_ready_add(const char *(*why_not)(void));

/* A header's value, "" where it is absent or longer than `size`. */
void http_header(struct lws *wsi, enum lws_token_indexes token, char *value, size_t size);

#endif
