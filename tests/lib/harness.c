/* harness.c - an eduragd of a test's own, on a private database, a Unix socket and a free loopback port. */
#include "tests/lib/harness.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/pg.h"
#include "tests/lib/schema.h"

enum { SERVERS_MOST = 16, START_MS = 60000, STOP_MS = 15000, CALL_MS = 20000 };

static pid_t servers[SERVERS_MOST];
static pid_t owner;

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void end_servers(void)
{
    for (int i = 0; i < SERVERS_MOST && getpid() == owner; i++) {
        if (!servers[i])
            continue;
        kill(servers[i], SIGTERM);
        for (int tries = 0; tries < 100 && waitpid(servers[i], NULL, WNOHANG) == 0; tries++)
            pause_ms(50);
        kill(servers[i], SIGKILL);
        servers[i] = 0;
    }
}

static void on_signal(int number)
{
    (void)number;
    exit(1);
}

static _Noreturn void give_up(const struct harness *h, const char *what)
{
    AUTO(mem_freep) char *log = harness_log(h);
    size_t length = strlen(log);
    fprintf(stderr, "harness: %s\n%s\n", what, length > 3000 ? log + length - 3000 : log);
    exit(1);
}

static const char *program(void)
{
    static char path[PATH_MAX];
    const char *build = getenv("EDURAG_BUILD");
    if (build && *build) {
        snprintf(path, sizeof path, "%s/eduragd", build);
        return path;
    }
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 16);
    path[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 3 && strrchr(path, '/'); up++)
        *strrchr(path, '/') = '\0';
    strcat(path, "/eduragd");
    return path;
}

static void set_environment(const struct harness *h, const char *const *settings)
{
    static const char *const defaults[] = {
        "EDURAG_LISTEN=127.0.0.1:0",
        "EDURAG_ENVIRONMENT=development",
        "EDURAG_BCRYPT_COST=4",
        "EDURAG_RATE_PERSON=100000",
        "EDURAG_RATE_ADDRESS=100000",
        "EDURAG_CONNECTIONS_PERSON=100000",
        "EDURAG_BALLAST_BYTES=0",
        "EDURAG_LOG=debug",
        NULL,
    };
    setenv("EDURAG_DATA_DIR", h->directory, 1);
    setenv("EDURAG_SOCKET", h->socket, 1);
    if (h->node) {
        setenv("EDURAG_DATABASE_URL", pg_url("edurag_app"), 1);
        setenv("EDURAG_DATABASE_WORKER_URL", pg_url("edurag_worker"), 1);
        setenv("EDURAG_DATABASE_OWNER_URL", pg_url("edurag_owner"), 1);
        setenv("EDURAG_DATABASE_LISTEN_URL", pg_url("edurag_worker"), 1);
    }
    for (const char *const *setting = defaults; *setting; setting++)
        putenv((char *)(uintptr_t)*setting);
    for (const char *const *setting = settings; setting && *setting; setting++)
        putenv((char *)(uintptr_t)*setting);
}

char *harness_log(const struct harness *h)
{
    struct buf text = {0};
    char piece[8192];
    size_t n;
    FILE *file = fopen(h->log, "r");
    buf_reserve(&text, 0);
    while (file && (n = fread(piece, 1, sizeof piece, file)) > 0)
        buf_bytes(&text, piece, n);
    if (file)
        fclose(file);
    return buf_take(&text);
}

static void remember(pid_t pid)
{
    if (!owner) {
        owner = getpid();
        atexit(end_servers);
        signal(SIGTERM, on_signal);
        signal(SIGINT, on_signal);
    }
    for (int i = 0; i < SERVERS_MOST; i++)
        if (!servers[i]) {
            servers[i] = pid;
            return;
        }
}

static void forget(pid_t pid)
{
    for (int i = 0; i < SERVERS_MOST; i++)
        if (servers[i] == pid)
            servers[i] = 0;
}

