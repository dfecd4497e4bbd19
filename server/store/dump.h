/* dump.h - pg_dump and pg_restore on the configured database, as edurag_owner.
 *
 * For the commands `backup` and `restore`. The connection goes to the program by its environment, so that no
 * password stands in a list of processes. What the programs say goes to our standard error.
 */
#ifndef SERVER_STORE_DUMP_H
#define SERVER_STORE_DUMP_H

#include "common/err.h"

enum { DUMP_SHA_TEXT = 65 };

/* Everything that edurag_owner has, in pg_dump's custom format, to the descriptor. */
bool dump_write(int fd, struct err *err) MUST_CHECK;
/* Reads the file from its beginning to its end as a restore would, and takes its SHA-256. */
bool dump_verify(int fd, char sha256[DUMP_SHA_TEXT], struct err *err) MUST_CHECK;
/* Whether nobody has made anything in the database yet. */
bool dump_target_empty(bool *empty, struct err *err) MUST_CHECK;
/* All or nothing, then the rights on the database, which no dump holds. */
bool dump_load(int fd, struct err *err) MUST_CHECK;

#endif
