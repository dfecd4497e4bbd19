/* address.h - where a server is: wss://host:port, ws://host:port, unix:/path, /path, or host[:port] (wss).
 *
 * Port 7420 unless given. A plain address beyond loopback is refused: passwords would travel readable.
 */
#ifndef COMMON_ADDRESS_H
#define COMMON_ADDRESS_H

#include "common/err.h"

enum { ADDRESS_PORT = 7420 };

struct address {
    bool tls, local; /* local: `path` is a Unix socket, else host and port */
    int port;
    char host[256]; /* without the brackets of an IPv6 address */
    char path[108];
    char name[280]; /* how it is shown, and its key among the pinned certificates: "host:port" or the path */
};

bool address_parse(const char *text, struct address *out, struct err *err) MUST_CHECK;
/* EDURAG_SERVER, else the socket of a server on this machine where there is one, else
 * ws://127.0.0.1:7420. The text is lent until the next call. */
const char *address_default(void);

#endif
