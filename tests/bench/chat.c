/* chat.c - how fast a line reaches everybody in a room, beside bare libwebsockets and a bare insert.
 *
 * Every member is a connection of its own, read by this program in one epoll loop on the same machine. The
 * floor of a delivery is tests/fakes/bare_lws: the same bytes to as many connections, one write each.
 *
 * The floor of a line is one statement by libpq alone, again and again on one connection: the room's counter,
 * the row and its NOTIFY, committed for each line, with no person to check and nobody to tell. Both write to
 * a disk that syncs every commit, as a school's does, and once more to one that syncs nothing, where it is
 * processor time that counts. Where a line's time goes is told by stage.
 *
 * `chat PART...` runs some of: lines plain tls.
 */
#include <dirent.h>
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"

enum {
    MOST = 5000,
    DELAYS = 400000,
    WINDOW = 48,
    FLOOR_LINES = 1000,
    LIMIT_US = 30000000,
    LINE_BYTES = 330,
    FILES = 7200
};

static struct harness h;
static struct ws members[MOST];
static size_t most_members = MOST;
static char *token;

static struct {
    int64_t us[DELAYS];
    size_t count;
    uint64_t delivered;
    const struct ws *probe; /* a member that reads: the window follows what it has got */
    uint64_t probed;
} got;

/* A line is "T<when it was sent>". */
static void take(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)context;
    const char *at = memmem(text, length, "\"T", 2);
    if (!at || at[2] < '0' || at[2] > '9')
        return;
    got.delivered++;
    got.probed += ws == got.probe;
    if (got.count < DELAYS)
        got.us[got.count++] = bench_now_us() - strtoll(at + 2, NULL, 10);
}

static void pump(int epoll, int ms)
{
    static struct epoll_event events[512];
    int n = epoll_wait(epoll, events, 512, ms);
    for (int i = 0; i < n; i++)
        if (!ws_read(events[i].data.ptr, take, NULL)) {
            fprintf(stderr, "bench: a member was closed (%d)\n", ((struct ws *)events[i].data.ptr)->close_code);
            exit(1);
        }
}

struct run {
    size_t count, stalled, senders; /* the last `stalled` members never read */
    uint64_t lines;
    bool bare;
    int64_t pace_us; /* between two lines; 0: as fast as they are taken */
};

struct outcome {
    double per_second, p50, p99, cpu_us;
};

static int watch(const struct run *run)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < run->count - run->stalled; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &members[i]};
        epoll_ctl(epoll, EPOLL_CTL_ADD, members[i].fd, &event);
    }
    return epoll;
}

static void send_line(const struct run *run, uint64_t n)
{
    char text[512];
    int length;
    if (run->bare) /* as many bytes as a chat.message has */
        length = snprintf(text, sizeof text, "{\"text\":\"T%lld\",\"padding\":\"%0*d\"}", (long long)bench_now_us(),
                          LINE_BYTES - 60, 0);
    else
        length = snprintf(text, sizeof text,
                          "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"chat.send\",\"params\":{\"text\":\"T%lld\"}}",
                          (int)n, (long long)bench_now_us());
    ws_send(&members[n % run->senders], text, (size_t)length);
}

static struct outcome measure(const struct run *run, pid_t pid)
{
    int epoll = watch(run);
    uint64_t readers = run->count - run->stalled;
    got.count = got.delivered = got.probed = 0;
    got.probe = &members[0];
    while (epoll_wait(epoll, &(struct epoll_event){0}, 1, 0) > 0)
        pump(epoll, 50);
    got.count = got.delivered = got.probed = 0;
    int64_t cpu = bench_cpu_us(pid), began = bench_now_us();
    for (uint64_t sent = 0; got.delivered < run->lines * readers;) {
        while (sent < run->lines &&
               (run->pace_us ? bench_now_us() >= began + (int64_t)sent * run->pace_us : sent - got.probed < WINDOW))
            send_line(run, sent++);
        pump(epoll, run->pace_us ? 1 : 1000);
        if (bench_now_us() - began > LIMIT_US) {
            fprintf(stderr, "bench: %llu of %llu deliveries\n", (unsigned long long)got.delivered,
                    (unsigned long long)(run->lines * readers));
            break;
        }
    }
    double seconds = (double)(bench_now_us() - began) / 1e6;
    struct outcome o = {.per_second = (double)got.delivered / seconds,
                        .cpu_us = (double)(bench_cpu_us(pid) - cpu) / (double)got.delivered};
    o.p50 = bench_percentile(got.us, got.count, 0.5);
    o.p99 = bench_percentile(got.us, got.count, 0.99);
    close(epoll);
    return o;
}

