/* cluster.c - the files of the embedded PostgreSQL: its programs, its directory, its configuration. */
#include "server/store/cluster.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"

enum { SOCKET_PATH_MOST = 107, OLDEST = 15, ARGS_MOST = 16 };

static const char socket_name[] = "/run/.s.PGSQL.5432";

static bool own_dir(const struct cluster *c, const char *path, struct err *err)
{
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_say(err, ERR_INTERNAL, "%s can't be made: %s.", path, strerror(errno));
    if (geteuid() == 0 && chown(path, c->settings.account.uid, c->settings.account.gid) != 0)
        return err_set(err, ERR_INTERNAL, "chown %s: %s", path, strerror(errno));
    return true;
}

bool cluster_locate(const struct embedded_settings *settings, struct cluster *c, struct err *err)
{
    *c = (struct cluster){.settings = *settings};
    if (!realpath(settings->data_dir, c->data_dir)) /* not made yet */
        snprintf(c->data_dir, sizeof c->data_dir, "%s", settings->data_dir);
    size_t length = strlen(c->data_dir) + strlen(socket_name);
    if (length >= SOCKET_PATH_MOST)
        return err_say(err, ERR_INTERNAL,
                       "The path of the data directory is %zu bytes too long for a Unix socket: %s. "
                       "Set EDURAG_DATA_DIR to a shorter one.",
                       length - SOCKET_PATH_MOST + 1, c->data_dir);
    snprintf(c->pgdata, sizeof c->pgdata, "%s/postgres", c->data_dir);
    snprintf(c->run, sizeof c->run, "%s/run", c->data_dir);
    snprintf(c->log, sizeof c->log, "%s/log", c->data_dir);
    snprintf(c->lock, sizeof c->lock, "%s/lock", c->data_dir);
    return true;
}

/* The number before "/bin/initdb" in /usr/lib/postgresql/15/bin/initdb or /usr/pgsql-16/bin/initdb. */
static int version_of(const char *initdb)
{
    const char *end = strstr(initdb, "/bin/initdb");
    while (end > initdb && end[-1] >= '0' && end[-1] <= '9')
        end--;
    return atoi(end);
}

/* The version on disk; 0: no cluster yet. */
static int version_there(const struct cluster *c)
{
    char path[PATH_MAX + 48], text[16] = "";
    snprintf(path, sizeof path, "%s/PG_VERSION", c->pgdata);
    FILE *file = fopen(path, "re");
    if (!file)
        return 0;
    bool read = fgets(text, sizeof text, file) != NULL;
    fclose(file);
    return read ? atoi(text) : 0;
}

bool cluster_programs(struct cluster *c, struct err *err)
{
    int there = version_there(c), best = 0, newest = 0;
    glob_t found = {0};
    glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found);
    glob("/usr/pgsql-*/bin/initdb", GLOB_APPEND, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        int version = version_of(found.gl_pathv[i]);
        newest = version > newest ? version : newest;
        if (version < OLDEST || version <= best || (there && version != there))
            continue;
        best = version;
        snprintf(c->bin, sizeof c->bin, "%.*s", (int)(strlen(found.gl_pathv[i]) - strlen("/initdb")),
                 found.gl_pathv[i]);
    }
    globfree(&found);
    if (best)
        return true;
    if (there && newest)
        return err_say(err, ERR_CONFLICT,
                       "The data in %s was written by PostgreSQL %d, but PostgreSQL %d is what is installed here. "
                       "Install postgresql-%d again, or convert the data with pg_upgrade.",
                       c->pgdata, there, newest, there);
    return err_say(err, ERR_INTERNAL,
                   "PostgreSQL %d or newer is not installed. Install it (apt-get install postgresql), or set "
                   "EDURAG_DATABASE_URL to a server.",
                   there > OLDEST ? there : OLDEST);
}

