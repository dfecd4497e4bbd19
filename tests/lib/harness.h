/* harness.h - an eduragd of a test's own, on a private database, a Unix socket and a free loopback port.
 *
 * What fails ends the test program with a sentence and the server's last words. Servers still running when
 * the program ends are stopped by their pid.
 */
#ifndef TESTS_LIB_HARNESS_H
#define TESTS_LIB_HARNESS_H

#include <sys/types.h>

#include "common/json.h"
#include "tests/lib/ws.h"

struct harness {
    pid_t pid;
    int port;
    char target[32]; /* "127.0.0.1:PORT" */
    char socket[108];
    char log[128];
    const char *directory; /* its data directory */
    bool node;             /* on the cluster of pg_start */
};

/* `settings`: "NAME=VALUE", ended by NULL, over defaults for tests: development, cheap hashes, high rates,
 * log at debug. With `directory` (NULL: a fresh one) it serves what an earlier harness did. */
void harness_start(struct harness *h, const char *directory, const char *const *settings);
/* One of several nodes: on the cluster that pg_start has started in this program. */
void harness_node(struct harness *h, const char *const *settings);
/* SIGTERM, and the exit code; -1 where it did not end within 15 s and was killed. */
int harness_stop(struct harness *h);
/* SIGKILL. */
void harness_kill(struct harness *h);
/* The whole log so far; free it. */
char *harness_log(const struct harness *h);
/* `eduragd ARGS` on the same data directory: standard output without its last line end; free it. NULL where
 * it failed. */
char *harness_command(const struct harness *h, const char *const *args);

/* An account; its password is `ID-password`. */
void harness_user(const struct harness *h, const char *role, const char *id, const char *name);
/* A socket, over the Unix socket, logged in (id NULL: nobody). */
void harness_open(const struct harness *h, struct ws *ws, const char *id);
/* A new token of that person; free it. */
char *harness_token(const struct harness *h, const char *id);

/* The whole reply to a call, waited for up to 20 s; cJSON_Delete it. NULL: the socket ended. */
cJSON *harness_call(struct ws *ws, const char *method, const char *params);
/* The reply's reason word; "ok" for a result, "closed" for none. Lent until the next call. */
const char *harness_reason(struct ws *ws, const char *method, const char *params);
/* Waits for the other side to close; its code, or 0 where it didn't within `ms`. */
int harness_closed(struct ws *ws, int ms);

#endif
