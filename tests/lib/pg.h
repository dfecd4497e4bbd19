/* pg.h - a private PostgreSQL for one test program, with the schema in it: ready in well under a second.
 *
 * The first test of a build makes a template below the build directory (by the hash of roles and migrations);
 * each copies it to a directory of its own, in memory where there is plenty. Whatever fails ends the program with a sentence.
 * Runs as root too: PostgreSQL then works as the account that eduragd would take.
 */
#ifndef TESTS_LIB_PG_H
#define TESTS_LIB_PG_H

#include <stdbool.h>

#include "server/privileges.h"

/* A fresh data directory with a migrated cluster in it, for an eduragd (EDURAG_DATA_DIR) or pg_start. Removed
 * when the program ends. Also sets EDURAG_TEST_UNSAFE_DATABASE, so that nothing waits for the disk. */
const char *pg_directory(void);
/* Starts the cluster of a fresh directory inside this program, as eduragd does. */
void pg_start(void);
/* The same as a process with this library preloaded and EDURAG_TEST_CLOCK set: see tests/faults/shim/. */
void pg_start_preloaded(const char *library, const char *clock);
void pg_stop(void);
/* The same two for cmocka's groups. */
int pg_setup(void **state);
int pg_teardown(void **state);
/* A fresh empty directory of whom PostgreSQL runs as; removed when the program ends. */
const char *pg_scratch(void);
/* Connection string for edurag_owner, edurag_app, edurag_worker or postgres, while pg_start's is running. */
const char *pg_url(const char *role);
/* The same for the server of an eduragd on `directory`. */
const char *pg_url_in(const char *directory, const char *role);

/* The first column of the first row (NULL where there is none), the caller's to free(); for statements that
 * no query of ours is. `error`: gets a failure's SQLSTATE and message, else a failure ends the program. */
char *pg_sql(const char *role, const char *sql);
char *pg_sqlf(const char *role, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *pg_try(const char *url, const char *sql, char *error, size_t size);

/* The build directory: where eduragd is. */
const char *pg_build(void);

/* Whom PostgreSQL runs as here: tests that are root connect to an eduragd's server as this one. */
struct account pg_account(void);

#endif
