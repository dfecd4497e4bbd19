/* cluster.h - the files of the embedded PostgreSQL: its programs, its directory, its configuration.
 *
 * For embedded.c alone. Paths are under the data directory.
 */
#ifndef SERVER_STORE_CLUSTER_H
#define SERVER_STORE_CLUSTER_H

#include <limits.h>

#include "server/store/embedded.h"

struct cluster {
    struct embedded_settings settings;
    char data_dir[PATH_MAX]; /* absolute, without links */
    char bin[PATH_MAX];      /* where postgres and initdb are */
    char pgdata[PATH_MAX + 32], run[PATH_MAX + 32], log[PATH_MAX + 32], lock[PATH_MAX + 32];
};

/* Fills in the paths; refuses a directory too long for a socket. */
bool cluster_locate(const struct embedded_settings *settings, struct cluster *cluster, struct err *err) MUST_CHECK;
/* Finds the programs for what is there, or the newest; refuses a cluster of a version that isn't installed. */
bool cluster_programs(struct cluster *cluster, struct err *err) MUST_CHECK;
/* initdb where there is no cluster yet, in a directory that gets its name only when it is whole. */
bool cluster_create(const struct cluster *cluster, struct err *err) MUST_CHECK;
/* Writes postgresql.conf, pg_hba.conf and pg_ident.conf: at each start, so that they are this version's. */
bool cluster_configure(const struct cluster *cluster, struct err *err) MUST_CHECK;

/* Starts bin/PROGRAM as the account, in a session of its own, that dies with the calling thread;
 * its words go to DATA_DIR/log/PROGRAM.log, `inherit` (-1: none) stays open in it. The pid, or -1. */
int cluster_spawn(const struct cluster *cluster, const char *program, const char *const *args, int inherit,
                  struct err *err) MUST_CHECK;
/* The last line that PROGRAM wrote before it failed, for the log; "" where there is none. */
const char *cluster_last_words(const struct cluster *cluster, const char *program, char *line, size_t size);

#endif
