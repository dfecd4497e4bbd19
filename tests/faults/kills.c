/* kills.c - kill -9 of the server, an extractor or PostgreSQL while a school is at work: nothing that was
 * acknowledged is lost, nothing is there twice, and the server serves again soon.
 */
#include <setjmp.h>
#include <signal.h>
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

enum { KILLS = 9, SETTLE_MS = 120000 };

static struct harness h;
static char target[sizeof h.socket];
static char *token;

static void kill_server(void)
{
    harness_kill(&h); /* and with it, soon, its PostgreSQL */
    int64_t since = faults_now();
    struct harness again;
    harness_start(&again, h.directory, NULL);
    h = again;
    faults_serves("the server killed", since, target, token);
}

static void kill_child(const char *name, const char *fault)
{
    pid_t pid = faults_child(h.pid, name);
    int64_t since = faults_now();
    if (!pid || kill(pid, SIGKILL))
        return;
    faults_serves(fault, since, target, token);
}

/* All lines of the common room, as somebody gets them who comes late: each number once, rising, none left out. */
static void everything_said_can_be_read(void)
{
    struct ws ws;
    int64_t seq = 0;
    int lines = 0;
    harness_open(&h, &ws, "sue");
    for (bool more = true; more;) {
        AUTO(mem_freep) char *params = mem_printf("{\"after_seq\":%lld}", (long long)seq);
        AUTO(json_freep) cJSON *reply = harness_call(&ws, "chat.join", params);
        const cJSON *result = json_get(reply, "result"), *line;
        assert_non_null(result);
        cJSON_ArrayForEach (line, json_get(result, "messages")) {
            assert_int_equal(json_int(line, "seq", -1), seq + 1);
            seq++;
            lines++;
        }
        more = json_bool(result, "more", false);
    }
    assert_true(lines >= ledger_count(LEDGER_LINE));
    ws_close(&ws);
}

static void what_was_acknowledged_survives_every_kill(void **state)
{
    (void)state;
    busy_start(target);
    for (int i = 0; faults_more(i, KILLS); i++) {
        faults_pause(100 + (long)faults_pick(900));
        switch (faults_pick(4)) {
        case 0: kill_child("edurag-extract", "an extractor killed"); break;
        case 1: kill_child("postgres", "PostgreSQL killed"); break;
        case 2: kill_child("postgres", "PostgreSQL killed, then the server"); /* fall through */
        default: kill_server();
        }
    }
    busy_stop();
    AUTO(mem_freep) char *url = faults_url(h.directory);
    faults_settle(url, SETTLE_MS);
    faults_invariants(url);
    ledger_check(url);
    everything_said_can_be_read();
    ledger_print();
    faults_report();
}

static int set_up(void **state)
{
    (void)state;
    faults_begin("kills", 8);
    harness_start(&h, NULL, NULL);
    memcpy(target, h.socket, sizeof target);
    AUTO(mem_freep) char *logs = mem_printf("%s/harness-*.log", h.directory);
    busy_people(pg_url_in(h.directory, "edurag_owner"), logs);
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
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_acknowledged_survives_every_kill)};
    return cmocka_run_group_tests_name("kills", tests, set_up, tear_down);
}
