/* metrics.c - /metrics of a whole server: who may read it, what it says, and that it is Prometheus text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/harness.h"
#include "tests/lib/raw.h"
#include "tests/lib/uploads.h"

#define GET(more) "GET /metrics HTTP/1.1\r\nHost: x\r\n" more "\r\n"

static struct harness h;

/* The body of a reply; free it. */
static char *fetch(const char *target, const char *request, int *status)
{
    struct raw r;
    assert_true(raw_connect(&r, target, NULL));
    raw_request(&r, request);
    const char *at = strcasestr(r.head, "content-length:");
    size_t length = at ? strtoul(at + strlen("content-length:"), NULL, 10) : 0, got = 0;
    char *body = mem_alloc(length + 1);
    for (ssize_t n = 1; got < length && n > 0; got += n > 0 ? (size_t)n : 0)
        n = read(r.fd, body + got, length - got);
    *status = r.status;
    raw_close(&r);
    return body;
}

/* The value of a sample; -1 where it is not there. */
static double sample(const char *name)
{
    int status;
    AUTO(mem_freep) char *body = fetch(h.target, GET(""), &status);
    AUTO(mem_freep) char *line = mem_printf("\n%s ", name);
    const char *at = strstr(body, line);
    return at ? strtod(at + strlen(line), NULL) : -1;
}

