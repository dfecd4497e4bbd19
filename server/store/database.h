/* database.h - the database as config.h says: the embedded one or a server, brought up to date, with pools.
 *
 * For main and the commands; one a process.
 */
#ifndef SERVER_STORE_DATABASE_H
#define SERVER_STORE_DATABASE_H

#include "common/err.h"
#include "server/privileges.h"
#include "server/store/tx.h"

/* With no EDURAG_DATABASE_URL starts the embedded one, in config.data_dir, as `account`; with `command` one
 * that another eduragd serves from is used as it is. */
bool database_start(const struct account *account, bool command, struct err *err) MUST_CHECK;
/* Whether database_start and database_open_pools would find what they need; appends sentences to `problems`
 * and returns how many. Changes nothing. */
int database_check(struct buf *problems);
/* Whether there is a database to look into: the embedded one is made by the first start. */
bool database_is_made(void);
void database_stop(void);
/* For role "edurag_owner", "edurag_app", "edurag_worker" or "listen"; "" where it is not configured. */
const char *database_url(const char *role);
/* `applied` counts. Nothing happens where the owner's login is not configured. */
bool database_migrate(int *applied, struct err *err) MUST_CHECK;
/* Hands over the settings that the database itself obeys: times to live, the cost of a hash. */
bool database_configure(struct err *err) MUST_CHECK;
/* Runs `query` as the owner in a transaction of its own. */
bool database_as_owner(enum query query, const struct bind *values, size_t count, struct rows **rows, struct err *err)
    MUST_CHECK;
/* Opens the two pools of pool.h and refuses logins that may do too much. */
bool database_open_pools(struct err *err) MUST_CHECK;
void database_close_pools(void);

#endif
