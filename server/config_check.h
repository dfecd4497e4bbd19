/* config_check.h - reading EDURAG_LISTEN. */
#ifndef SERVER_CONFIG_CHECK_H
#define SERVER_CONFIG_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* "127.0.0.1:7420", "[::1]:7420", "localhost:0": the host without brackets. */
bool config_check_address(const char *listen, char *host, size_t size, int *port);
/* Whether only this machine can reach that address. */
bool config_check_loopback(const char *host);

#endif
