/* orphans.h - processes of a PostgreSQL whose postmaster was killed: found in /proc, ended.
 *
 * A busy one lives on and holds the shared memory, so that no new server can start.
 */
#ifndef SERVER_STORE_ORPHANS_H
#define SERVER_STORE_ORPHANS_H

#include <stdbool.h>

/* Whether that process is still the one that was started at `start` (orphans_start_time). */
bool orphans_alive(int pid, unsigned long long start);
unsigned long long orphans_start_time(int pid); /* in the kernel's ticks; 0: no such process */
/* Whether no server is there that could end its own processes. */
bool orphans_only(const char *pgdata);
/* Ends every process that works in `pgdata`, and removes its server's lock files there and in `run`, where
 * its socket is; only once nobody can be serving from it any more. */
void orphans_end(const char *pgdata, const char *run);

#endif
