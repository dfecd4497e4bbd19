/* embedded.c - the private PostgreSQL of a school of one machine: made, started, watched, stopped. */
#include "server/store/embedded.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/store/cluster.h"
#include "server/store/migrate.h"
#include "server/store/disk.h"
#include "server/store/orphans.h"
#include "server/store/wire.h"

enum { ORPHANS_MS = 200, LEFTOVERS_MS = 2500, SAY_EVERY_MS = 30000, SQL_MS = 60000, FAST_MS = 10000, QUICK_MS = 3000 };

static const char *const roles[] = {"postgres", "edurag_owner", "edurag_app", "edurag_worker"};

static struct {
    struct cluster cluster;
    int lock_fd;
    bool watched; /* the thread runs */
    pthread_t thread;
    char *urls[COUNT_OF(roles)];
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int pid;
    bool stopping, decided, ready; /* decided: the first start has ended, one way or the other */
    struct err failure;
} state = {.lock_fd = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ------------------------------------------------------------------ whose directory it is */

struct holder {
    int pid;
    unsigned long long start;
    char what[16]; /* "serve", or "command": one that runs for a moment only */
};

static struct holder holder_read(int fd)
{
    struct holder h = {0};
    char text[80] = "";
    if (pread(fd, text, sizeof text - 1, 0) > 0 && sscanf(text, "%d %llu %15s", &h.pid, &h.start, h.what) != 3)
        h.pid = 0;
    return h;
}

static bool holder_write(int fd, const char *what, struct err *err)
{
    char text[80];
    int n = snprintf(text, sizeof text, "%d %llu %s\n", getpid(), orphans_start_time(getpid()), what);
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n)
        return err_set(err, ERR_INTERNAL, "lock: %s", strerror(errno));
    return true;
}

/* Who holds the lock may be dead and only its database still at it: on its way out by itself, else
 * it is helped. */
static void wait_for_lock(const struct cluster *c, int fd)
{
    int64_t began = wire_now(), say_at = began + 500;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        struct holder h = holder_read(fd);
        bool alive = orphans_alive(h.pid, h.start);
        int64_t now = wire_now();
        if (!alive && now > began + (orphans_only(c->pgdata) ? ORPHANS_MS : LEFTOVERS_MS))
            orphans_end(c->pgdata, c->run);
        if (now >= say_at) {
            log_event(LOG_WARN, "waiting", "data_dir=%s pid=%d note=%s", log_quote(c->data_dir), h.pid,
                      alive ? "\"another eduragd runs on this directory; waiting until it has stopped\""
                            : "\"the database of an eduragd that was killed is still ending; waiting for it\"");
            say_at = now + SAY_EVERY_MS;
        }
        nap(20);
    }
}

/* false with ERR_CONFLICT: somebody serves there already (only where `attach`). */
static bool take_lock(const struct cluster *c, bool attach, struct err *err)
{
    int fd = open(c->lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || (geteuid() == 0 && fchown(fd, c->settings.account.uid, c->settings.account.gid) != 0)) {
        if (fd >= 0)
            close(fd);
        return err_say(err, ERR_INTERNAL, "%s can't be opened: %s.", c->lock, strerror(errno));
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        struct holder h = holder_read(fd);
        if (attach && orphans_alive(h.pid, h.start) && !strcmp(h.what, "serve")) {
            close(fd);
            return err_set(err, ERR_CONFLICT, "pid %d serves", h.pid);
        }
        wait_for_lock(c, fd);
    }
    if (!holder_write(fd, attach ? "command" : "serve", err)) {
        close(fd);
        return false;
    }
    state.lock_fd = fd;
    return true;
}

static void give_lock(void)
{
    if (state.lock_fd >= 0)
        close(state.lock_fd);
    state.lock_fd = -1;
}

/* ------------------------------------------------------------------ the roles and the database */

static const char *url_of(const char *role)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (!strcmp(roles[i], role))
            return state.urls[i];
    return NULL;
}

static void quoted(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            buf_char(out, '\\');
        buf_char(out, *text);
    }
}

static void make_urls(const struct cluster *c)
{
    for (size_t i = 0; i < COUNT_OF(roles); i++) {
        struct buf url = {0};
        buf_text(&url, "host='");
        quoted(&url, c->run);
        buf_printf(&url, "' port=5432 user=%s dbname=%s", roles[i], i ? "edurag" : "postgres");
        mem_freep(&state.urls[i]);
        state.urls[i] = buf_take(&url);
    }
}

