/* node.c - an eduragd of a test's own. */
#include "tests/lib/node.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/json.h"
#include "common/mem.h"
#include "tests/lib/pg.h"

enum { READY_MS = 60000, STOP_MS = 20000 };

static char directory[64];

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void remove_directory(void)
{
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", directory);
    if (system(command) != 0)
        fprintf(stderr, "%s is left behind\n", directory);
}

static void make_directory(void)
{
    if (directory[0])
        return;
    snprintf(directory, sizeof directory, "/tmp/edurag-nodes-XXXXXX");
    if (!mkdtemp(directory))
        fail("mkdtemp", directory);
    chmod(directory, 0777);
    atexit(remove_directory);
}

static void run(const struct node *node, const char *const *settings)
{
    const char *build = getenv("EDURAG_BUILD");
    char program[4096];
    snprintf(program, sizeof program, "%s/eduragd", build ? build : "build");
    setenv("EDURAG_SOCKET", node->socket, 1);
    setenv("EDURAG_LISTEN", "127.0.0.1:0", 1);
    setenv("EDURAG_DATABASE_URL", pg_url("edurag_app"), 1);
    setenv("EDURAG_DATABASE_WORKER_URL", pg_url("edurag_worker"), 1);
    setenv("EDURAG_DATABASE_OWNER_URL", pg_url("edurag_owner"), 1);
    setenv("EDURAG_DATABASE_LISTEN_URL", pg_url("edurag_worker"), 1);
    setenv("EDURAG_BCRYPT_COST", "4", 1);
    setenv("EDURAG_RATE_PERSON", "1000000", 1);
    setenv("EDURAG_RATE_ADDRESS", "1000000", 1);
    setenv("EDURAG_ENVIRONMENT", "development", 1);
    for (; settings && *settings; settings++)
        putenv(mem_dup(*settings));
    int out = open(node->log, O_CREAT | O_WRONLY | O_APPEND | O_CLOEXEC, 0666);
    dup2(out, STDERR_FILENO);
    execl(program, program, (char *)NULL);
    _exit(127);
}

void node_start(struct node *node, const char *const *settings)
{
    static int number;
    make_directory();
    snprintf(node->socket, sizeof node->socket, "%s/%d.sock", directory, ++number);
    snprintf(node->log, sizeof node->log, "%s/%d.log", directory, number);
    fflush(NULL);
    node->pid = fork();
    if (node->pid == 0)
        run(node, settings);
    for (int ms = 0; ms < READY_MS; ms += 20) {
        struct ws ws;
        if (ws_open(&ws, node->socket, NULL, NULL, NULL)) {
            ws_close(&ws);
            return;
        }
        if (waitpid(node->pid, NULL, WNOHANG) == node->pid) {
            AUTO(mem_freep) char *command = mem_printf("cat '%s' >&2", node->log);
            if (system(command) != 0)
                fprintf(stderr, "and it wrote no log\n");
            fail("eduragd", "ended at its start");
        }
        pause_ms(20);
    }
    fail("eduragd", "was not ready in time");
}

static void end(struct node *node, int which)
{
    if (!node->pid)
        return;
    kill(node->pid, which);
    for (int ms = 0; ms < STOP_MS; ms += 10) {
        if (waitpid(node->pid, NULL, WNOHANG) == node->pid) {
            node->pid = 0;
            return;
        }
        pause_ms(10);
    }
    kill(node->pid, SIGKILL);
    fail("eduragd", "did not stop in time");
}

void node_stop(struct node *node)
{
    end(node, SIGTERM);
}

void node_kill(struct node *node)
{
    end(node, SIGKILL);
}

const char *node_person(const char *institution_id, const char *name, const char *role)
{
    AUTO(mem_freep) char *add = mem_printf("select auth.user_add(null, '%s', '%s', '%s', 'password')", institution_id, name, role);
    AUTO(mem_freep) char *added = pg_sql("edurag_owner", add);
    AUTO(mem_freep) char *login = mem_printf("select api.login('%s', 'password')", institution_id);
    AUTO(mem_freep) char *reply = pg_sql("edurag_app", login);
    AUTO(json_freep) cJSON *json = json_parse(reply, strlen(reply), NULL);
    const char *token = json_text(json, "token", NULL);
    if (!added || !token)
        fail(institution_id, "could not log in");
    static char *kept[256];
    static size_t count;
    return kept[count++ % COUNT_OF(kept)] = mem_dup(token);
}

const char *node_user_id(const char *institution_id)
{
    static char ids[8][40];
    static unsigned next;
    AUTO(mem_freep) char *sql = mem_printf("select user_id from public.users where institution_id = '%s'", institution_id);
    AUTO(mem_freep) char *id = pg_sql("edurag_owner", sql);
    char *out = ids[next++ % COUNT_OF(ids)];
    snprintf(out, sizeof ids[0], "%s", id ? id : "");
    return out;
}
