/* config_check.h - reading EDURAG_LISTEN, and whether the certificate can be served. */
#ifndef SERVER_CONFIG_CHECK_H
#define SERVER_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/buf.h"

/* "127.0.0.1:7420", "[::1]:7420", "localhost:0": the host without brackets. */
bool config_check_address(const char *listen, char *host, size_t size, int *port);
/* Whether only this machine can reach that address. */
bool config_check_loopback(const char *host);
/* Appends a sentence a line for what is wrong with EDURAG_TLS_CERT and EDURAG_TLS_KEY; how many. Opens the files. */
int config_check_tls(struct buf *problems);

#endif