static bool run_roles(const char *url, struct err *err)
{
    AUTO(wire_close) struct wire *wire = wire_open(url, "eduragd", SQL_MS, err);
    return wire && wire_script(wire, migrate_roles, SQL_MS, err);
}

/* sql/roles.sql has been run when the database's comment says so, by the hash of its text. */
static bool ensure_roles(struct err *err)
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    char mark[40] = "roles ";
    char sql[120];
    SHA256((const unsigned char *)migrate_roles, strlen(migrate_roles), hash);
    for (size_t i = 0; i < 12; i++)
        snprintf(mark + 6 + 2 * i, 3, "%02x", hash[i]);
    const char *super = url_of("postgres");
    AUTO(wire_close) struct wire *wire = wire_open(super, "eduragd", SQL_MS, err);
    AUTO(wire_result_free) PGresult *found = NULL;
    if (!wire || !wire_exec(wire,
                            "select coalesce(pg_catalog.shobj_description(oid, 'pg_database'), '')"
                            " from pg_catalog.pg_database where datname = 'edurag'",
                            NULL, 0, SQL_MS, &found, err))
        return false;
    bool there = PQntuples(found) > 0;
    if (there && !strcmp(PQgetvalue(found, 0, 0), mark))
        return true;
    if (!wire_script(wire, migrate_roles, SQL_MS, err) ||
        (!there && !wire_script(wire, "create database edurag owner edurag_owner encoding 'UTF8' template template0",
                                SQL_MS, err)))
        return false;
    AUTO(mem_freep) char *inside = mem_printf("%s", super);
    memcpy(strstr(inside, "dbname=postgres"), "dbname=edurag  ", 15);
    snprintf(sql, sizeof sql, "comment on database edurag is '%s'", mark);
    return run_roles(inside, err) && wire_script(wire, sql, SQL_MS, err);
}

/* ------------------------------------------------------------------ the watching thread */

static bool stopping(void)
{
    pthread_mutex_lock(&state.lock);
    bool is = state.stopping;
    pthread_mutex_unlock(&state.lock);
    return is;
}

static bool has_ended(int pid)
{
    siginfo_t info = {0};
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == pid;
}

/* After a kill the log is read again first, which takes as long as it takes. */
static bool wait_ready(int pid, struct err *err)
{
    int64_t say_at = wire_now() + 5000;
    char said[400];
    while (!wire_ping(url_of("postgres"))) {
        if (has_ended(pid))
            return err_say(err, ERR_INTERNAL, "PostgreSQL did not start: %s",
                           cluster_last_words(&state.cluster, "postgres", said, sizeof said));
        if (stopping())
            return err_set(err, ERR_CANCELLED, "stopped");
        if (wire_now() >= say_at) {
            log_event(LOG_INFO, "database_starting", "pid=%d", pid);
            say_at += SAY_EVERY_MS;
        }
        nap(5);
    }
    return true;
}

static bool launch(struct err *err)
{
    const char *args[] = {"-D", state.cluster.pgdata, NULL};
    pthread_mutex_lock(&state.lock); /* so that embedded_stop finds either no server or its pid */
    int pid = -1;
    if (state.stopping)
        err_set(err, ERR_CANCELLED, "stopped");
    else
        pid = cluster_spawn(&state.cluster, "postgres", args, state.lock_fd, err);
    state.pid = pid > 0 ? pid : 0;
    pthread_mutex_unlock(&state.lock);
    return pid > 0 && wait_ready(pid, err);
}

static void decide(bool ready, const struct err *err)
{
    pthread_mutex_lock(&state.lock);
    if (!state.decided)
        state.failure = *err;
    state.decided = true;
    state.ready = ready;
    pthread_cond_broadcast(&state.changed);
    pthread_mutex_unlock(&state.lock);
}

/* Blocks while the server lives; why it ended, where nobody asked it to. */
static void wait_end(struct err *why)
{
    int pid = embedded_pid();
    siginfo_t info = {0};
    while (pid && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT) != 0 && errno == EINTR)
        ;
    if (!why->log[0])
        err_set(why, ERR_INTERNAL, "%s %d", info.si_code == CLD_EXITED ? "exit" : "signal", info.si_status);
    pthread_mutex_lock(&state.lock); /* the number is ours until it is reaped, and nobody signals it after */
    if (pid)
        waitpid(pid, NULL, 0);
    state.pid = 0;
    state.ready = false;
    pthread_cond_broadcast(&state.changed);
    pthread_mutex_unlock(&state.lock);
}

