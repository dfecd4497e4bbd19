/* pg.c - a private PostgreSQL for one test program, with the schema in it. */
#include "tests/lib/pg.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <openssl/sha.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/store/cluster.h"
#include "server/store/embedded.h"
#include "server/store/migrate.h"
#include "server/store/wire.h"

enum { SQL_MS = 60000, DIRECTORIES_MOST = 64 };
#define PLENTY ((fsblkcnt_t)4 << 30)

static char *directories[DIRECTORIES_MOST];
static int directory_count;
static pid_t owner_pid;
static struct {
    const char *directory;
    pid_t pid;
} alone; /* pg_start_preloaded's */

static _Noreturn void give_up(const char *what, const char *why)
{
    fprintf(stderr, "pg: %s: %s\n", what, why);
    exit(1);
}

static void run(const char *const *args)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        execvp(args[0], (char *const *)args);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
        give_up(args[0], "failed");
}

static void remove_directory(const char *path)
{
    run((const char *[]){"rm", "-rf", "--", path, NULL});
}

static void clean_up(void)
{
    if (getpid() != owner_pid)
        return;
    pg_stop();
    while (directory_count) {
        remove_directory(directories[--directory_count]);
        mem_freep(&directories[directory_count]);
    }
}

static void on_signal(int number)
{
    (void)number;
    exit(1);
}

struct account pg_account(void)
{
    struct account account;
    struct err err;
    if (!privileges_account(NULL, &account, &err))
        give_up("account", err.log);
    return account;
}

/* Where the build is: run.sh says it; alone, a test lies in BUILD/tests/ROOM/. */
const char *pg_build(void)
{
    static char path[PATH_MAX];
    const char *said = getenv("EDURAG_BUILD");
    if (said && *said)
        return said;
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    path[n > 0 ? n : 0] = '\0';
    for (int up = 0; up < 3 && strrchr(path, '/'); up++)
        *strrchr(path, '/') = '\0';
    return path;
}

static const char *schema_hash(void)
{
    static char text[17];
    unsigned char hash[SHA256_DIGEST_LENGTH];
    AUTO(buf_free) struct buf all = {0};
    buf_text(&all, "bcrypt 4");
    buf_text(&all, migrate_roles);
    for (const struct migration *m = migrations; m->name; m++)
        buf_bytes(&all, m->text, strlen(m->text) + 1);
    SHA256((const unsigned char *)all.data, all.length, hash);
    for (size_t i = 0; i < 8; i++)
        snprintf(text + 2 * i, 3, "%02x", hash[i]);
    return text;
}

/* In memory where there is plenty: copying a cluster is what starting a test costs. */
static const char *base_directory(void)
{
    struct statvfs shm;
    bool plenty = statvfs("/dev/shm", &shm) == 0 && shm.f_bavail > PLENTY / shm.f_bsize;
    return plenty && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
}

const char *pg_scratch(void)
{
    char path[40];
    snprintf(path, sizeof path, "%s/edurag-test-XXXXXX", base_directory());
    struct account account = pg_account();
    if (!mkdtemp(path) || (geteuid() == 0 && chown(path, account.uid, account.gid) != 0))
        give_up(path, strerror(errno));
    if (directory_count == DIRECTORIES_MOST)
        give_up("directories", "too many");
    if (!directory_count) {
        owner_pid = getpid();
        atexit(clean_up);
        signal(SIGTERM, on_signal);
        signal(SIGINT, on_signal);
    }
    return directories[directory_count++] = mem_dup(path);
}

static void start_in(const char *directory)
{
    struct embedded_settings settings = {.data_dir = directory, .account = pg_account(), .unsafe = true};
    struct err err = {0};
    if (!embedded_start(&settings, &err))
        give_up("embedded_start", err.log);
}

static void make_template(const char *path)
{
    AUTO(mem_freep) char *half = mem_printf("%s.new", path);
    const char *directory = pg_scratch();
    struct err err = {0};
    start_in(directory);
    if (!migrate_run(embedded_url("edurag_owner"), NULL, &err))
        give_up("migrate_run", err.log);
    free(pg_sql("edurag_owner", "select auth.configure('{\"bcrypt_cost\": 4}')"));
    embedded_stop();
    remove_directory(half);
    run((const char *[]){"cp", "-a", directory, half, NULL});
    if (rename(half, path) != 0)
        give_up(path, strerror(errno));
}

