/* embedded.c - the private PostgreSQL: whose directory it is, and what kill -9 does to it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/store/wire.h"
#include "tests/lib/pg.h"

#if defined __SANITIZE_THREAD__ || defined __SANITIZE_ADDRESS__
enum { TORTURES = 15 }; /* slow builds; EDURAG_TORTURE=1000 is a long night */
#else
enum { TORTURES = 50 };
#endif
/* How long a start may take before the test gives up: far above what is aimed at (5 s, printed), since the machine
 * may be busy and a clock never gates a test. */
enum { SERVE_MS = 40000, ALIVE_MOST = 8 };

/* ------------------------------------------------------------------ an eduragd of ours */

struct server {
    const char *directory;
    char log[120], socket[100];
    pid_t pid;
};

/* Every process that was spawned and not yet waited for; a failed test leaves some. */
static pid_t alive[ALIVE_MOST], owner;

static void remember(pid_t pid)
{
    for (int i = 0; i < ALIVE_MOST; i++)
        if (!alive[i]) {
            alive[i] = pid;
            return;
        }
}

static int reap(pid_t pid)
{
    int status = -1;
    waitpid(pid, &status, 0);
    for (int i = 0; i < ALIVE_MOST; i++)
        if (alive[i] == pid)
            alive[i] = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void end_all(void)
{
    for (int i = 0; i < ALIVE_MOST && getpid() == owner; i++)
        if (alive[i]) {
            kill(alive[i], SIGTERM);
            waitpid(alive[i], NULL, 0);
        }
}

/* `EDURAG_BUILD/eduragd ARGS`, its words appended to the log. */
static pid_t spawn(const struct server *s, const char *const *args)
{
    AUTO(mem_freep) char *program = mem_printf("%s/eduragd", pg_build());
    const char *argv[10] = {"eduragd", "--config", "/dev/null"};
    for (int i = 0; args && args[i] && i < 6; i++)
        argv[3 + i] = args[i];
    pid_t pid = fork();
    if (pid) {
        remember(pid);
        return pid;
    }
    int log = open(s->log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(log, 1);
    dup2(log, 2);
    setenv("EDURAG_DATA_DIR", s->directory, 1);
    setenv("EDURAG_LISTEN", "off", 1);
    setenv("EDURAG_SOCKET", s->socket, 1);
    execv(program, (char *const *)(uintptr_t)argv);
    _exit(127);
}

static void server_init(struct server *s, const char *directory)
{
    s->directory = directory;
    snprintf(s->log, sizeof s->log, "%.80s/test.log", directory);
    snprintf(s->socket, sizeof s->socket, "%.80s/sock", directory);
    s->pid = 0;
}

static bool log_says(const struct server *s, const char *text)
{
    char bytes[65536];
    int fd = open(s->log, O_RDONLY);
    ssize_t n = fd < 0 ? 0 : pread(fd, bytes, sizeof bytes - 1, 0);
    if (fd >= 0)
        close(fd);
    bytes[n > 0 ? n : 0] = '\0';
    return strstr(bytes, text) != NULL;
}

static bool log_comes_to_say(const struct server *s, const char *text, int ms)
{
    for (int64_t until = wire_now() + ms; !log_says(s, text); usleep(10000))
        if (wire_now() > until)
            return false;
    return true;
}

/* What /readyz answers; 0 where nobody does. */
static int ready_status(const struct server *s)
{
    static const char request[] = "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = 2};
    char reply[64] = "";
    int status = 0, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", s->socket);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
        send(fd, request, sizeof request - 1, MSG_NOSIGNAL) > 0 && read(fd, reply, sizeof reply - 1) > 12)
        status = atoi(reply + 9);
    close(fd);
    return status;
}

/* The database answers, and the socket says that it knows. */
static bool serves(const struct server *s, int64_t until)
{
    char error[400];
    for (; wire_now() < until; usleep(10000)) {
        if (ready_status(s) != 200)
            continue;
        free(pg_try(pg_url_in(s->directory, "edurag_owner"), "select 1", error, sizeof error));
        if (!*error)
            return true;
    }
    return false;
}

static int postmaster(const struct server *s)
{
    char path[160], line[32] = "";
    snprintf(path, sizeof path, "%s/postgres/postmaster.pid", s->directory);
    FILE *file = fopen(path, "r");
    if (file && !fgets(line, sizeof line, file))
        line[0] = '\0';
    if (file)
        fclose(file);
    return atoi(line);
}

/* Servers (not their backends) on this directory. */
static int postmasters(const struct server *s)
{
    DIR *proc = opendir("/proc");
    int count = 0;
    AUTO(mem_freep) char *wanted = mem_printf("%s/postgres", s->directory);
    for (struct dirent *entry; (entry = readdir(proc));) {
        char path[300], line[400] = "";
        snprintf(path, sizeof path, "/proc/%.20s/cmdline", entry->d_name);
        FILE *file = atoi(entry->d_name) > 0 ? fopen(path, "r") : NULL;
        size_t n = file ? fread(line, 1, sizeof line - 1, file) : 0;
        if (file)
            fclose(file);
        const char *option = line + strlen(line) + 1, *value = option + 3;
        count += n > strlen(line) + 4 && !strcmp(option, "-D") && !strcmp(value, wanted);
    }
    closedir(proc);
    return count;
}

/* A backend looks like its server until it has given itself a title. */
static bool one_postmaster(const struct server *s)
{
    for (int i = 0; i < 2000; i++, usleep(10000))
        if (postmasters(s) == 1)
            return true;
    return false;
}

static int end(struct server *s, int with)
{
    kill(s->pid, with);
    int code = reap(s->pid);
    s->pid = 0;
    return code;
}

static int run(const struct server *s, const char *const *args)
{
    return reap(spawn(s, args));
}

/* ------------------------------------------------------------------ whose directory */

static void it_is_ready_soon_and_leaves_nothing(void **context)
{
    (void)context;
    struct server s;
    struct stat st;
    server_init(&s, pg_directory());
    int64_t began = wire_now();
    s.pid = spawn(&s, NULL);
    assert_true(serves(&s, began + SERVE_MS));
    print_message("ready after %d ms\n", (int)(wire_now() - began));
    AUTO(mem_freep) char *run_directory = mem_printf("%s/run", s.directory);
    assert_int_equal(stat(run_directory, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(st.st_uid, pg_account().uid);
    assert_int_equal(end(&s, SIGTERM), 0);
    assert_int_equal(postmasters(&s), 0);
    assert_int_equal(postmaster(&s), 0);
}

static void it_listens_nowhere_but_on_its_socket(void **context)
{
    (void)context;
    struct server s;
    char error[400];
    static const struct {
        const char *sql, *expected;
    } rows[] = {
        {"show listen_addresses", ""},
        {"show unix_socket_permissions", "0700"},
        {"show log_parameter_max_length", "0"},
        {"show log_parameter_max_length_on_error", "0"},
        {"show log_error_verbosity", "terse"},
        {"show jit", "off"},
        {"select string_agg(distinct type || ' ' || auth_method, ',') from pg_hba_file_rules", "local peer"},
        {"select count(*) from pg_roles where rolname ~ '^edurag' and (rolsuper or rolbypassrls or rolcreaterole)",
         "0"},
    };
    server_init(&s, pg_directory());
    s.pid = spawn(&s, NULL);
    assert_true(serves(&s, wire_now() + SERVE_MS));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO(mem_freep) char *is = pg_try(pg_url_in(s.directory, "postgres"), rows[i].sql, error, sizeof error);
        assert_string_equal(error, "");
        assert_string_equal(is, rows[i].expected);
    }
    end(&s, SIGTERM);
}

static void a_second_one_waits_and_says_for_what(void **context)
{
    (void)context;
    struct server first, second;
    server_init(&first, pg_directory());
    server_init(&second, first.directory);
    snprintf(second.log, sizeof second.log, "%.80s/second.log", first.directory);
    first.pid = spawn(&first, NULL);
    assert_true(serves(&first, wire_now() + SERVE_MS));
    second.pid = spawn(&second, NULL);
    assert_true(log_comes_to_say(&second, "another eduragd runs on this directory", 3000));
    assert_true(one_postmaster(&first));
    assert_int_equal(waitpid(second.pid, NULL, WNOHANG), 0);
    assert_int_equal(end(&first, SIGTERM), 0);
    assert_true(log_comes_to_say(&second, "event=serving", SERVE_MS));
    end(&second, SIGTERM);
}

static void a_waiting_one_can_be_ended(void **context)
{
    (void)context;
    struct server first, second;
    server_init(&first, pg_directory());
    server_init(&second, first.directory);
    snprintf(second.log, sizeof second.log, "%.80s/second.log", first.directory);
    first.pid = spawn(&first, NULL);
    assert_true(serves(&first, wire_now() + SERVE_MS));
    second.pid = spawn(&second, NULL);
    assert_true(log_comes_to_say(&second, "event=waiting", 3000));
    end(&second, SIGTERM);
    assert_int_equal(ready_status(&first), 200);
    end(&first, SIGTERM);
}

static void another_major_version_is_refused(void **context)
{
    (void)context;
    struct server s;
    server_init(&s, pg_directory());
    AUTO(mem_freep) char *path = mem_printf("%s/postgres/PG_VERSION", s.directory);
    FILE *file = fopen(path, "w");
    fputs("9\n", file);
    fclose(file);
    assert_int_equal(run(&s, NULL), 1);
    assert_true(log_says(&s, "was written by PostgreSQL 9"));
    assert_true(log_says(&s, "pg_upgrade"));
    assert_int_equal(postmasters(&s), 0);
    const char *check[] = {"check", NULL};
    unlink(s.log);
    assert_int_equal(run(&s, check), 3);
    assert_true(log_says(&s, "was written by PostgreSQL 9"));
}

static void a_directory_too_long_for_a_socket_is_refused(void **context)
{
    (void)context;
    struct server s, deep;
    server_init(&s, pg_directory());
    deep = s;
    AUTO(mem_freep) char *path = mem_printf("%s/%0100d", s.directory, 0);
    deep.directory = path;
    assert_int_equal(run(&deep, NULL), 1);
    assert_true(log_says(&s, "bytes too long for a Unix socket"));
}

/* EDURAG_DATA_DIR=/etc must not give /etc away. */
static void a_directory_of_roots_is_taken_only_when_empty(void **context)
{
    (void)context;
    struct server s, other;
    struct stat st;
    if (geteuid() != 0)
        skip();
    server_init(&s, pg_directory());
    other = s;
    AUTO(mem_freep) char *path = mem_printf("%s/roots", s.directory);
    AUTO(mem_freep) char *inside = mem_printf("%s/file", path);
    other.directory = path;
    assert_int_equal(mkdir(path, 0755), 0);
    close(open(inside, O_WRONLY | O_CREAT, 0600));
    assert_int_equal(run(&other, NULL), 3);
    assert_true(log_says(&s, "belongs to root and is not empty"));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_uid, 0);
}

static void a_half_made_cluster_is_made_again(void **context)
{
    (void)context;
    struct server s;
    server_init(&s, pg_directory());
    AUTO(mem_freep) char *whole = mem_printf("%s/postgres", s.directory);
    AUTO(mem_freep) char *half = mem_printf("%s/postgres.new", s.directory);
    assert_int_equal(rename(whole, half), 0); /* as when initdb was killed */
    s.pid = spawn(&s, NULL);
    assert_true(serves(&s, wire_now() + 30000));
    assert_int_not_equal(access(half, F_OK), 0);
    end(&s, SIGTERM);
}

static void commands_work_with_and_without_a_server(void **context)
{
    (void)context;
    struct server s;
    static const struct {
        const char *args[6];
        int code;
        const char *says;
    } rows[] = {
        {{"user", "add", "--role=student", "KID1"}, 2, "usage"},
        {{"user", "reset", "NOBODY"}, 1, "There is no account NOBODY"},
        {{"user", "list"}, 0, "KID0\tstudent\tactive\tKim"},
        {{"user", "disable", "KID0"}, 0, ""},
        {{"user", "list"}, 0, "KID0\tstudent\tdisabled\tKim"},
        {{"user", "reset", "KID0"}, 0, ""},
        {{"user", "enable", "kid0"}, 0, ""},
        {{"migrate"}, 0, "up to date"},
        {{"key"}, 2, "usage"},
        {{"key", "rotate"}, 0, ""},
        {{"check"}, 0, "fine"},
        {{"config"}, 0, "EDURAG_LISTEN=off"},
        {{"roles"}, 0, "create role edurag_app"},
        {{"nonsense"}, 2, "there is no command nonsense"},
    };
    server_init(&s, pg_directory());
    const char *add[] = {"user", "add", "--role=student", "KID0", "Kim", NULL};
    assert_int_equal(run(&s, add), 0);
    assert_int_equal(run(&s, add), 1);
    assert_true(log_says(&s, "There is an account with this school number already."));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < COUNT_OF(rows); i++) {
            unlink(s.log);
            int code = run(&s, rows[i].args);
            if (code != rows[i].code || !log_says(&s, rows[i].says))
                fail_msg("round %d, %s %s: %d", round, rows[i].args[0], rows[i].args[1], code);
        }
        if (!round) {
            s.pid = spawn(&s, NULL);
            assert_true(serves(&s, wire_now() + SERVE_MS));
        }
    }
    assert_int_equal(ready_status(&s), 200);
    end(&s, SIGTERM);
}

