/* terminal.c - the screen through a real terminal device: first paint, keys, bytes, memory, and rest.
 *
 * A real server with 200 passages and 10,000 lines of chat; the terminal is a pseudo-terminal of 80x24 that
 * this program reads. A key's time ends with the last byte before 30 ms of silence.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/mem.h"
#include "common/state.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/library.h"
#include "tests/lib/wakes.h"

enum { QUIET_MS = 30, KEYS = 200, PASSAGES = 200, LINES = 10000, CLIENTS = 30, REST_MS = 35000 };

struct seat {
    pid_t pid;
    int fd;
    size_t bytes;    /* since the last look */
    int64_t last_us; /* when the last of them came */
    struct buf seen; /* all of them since the last look */
};

static char home[] = "/tmp/edurag-seat-XXXXXX";

static struct seat sit(const struct harness *h)
{
    struct seat s = {0};
    struct winsize size = {.ws_row = 24, .ws_col = 80};
    char program[4096], server[160];
    const char *build = getenv("EDURAG_BUILD");
    snprintf(program, sizeof program, "%s/edurag", build ? build : "build");
    snprintf(server, sizeof server, "unix:%s", h->socket);
    s.pid = forkpty(&s.fd, NULL, NULL, &size);
    if (s.pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        setenv("LANG", "C.UTF-8", 1);
        setenv("EDURAG_SERVER", server, 1);
        unsetenv("TMUX");
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    return s;
}

static void leave(struct seat *s)
{
    kill(s->pid, SIGTERM);
    waitpid(s->pid, NULL, 0);
    close(s->fd);
    buf_free(&s->seen);
}

/* Reads until nothing has come for `quiet` ms; false where nothing came within `most`. */
static bool look(struct seat *s, int quiet, int most)
{
    char bytes[65536];
    s->bytes = 0;
    buf_clear(&s->seen);
    for (int64_t from = bench_now_us();;) {
        struct pollfd p = {.fd = s->fd, .events = POLLIN};
        int wait = s->bytes ? quiet : most;
        if (poll(&p, 1, wait) <= 0 || bench_now_us() - from > 20000000)
            return s->bytes > 0;
        ssize_t n = read(s->fd, bytes, sizeof bytes);
        if (n <= 0)
            return s->bytes > 0;
        s->last_us = bench_now_us();
        s->bytes += (size_t)n;
        buf_bytes(&s->seen, bytes, (size_t)n);
    }
}

static void press(struct seat *s, const char *keys)
{
    if (write(s->fd, keys, strlen(keys)) < 0)
        perror("write");
}

static void settle(struct seat *s)
{
    while (look(s, 300, 600))
        continue;
}

/* `run` times one key, then as often the other: microseconds each, and bytes where `tell_bytes`. */
static void keys(struct seat *s, const char *name, const char *key, const char *other, int run, bool tell_bytes,
                 const char *aim)
{
    int64_t us[KEYS];
    size_t sum = 0, most = 0;
    char label[80];
    for (int i = 0; i < KEYS; i++) {
        int64_t from = bench_now_us();
        press(s, i / run % 2 ? other : key);
        look(s, QUIET_MS, 100);
        us[i] = s->bytes ? s->last_us - from : 0;
        sum += s->bytes;
        most = s->bytes > most ? s->bytes : most;
    }
    snprintf(label, sizeof label, "terminal: %s, p50", name);
    bench_figure(label, bench_percentile(us, KEYS, 0.5) / 1000, "ms", 0);
    snprintf(label, sizeof label, "terminal: %s, p99", name);
    bench_aim(label, bench_percentile(us, KEYS, 0.99) / 1000, "ms", 0, "<= 16");
    if (!tell_bytes)
        return;
    snprintf(label, sizeof label, "terminal: %s, bytes", name);
    bench_aim(label, (double)sum / KEYS, "B", 0, aim);
    snprintf(label, sizeof label, "terminal: %s, most bytes", name);
    bench_aim(label, (double)most, "B", 0, aim);
}

/* A number from a file of /proc, summed over the lines that begin with these words. */
static double proc(pid_t pid, const char *file, const char *const *words)
{
    char path[64], line[256];
    double sum = 0;
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
    FILE *f = fopen(path, "r");
    while (f && fgets(line, sizeof line, f))
        for (const char *const *word = words; *word; word++)
            if (strncmp(line, *word, strlen(*word)) == 0)
                sum += strtod(line + strlen(*word), NULL);
    if (f)
        fclose(f);
    return sum;
}

static double private_mb(pid_t pid)
{
    return proc(pid, "smaps_rollup", (const char *const[]){"Private_Clean:", "Private_Dirty:", NULL}) / 1024;
}

static void fill(const struct harness *h)
{
    struct library_passage passages[PASSAGES];
    static char texts[PASSAGES][200];
    static const char *const words[] = {"lowers",   "the", "activation", "energy", "of", "its",
                                        "reaction", "and", "inhibitors", "slow",   "it", "down"};
    char id[40], sql[700];
    for (int i = 0; i < PASSAGES; i++) {
        int length = snprintf(texts[i], sizeof texts[i], "Passage %d says that an enzyme", i);
        for (unsigned word = (unsigned)i * 7919 + 1; length < 130; word = word * 1103515245u + 12345u)
            length += snprintf(texts[i] + length, sizeof texts[i] - (size_t)length, " %s",
                               words[word / 65536 % COUNT_OF(words)]);
        passages[i] = (struct library_passage){.page = i + 1, .text = texts[i]};
    }
    library_put(h->directory, "Enzymes in two hundred passages", NULL, passages, PASSAGES, id);
    snprintf(sql, sizeof sql,
             "with room as (update public.chat_rooms set last_seq = %d where room_id = auth.open_course() returning "
             "room_id) "
             "insert into public.chat_messages (room_id, seq, user_id, text, at, expires_at) "
             "select room.room_id, n, (select user_id from public.users where institution_id = 't1'), "
             "'line ' || n || ' of a long talk about enzymes', now() + n * interval '1 millisecond', now() + interval "
             "'50 minutes' "
             "from room, generate_series(1, %d) n returning 'done'",
             LINES, LINES);
    free(library_sql(h->directory, "edurag_owner", sql));
}

static void first_paint(const struct harness *h)
{
    int64_t us[20];
    for (size_t i = 0; i < COUNT_OF(us); i++) {
        int64_t from = bench_now_us();
        struct seat s = sit(h);
        look(&s, 0, 2000);
        us[i] = s.last_us - from;
        leave(&s);
    }
    bench_figure("terminal: start to first paint, p50", bench_percentile(us, COUNT_OF(us), 0.5) / 1000, "ms", 0);
    bench_aim("terminal: start to first paint, most", bench_percentile(us, COUNT_OF(us), 1) / 1000, "ms", 0, "<= 50");
}

/* Nothing happens but the server's pings, which come as often as a test can wait for. */
static void at_rest(const struct seat *s)
{
    struct wakes wakes;
    if (!wakes_watch(s->pid, REST_MS, &wakes)) {
        printf("terminal: wake-ups at rest: what wakes a program can't be watched here\n");
        return;
    }
    bench_figure("terminal: at rest for 35 s, pings answered", wakes.pings, "", 0);
    bench_aim("terminal: at rest for 35 s, woken by a timer", wakes.timers, "", 0, "<= 0");
    bench_aim("terminal: at rest for 35 s, woken by anything else", wakes.others, "", 0, "<= 0");
}

static void working(const struct harness *h)
{
    struct seat s = sit(h);
    settle(&s);
    press(&s, "enzyme\r");
    settle(&s);
    keys(&s, "next passage", "\033[B", "\033[A", 3, true, "<= 250");
    /* Three new rows of text come into sight: their own letters are the floor, about 200. */
    keys(&s, "next passage, scrolling", "\033[B", "\033[A", 30, true, NULL);
    press(&s, "\033");
    settle(&s);
    press(&s, "gc");
    settle(&s);
    keys(&s, "a letter with 10,000 lines", "x", "\177", 8, false, NULL);
    press(&s, "\t");
    settle(&s);
    keys(&s, "a line up with 10,000 lines", "\033[A", "\033[B", 8, true, "<= 250");
    bench_aim("terminal: private memory, 10,000 lines", private_mb(s.pid), "MB", 0, "<= 8");
    press(&s, "s");
    settle(&s);
    at_rest(&s);
    leave(&s);
}

static void a_class(const struct harness *h)
{
    struct seat seats[CLIENTS];
    double sum = 0, most = 0;
    for (int i = 0; i < CLIENTS; i++)
        seats[i] = sit(h);
    for (int i = 0; i < CLIENTS; i++)
        settle(&seats[i]);
    for (int i = 0; i < CLIENTS; i++) {
        double mb = private_mb(seats[i].pid);
        sum += mb;
        most = mb > most ? mb : most;
    }
    bench_figure("terminal: private memory, thirty clients, each", sum / CLIENTS, "MB", 0);
    bench_aim("terminal: private memory, thirty clients, most", most, "MB", 0, "<= 8");
    for (int i = 0; i < CLIENTS; i++)
        leave(&seats[i]);
}

int main(void)
{
    struct harness h;
    struct err err = {0};
    char command[100], name[160];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (!mkdtemp(home))
        return 1;
    setenv("XDG_STATE_HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    harness_start(&h, NULL, (const char *const[]){"EDURAG_LOG=info", "EDURAG_PING=10", NULL});
    harness_user(&h, "student", "s1", "Maria Okafor");
    harness_user(&h, "teacher", "t1", "D. Novak");
    fill(&h);
    AUTO(mem_freep) char *token = harness_token(&h, "s1");
    snprintf(name, sizeof name, "%s", h.socket);
    if (!state_set("tokens", name, token, &err))
        return 1;
    first_paint(&h);
    working(&h);
    a_class(&h);
    harness_stop(&h);
    snprintf(command, sizeof command, "rm -rf '%s'", home);
    return system(command) != 0;
}