/* The server dies with the thread that forked it (PDEATHSIG), so one thread does all of it. */
static void *watch(void *unused)
{
    (void)unused;
    for (int64_t pause = 0, began;; nap(pause)) {
        struct err err = {0};
        began = wire_now();
        bool first = !state.decided, ok = launch(&err) && ensure_roles(&err);
        decide(ok, &err);
        if (!ok && first && embedded_pid())
            kill(embedded_pid(), SIGINT);
        wait_end(&err);
        if (stopping() || (first && !ok))
            return NULL;
        const char *full = disk_full(); /* then its own last words are about whatever could not be written */
        log_event(LOG_ERROR, "database_died", "reason=%s note=\"starting it again\"", log_quote(full ? full : err.log));
        orphans_end(state.cluster.pgdata, state.cluster.run);
        pause = full ? 5000 : wire_now() - began > 5000 ? 0 : pause < 10 ? 10 : pause > 1000 ? 1000 : pause * 2;
    }
}

/* ------------------------------------------------------------------ from outside */

int embedded_pid(void)
{
    pthread_mutex_lock(&state.lock);
    int pid = state.pid;
    pthread_mutex_unlock(&state.lock);
    return pid;
}

const char *embedded_url(const char *role)
{
    return url_of(role);
}

static bool start_locked(struct err *err)
{
    struct cluster *c = &state.cluster;
    orphans_end(c->pgdata, c->run); /* the lock is ours, so these serve nobody */
    if (!cluster_create(c, err) || !cluster_configure(c, err))
        return false;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    state.stopping = state.decided = state.ready = false;
    sigset_t all, before; /* signals are for the threads that wait for them */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&state.thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed)
        return err_set(err, ERR_INTERNAL, "no thread: %s", strerror(failed));
    state.watched = true;
    pthread_mutex_lock(&state.lock);
    while (!state.decided)
        pthread_cond_wait(&state.changed, &state.lock);
    bool ok = state.ready;
    struct err failure = state.failure;
    pthread_mutex_unlock(&state.lock);
    if (ok)
        return true;
    embedded_stop();
    *err = failure;
    return false;
}

static bool start(const struct embedded_settings *settings, bool attach, struct err *err)
{
    struct err why = {0};
    struct cluster *c = &state.cluster;
    if (!cluster_locate(settings, c, err))
        return false;
    make_urls(c);
    if (!take_lock(c, attach, &why)) {
        if (why.code == ERR_CONFLICT)
            return true;
        *err = why;
        return false;
    }
    if (cluster_programs(c, err) && start_locked(err))
        return true;
    give_lock();
    return false;
}

bool embedded_start(const struct embedded_settings *settings, struct err *err)
{
    return start(settings, false, err);
}

bool embedded_attach(const struct embedded_settings *settings, struct err *err)
{
    return start(settings, true, err);
}

bool embedded_check(const char *data_dir, struct err *err)
{
    struct embedded_settings settings = {.data_dir = data_dir};
    struct cluster cluster;
    return cluster_locate(&settings, &cluster, err) && cluster_programs(&cluster, err);
}

static void signal_server(int with)
{
    pthread_mutex_lock(&state.lock);
    if (state.pid)
        kill(state.pid, with);
    pthread_mutex_unlock(&state.lock);
}

static bool wait_gone(int ms)
{
    int64_t until = wait_now() + ms;
    pthread_mutex_lock(&state.lock);
    while (state.pid && wait_until(&state.changed, &state.lock, until))
        ;
    bool gone = !state.pid;
    pthread_mutex_unlock(&state.lock);
    return gone;
}

void embedded_stop(void)
{
    if (state.watched) {
        pthread_mutex_lock(&state.lock);
        state.stopping = true;
        pthread_mutex_unlock(&state.lock);
        signal_server(SIGINT);
        if (!wait_gone(FAST_MS)) {
            signal_server(SIGQUIT);
            if (!wait_gone(QUICK_MS))
                signal_server(SIGKILL);
        }
        pthread_join(state.thread, NULL);
        orphans_end(state.cluster.pgdata, state.cluster.run);
        state.watched = false;
    }
    give_lock();
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        mem_freep(&state.urls[i]);
}