static void open_members(size_t count, const char *target, SSL_CTX *tls, bool join)
{
    struct err err = {0};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < count; i++) {
        if (!ws_open(&members[i], target, tls, join ? token : NULL, &err)) {
            fprintf(stderr, "bench: member %zu: %s\n", i, err.log);
            exit(1);
        }
        if (join)
            free(ws_call(&members[i], 1, "chat.join", "{\"after_seq\":1000000000}", 20000));
        epoll_ctl(epoll, EPOLL_CTL_ADD, members[i].fd,
                  &(struct epoll_event){.events = EPOLLIN, .data.ptr = &members[i]});
        if (i % 50 == 49)
            pump(epoll, 0); /* those who came first are pinged meanwhile */
    }
    close(epoll);
}

static void close_members(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ws_close(&members[i]);
}

static pid_t bare_start(const char *cert, const char *key, char target[40])
{
    int pipe_ends[2];
    char program[4096], line[16] = "";
    const char *build = getenv("EDURAG_BUILD");
    snprintf(program, sizeof program, "%s/tests/fakes/bare_lws", build ? build : "build");
    if (pipe(pipe_ends) != 0)
        exit(1);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(pipe_ends[1], STDOUT_FILENO);
        execl(program, program, cert, key, (char *)NULL);
        _exit(127);
    }
    close(pipe_ends[1]);
    FILE *out = fdopen(pipe_ends[0], "r");
    if (!fgets(line, sizeof line, out))
        exit(1);
    fclose(out);
    snprintf(target, 40, "127.0.0.1:%d", atoi(line));
    return pid;
}

static struct outcome bare(const struct run *run, const char *cert, const char *key, SSL_CTX *tls)
{
    char target[40];
    pid_t pid = bare_start(cert, key, target);
    struct run same = *run;
    same.bare = true;
    open_members(run->count, target, tls, false);
    struct outcome o = measure(&same, pid);
    close_members(run->count);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    return o;
}

static void tell(const char *what, const struct outcome *o, const struct outcome *floor, const char *aim)
{
    char name[80];
    snprintf(name, sizeof name, "chat %s: delivered", what);
    bench_aim(name, o->per_second, "/s", floor->per_second, aim);
    snprintf(name, sizeof name, "chat %s: our cpu a delivery", what);
    bench_figure(name, o->cpu_us, "us", floor->cpu_us);
    snprintf(name, sizeof name, "chat %s: delay p50", what);
    bench_figure(name, o->p50 / 1000, "ms", floor->p50 / 1000);
    snprintf(name, sizeof name, "chat %s: delay p99", what);
    bench_figure(name, o->p99 / 1000, "ms", floor->p99 / 1000);
}

/* Lines a second by libpq alone. */
static double bare_lines(void)
{
    static const char line[] = "with r as (update public.chat_rooms set last_seq = last_seq + 1 where course_id is "
                               "null returning room_id, last_seq), m as ("
                               "insert into public.chat_messages (room_id, seq, user_id, text, expires_at) select "
                               "r.room_id, r.last_seq, u.user_id, 'T12345678901', "
                               "clock_timestamp() + interval '1 hour' from r, public.users u where u.institution_id = "
                               "'sue' returning room_id, seq) "
                               "select pg_notify('edurag_chat', m.room_id || ' ' || m.seq) from m";
    PGconn *pg = bench_connect(pg_url_in(h.directory, "edurag_owner"));
    PQclear(PQprepare(pg, "line", line, 0, NULL));
    int64_t began = bench_now_us();
    for (int i = 0; i < FLOOR_LINES; i++) {
        PGresult *r = PQexecPrepared(pg, "line", 0, NULL, NULL, NULL, 0);
        if (PQresultStatus(r) != PGRES_TUPLES_OK) {
            fprintf(stderr, "bench: %s", PQerrorMessage(pg));
            exit(1);
        }
        PQclear(r);
    }
    double seconds = (double)(bench_now_us() - began) / 1e6;
    PQfinish(pg);
    return FLOOR_LINES / seconds;
}

/* ---- where the time of a line goes ---- */

