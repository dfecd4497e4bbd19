/* rpc.c - requests on their way: envelopes, batches, lanes, fairness, cancelling, and sessions that end.
 *
 * Methods and doors are the test's own; gated handlers run until the gate opens, so nothing depends on time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <pthread.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/rpc/job.h"
#include "server/rpc/lanes.h"
#include "server/rpc/rpc.h"

enum { PEERS = 3, DONE_MOST = 1000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool gate; /* under lock, like what follows */
static int running, most_running;
static struct job *done[DONE_MOST];
static int done_count;

static struct rpc_peer peers[PEERS];
static bool here[PEERS];
static struct buf said[PEERS]; /* what each peer got, a line a message */
static char reason[PEERS][40];
static int64_t charged;
static bool empty_bucket;

static bool gated(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)params;
    pthread_mutex_lock(&lock);
    if (++running > most_running)
        most_running = running;
    pthread_cond_broadcast(&changed);
    while (!gate && !call_cancelled(call))
        pthread_cond_wait(&changed, &lock);
    running--;
    pthread_mutex_unlock(&lock);
    if (call_cancelled(call))
        return err_set(err, ERR_CANCELLED, "asked to");
    buf_text(result, "\"done\"");
    return true;
}

static bool quick_word(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params, (void)err;
    buf_text(result, "\"here\"");
    return true;
}

static bool breaks(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params;
    buf_text(result, "{\"half\":");
    return err_set(err, ERR_INTERNAL, "relation \"secret\" does not exist");
}

static bool writes_nothing(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params, (void)result, (void)err;
    return true;
}

static bool logs_in(struct call *call, const void *params, struct buf *result, struct err *err)
{
    if (!gated(call, params, result, err))
        return false;
    AUTO(json_freep)
    cJSON *user = cJSON_Parse("{\"user_id\":\"u1\",\"role\":\"teacher\",\"name\":\"N\",\"institution_id\":\"i\"}");
    call_authenticated(call, "token", user, "sid", "2030-01-01T00:00:00Z");
    return true;
}

static bool leaves(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)params, (void)err;
    call_close(call, "bye");
    buf_text(result, "{}");
    return true;
}

#define ONE_PARAMS(P, S) P(S, INT, n, REQUIRED, .min = 1, .max = 9)
METHOD_PARAMS(one, ONE_PARAMS);
#define CANCEL_PARAMS(P, S) P(S, ID, id, REQUIRED)
METHOD_PARAMS(cancel, CANCEL_PARAMS);

METHOD_HANDLER(cancel, cancel)
{
    (void)call, (void)err;
    buf_printf(result, "{\"cancelled\":%s}", rpc_cancel(params->id) ? "true" : "false");
    return true;
}

static const struct method methods[] = {
    {.name = "t.slow", .access = ACCESS_ANYONE, .lane = LANE_SLOW, .cost = COST_ONE, .handler = gated},
    {.name = "t.keep", .access = ACCESS_ANYONE, .lane = LANE_SLOW, .cost = COST_ONE, .handler = gated, .keep = true},
    {.name = "t.word", .access = ACCESS_ANYONE, .lane = LANE_INLINE, .cost = COST_ONE, .handler = quick_word},
    {.name = "t.number",
     .access = ACCESS_ANYONE,
     .lane = LANE_INLINE,
     .params = one_spec,
     .params_size = one_params_size,
     .handler = quick_word},
    {.name = "t.user", .access = ACCESS_USER, .lane = LANE_INLINE, .handler = quick_word},
    {.name = "t.admin",
     .access = ACCESS_ADMIN,
     .lane = LANE_INLINE,
     .params = one_spec,
     .params_size = one_params_size,
     .handler = quick_word},
    {.name = "t.breaks", .access = ACCESS_ANYONE, .lane = LANE_INLINE, .handler = breaks},
    {.name = "t.nothing", .access = ACCESS_ANYONE, .lane = LANE_INLINE, .handler = writes_nothing},
    {.name = "t.login", .access = ACCESS_ANYONE, .lane = LANE_SLOW, .handler = logs_in, .exclusive = true},
    {.name = "t.mine", .access = ACCESS_USER, .lane = LANE_SLOW, .handler = quick_word},
    {.name = "t.leave", .access = ACCESS_ANYONE, .lane = LANE_SLOW, .handler = leaves},
    {METHOD_CALL("rpc.cancel", cancel, cancel), .access = ACCESS_ANYONE, .lane = LANE_INLINE},
    {0},
};
static const struct method *const tables[] = {methods, NULL};

static struct rpc_peer *find(uint64_t session)
{
    return session < PEERS && here[session] ? &peers[session] : NULL;
}

static void send_text(struct rpc_peer *peer, char *text, size_t length)
{
    buf_bytes(&said[peer - peers], text, length);
    buf_char(&said[peer - peers], '\n');
    free(text);
}

