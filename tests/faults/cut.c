/* cut.c - a connection to PostgreSQL that is slow, silent or cut: requests end with a sentence, what needs no
 * database goes on, nothing acknowledged is lost, and service comes back by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/busy.h"
#include "tests/lib/faults.h"
#include "tests/lib/harness.h"
#include "tests/lib/ledger.h"
#include "tests/lib/pg.h"
#include "tests/lib/proxy.h"
#include "tests/lib/raw.h"

enum {
    CUTS = 10,
    SETTLE_MS = 120000,
    ASKERS = 6,
    LINES = 20,
    WAIT_MS = 20000,
    PROMPT_MS = 1500,
    LIMIT_MS = 27000
}; /* a statement's 20 s, 2 s for its answer, and a machine that is busy */

static struct proxy *proxy, *listening;
static struct harness far, near; /* far: through the proxies */
static char *everything, *token, *other;

static int plain(const char *path)
{
    struct raw r;
    AUTO(mem_freep) char *request = mem_printf("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    assert_true(raw_connect(&r, far.socket, NULL));
    raw_request(&r, request);
    int status = r.status;
    raw_close(&r);
    return status;
}

static void enter(struct ws *ws, const struct harness *node, const char *as)
{
    struct err err = {0};
    if (!ws_open(ws, node->socket, NULL, as, &err))
        fail_msg("%s", err.log);
}

static void expect(struct ws *ws, const char *method, const char *params, const char *want)
{
    const char *reason = harness_reason(ws, method, params);
    if (strcmp(reason, want) != 0)
        fail_msg("%s: %s instead of %s", method, reason, want);
}

/* What needs no database answers at once, in a session as well as to who has none. */
static void alive_without_it(struct ws *ws)
{
    int64_t began = faults_now();
    expect(ws, "server.ping", NULL, "ok");
    expect(ws, "server.info", NULL, "ok");
    assert_int_equal(plain("/healthz"), 200);
    if (faults_now() - began > PROMPT_MS * 4)
        fail_msg("what needs no database took %lld ms", (long long)(faults_now() - began));
}

static void both(enum proxy_mode mode, int ms)
{
    proxy_set(proxy, mode, ms);
    proxy_set(listening, mode, ms);
}

static void say(struct ws *ws, int number)
{
    AUTO(mem_freep) char *params = mem_printf("{\"text\":\"line %d\"}", number);
    expect(ws, "chat.send", params, "ok");
}

struct heard {
    int lines;
    int64_t last;
};

/* Each once and in order; several may come in one piece. */
static void hear(struct ws *ws, const char *text, size_t length, void *context)
{
    (void)ws;
    struct heard *heard = context;
    AUTO(json_freep) cJSON *news = json_parse(text, length, NULL);
    int64_t seq = json_int(json_get(news, "params"), "seq", -1);
    if (strcmp(json_text(news, "method", ""), "chat.message") != 0)
        return;
    assert_true(!heard->last || seq == heard->last + 1);
    heard->last = seq;
    heard->lines++;
}

static void hear_lines(struct ws *ws, int count)
{
    struct heard heard = {0};
    for (int64_t end = faults_now() + WAIT_MS; heard.lines < count && faults_now() < end; faults_pause(10))
        assert_true(ws_read(ws, hear, &heard));
    assert_int_equal(heard.lines, count);
}

/* What works in the background is there again, too: each node says every second that it lives. */
static void both_nodes_beat(void)
{
    for (int64_t end = faults_now() + WAIT_MS;; faults_pause(100)) {
        char error[400];
        AUTO(mem_freep)
        char *beating = pg_try(
            everything, "select count(*) from public.nodes where seen_at > clock_timestamp() - interval '3 seconds'",
            error, sizeof error);
        if (beating && !strcmp(beating, "2"))
            return;
        if (faults_now() > end)
            fail_msg("%s of 2 nodes say that they live %s", beating ? beating : "?", error);
    }
}

static void a_slow_connection_makes_slow_and_breaks_nothing(void **state)
{
    (void)state;
    struct ws ws;
    both(PROXY_SLOW, 60);
    enter(&ws, &far, token);
    expect(&ws, "auth.whoami", NULL, "ok");
    expect(&ws, "chat.join", "{}", "ok");
    expect(&ws, "search.query", "{\"query\":\"what is slow\"}", "ok");
    expect(&ws, "memory.retain", "{\"fact\":\"I am patient with slow things\"}", "ok");
    alive_without_it(&ws);
    both(PROXY_PASS, 0);
    faults_serves("a slow connection", faults_now(), far.socket, token);
    ws_close(&ws);
}

/* Requests that wait for an answer when the silence begins, and one that comes into it. */
static void a_silent_database_is_busy_within_the_limit(void **state)
{
    (void)state;
    struct ws visible_courses[ASKERS], member, speaker;
    for (int i = 0; i < ASKERS; i++) {
        enter(&visible_courses[i], &far, token);
        expect(&visible_courses[i], "auth.whoami", NULL, "ok");
    }
    enter(&member, &far, token);
    enter(&speaker, &near, other);
    expect(&member, "chat.join", "{}", "ok");
    both(PROXY_SILENT, 0);
    int64_t began = faults_now();
    for (int i = 0; i < ASKERS; i++) {
        static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"auth.whoami\"}";
        assert_true(ws_send(&visible_courses[i], ask, sizeof ask - 1));
    }
    alive_without_it(&member);
    for (int i = 0; i < LINES; i++)
        say(&speaker, i);
    int64_t longest = 0;
    for (int i = 0; i < ASKERS; i++) {
        AUTO(mem_freep) char *reply = ws_wait(&visible_courses[i], "\"id\":7", (int)(began + LIMIT_MS - faults_now()));
        if (!reply || !strstr(reply, "\"busy\""))
            fail_msg("asker %d of a silent database got %s after %lld ms", i, reply ? reply : "nothing",
                     (long long)(faults_now() - began));
        longest = faults_now() - began;
    }
    print_message("a silent database: the last request was told after %lld ms\n", (long long)longest);
    assert_int_equal(plain("/readyz"), 503);
    alive_without_it(&member);
    proxy_forget(proxy); /* what was open never says a word again */
    proxy_forget(listening);
    both(PROXY_PASS, 0);
    faults_serves("a silent connection", faults_now(), far.socket, token);
    hear_lines(&member, LINES);
    both_nodes_beat();
    for (int i = 0; i < ASKERS; i++) {
        expect(&visible_courses[i], "auth.whoami", NULL, "ok");
        ws_close(&visible_courses[i]);
    }
    ws_close(&member);
    ws_close(&speaker);
}

static void a_database_that_is_gone_is_busy_at_once(void **state)
{
    (void)state;
    struct ws ws, waiting;
    enter(&ws, &far, token);
    expect(&ws, "auth.whoami", NULL, "ok");
    both(PROXY_GONE, 0);
    for (int i = 0; i < 10; i++) {
        int64_t began = faults_now();
        AUTO(json_freep) cJSON *reply = harness_call(&ws, "auth.whoami", NULL);
        const cJSON *data = json_get(json_get(reply, "error"), "data");
        assert_string_equal(json_text(data, "reason", "?"), "busy");
        assert_in_range(json_int(data, "retry_after_ms", 0), 1, 60000);
        assert_true(faults_now() - began < PROMPT_MS * 5);
    }
    enter(&waiting, &far, token); /* its token can't be verified yet, and it is not refused for that */
    expect(&ws, "server.ping", NULL, "ok");
    both(PROXY_PASS, 0);
    faults_serves("a lost connection", faults_now(), far.socket, token);
    expect(&waiting, "auth.whoami", NULL, "ok");
    expect(&ws, "auth.whoami", NULL, "ok");
    ws_close(&ws);
    ws_close(&waiting);
}

/* Every connection ends in the middle of what the server says, again and again: a commit's answer among it. */
static void what_was_acknowledged_survives_every_cut(void **state)
{
    (void)state;
    busy_start(far.socket);
    for (int i = 0; faults_more(i, CUTS); i++) {
        faults_pause(100 + (long)faults_pick(700));
        if (faults_pick(4)) {
            proxy_cut(proxy);
        } else {
            both(PROXY_GONE, 0);
            faults_pause((long)faults_pick(500));
            both(PROXY_PASS, 0);
        }
        if (faults_pick(3) == 0)
            proxy_cut(listening);
        faults_serves("a cut connection", faults_now(), far.socket, token);
    }
    busy_stop();
    faults_settle(everything, SETTLE_MS);
    faults_invariants(everything);
    ledger_check(everything);
    ledger_print();
    faults_report();
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("cut", 9);
    pg_start();
    everything = mem_printf("%s dbname=edurag", pg_url("postgres"));
    char server[200] = "";
    if (sscanf(pg_url("postgres"), "host='%199[^']'", server) != 1)
        return -1;
    proxy = proxy_start(server);
    listening = proxy_start(server);
    AUTO(mem_freep) char *app = mem_printf("EDURAG_DATABASE_URL=%s", proxy_url(proxy, "edurag_app"));
    AUTO(mem_freep) char *worker = mem_printf("EDURAG_DATABASE_WORKER_URL=%s", proxy_url(proxy, "edurag_worker"));
    AUTO(mem_freep) char *hear = mem_printf("EDURAG_DATABASE_LISTEN_URL=%s", proxy_url(listening, "edurag_worker"));
    harness_node(&far, (const char *const[]){app, worker, hear, NULL});
    harness_node(&near, NULL);
    harness_user(&near, "student", "far", "Far");
    harness_user(&near, "student", "near", "Near");
    token = harness_token(&near, "far");
    other = harness_token(&near, "near");
    AUTO(mem_freep) char *logs = mem_printf("%s %s", far.log, near.log);
    busy_people(pg_url("edurag_owner"), logs);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    int far_code = harness_stop(&far), near_code = harness_stop(&near);
    proxy_stop(proxy);
    proxy_stop(listening);
    pg_stop();
    free(everything);
    free(token);
    free(other);
    return far_code || near_code;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slow_connection_makes_slow_and_breaks_nothing),
        cmocka_unit_test(a_database_that_is_gone_is_busy_at_once),
        cmocka_unit_test(a_silent_database_is_busy_within_the_limit),
        cmocka_unit_test(what_was_acknowledged_survives_every_cut),
    };
    return cmocka_run_group_tests_name("cut", tests, set_up, tear_down);
}