enum stage { SOCKETS, REQUESTS, READ_BACK, STORE_REQUESTS, STORE_READ_BACK, STORE_LISTEN, MEMBERS, STAGES };
static const char *const stage_names[STAGES] = {"sockets",
                                                "requests",
                                                "read back",
                                                "PostgreSQL, requests",
                                                "PostgreSQL, read back",
                                                "PostgreSQL, listen",
                                                "the members (not ours)"};

/* Nanoseconds on a processor so far. */
static double spent(const char *path)
{
    unsigned long long ns = 0;
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%llu", &ns) != 1)
        ns = 0;
    if (file)
        fclose(file);
    return (double)ns;
}

static void spent_by_threads(pid_t pid, double us[STAGES])
{
    char path[300], name[32];
    snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
    DIR *tasks = opendir(path);
    for (struct dirent *task; tasks && (task = readdir(tasks));) {
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/comm", (int)pid, task->d_name);
        FILE *file = task->d_name[0] == '.' ? NULL : fopen(path, "r");
        if (!file)
            continue;
        enum stage stage = !fgets(name, sizeof name, file)                            ? SOCKETS
                           : !strncmp(name, "quick", 5) || !strncmp(name, "chat-", 5) ? REQUESTS
                           : !strncmp(name, "listen", 6)                              ? READ_BACK
                                                                                      : SOCKETS;
        fclose(file);
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/schedstat", (int)pid, task->d_name);
        us[stage] += spent(path) / 1000;
    }
    if (tasks)
        closedir(tasks);
}

static void spent_by_stage(double us[STAGES])
{
    char path[64];
    memset(us, 0, STAGES * sizeof *us);
    spent_by_threads(h.pid, us);
    us[MEMBERS] = spent("/proc/self/schedstat") / 1000;
    PGconn *pg = bench_connect(pg_url_in(h.directory, "postgres"));
    PGresult *r = PQexec(
        pg,
        "select pid, case when application_name like '%listen' then 2 when usename = 'edurag_app' then 0 else 1 end "
        "from pg_stat_activity where usename in ('edurag_app', 'edurag_worker')");
    for (int i = 0; i < PQntuples(r); i++) {
        snprintf(path, sizeof path, "/proc/%.20s/schedstat", PQgetvalue(r, i, 0));
        us[STORE_REQUESTS + atoi(PQgetvalue(r, i, 1))] += spent(path) / 1000;
    }
    PQclear(r);
    PQfinish(pg);
}

/* One room of a hundred: what storing lines costs. */
static void lines(const char *what, const char *aim)
{
    static const struct run run = {.count = 100, .senders = 1, .lines = 1500};
    char name[80];
    double before[STAGES], after[STAGES];
    open_members(run.count, h.target, NULL, true);
    measure(&(struct run){.count = 100, .senders = 1, .lines = 100}, h.pid); /* connections, plans, caches */
    spent_by_stage(before);
    struct outcome o = measure(&run, h.pid);
    spent_by_stage(after);
    close_members(run.count);
    snprintf(name, sizeof name, "chat 1 to 100, %s: lines", what);
    bench_aim(name, o.per_second / (double)run.count, "/s", bare_lines(), aim);
    for (int i = 0; i < STAGES; i++) {
        snprintf(name, sizeof name, "chat 1 to 100, %s: cpu a line, %s", what, stage_names[i]);
        bench_figure(name, (after[i] - before[i]) / (double)run.lines, "us", 0);
    }
}

static void fan_out(const char *mode, SSL_CTX *tls, const char *cert, const char *key)
{
    static const struct run runs[] = {{.count = 100, .senders = 1, .lines = 1500},
                                      {.count = 1000, .senders = 1, .lines = 300},
                                      {.count = 5000, .senders = 1, .lines = 60}};
    for (size_t i = 0; i < COUNT_OF(runs) && runs[i].count <= most_members; i++) {
        char what[40], name[80];
        struct outcome floor = bare(&runs[i], cert, key, tls);
        int64_t before = bench_rss_bytes(h.pid);
        open_members(runs[i].count, h.target, tls, true);
        double each = (double)(bench_rss_bytes(h.pid) - before) / (double)runs[i].count;
        struct outcome o = measure(&runs[i], h.pid);
        close_members(runs[i].count);
        snprintf(what, sizeof what, "1 to %zu%s", runs[i].count, mode);
        tell(what, &o, &floor, i ? ">= 0.8x" : NULL); /* at 100 members storing the lines is the limit */
        snprintf(name, sizeof name, "chat %s: memory a member", what);
        if (i == COUNT_OF(runs) - 1)
            bench_figure(name, each / 1024, "KiB", 0);
    }
}

