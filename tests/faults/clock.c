/* clock.c - the wall clock of the server and its database jumps by an hour, forwards and backwards: nobody is shut
 * out or let in for it, no job and no timer waits for it, and nothing runs wild.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/busy.h"
#include "tests/lib/faults.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"
#include "tests/lib/uploads.h"

enum {
    HOUR = 3600,
    BOOKS = 6,
    SETTLE_MS = 40000,
    WAIT_MS = 20000,
    CALM_MS = 3000,
    CALM_TRANSACTIONS = 1000,
    TRIES_MOST = 200
};

static struct harness node, strict; /* strict: a request a second */
static char *sue, *tim, *eve, *everything, *server_preload, *clock_setting, *asan;
static char clock_path[] = "/tmp/edurag-clock-XXXXXX";
static _Atomic int64_t *ahead;

static void turn(int64_t seconds)
{
    atomic_store(ahead, seconds);
}

static int64_t number(const char *sql)
{
    char error[400];
    AUTO(mem_freep) char *value = pg_try(everything, sql, error, sizeof error);
    if (!value)
        fail_msg("%s: %s", sql, error);
    return atoll(value);
}

static void comes_to(const char *sql, int64_t wanted, const char *what)
{
    for (int64_t end = faults_now() + WAIT_MS; number(sql) != wanted; faults_pause(100))
        if (faults_now() > end)
            fail_msg("%s: %lld, not %lld, after %d s", what, (long long)number(sql), (long long)wanted, WAIT_MS / 1000);
}

static void enter(struct ws *ws, const struct harness *at, const char *token)
{
    struct err err = {0};
    if (!ws_open(ws, at->socket, NULL, token, &err))
        fail_msg("%s", err.log);
}

static void expect(struct ws *ws, const char *method, const char *params, const char *want)
{
    const char *reason = harness_reason(ws, method, params);
    if (strcmp(reason, want) != 0)
        fail_msg("%s: %s instead of %s", method, reason, want);
}

static long processor_ms(void)
{
    char path[40];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)node.pid);
    FILE *stat = fopen(path, "r");
    if (!stat || fscanf(stat, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        fail_msg("%s can't be read", path);
    fclose(stat);
    return (long)(user + system) * 1000 / sysconf(_SC_CLK_TCK);
}

/* With nothing to do, whatever the clock did: a few statements a second (the database counts those of before late), and
 * hardly any processor. */
static void all_is_calm(const char *jump)
{
    static const char done[] = "select xact_commit + xact_rollback from pg_stat_database where datname = 'edurag'";
    long used = processor_ms();
    int64_t before = number(done);
    faults_pause(CALM_MS);
    int64_t did = number(done) - before;
    used = processor_ms() - used;
    if (did > CALM_TRANSACTIONS || used > CALM_MS / 2)
        fail_msg("%s: %lld transactions and %ld ms of processor in %d ms of nothing to do", jump, (long long)did, used,
                 CALM_MS);
}

static void bring_books(int round)
{
    struct ws ws;
    enter(&ws, &node, tim);
    for (int i = 0; i < BOOKS; i++) {
        char filename[40];
        snprintf(filename, sizeof filename, "clock-%d-%d.pdf", round, i);
        AUTO(buf_free) struct buf pdf = busy_book((uint32_t)(round * BOOKS + i), 30);
        struct upload up = uploads_send(&ws, filename, pdf.data, pdf.length, 0, NULL);
        assert_string_equal(up.reason, "ok");
    }
    ws_close(&ws);
}

/* More than can be begun before the clock turns: the rest waits with a time of before. */
static void queue_all_again(void)
{
    number("with again as (insert into public.index_jobs (pdf_id) select p.pdf_id from public.pdfs p where not exists "
           "(select from public.index_jobs j where j.pdf_id = p.pdf_id and j.state not in ('indexed', 'failed')) "
           "returning 1) select count(*) from again");
}

/* An hour has passed by the clock on the wall, which is what a line's hour means. */
static void what_was_said_is_over(struct ws *ws, const char *text)
{
    AUTO(json_freep) cJSON *reply = harness_call(ws, "chat.join", "{}");
    const cJSON *line;
    assert_non_null(json_get(reply, "result"));
    cJSON_ArrayForEach (line, json_get(json_get(reply, "result"), "messages"))
        assert_string_not_equal(json_text(line, "text", ""), text);
}

/* A session and documents from before the jump, and what is wanted of them behind it. */
static void jump_in_the_middle(int round, int64_t to, const char *jump)
{
    struct ws ws, member;
    enter(&ws, &node, sue);
    enter(&member, &node, eve);
    expect(&member, "chat.join", "{}", "ok");
    AUTO(mem_freep) char *before = mem_printf("before jump %d", round);
    AUTO(mem_freep) char *line = mem_printf("{\"text\":\"%s\"}", before);
    expect(&ws, "chat.send", line, "ok");
    bring_books(round);
    bool forwards = to > atomic_load(ahead);
    queue_all_again();
    turn(to);
    faults_serves(jump, faults_now(), node.socket, sue);
    expect(&ws, "auth.whoami", NULL, "ok");
    expect(&ws, "chat.send", "{\"text\":\"behind\"}", "ok");
    AUTO(mem_freep) char *heard = ws_wait(&member, "\"behind\"", WAIT_MS);
    assert_non_null(heard);
    faults_settle(everything, SETTLE_MS);
    comes_to("select count(*) from public.nodes where abs(extract(epoch from clock_timestamp() - seen_at)) > 4", 0,
             "nodes that do not say they live");
    if (forwards)
        what_was_said_is_over(&ws, before);
    all_is_calm(jump);
    ws_close(&ws);
    ws_close(&member);
}

static void an_hour_forwards_and_backwards_stops_nothing(void **state)
{
    (void)state;
    static const struct {
        int64_t to;
        const char *jump;
    } jumps[] = {{HOUR, "an hour forwards"},
                 {0, "an hour backwards"},
                 {-HOUR, "an hour backwards again"},
                 {0, "an hour forwards again"}};
    int round = 0;
    do
        for (size_t i = 0; i < COUNT_OF(jumps); i++)
            jump_in_the_middle(round++, jumps[i].to, jumps[i].jump);
    while (faults_more(round, 1));
    char error[400]; /* lines of the one hour lie in the next: what the room's number counts is not all there */
    free(pg_try(everything,
                "update public.chat_rooms r set last_seq = (select count(*) from public.chat_messages m where "
                "m.room_id = r.room_id)",
                error, sizeof error));
    faults_invariants(everything);
    faults_report();
}

static void drain(struct ws *ws, const char *method)
{
    for (int i = 0; i < TRIES_MOST; i++)
        if (!strcmp(harness_reason(ws, method, NULL), "rate_limited"))
            return;
    fail_msg("%s: never rate_limited", method);
}

static void refills(struct ws *ws, const char *method, const char *when)
{
    for (int64_t end = faults_now() + WAIT_MS; strcmp(harness_reason(ws, method, NULL), "ok") != 0; faults_pause(250))
        if (faults_now() > end)
            fail_msg("%s: still limited %d s after %s", method, WAIT_MS / 1000, when);
}

/* Of an address and of a person: full only by real time, and full again in spite of any jump. */
static void rate_limits_know_real_time_only(void **state)
{
    (void)state;
    static const char *const methods[] = {"server.info", "auth.whoami"};
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        struct ws ws;
        enter(&ws, &strict, i ? eve : NULL);
        drain(&ws, methods[i]);
        turn(HOUR);
        expect(&ws, methods[i], NULL, "rate_limited");
        turn(0);
        refills(&ws, methods[i], "the clock came back");
        drain(&ws, methods[i]);
        turn(-HOUR);
        refills(&ws, methods[i], "the clock was put back");
        turn(0);
        ws_close(&ws);
    }
}

