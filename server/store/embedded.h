/* embedded.h - the private PostgreSQL of a school of one machine: made, started, watched, stopped.
 *
 * DATA_DIR/postgres is the cluster, DATA_DIR/run its Unix socket (the only way in: peer authentication,
 * and the account maps to the roles), DATA_DIR/log what it says, DATA_DIR/lock whose it is: the lock
 * is inherited by every process of PostgreSQL, so it is free when the last of them has gone.
 * One a process. A thread of its own starts the server and, when it dies, starts it again.
 */
#ifndef SERVER_STORE_EMBEDDED_H
#define SERVER_STORE_EMBEDDED_H

#include "common/err.h"
#include "server/privileges.h"

struct embedded_settings {
    const char *data_dir;   /* exists, is the account's */
    struct account account; /* whom PostgreSQL runs as; another than ours only where we are root */
    bool unsafe;            /* tests only: nothing is synced to disk */
};

/* Makes the cluster where there is none, waits for another eduragd on the same directory (and says
 * so in the log), starts the server, makes the roles and the database. Returns when it answers. */
bool embedded_start(const struct embedded_settings *settings, struct err *err) MUST_CHECK;
/* For commands: as embedded_start, but where another eduragd runs on the directory, only finds its socket. */
bool embedded_attach(const struct embedded_settings *settings, struct err *err) MUST_CHECK;
/* Whether PostgreSQL is installed, in the version of what is in `data_dir`; changes nothing. */
bool embedded_check(const char *data_dir, struct err *err) MUST_CHECK;
void embedded_stop(void); /* fast shutdown; nothing where nothing was started */
/* A connection string for role edurag_owner, edurag_app or edurag_worker; valid until embedded_stop. */
const char *embedded_url(const char *role);
/* The postmaster's process id, 0 where none runs. */
int embedded_pid(void);

#endif