/* In the child: only what is safe between fork and exec of a process with threads. */
static _Noreturn void become(const struct cluster *c, const char *path, char *const *args, int log, int inherit,
                             pid_t parent)
{
    static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", NULL};
    const struct account *a = &c->settings.account;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid(); /* Ctrl-C in our terminal is ours to pass on */
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(a->gid) != 0 || setuid(a->uid) != 0))
        _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGINT); /* after setuid, which clears it: a fast shutdown if we are killed */
    if (getppid() != parent)
        _exit(126);
    int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0 || dup2(log, 1) < 0 || dup2(log, 2) < 0)
        _exit(126);
    if (inherit >= 0)
        fcntl(inherit, F_SETFD, 0);
    if (chdir("/") == 0)
        execve(path, args, environment);
    _exit(127);
}

int cluster_spawn(const struct cluster *c, const char *program, const char *const *args, int inherit, struct err *err)
{
    char path[PATH_MAX + 32], log_path[PATH_MAX + 64];
    char *argv[ARGS_MOST] = {path};
    snprintf(path, sizeof path, "%s/%s", c->bin, program);
    snprintf(log_path, sizeof log_path, "%s/%s.log", c->log, program);
    for (size_t i = 0; args[i] && i < ARGS_MOST - 2; i++)
        argv[i + 1] = (char *)args[i];
    int log = open(log_path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    /* the next to start it may not be root */
    if (log < 0 || (geteuid() == 0 && fchown(log, c->settings.account.uid, c->settings.account.gid) != 0)) {
        err_set(err, ERR_INTERNAL, "%s: %s", log_path, strerror(errno));
        if (log >= 0)
            close(log);
        return -1;
    }
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        become(c, path, argv, log, inherit, parent);
    int why = errno;
    close(log);
    if (pid < 0)
        err_set(err, ERR_INTERNAL, "fork: %s", strerror(why));
    return pid;
}

const char *cluster_last_words(const struct cluster *c, const char *program, char *line, size_t size)
{
    char path[PATH_MAX + 64], next[400];
    line[0] = '\0';
    snprintf(path, sizeof path, "%s/%s.log", c->log, program);
    FILE *file = fopen(path, "re");
    while (file && fgets(next, sizeof next, file))
        if (strstr(next, "FATAL") || strstr(next, "error") || !line[0])
            snprintf(line, size, "%.*s", (int)strcspn(next, "\n"), next);
    if (file)
        fclose(file);
    return line;
}

static void remove_tree(const struct cluster *c, const char *path)
{
    const char *args[] = {"-rf", "--", path, NULL};
    struct cluster bin = *c;
    struct err ignored;
    snprintf(bin.bin, sizeof bin.bin, "/bin");
    int pid = cluster_spawn(&bin, "rm", args, -1, &ignored);
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

bool cluster_create(const struct cluster *c, struct err *err)
{
    if (!own_dir(c, c->run, err) || !own_dir(c, c->log, err))
        return false;
    if (version_there(c))
        return true;
    char half[PATH_MAX + 48], said[400];
    log_event(LOG_INFO, "database_new", "data_dir=%s note=\"making a PostgreSQL cluster, once\"",
              log_quote(c->data_dir));
    snprintf(half, sizeof half, "%s.new", c->pgdata);
    remove_tree(c, half);
    const char *args[] = {"-D",
                          half,
                          "-U",
                          "postgres",
                          "-E",
                          "UTF8",
                          "--locale=C.UTF-8",
                          "--auth=peer",
                          c->settings.unsafe ? "--no-sync" : NULL,
                          "--wal-segsize=1",
                          NULL};
    int status = 0, pid = cluster_spawn(c, "initdb", args, -1, err);
    if (pid < 0)
        return false;
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return err_say(err, ERR_INTERNAL, "The database could not be made in %s: %s", c->data_dir,
                       cluster_last_words(c, "initdb", said, sizeof said));
    if (rename(half, c->pgdata) != 0)
        return err_say(err, ERR_INTERNAL, "%s can't be renamed: %s.", half, strerror(errno));
    return true;
}

static bool write_file(const struct cluster *c, const char *name, const char *text, struct err *err)
{
    char path[PATH_MAX + 64], fresh[PATH_MAX + 80];
    snprintf(path, sizeof path, "%s/%s", c->pgdata, name);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    size_t length = strlen(text);
    bool ok = fd >= 0 && write(fd, text, length) == (ssize_t)length &&
              (geteuid() != 0 || fchown(fd, c->settings.account.uid, c->settings.account.gid) == 0);
    if (fd >= 0 && close(fd) != 0)
        ok = false;
    return ok && rename(fresh, path) == 0 ? true : err_say(err, ERR_INTERNAL, "%s: %s", path, strerror(errno));
}

/* For a lab machine: an eighth of the memory, within reason. */
static long shared_megabytes(const struct cluster *c)
{
    long mb = sysconf(_SC_PHYS_PAGES) / 1024 * (sysconf(_SC_PAGESIZE) / 1024) / 8;
    return c->settings.unsafe ? 32 : mb < 64 ? 64 : mb > 1024 ? 1024 : mb;
}

static void conf_path(struct buf *out, const char *name, const char *path)
{
    buf_printf(out, "%s = '", name);
    for (; *path; path++)
        buf_text(out, *path == '\'' ? "\'\'" : (char[]){*path, '\0'});
    buf_text(out, "'\n");
}

static void conf_text(const struct cluster *c, struct buf *out)
{
    long shared = shared_megabytes(c);
    buf_text(out, "# Written by eduragd at each start. Your own settings: ../postgresql.local.conf\n"
                  "listen_addresses = ''\nport = 5432\nunix_socket_permissions = 0700\n");
    conf_path(out, "unix_socket_directories", c->run);
    conf_path(out, "log_directory", c->log);
    buf_printf(out, "shared_buffers = %ldMB\neffective_cache_size = %ldMB\n", shared, shared * 4);
    buf_text(out, "max_connections = 80\nwork_mem = 8MB\nmaintenance_work_mem = 64MB\njit = off\n"
                  "max_wal_size = 512MB\ncheckpoint_completion_target = 0.9\nwal_compression = on\n"
                  "max_parallel_workers_per_gather = 0\nrandom_page_cost = 1.5\n"
                  "timezone = 'UTC'\nlog_timezone = 'UTC'\nlc_messages = 'C'\ndatestyle = 'iso, ymd'\n"
                  "default_text_search_config = 'pg_catalog.simple'\n"
                  /* bound values hold tokens and passwords, whatever else is logged one day */
                  "log_parameter_max_length = 0\nlog_parameter_max_length_on_error = 0\n"
                  "log_min_duration_statement = -1\nlog_statement = 'none'\nlog_min_error_statement = panic\n"
                  "log_error_verbosity = terse\n" /* a detail quotes values */
                  "logging_collector = on\nlog_filename = 'postgresql-%a.log'\nlog_file_mode = 0600\n"
                  "log_truncate_on_rotation = on\nlog_rotation_age = 1d\nlog_rotation_size = 0\n"
                  "log_line_prefix = '%m [%p] %q%u '\nlog_checkpoints = off\n");
    if (c->settings.unsafe)
        buf_text(out, "fsync = off\nfull_page_writes = off\nmin_wal_size = 32MB\n");
    else
        buf_text(out, "include_if_exists = '../postgresql.local.conf'\n");
}

bool cluster_configure(const struct cluster *c, struct err *err)
{
    static const char *const roles[] = {"postgres", "edurag_owner", "edurag_app", "edurag_worker"};
    AUTO(buf_free) struct buf conf = {0};
    AUTO(buf_free) struct buf ident = {0};
    conf_text(c, &conf);
    const struct passwd *self = getpwuid(geteuid());
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        buf_printf(&ident, "eduragd \"%s\" %s\n", c->settings.account.name, roles[i]);
        if (self && self->pw_uid != c->settings.account.uid)
            buf_printf(&ident, "eduragd \"%s\" %s\n", self->pw_name, roles[i]);
    }
    return write_file(c, "postgresql.conf", conf.data, err) && write_file(c, "pg_ident.conf", ident.data, err) &&
           write_file(c, "pg_hba.conf",
                      "# By the Unix socket, by account, and by nothing else.\n"
                      "local all all peer map=eduragd\n",
                      err);
}