static void nobody_is_shut_out_by_failures_still_to_come(void **state)
{
    (void)state;
    struct ws ws;
    enter(&ws, &node, NULL);
    turn(HOUR);
    for (int i = 0; i < 8; i++)
        harness_reason(&ws, "auth.login", "{\"institution_id\":\"eve\",\"password\":\"not the password\"}");
    expect(&ws, "auth.login", "{\"institution_id\":\"eve\",\"password\":\"eve-password\"}", "rate_limited");
    turn(0);
    expect(&ws, "auth.login", "{\"institution_id\":\"eve\",\"password\":\"eve-password\"}", "ok");
    ws_close(&ws);
}

static bool make_clock(void)
{
    int fd = mkstemp(clock_path);
    int64_t none = 0;
    if (fd < 0 || write(fd, &none, sizeof none) != sizeof none || fchmod(fd, 0644) != 0)
        return false;
    void *page = mmap(NULL, sizeof *ahead, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    ahead = page;
    return page != MAP_FAILED;
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("clock", 10);
    AUTO(mem_freep) char *shim = mem_printf("%s/tests/faults/shim/clock.so", pg_build());
    const char *options = getenv("ASAN_OPTIONS");
    assert_true(make_clock());
    pg_start_preloaded(shim, clock_path);
    everything = mem_printf("%s dbname=edurag", pg_url("postgres"));
    server_preload = mem_printf("LD_PRELOAD=%s", shim);
    clock_setting = mem_printf("EDURAG_TEST_CLOCK=%s", clock_path);
    asan = mem_printf("ASAN_OPTIONS=%s:verify_asan_link_order=0", options ? options : "detect_leaks=1");
    harness_node(&node, (const char *const[]){server_preload, clock_setting, asan, NULL});
    harness_node(&strict, (const char *const[]){server_preload, clock_setting, asan, "EDURAG_RATE_ADDRESS=60",
                                                "EDURAG_RATE_PERSON=60", "EDURAG_INDEXERS=0", NULL});
    harness_user(&node, "student", "sue", "Sue");
    harness_user(&node, "teacher", "tim", "Tim");
    harness_user(&node, "student", "eve", "Eve");
    sue = harness_token(&node, "sue");
    tim = harness_token(&node, "tim");
    eve = harness_token(&node, "eve");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int code = harness_stop(&node), strict_code = harness_stop(&strict);
    pg_stop();
    unlink(clock_path);
    free(everything);
    free(server_preload);
    free(clock_setting);
    free(asan);
    free(sue);
    free(tim);
    free(eve);
    return code || strict_code;
}

#ifdef __SANITIZE_THREAD__
static void the_clock_can_be_turned(void **state)
{
    (void)state;
    faults_skip("clock", "the thread sanitizer has to be the first library, and so has the clock");
}
#endif

int main(void)
{
#ifdef __SANITIZE_THREAD__
    const struct CMUnitTest none[] = {cmocka_unit_test(the_clock_can_be_turned)};
    return cmocka_run_group_tests_name("clock", none, NULL, NULL);
#endif
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rate_limits_know_real_time_only),
        cmocka_unit_test(nobody_is_shut_out_by_failures_still_to_come),
        cmocka_unit_test(an_hour_forwards_and_backwards_stops_nothing),
    };
    return cmocka_run_group_tests_name("clock", tests, set_up, tear_down);
}
