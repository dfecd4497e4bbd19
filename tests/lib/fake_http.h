/* fake_http.h - a small HTTP server for tests that misbehaves when told to.
 *
 * In the test's own process, a thread per connection, on a port of loopback that the system chooses.
 * A handler gets each request and answers with the fake_* calls. Not for anything but tests.
 */
#ifndef TESTS_LIB_FAKE_HTTP_H
#define TESTS_LIB_FAKE_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct fake_http;
struct fake_peer;

struct fake_request {
    char verb[12];
    char path[1024];    /* with its query */
    char headers[8192]; /* as they came, lower-case names */
    char *body;
    size_t length;
};

typedef void fake_handler(void *context, const struct fake_request *request, struct fake_peer *peer);

struct fake_http *fake_http_start(int port, fake_handler *handler, void *context); /* port 0: any */
int fake_http_port(const struct fake_http *fake);
int fake_http_connections(const struct fake_http *fake); /* accepted so far */
void fake_http_stop(struct fake_http *fake);             /* cuts what is open */

/* The value of a header, or "". In a buffer of this thread. */
const char *fake_http_header(const struct fake_request *request, const char *name);

/* A whole reply; `headers` are further lines, each ended by \r\n, or "". */
void fake_http_reply(struct fake_peer *peer, int status, const char *headers, const char *type, const char *body);
/* A reply in pieces: head, then bytes (chunked), then the end. */
void fake_http_begin(struct fake_peer *peer, int status, const char *type);
bool fake_http_piece(struct fake_peer *peer, const char *bytes, size_t length); /* false: the client is gone */
void fake_http_end(struct fake_peer *peer);
void fake_http_cut(struct fake_peer *peer);           /* closes at once, in the middle */
bool fake_http_sleep(struct fake_peer *peer, int ms); /* false: the client is gone, or the fake stops */

#endif