static void serve(const char *directory, const char *const *settings)
{
    harness_start(&h, directory, settings);
    harness_user(&h, "student", "sue", "Sue Student");
    token = harness_token(&h, "sue");
}

static void end(void)
{
    free(token);
    harness_stop(&h);
}

#define PLENTY "EDURAG_CONNECTIONS=6000", "EDURAG_LOG=info"

static void part_lines(void)
{
    char directory[] = "/var/tmp/edurag-bench-XXXXXX";
    struct account account = pg_account();
    if (!mkdtemp(directory) || (geteuid() == 0 && chown(directory, account.uid, account.gid) != 0))
        exit(1);
    unsetenv("EDURAG_TEST_UNSAFE_DATABASE");
    serve(directory, (const char *const[]){PLENTY, NULL});
    lines("synced", ">= 0.9x");
    end();
    pid_t pid = fork();
    if (pid == 0) {
        execlp("rm", "rm", "-rf", "--", directory, (char *)NULL);
        _exit(127);
    }
    waitpid(pid, NULL, 0);
    serve(NULL, (const char *const[]){PLENTY, NULL});
    lines("not synced", NULL);
    end();
}

static void part_plain(void)
{
    serve(NULL, (const char *const[]){PLENTY, NULL});
    fan_out("", NULL, NULL, NULL);
    struct run crowd = {.count = 300, .senders = 30, .lines = 1500},
               calm = {.count = 1000, .senders = 1, .lines = 100, .pace_us = 50000};
    struct run slow = {.count = 1000, .stalled = 10, .senders = 1, .lines = 300},
               none = {.count = 990, .senders = 1, .lines = 300};
    struct outcome floor = bare(&crowd, NULL, NULL, NULL);
    open_members(crowd.count, h.target, NULL, true);
    struct outcome many = measure(&crowd, h.pid);
    close_members(crowd.count);
    tell("30 of 300", &many, &floor, NULL);
    open_members(slow.count, h.target, NULL, true);
    struct outcome paced = measure(&calm, h.pid);
    bench_figure("chat 1 to 1000 at 20 lines a second: delay p50", paced.p50 / 1000, "ms", 0);
    bench_aim("chat 1 to 1000 at 20 lines a second: delay p99", paced.p99 / 1000, "ms", 0, "<= 50");
    struct outcome without = measure(&none, h.pid), with = measure(&slow, h.pid);
    close_members(slow.count);
    tell("1000, ten of them stalled", &with, &without, ">= 0.95x");
    end();
}

static void part_tls(void)
{
    char directory[] = "/tmp/edurag-bench-XXXXXX", cert[128], key[128], cert_setting[160], key_setting[160];
    if (!mkdtemp(directory))
        exit(1);
    bench_certificate(directory, cert, key);
    if (chmod(directory, 0755) != 0 || chmod(key, 0644) != 0) /* the server is another account */
        exit(1);
    snprintf(cert_setting, sizeof cert_setting, "EDURAG_TLS_CERT=%s", cert);
    snprintf(key_setting, sizeof key_setting, "EDURAG_TLS_KEY=%s", key);
    serve(NULL, (const char *const[]){PLENTY, cert_setting, key_setting, NULL});
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    fan_out(", TLS", tls, cert, key);
    SSL_CTX_free(tls);
    end();
    unlink(cert);
    unlink(key);
    rmdir(directory);
}

/* Every member is an open file here and another one in the server, which inherits what we may. */
static void raise_files(void)
{
    struct rlimit files = {0};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max >= FILES)
        return;
    most_members = files.rlim_max < 2000 ? 100 : 1000;
    fprintf(stderr,
            "bench: %llu open files are allowed here, and 5,000 members need %d: rooms of more than %zu are left out. "
            "As root, \"ulimit -Hn 20000\" allows more.\n",
            (unsigned long long)files.rlim_max, FILES, most_members);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } parts[] = {{"lines", part_lines}, {"plain", part_plain}, {"tls", part_tls}};
    signal(SIGPIPE, SIG_IGN);
    raise_files();
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        bool wanted = argc < 2;
        for (int a = 1; a < argc; a++)
            wanted = wanted || !strcmp(argv[a], parts[i].name);
        if (wanted)
            parts[i].run();
    }
    return 0;
}
