/* node.h - an eduragd of a test's own: started on the test's cluster (pg.h), killed by its pid.
 *
 * Several on one cluster are several nodes of one school. Whatever fails ends the program with a sentence.
 */
#ifndef TESTS_LIB_NODE_H
#define TESTS_LIB_NODE_H

#include <sys/types.h>

#include "tests/lib/ws.h"

struct node {
    pid_t pid;
    char socket[100]; /* its Unix socket: the target for ws_open */
    char log[100];    /* what it wrote to standard error */
};

/* `settings`: further "NAME=value" strings, ended by NULL; may itself be NULL. Waits until it serves. */
void node_start(struct node *node, const char *const *settings);
void node_stop(struct node *node); /* SIGTERM, and waits */
void node_kill(struct node *node); /* SIGKILL */

/* A person made through the database, and a token of theirs; valid until the program ends. */
const char *node_person(const char *institution_id, const char *name, const char *role);
const char *node_user_id(const char *institution_id);

#endif
