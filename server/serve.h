/* serve.h - eduragd at work: everything started in order, and stopped in the opposite one. */
#ifndef SERVER_SERVE_H
#define SERVER_SERVE_H

#include "server/privileges.h"
#include "server/rpc/method.h"

/* The tables of every method there is; ended by NULL. */
extern const struct method *const serve_methods[];

/* Returns the exit code once a signal has ended it. */
int serve_run(const struct account *account);

#endif
