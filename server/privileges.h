/* privileges.h - as whom eduragd works: started by root it becomes an unprivileged account first.
 *
 * Used by main before any thread starts.
 */
#ifndef SERVER_PRIVILEGES_H
#define SERVER_PRIVILEGES_H

#include <sys/types.h>

#include "common/err.h"

struct account {
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* Whoever started us; where that is root: the owner of `data_dir` if it is there and not root's, else
 * the account edurag, else postgres. */
bool privileges_account(const char *data_dir, struct account *account, struct err *err) MUST_CHECK;
/* Makes the directory, with its parents, 0700 and the account's. */
bool privileges_dir(const char *path, const struct account *account, struct err *err) MUST_CHECK;
/* For good. Nothing to do where we are that account already. */
bool privileges_drop(const struct account *account, struct err *err) MUST_CHECK;
/* A program of ours ("edurag-extractor"), for fexecve: it is opened before privileges_drop, since it may
 * lie where the account can't go. Looked for beside our own and in ../libexec/edurag. */
void privileges_keep_program(const char *name);
/* The descriptor of privileges_keep_program, closed on exec; -1 where the program is not installed. */
int privileges_program(void);

#endif
