/* database.h - the database as config.h says: the embedded one or a server, brought up to date, with pools.
 *
 * For main and the commands; one a process.
 */
#ifndef SERVER_STORE_DATABASE_H
#define SERVER_STORE_DATABASE_H

#include "common/err.h"
#include "server/privileges.h"

/* With no EDURAG_DATABASE_URL starts the embedded one, in config.data_dir, as `account`; with `command` one
 * that another eduragd serves from is used as it is. */
bool database_start(const struct account *account, bool command, struct err *err) MUST_CHECK;
void database_stop(void);
/* For role "edurag_owner", "edurag_app", "edurag_worker" or "listen"; "" where it is not configured. */
const char *database_url(const char *role);
/* Migrations, then the settings that the database itself obeys. `applied` counts. */
bool database_migrate(int *applied, struct err *err) MUST_CHECK;
/* Opens the two pools of pool.h and refuses logins that may do too much. */
bool database_open_pools(struct err *err) MUST_CHECK;
void database_close_pools(void);

#endif