static void start(struct harness *h, const char *const *settings)
{
    static int number;
    snprintf(h->socket, sizeof h->socket, "%.90s/sock", h->directory);
    snprintf(h->log, sizeof h->log, "%.90s/harness-%d.log", h->directory, number++);
    int log = open(h->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    h->pid = fork();
    if (h->pid == 0) {
        set_environment(h, settings);
        dup2(log, STDOUT_FILENO);
        dup2(log, STDERR_FILENO);
        execl(program(), "eduragd", (char *)NULL);
        _exit(127);
    }
    close(log);
    remember(h->pid);
    for (int waited = 0; waited < START_MS; waited += 20) {
        AUTO(mem_freep) char *text = harness_log(h);
        const char *address = strstr(text, "event=listening address=127.0.0.1:");
        if (strstr(text, "event=serving") && strstr(text, "event=listening_to_database") && address) {
            h->port = atoi(address + strlen("event=listening address=127.0.0.1:"));
            snprintf(h->target, sizeof h->target, "127.0.0.1:%d", h->port);
            return;
        }
        if (waitpid(h->pid, NULL, WNOHANG) == h->pid) {
            forget(h->pid);
            give_up(h, "eduragd ended at once");
        }
        pause_ms(20);
    }
    give_up(h, "eduragd does not get ready");
}

void harness_start(struct harness *h, const char *directory, const char *const *settings)
{
    schema_watch();
    *h = (struct harness){.directory = directory ? directory : pg_directory()};
    start(h, settings);
}

void harness_node(struct harness *h, const char *const *settings)
{
    schema_watch();
    *h = (struct harness){.directory = pg_scratch(), .node = true};
    start(h, settings);
}

int harness_stop(struct harness *h)
{
    int status = 0;
    kill(h->pid, SIGTERM);
    for (int waited = 0; waited < STOP_MS; waited += 10) {
        if (waitpid(h->pid, &status, WNOHANG) == h->pid) {
            forget(h->pid);
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        pause_ms(10);
    }
    harness_kill(h);
    return -1;
}

void harness_kill(struct harness *h)
{
    kill(h->pid, SIGKILL);
    waitpid(h->pid, NULL, 0);
    forget(h->pid);
}

char *harness_command(const struct harness *h, const char *const *args)
{
    int pipes[2], status;
    if (pipe(pipes))
        return NULL;
    pid_t pid = fork();
    if (pid == 0) {
        const char *all[12] = {"eduragd"};
        for (size_t i = 0; args[i] && i < 10; i++)
            all[i + 1] = args[i];
        set_environment(h, NULL);
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        close(pipes[1]);
        execv(program(), (char *const *)(uintptr_t)all);
        _exit(127);
    }
    close(pipes[1]);
    struct buf out = {0};
    char piece[1024];
    ssize_t n;
    while ((n = read(pipes[0], piece, sizeof piece)) > 0)
        buf_bytes(&out, piece, (size_t)n);
    close(pipes[0]);
    waitpid(pid, &status, 0);
    if (out.length && out.data[out.length - 1] == '\n')
        out.data[--out.length] = '\0';
    if (status == 0)
        return buf_take(&out);
    buf_free(&out);
    return NULL;
}

/* The first admin comes from the command line, the others from that admin. */
void harness_user(const struct harness *h, const char *role, const char *id, const char *name)
{
    static struct ws admin;
    static pid_t of;
    if (of != h->pid) {
        AUTO(mem_freep)
        char *password =
            harness_command(h, (const char *[]){"user", "add", "--role", "admin", "harness", "Harness", NULL});
        struct err err;
        if (!password || !ws_open(&admin, h->socket, NULL, NULL, &err))
            give_up(h, "no admin");
        AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"harness\",\"password\":\"%s\"}", password);
        if (strcmp(harness_reason(&admin, "auth.login", params), "ok") != 0)
            give_up(h, "the admin can't log in");
        of = h->pid;
    }
    AUTO(mem_freep)
    char *params = mem_printf(
        "{\"role\":\"%s\",\"institution_id\":\"%s\",\"name\":\"%s\",\"password\":\"%s-password\"}", role, id, name, id);
    if (strcmp(harness_reason(&admin, "users.create", params), "ok") != 0)
        give_up(h, "users.create");
}

void harness_open(const struct harness *h, struct ws *ws, const char *id)
{
    struct err err = {0};
    if (!ws_open(ws, h->socket, NULL, NULL, &err))
        give_up(h, err.log);
    if (!id)
        return;
    AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s-password\"}", id, id);
    if (strcmp(harness_reason(ws, "auth.login", params), "ok") != 0)
        give_up(h, "auth.login");
}

char *harness_token(const struct harness *h, const char *id)
{
    struct ws ws;
    harness_open(h, &ws, NULL);
    AUTO(mem_freep) char *params = mem_printf("{\"institution_id\":\"%s\",\"password\":\"%s-password\"}", id, id);
    AUTO(json_freep) cJSON *reply = harness_call(&ws, "auth.login", params);
    char *token = mem_dup(json_text(json_get(reply, "result"), "token", NULL));
    ws_close(&ws);
    if (!token)
        give_up(h, "no token");
    return token;
}

cJSON *harness_call(struct ws *ws, const char *method, const char *params)
{
    static _Thread_local int id = 1000;
    struct err err;
    AUTO(mem_freep) char *text = ws_call(ws, ++id, method, params ? params : "{}", CALL_MS);
    return text ? json_parse(text, strlen(text), &err) : NULL;
}

const char *harness_reason(struct ws *ws, const char *method, const char *params)
{
    static char reason[64];
    AUTO(json_freep) cJSON *reply = harness_call(ws, method, params);
    const cJSON *data = json_get(json_get(reply, "error"), "data");
    snprintf(reason, sizeof reason, "%s",
             !reply                      ? "closed"
             : json_get(reply, "result") ? "ok"
                                         : json_text(data, "reason", "?"));
    return reason;
}

int harness_closed(struct ws *ws, int ms)
{
    free(ws_wait(ws, "\x01 never", ms));
    return ws->fd < 0 ? ws->close_code : 0;
}