static void only_this_machine_may_read_it(void **state)
{
    (void)state;
    static const struct {
        bool unix_socket;
        const char *request;
        int status;
    } cases[] = {
        {false, GET(""), 200},
        {true, GET(""), 200},
        {false, GET("X-Forwarded-For: 203.0.113.7\r\n"), 403},
        {false, "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int status;
        AUTO(mem_freep) char *body = fetch(cases[i].unix_socket ? h.socket : h.target, cases[i].request, &status);
        assert_int_equal(status, cases[i].status);
        assert_int_equal(strstr(body, "edurag_") != NULL, cases[i].status == 200);
    }
}

static void requests_are_counted_by_method_and_outcome(void **state)
{
    (void)state;
    struct ws ws;
    harness_open(&h, &ws, "sue");
    double before = sample("edurag_requests_total{method=\"auth.whoami\",outcome=\"ok\"}");
    assert_string_equal(harness_reason(&ws, "auth.whoami", "{}"), "ok");
    assert_string_equal(harness_reason(&ws, "auth.whoami", "{}"), "ok");
    assert_string_equal(harness_reason(&ws, "users.list", "{}"), "forbidden");
    assert_string_equal(harness_reason(&ws, "no.such", "{}"), "unknown_method");
    assert_float_equal(sample("edurag_requests_total{method=\"auth.whoami\",outcome=\"ok\"}"),
                       (before < 0 ? 0 : before) + 2, 0.1);
    assert_float_equal(sample("edurag_requests_total{method=\"users.list\",outcome=\"forbidden\"}"), 1, 0.1);
    assert_float_equal(sample("edurag_requests_total{method=\"\",outcome=\"unknown_method\"}"), 1, 0.1);
    assert_float_equal(sample("edurag_request_seconds_count{method=\"auth.whoami\"}"),
                       sample("edurag_request_seconds_bucket{method=\"auth.whoami\",le=\"+Inf\"}"), 0.1);
    assert_true(sample("edurag_request_seconds_sum{method=\"auth.whoami\"}") > 0);
    assert_true(sample("edurag_connections") >= 1);
    ws_close(&ws);
}

static void rooms_that_know_no_sockets_are_there(void **state)
{
    (void)state;
    static const char *const names[] = {
        "edurag_info{version=\"" EDURAG_VERSION "\"}",
        "edurag_lane_threads{lane=\"quick\"}",
        "edurag_lane_waiting{lane=\"slow\"}",
        "edurag_pool_connections{pool=\"app\",state=\"open\"}",
        "edurag_pool_connections{pool=\"worker\",state=\"waiting\"}",
        "edurag_pool_reachable{pool=\"app\"}",
        "edurag_notifications",
        "edurag_library_ready",
        "edurag_jobs{state=\"queued\"}",
        "edurag_jobs{state=\"failed\"}",
        "edurag_provider_up{service=\"memory\",provider=\"builtin\"}",
        "edurag_provider_up{service=\"generation\",provider=\"extractive\"}",
        "edurag_provider_up{service=\"embeddings\",provider=\"builtin\"}",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        double value = -1;
        for (int tries = 0; tries < 100 && value < 0; tries++) { /* jobs are counted a moment after the start */
            value = sample(names[i]);
            if (value < 0)
                nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
        }
        if (value < 0)
            fail_msg("%s is not there", names[i]);
    }
}

/* Counted anew for who asks: the first answer after a while is the one from before. */
static void jobs_are_counted_by_their_state(void **state)
{
    (void)state;
    struct ws tim;
    AUTO(buf_free) struct buf pdf = {0};
    uploads_pdf(&pdf, (const char *[]){"The mitochondrion is the power house of the cell.", NULL});
    harness_open(&h, &tim, "tim");
    struct upload upload = uploads_send(&tim, "cell.pdf", pdf.data, pdf.length, 0, NULL);
    assert_string_equal(upload.reason, "ok");
    assert_true(uploads_wait(&tim, &upload, 20000));
    assert_string_equal(upload.state, "indexed");
    ws_close(&tim);
    for (int tries = 0; tries < 150 && sample("edurag_jobs{state=\"indexed\"}") < 1; tries++)
        nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    assert_float_equal(sample("edurag_jobs{state=\"indexed\"}"), 1, 0.1);
    assert_float_equal(sample("edurag_jobs{state=\"queued\"}"), 0, 0.1);
}

/* "# HELP name …", "# TYPE name kind", or name{label="…"} value behind the TYPE of that name. */
static void check_line(const char *line, char family[80], char kind[16])
{
    char name[80], rest[16];
    if (!strncmp(line, "# HELP ", 7))
        return;
    if (!strncmp(line, "# TYPE ", 7)) {
        assert_int_equal(sscanf(line, "# TYPE %79s %15s", family, kind), 2);
        return;
    }
    size_t n = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
    const char *value = line[n] == '{' ? strstr(line, "} ") + 1 : line + n;
    char *end;
    snprintf(name, sizeof name, "%.*s", (int)n, line);
    if (strncmp(name, family, strlen(family)) != 0 || (strcmp(kind, "histogram") && strcmp(name, family)))
        fail_msg("%s stands below %s", line, family);
    strtod(value, &end);
    snprintf(rest, sizeof rest, "%s", end);
    if (*value != ' ' || *rest)
        fail_msg("no sample: %s", line);
}

static void it_is_prometheus_text(void **state)
{
    (void)state;
    int status, lines = 0;
    char family[80] = "?", kind[16] = "", *rest = NULL;
    AUTO(mem_freep) char *body = fetch(h.target, GET(""), &status);
    assert_int_equal(body[strlen(body) - 1], '\n');
    for (char *line = strtok_r(body, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), lines++)
        check_line(line, family, kind);
    assert_true(lines > 40);
}

static void a_setting_opens_it(void **state)
{
    (void)state;
    int status;
    assert_int_equal(harness_stop(&h), 0);
    harness_start(&h, h.directory, (const char *[]){"EDURAG_METRICS_PUBLIC=true", NULL});
    AUTO(mem_freep) char *body = fetch(h.target, GET("X-Forwarded-For: 203.0.113.7\r\n"), &status);
    assert_int_equal(status, 200);
    assert_non_null(strstr(body, "edurag_info"));
}

static int start(void **state)
{
    (void)state;
    harness_start(&h, NULL, NULL);
    harness_user(&h, "student", "sue", "Sue Student");
    harness_user(&h, "teacher", "tim", "Tim Teacher");
    return 0;
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_this_machine_may_read_it),
        cmocka_unit_test(requests_are_counted_by_method_and_outcome),
        cmocka_unit_test(rooms_that_know_no_sockets_are_there),
        cmocka_unit_test(jobs_are_counted_by_their_state),
        cmocka_unit_test(it_is_prometheus_text),
        cmocka_unit_test(a_setting_opens_it),
    };
    return cmocka_run_group_tests_name("metrics", tests, start, stop);
}