/* ------------------------------------------------------------------ kill -9 */

static unsigned seed = 20261123;

static int any(int below)
{
    seed = seed * 1103515245 + 12345;
    return (int)((seed >> 8) % (unsigned)below);
}

/* Commits rows one after another for a while; what was acknowledged is counted. */
static int write_rows(const struct server *s, int next, int ms)
{
    char error[400];
    for (int64_t until = wire_now() + ms; wire_now() < until; next++) {
        AUTO(mem_freep) char *sql = mem_printf("insert into public.torture values (%d)", next);
        free(pg_try(pg_url_in(s->directory, "edurag_owner"), sql, error, sizeof error));
        assert_string_equal(error, "");
    }
    return next;
}

static void check_rows(const struct server *s, int written)
{
    char error[400];
    AUTO(mem_freep) char *sql = mem_printf("select count(*) from public.torture where n < %d", written);
    AUTO(mem_freep) char *count = pg_try(pg_url_in(s->directory, "edurag_owner"), sql, error, sizeof error);
    assert_string_equal(error, "");
    assert_int_equal(atoi(count), written);
}

/* A backend that is at work does not notice that its server has died, and holds the shared memory. */
static pid_t busy_backend(const struct server *s)
{
    char error[400];
    pid_t pid = fork();
    if (pid)
        return pid;
    free(pg_try(pg_url_in(s->directory, "edurag_owner"), "select count(*) from generate_series(1, 100000000)", error,
                sizeof error));
    _exit(0);
}

