/* away.c - while the database is away: requests are told to come back, handshakes wait, and /readyz says why. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harness.h"
#include "tests/lib/raw.h"

static struct harness h;

static pid_t postmaster(void)
{
    char path[160];
    int pid = 0;
    snprintf(path, sizeof path, "%s/postgres/postmaster.pid", h.directory);
    FILE *file = fopen(path, "r");
    if (file) {
        if (fscanf(file, "%d", &pid) != 1)
            pid = 0;
        fclose(file);
    }
    return pid;
}

static int ready(void)
{
    struct raw r;
    assert_true(raw_connect(&r, h.target, NULL));
    raw_request(&r, "GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n");
    int status = r.status;
    raw_close(&r);
    return status;
}

static void a_database_that_is_away_is_busy_and_comes_back(void **state)
{
    (void)state;
    struct ws ws, early;
    struct err err = {0};
    harness_user(&h, "student", "sue", "Sue");
    harness_open(&h, &ws, "sue");
    AUTO(mem_freep) char *token = harness_token(&h, "sue");
    assert_int_equal(ready(), 200);
    assert_true(postmaster() > 1);
    assert_int_equal(kill(postmaster(), SIGKILL), 0);
    bool busy = false, unready = false;
    for (int tries = 0; tries < 400 && !(busy && unready); tries++) {
        AUTO(json_freep) cJSON *reply = harness_call(&ws, "auth.whoami", NULL);
        const cJSON *data = json_get(json_get(reply, "error"), "data");
        if (!strcmp(json_text(data, "reason", ""), "busy")) {
            busy = true;
            assert_in_range(json_int(data, "retry_after_ms", 0), 1, 60000);
        }
        unready = unready || ready() == 503;
    }
    assert_true(busy);
    assert_true(unready);
    assert_true(ws_open(&early, h.target, NULL, token, &err));
    assert_string_equal(harness_reason(&ws, "server.ping", NULL), "ok");
    assert_string_equal(harness_reason(&early, "server.ping", NULL), "ok"); /* waits for the token's verification */
    for (int tries = 0; tries < 400 && ready() != 200; tries++)
        usleep(25000);
    assert_int_equal(ready(), 200);
    assert_string_equal(harness_reason(&early, "auth.whoami", NULL), "ok");
    const char *reason = harness_reason(&ws, "auth.whoami", NULL);
    assert_string_equal(reason, "ok");
    ws_close(&ws);
    ws_close(&early);
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_database_that_is_away_is_busy_and_comes_back)};
    return cmocka_run_group_tests_name("away", tests, start, stop);
}