static void authenticated(struct rpc_peer *peer, const struct rpc_login *login)
{
    snprintf(peer->caller.user_id, sizeof peer->caller.user_id, "%s", login->user_id);
    snprintf(peer->caller.role, sizeof peer->caller.role, "%s", login->role);
}

static void refused(struct rpc_peer *peer, const struct err *err)
{
    snprintf(reason[peer - peers], sizeof reason[0], "%s", err_reason(err->code));
}

static void close_peer(struct rpc_peer *peer, const char *why)
{
    snprintf(reason[peer - peers], sizeof reason[0], "%s", why);
}

static void shown_out(struct rpc_peer *peer)
{
    snprintf(reason[peer - peers], sizeof reason[0], "shown out");
}

static bool charge(struct rpc_peer *peer, enum rpc_bucket bucket, int64_t cost, long *wait_ms)
{
    (void)peer, (void)bucket;
    charged += cost;
    *wait_ms = 1234;
    return !empty_bucket;
}

static void finished(struct job *job)
{
    pthread_mutex_lock(&lock);
    done[done_count++] = job;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static const struct rpc_doors doors = {find,       send_text, authenticated, refused,
                                       close_peer, charge,    shown_out,     finished};

/* What the socket thread does when it is woken, until `count` more jobs are back. */
static void take_finished(int count)
{
    while (count > 0) {
        pthread_mutex_lock(&lock);
        while (!done_count)
            pthread_cond_wait(&changed, &lock);
        struct job *job = done[--done_count];
        pthread_mutex_unlock(&lock);
        rpc_finished(job);
        count--;
    }
}

static void set_gate(bool open)
{
    pthread_mutex_lock(&lock);
    gate = open;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_running(int count)
{
    pthread_mutex_lock(&lock);
    while (running != count)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static void receive(int peer, const char *text)
{
    rpc_receive(&peers[peer], mem_dup(text), strlen(text));
}

static void request(int peer, int id, const char *method)
{
    AUTO(mem_freep) char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"}", id, method);
    receive(peer, text);
}

static int lines(int peer)
{
    int count = 0;
    for (size_t i = 0; i < said[peer].length; i++)
        count += said[peer].data[i] == '\n';
    return count;
}

static int setup(void **state)
{
    (void)state;
    gate = empty_bucket = false;
    most_running = 0;
    charged = 0;
    for (int i = 0; i < PEERS; i++) {
        peers[i] = (struct rpc_peer){.caller.session = (uint64_t)i};
        here[i] = true;
        reason[i][0] = '\0';
        buf_clear(&said[i]);
    }
    lanes_start(&(struct lanes_settings){.threads = {0, 1, 1, 4}, .places = {0, 4, 4, 3}});
    rpc_start(&doors, tables);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    set_gate(true);
    take_finished((int)rpc_jobs());
    for (int i = 0; i < PEERS; i++) {
        rpc_gone(&peers[i]);
        buf_free(&said[i]);
    }
    bool ended = lanes_stop(5000);
    rpc_stop();
    return !ended;
}

static void envelopes_are_answered_as_the_specification_says(void **state)
{
    (void)state;
#define OK(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":\"here\"}"
#define CALL(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"t.word\"}"
    static const struct {
        const char *in, *out;
    } cases[] = {
        {CALL("0"), OK("0")},
        {CALL("\"a\\u00e4\""), OK("\"a\\u00e4\"")},
        {CALL("null"), OK("null")},
        {CALL("1.50"), OK("1.50")},
        {CALL("9007199254740993"), OK("9007199254740993")},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"t.word\"}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"t.unknown\"}", NULL},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.word\",\"params\":{}}", OK("1")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.word\",\"params\":[]}", OK("1")},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.word\",\"params\":[1]}", "-32602"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.word\",\"params\":7}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.number\",\"params\":{\"n\":10}}", "\"field\":\"n\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", "\"id\":1,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"t.word\"}", "\"code\":-32600"},
        {"{\"id\":1,\"method\":\"t.word\"}", "\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":true,\"method\":\"t.word\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"t.word\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\"}", "\"id\":null,\"error\":{\"code\":-32600"},
        {"7", "\"id\":null,\"error\":{\"code\":-32600"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"t.word\"}", "\"id\":null,\"error\":{\"code\":-32700"},
        {"{\"jsonrpc\":\"2.0\",", "\"id\":null,\"error\":{\"code\":-32700"},
        {CALL("1") " x", "\"code\":-32700"},
        {"", "\"code\":-32700"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"T.WORD\"}", "\"reason\":\"unknown_method\""},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.user\"}", "\"code\":-32001"},
        {"[" CALL("1") "," CALL("\"x\"") "]", "[" OK("1") "," OK("\"x\"") "]"},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"t.word\"}]", NULL},
        {"[1]", "[{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600"},
        {"[]", "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600"},
        {"[{\"jsonrpc\":\"2.0\",\"method\":\"t.word\"}," CALL("1") ",{}]",
         "[" OK("1") ",{\"jsonrpc\":\"2.0\",\"id\":null"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_clear(&said[0]);
        receive(0, cases[i].in);
        const char *got = said[0].data ? said[0].data : "";
        if (cases[i].out ? !strstr(got, cases[i].out) || lines(0) != 1 : *got != '\0')
            fail_msg("%s gave %s", cases[i].in, got);
    }
}