static void kills(void **context)
{
    (void)context;
    struct server s;
    char error[400];
    int64_t worst = 0, sum = 0;
    int written = 0, count = getenv("EDURAG_TORTURE") ? atoi(getenv("EDURAG_TORTURE")) : TORTURES;
    server_init(&s, pg_directory());
    s.pid = spawn(&s, NULL);
    assert_true(serves(&s, wire_now() + SERVE_MS));
    free(pg_try(pg_url_in(s.directory, "edurag_owner"), "create table public.torture (n int primary key)", error,
                sizeof error));
    assert_string_equal(error, "");
    for (int i = 0; i < count; i++) {
        bool ours = any(2), both = any(8) == 0, early = any(3) == 0;
        pid_t busy = i % 10 == 9 ? busy_backend(&s) : 0;
        written = early ? written : write_rows(&s, written, any(60));
        usleep(busy ? 100000 : (unsigned)any(1000));
        int server = postmaster(&s);
        if (server && (!ours || both))
            kill(server, SIGKILL);
        if (ours || both) {
            end(&s, SIGKILL);
            s.pid = spawn(&s, NULL);
            if (early) { /* and once more while it starts */
                usleep((unsigned)any(250000));
                end(&s, SIGKILL);
                s.pid = spawn(&s, NULL);
            }
        }
        int64_t began = wire_now();
        while (server && postmaster(&s) == server && wire_now() < began + SERVE_MS)
            usleep(2000);
        if (!serves(&s, began + SERVE_MS)) {
            AUTO(mem_freep) char *show = mem_printf("tail -n 30 %s %s/log/*.log >&2", s.log, s.directory);
            (void)!system(show);
            fail_msg("kill %d: not back after %d ms", i, SERVE_MS);
        }
        int64_t took = wire_now() - began;
        worst = took > worst ? took : worst;
        sum += took;
        check_rows(&s, written);
        assert_true(one_postmaster(&s));
        if (busy) {
            kill(busy, SIGKILL);
            waitpid(busy, NULL, 0);
        }
    }
    print_message("%d kills, %d rows, back after %d ms on average, %d at worst\n", count, written, (int)(sum / count),
                  (int)worst);
    assert_int_equal(end(&s, SIGTERM), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_ready_soon_and_leaves_nothing),
        cmocka_unit_test(it_listens_nowhere_but_on_its_socket),
        cmocka_unit_test(a_second_one_waits_and_says_for_what),
        cmocka_unit_test(a_waiting_one_can_be_ended),
        cmocka_unit_test(another_major_version_is_refused),
        cmocka_unit_test(a_directory_too_long_for_a_socket_is_refused),
        cmocka_unit_test(a_directory_of_roots_is_taken_only_when_empty),
        cmocka_unit_test(a_half_made_cluster_is_made_again),
        cmocka_unit_test(commands_work_with_and_without_a_server),
        cmocka_unit_test(kills),
    };
    owner = getpid();
    atexit(end_all);
    return cmocka_run_group_tests_name("embedded", tests, NULL, NULL);
}
