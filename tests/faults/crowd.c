/* crowd.c - a thousand connections at once, and a server that has no file descriptor left: who is in is served, and
 * who waits is let in as soon as it can be.
 */
#include <dirent.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/busy.h"
#include "tests/lib/faults.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum {
    CROWD = 1000,
    DOORS = 4,
    SPARE = 64,
    WAIT_MS = 20000,
    LATE = 30,
    LEFT = 2,
    FULL_MS = 3000,
    SETTLE_MS = 60000,
    FILES_MOST = 8192,
    LOG_MOST = 30000,
    ROUNDS_MOST = 10
};

static struct harness h;
static char *token;

/* ------------------------------------------------------------------ a thousand at once */

static struct ws crowd[CROWD];
static const char *refused[DOORS]; /* what the first of a door's people who was not served got */

static void *come_in(void *argument)
{
    size_t door = (size_t)(uintptr_t)argument;
    struct err err = {0};
    for (size_t i = door; i < CROWD; i += DOORS)
        if (!ws_open(&crowd[i], i % 2 ? h.target : h.socket, NULL, token, &err))
            refused[door] = "no connection";
    for (size_t i = door; i < CROWD && !refused[door]; i += DOORS) {
        AUTO(json_freep) cJSON *reply = harness_call(&crowd[i], "chat.join", "{}");
        if (!json_get(reply, "result"))
            refused[door] = reply ? "an error" : "no reply";
    }
    return NULL;
}

static void count_lines(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)ws;
    if (memmem(text, length, "\"chat.message\"", 14) && memmem(text, length, "to all of you", 13))
        ++*(int *)context;
}

static void each_hears_it_once(void)
{
    static int heard[CROWD];
    int missing = CROWD;
    memset(heard, 0, sizeof heard);
    for (int64_t end = faults_now() + WAIT_MS; missing && faults_now() < end; faults_pause(20)) {
        missing = 0;
        for (size_t i = 0; i < CROWD; i++) {
            if (!ws_read(&crowd[i], count_lines, &heard[i]))
                fail_msg("connection %zu was closed", i);
            missing += !heard[i];
        }
    }
    if (missing)
        fail_msg("%d of %d never heard it", missing, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        assert_int_equal(heard[i], 1);
}

static bool may_open(rlim_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return false;
    limit.rlim_cur = limit.rlim_cur < wanted ? wanted : limit.rlim_cur;
    return limit.rlim_cur <= limit.rlim_max && !setrlimit(RLIMIT_NOFILE, &limit);
}

static void a_thousand_come_at_once(void **state)
{
    (void)state;
    struct ws speaker;
    pthread_t threads[DOORS];
    int round = 0;
    if (!may_open(CROWD + SPARE))
        faults_skip("a_thousand_come_at_once", "this account may not open as many files");
    do {
        int64_t began = faults_now();
        memset(refused, 0, sizeof refused);
        for (uintptr_t door = 0; door < DOORS; door++)
            assert_int_equal(pthread_create(&threads[door], NULL, come_in, (void *)door), 0);
        for (size_t door = 0; door < DOORS; door++)
            pthread_join(threads[door], NULL);
        for (size_t door = 0; door < DOORS; door++)
            if (refused[door])
                fail_msg("somebody of a thousand got %s", refused[door]);
        print_message("%d connections, each verified and in the room, after %lld ms\n", CROWD,
                      (long long)(faults_now() - began));
        faults_serves("a thousand connections", faults_now(), h.socket, token);
        harness_open(&h, &speaker, "sue");
        assert_string_equal(harness_reason(&speaker, "chat.send", "{\"text\":\"to all of you\"}"), "ok");
        each_hears_it_once();
        for (size_t i = 0; i < CROWD; i++) /* all leave at once, without a word */
            ws_close(&crowd[i]);
        assert_string_equal(harness_reason(&speaker, "auth.whoami", NULL), "ok");
        faults_serves("a thousand gone", faults_now(), h.socket, token);
        ws_close(&speaker);
    } while (faults_more(++round, 1) && round < ROUNDS_MOST); /* the rest of the time is the next test's */
}

/* ------------------------------------------------------------------ no descriptor left */

static struct ws late[LATE];
static atomic_int came;

static void *come_late(void *argument)
{
    struct err err = {0};
    for (size_t i = 0; i < LATE; i++, atomic_fetch_add(&came, 1))
        if (!ws_open(&late[i], h.socket, NULL, token, &err))
            *(int *)argument += 1;
    return NULL;
}

static size_t log_bytes(void)
{
    AUTO(mem_freep) char *log = harness_log(&h);
    return strlen(log);
}

/* The limit under which LEFT numbers are still free; 0 where that can't be seen. */
static rlim_t tight_limit(void)
{
    static bool used[FILES_MOST];
    char path[40];
    size_t limit = 0, seen = 0;
    memset(used, 0, sizeof used);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)h.pid);
    DIR *open = opendir(path);
    for (struct dirent *entry; open && (entry = readdir(open)); seen++)
        if (entry->d_name[0] != '.' && atoi(entry->d_name) < FILES_MOST)
            used[atoi(entry->d_name)] = true;
    if (open)
        closedir(open);
    for (int left = LEFT; left >= 0 && limit < FILES_MOST; limit++)
        left -= !used[limit];
    return seen > 2 ? limit - 1 : 0;
}