static void a_batch_holds_fifty(void **state)
{
    (void)state;
    for (int count = 50; count <= 51; count++) {
        AUTO(buf_free) struct buf batch = {0};
        for (int i = 0; i < count; i++)
            buf_printf(&batch, "%c" CALL("%d"), i ? ',' : '[', i);
        buf_char(&batch, ']');
        buf_clear(&said[0]);
        receive(0, batch.data);
        assert_int_equal(lines(0), 1);
        if (count == 50)
            assert_non_null(strstr(said[0].data, OK("49")));
        else
            assert_non_null(strstr(said[0].data, "{\"code\":-32008,"));
    }
    assert_non_null(strstr(said[0].data, "\"limit\":50"));
}

static void a_batch_is_answered_when_its_last_is(void **state)
{
    (void)state;
    receive(0, "[" CALL("1") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"t.slow\"}]");
    request(0, 3, "t.word");
    assert_string_equal(said[0].data, OK("3") "\n");
    set_gate(true);
    take_finished(1);
    assert_non_null(strstr(said[0].data, "[" OK("1") ",{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":\"done\"}]\n"));
}

static void checks_come_in_the_promised_order(void **state)
{
    (void)state;
    static const struct {
        const char *role;
        bool empty;
        const char *params, *reason;
    } cases[] = {
        {"", true, "{}", "unauthenticated"},      {"student", true, "{}", "forbidden"},
        {"teacher", true, "{}", "forbidden"},     {"admin", true, "{}", "rate_limited"},
        {"admin", false, "{}", "invalid_params"}, {"admin", false, "{\"n\":1,\"m\":2}", "invalid_params"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(mem_freep)
        char *text = mem_printf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"t.admin\",\"params\":%s}", cases[i].params);
        AUTO(mem_freep) char *want = mem_printf("\"reason\":\"%s\"", cases[i].reason);
        snprintf(peers[0].caller.role, sizeof peers[0].caller.role, "%s", cases[i].role);
        snprintf(peers[0].caller.user_id, sizeof peers[0].caller.user_id, "%s", cases[i].role);
        empty_bucket = cases[i].empty;
        buf_clear(&said[0]);
        receive(0, text);
        if (!strstr(said[0].data, want))
            fail_msg("%s: %s", want, said[0].data);
        if (cases[i].empty && strstr(want, "rate"))
            assert_non_null(strstr(said[0].data, "\"retry_after_ms\":1234"));
    }
}

static void failures_keep_their_cause_to_the_log(void **state)
{
    (void)state;
    request(0, 1, "t.breaks");
    assert_non_null(strstr(said[0].data, "\"reason\":\"internal\",\"incident\":\""));
    assert_null(strstr(said[0].data, "secret"));
    assert_null(strstr(said[0].data, "half"));
    buf_clear(&said[0]);
    request(0, 1, "t.nothing");
    assert_non_null(strstr(said[0].data, "\"reason\":\"internal\""));
}

/* Two of one session at most in this lane, four workers: another session's is served beside them. */
static void one_session_does_not_take_all_workers(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++)
        request(0, i, "t.slow");
    request(1, 1, "t.slow");
    wait_running(3);
    assert_int_equal(peers[0].waiting, 8);
    set_gate(true);
    take_finished(11);
    assert_int_equal(lines(0), 10);
    assert_int_equal(lines(1), 1);
    assert_int_equal(rpc_jobs(), 0);
}

static void a_full_queue_and_a_full_lane_are_busy(void **state)
{
    (void)state;
    for (int i = 0; i < RPC_QUEUE_MOST + 3; i++)
        request(0, i, "t.slow"); /* 2 in flight, 64 wait, 1 too many */
    assert_int_equal(lines(0), 1);
    assert_non_null(strstr(said[0].data, "\"id\":66,\"error\""));
    assert_non_null(strstr(said[0].data, "\"reason\":\"busy\",\"retry_after_ms\":"));
    wait_running(2);
    request(1, 1, "t.slow");
    request(1, 2, "t.slow");
    wait_running(4);
    request(2, 1, "t.slow"); /* the lane has three places for those who wait */
    request(2, 2, "t.slow");
    for (int i = 0; i < 3; i++) {
        struct rpc_peer more = {.caller.session = 99};
        char text[] = "{\"jsonrpc\":\"2.0\",\"method\":\"t.slow\"}";
        rpc_receive(&more, mem_dup(text), strlen(text));
        if (i == 0)
            assert_int_equal(more.in_flight[LANE_SLOW], 1);
        else
            assert_int_equal(more.in_flight[LANE_SLOW], 0); /* busy, and a notification hears nothing */
        rpc_gone(&more);
    }
    set_gate(true);
    take_finished(71); /* 66 of the first, 2 + 2, and the one that nobody waits for */
    assert_int_equal(lines(0), 67);
}

