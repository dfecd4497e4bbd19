/* disk.h - the room that is left beside the embedded PostgreSQL, and what is kept back for the day when there is none.
 *
 * Under EDURAG_DISK_FLOOR uploads and indexing wait, while logging in, searching, reading and chat go on. A ballast file
 * lies beside the cluster: `eduragd doctor release` removes it, so that a server whose disk is full starts again and
 * something can be deleted. With a PostgreSQL of one's own nothing is known of its disk: nothing waits here, and what it
 * says (53100) becomes busy with the cause `disk`.
 *
 * Any thread; a file system is asked at most once a second.
 */
#ifndef SERVER_STORE_DISK_H
#define SERVER_STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

/* `directory`: the data directory, or "" where the database is elsewhere. Makes the ballast where there is room for it. */
void disk_start(const char *directory, int64_t floor_bytes, int64_t ballast_bytes);
int64_t disk_free(void); /* bytes that an unprivileged program may still write; -1: not known */
/* ERR_BUSY with the cause `disk` and a sentence, where less than the floor is free. */
bool disk_room(struct err *err) MUST_CHECK;
/* NULL, or a sentence for the log and /readyz: nothing at all can be written any more. */
const char *disk_full(void);
/* Bytes of the ballast in a data directory; 0: none. Removes it, with `release`. */
int64_t disk_ballast(const char *directory, bool release);

#endif
