/* bound.h - whether what this process really listens at is what the settings ask for.
 *
 * A library may bind more than it was told, and every promise about who can reach the server would be void. So the
 * kernel is asked about each listening socket of ours, after all are open and before anybody is served.
 */
#ifndef SERVER_NET_BOUND_H
#define SERVER_NET_BOUND_H

#include "common/err.h"

/* host: NULL: no TCP at all; "": every address; "localhost" is 127.0.0.1; else an address. socket: a path, or "". False
 * where a listening socket of this process is wider than that, naming it. */
bool bound_check(const char *host, const char *socket, struct err *err) MUST_CHECK;

#endif