/* Tests run side by side, so one makes it and the others wait. */
static const char *template_directory(void)
{
    static char path[PATH_MAX];
    char lock[PATH_MAX];
    snprintf(path, sizeof path, "%s/pg-template-%s-%u", pg_build(), schema_hash(), (unsigned)pg_account().uid);
    snprintf(lock, sizeof lock, "%s/pg-template.lock", pg_build());
    int fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX) != 0)
        give_up(lock, strerror(errno));
    struct stat info;
    if (stat(path, &info) != 0 || info.st_uid != pg_account().uid) { /* in a copied tree it may be somebody else's */
        remove_directory(path);
        make_template(path);
    }
    close(fd);
    return path;
}

const char *pg_directory(void)
{
    AUTO(mem_freep) char *from = mem_printf("%s/.", template_directory());
    const char *directory = pg_scratch();
    setenv("EDURAG_TEST_UNSAFE_DATABASE", "1", 1);
    run((const char *[]){"cp", "-a", from, directory, NULL});
    return directory;
}

void pg_start(void)
{
    start_in(pg_directory());
}

static _Noreturn void become_postgres(const struct cluster *c, const char *library, const char *clock)
{
    char path[PATH_MAX + 32];
    const struct account *a = &c->settings.account;
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(a->gid) != 0 || setuid(a->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGINT);
    setenv("LD_PRELOAD", library, 1);
    setenv("EDURAG_TEST_CLOCK", clock, 1);
    snprintf(path, sizeof path, "%s/postgres", c->bin);
    if (!freopen("/dev/null", "w", stderr))
        _exit(126);
    execl(path, "postgres", "-D", c->pgdata, (char *)NULL);
    _exit(127);
}

void pg_start_preloaded(const char *library, const char *clock)
{
    struct embedded_settings settings = {.data_dir = pg_directory(), .account = pg_account(), .unsafe = true};
    struct cluster c;
    struct err err = {0};
    if (!cluster_locate(&settings, &c, &err) || !cluster_programs(&c, &err) || !cluster_configure(&c, &err))
        give_up("cluster", err.log);
    alone.directory = settings.data_dir;
    alone.pid = fork();
    if (alone.pid == 0)
        become_postgres(&c, library, clock);
    for (int tries = 0; !wire_ping(pg_url("postgres")); tries++, usleep(20000))
        if (tries > 1000)
            give_up("postgres", "does not start");
}

void pg_stop(void)
{
    embedded_stop();
    if (!alone.pid)
        return;
    kill(alone.pid, SIGINT);
    waitpid(alone.pid, NULL, 0);
    alone.pid = 0;
    alone.directory = NULL;
}

int pg_setup(void **state)
{
    (void)state;
    pg_start();
    return 0;
}

int pg_teardown(void **state)
{
    (void)state;
    pg_stop();
    return 0;
}

const char *pg_url(const char *role)
{
    return alone.directory ? pg_url_in(alone.directory, role) : embedded_url(role);
}

const char *pg_url_in(const char *directory, const char *role)
{
    static char ring[4][PATH_MAX];
    static int next;
    char *url = ring[next++ % 4];
    snprintf(url, sizeof ring[0], "host='%.200s/run' port=5432 user=%s dbname=%s", directory, role,
             strcmp(role, "postgres") ? "edurag" : "postgres");
    return url;
}

char *pg_try(const char *url, const char *sql, char *error, size_t size)
{
    struct err err = {0};
    struct account account = pg_account();
    uid_t before = geteuid();
    bool become = before == 0 && !embedded_pid() && seteuid(account.uid) == 0;
    AUTO(wire_close) struct wire *wire = wire_open(url, "test", SQL_MS, &err);
    AUTO(wire_result_free) PGresult *result = NULL;
    if (become && seteuid(before) != 0)
        give_up("seteuid", strerror(errno));
    snprintf(error, size, "%s", "");
    if (!wire || !wire_exec(wire, sql, NULL, 0, SQL_MS, &result, &err)) {
        snprintf(error, size, "%s", err.log);
        return NULL;
    }
    return PQntuples(result) && !PQgetisnull(result, 0, 0) ? mem_dup(PQgetvalue(result, 0, 0)) : NULL;
}

char *pg_sql(const char *role, const char *sql)
{
    char error[400];
    char *value = pg_try(pg_url(role), sql, error, sizeof error);
    if (*error)
        give_up(sql, error);
    return value;
}

char *pg_sqlf(const char *role, const char *format, ...)
{
    AUTO(mem_freep) char *sql = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&sql, format, args) < 0)
        give_up(format, "no memory");
    va_end(args);
    return pg_sql(role, sql);
}