static void cancelling_reaches_the_queue_and_the_worker(void **state)
{
    (void)state;
    for (int i = 1; i <= 3; i++)
        request(0, i, "t.slow");
    wait_running(2);
    receive(0, "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"rpc.cancel\",\"params\":{\"id\":3}}");
    assert_non_null(strstr(said[0].data, "\"id\":3,\"error\":{\"code\":-32009"));
    assert_non_null(strstr(said[0].data, "\"id\":\"c\",\"result\":{\"cancelled\":true}"));
    buf_clear(&said[0]);
    receive(0, "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"rpc.cancel\",\"params\":{\"id\":1}}");
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    take_finished(1);
    assert_non_null(strstr(said[0].data, "\"id\":1,\"error\":{\"code\":-32009"));
    buf_clear(&said[0]);
    receive(0, "{\"jsonrpc\":\"2.0\",\"id\":\"c\",\"method\":\"rpc.cancel\",\"params\":{\"id\":\"1\"}}");
    assert_non_null(strstr(said[0].data, "{\"cancelled\":false}"));
}

static void a_lost_session_cancels_its_work_except_what_is_kept(void **state)
{
    (void)state;
    request(0, 1, "t.slow");
    request(0, 2, "t.keep");
    request(0, 3, "t.slow");
    wait_running(2);
    here[0] = false;
    rpc_gone(&peers[0]);
    pthread_mutex_lock(&lock);
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    take_finished(1);
    wait_running(1); /* the kept one */
    set_gate(true);
    take_finished(1);
    assert_int_equal(said[0].length, 0);
    assert_int_equal(rpc_jobs(), 0);
}

static void who_changes_who_they_are_does_so_alone(void **state)
{
    (void)state;
    request(0, 1, "t.slow");
    wait_running(1);
    request(0, 2, "t.login");
    receive(0, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"t.keep\"}");
    assert_int_equal(peers[0].waiting, 2); /* the login waits for the one before it, the rest for the login */
    set_gate(true);
    take_finished(1);
    assert_true(peers[0].exclusive);
    take_finished(1);
    assert_string_equal(peers[0].caller.role, "teacher");
    assert_non_null(strstr(said[0].data, "\"id\":2,\"result\""));
    take_finished(1);
    assert_non_null(strstr(said[0].data, "\"id\":3,\"result\""));
}

/* Whether somebody may is asked when it is known who it is. */
static void what_comes_during_a_login_is_judged_after_it(void **state)
{
    (void)state;
    request(0, 1, "t.login");
    wait_running(1);
    request(0, 2, "t.mine");
    assert_int_equal(said[0].length, 0);
    set_gate(true);
    take_finished(2);
    assert_non_null(strstr(said[0].data, "\"id\":1,\"result\""));
    assert_non_null(strstr(said[0].data, "\"id\":2,\"result\":\"here\""));
}

static void a_logout_answers_before_it_closes(void **state)
{
    (void)state;
    request(0, 1, "t.leave");
    take_finished(1);
    assert_string_equal(said[0].data, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\n");
    assert_string_equal(reason[0], "bye");
}

static void a_server_that_is_going_takes_nothing_more(void **state)
{
    (void)state;
    rpc_drain();
    request(0, 1, "t.slow");
    assert_non_null(strstr(said[0].data, "\"reason\":\"busy\",\"retry_after_ms\":"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(envelopes_are_answered_as_the_specification_says),
        TEST(a_batch_holds_fifty),
        TEST(a_batch_is_answered_when_its_last_is),
        TEST(checks_come_in_the_promised_order),
        TEST(failures_keep_their_cause_to_the_log),
        TEST(one_session_does_not_take_all_workers),
        TEST(a_full_queue_and_a_full_lane_are_busy),
        TEST(cancelling_reaches_the_queue_and_the_worker),
        TEST(a_lost_session_cancels_its_work_except_what_is_kept),
        TEST(who_changes_who_they_are_does_so_alone),
        TEST(what_comes_during_a_login_is_judged_after_it),
        TEST(a_logout_answers_before_it_closes),
        TEST(a_server_that_is_going_takes_nothing_more),
    };
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