static long processor_ms(void)
{
    char path[40];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)h.pid);
    FILE *stat = fopen(path, "r");
    assert_true(stat &&
                fscanf(stat, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) == 2);
    fclose(stat);
    return (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

static rlim_t limit_now(void)
{
    char path[40], line[200];
    unsigned long soft = 0;
    snprintf(path, sizeof path, "/proc/%d/limits", (int)h.pid);
    FILE *limits = fopen(path, "r");
    while (limits && fgets(line, sizeof line, limits) && sscanf(line, "Max open files %lu", &soft) != 1)
        ;
    if (limits)
        fclose(limits);
    return soft;
}

/* As the account that the server runs as: that may do it where root, without all its rights, may not. */
static bool set_limit(rlim_t soft)
{
    struct account account = pg_account();
    int status = -1;
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit;
        bool ours = geteuid() != 0 || (!setgid(account.gid) && !setuid(account.uid));
        if (!ours || prlimit(h.pid, RLIMIT_NOFILE, NULL, &limit))
            _exit(1);
        limit.rlim_cur = soft;
        _exit(prlimit(h.pid, RLIMIT_NOFILE, &limit, NULL) != 0);
    }
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* What opens a file, a socket or a pipe from here on fails, but for LEFT of them. */
static bool use_up(rlim_t *before)
{
    rlim_t tight = tight_limit();
    *before = limit_now();
    return tight && *before && set_limit(tight);
}

static void who_is_in_goes_on(struct ws *ws)
{
    static const struct {
        const char *method, *params;
    } calls[] = {
        {"auth.whoami", NULL},
        {"chat.send", "{\"text\":\"still here\"}"},
        {"memory.retain", "{\"fact\":\"I am learning with few files\"}"},
        {"search.query", "{\"query\":\"few files\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(calls); i++) {
        const char *reason = harness_reason(ws, calls[i].method, calls[i].params);
        if (strcmp(reason, "ok") != 0 && strcmp(reason, "busy") != 0)
            fail_msg("%s with no descriptor left: %s", calls[i].method, reason);
    }
    assert_string_equal(harness_reason(ws, "server.ping", NULL), "ok");
}

static void it_runs_out_of_descriptors(void **state)
{
    (void)state;
    struct ws ws, teacher;
    rlim_t before;
    pthread_t thread;
    int failed = 0, round = 0;
    do {
        harness_open(&h, &ws, "sue");
        harness_open(&h, &teacher, "tim");
        assert_string_equal(harness_reason(&ws, "chat.join", "{}"), "ok");
        if (!use_up(&before))
            faults_skip("it_runs_out_of_descriptors", "this account may not limit another's files");
        atomic_store(&came, 0);
        assert_int_equal(pthread_create(&thread, NULL, come_late, &failed), 0);
        who_is_in_goes_on(&ws);
        AUTO(buf_free) struct buf pdf = busy_book(faults_pick(1000000), 20);
        struct upload up = uploads_send(&teacher, "few.pdf", pdf.data, pdf.length, 0, NULL);
        assert_string_equal(up.reason, "ok");
        size_t said = log_bytes();
        long used = processor_ms();
        faults_pause(FULL_MS);
        used = processor_ms() - used;
        said = log_bytes() - said;
        print_message("%d ms without descriptors took %ld ms of processor and %zu bytes of log\n", FULL_MS, used, said);
        assert_true(said < LOG_MOST); /* or a full disk comes next */
        who_is_in_goes_on(&ws);
        assert_true(atomic_load(&came) < LATE); /* or the fault was none */
        assert_true(set_limit(before));
        faults_serves("no descriptors", faults_now(), h.socket, token);
        pthread_join(thread, NULL);
        assert_string_equal(harness_reason(&ws, "auth.whoami", NULL), "ok");
        assert_true(uploads_wait(&teacher, &up, SETTLE_MS));
        print_message("the document brought meanwhile: %s %s\n", up.state, up.message);
        ws_close(&ws);
        ws_close(&teacher);
        for (size_t i = 0; i < LATE; i++)
            if (late[i].fd >= 0)
                ws_close(&late[i]);
    } while (faults_more(++round, 1));
    AUTO(mem_freep) char *url = faults_url(h.directory);
    faults_settle(url, SETTLE_MS);
    faults_invariants(url);
    print_message("%d of those who came late were turned away\n", failed);
    faults_report();
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("crowd", 11);
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue");
    harness_user(&h, "teacher", "tim", "Tim");
    token = harness_token(&h, "sue");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(token);
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_come_at_once),
        cmocka_unit_test(it_runs_out_of_descriptors),
    };
    return cmocka_run_group_tests_name("crowd", tests, set_up, tear_down);
}
