/* client_errors.h - why a connection ended, or did not come about, in words for the person. Each fills `why`. */
#ifndef COMMON_CLIENT_ERRORS_H
#define COMMON_CLIENT_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/address.h"
#include "common/err.h"

/* A close frame's payload: two bytes of code, then the server's reason. */
void client_errors_closed(struct err *why, const unsigned char *bytes, size_t length);
/* A handshake that failed: the HTTP status (0: none came), or what the library says of it. */
void client_errors_refused(struct err *why, const struct address *server, unsigned status, const char *text,
                           size_t length);
/* The certificate is not vouched for; `changed`: another one was kept from an earlier visit. */
void client_errors_untrusted(struct err *why, const struct address *server, bool changed);
/* Nothing more is known. */
void client_errors_gone(struct err *why, const struct address *server, bool was_online);

#endif
