/* cli_bound.h - for eduragd doctor: which addresses of this machine really listen at a port. */
#ifndef SERVER_CLI_BOUND_H
#define SERVER_CLI_BOUND_H

#include <stdbool.h>
#include <stddef.h>

/* Writes them as "127.0.0.1:7420, [::]:7420", read from the kernel's tables; false where nobody listens there. *open: one
 * of them is reached from other machines. */
bool cli_bound(int port, char *text, size_t size, bool *open);

#endif
