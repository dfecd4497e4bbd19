/* serve.h - eduragd at work: everything started in order, and stopped in the opposite one. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "server/privileges.h"

/* Returns the exit code once a signal has ended it. */
int serve_run(const struct account *account);

#endif
