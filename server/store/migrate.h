/* migrate.h - brings a database to this program's schema: sql/migrations/, compiled in.
 *
 * Applied in the order of their names under an advisory lock, each in a transaction of its own, with
 * its SHA-256 kept in schema_migrations. A released migration whose text has changed is refused.
 */
#ifndef SERVER_STORE_MIGRATE_H
#define SERVER_STORE_MIGRATE_H

#include "common/err.h"

struct migration {
    const char *name, *text;
};
extern const struct migration migrations[]; /* ended by a row with name NULL */
extern const char migrate_roles[];          /* sql/roles.sql: the roles and the database, for a superuser */

/* `owner_url`: a libpq connection string of the role edurag_owner. `applied` (may be NULL) counts. */
bool migrate_run(const char *owner_url, int *applied, struct err *err) MUST_CHECK;
/* The same with another list (tests). */
bool migrate_list(const char *owner_url, const struct migration *list, int *applied, struct err *err) MUST_CHECK;

#endif
