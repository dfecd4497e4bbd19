/* hindsight.c - the memory service's client tolerates every version and every bad day of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/memory/hindsight.h"
#include "tests/lib/fake_hindsight.h"

static const char bank[] = "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", key[] = "hsk_secret";
static const char op[] = "550e8400-e29b-41d4-a716-446655440000", op2[] = "550e8400-e29b-41d4-a716-446655440001";
static const struct redact_person maya = {.name = "Maya Okafor", .institution_id = "S2023-0042"};

struct bench {
    struct fake_hindsight *fake;
    struct hindsight *h;
};

static int open_bench(void **state)
{
    struct bench *b = mem_alloc(sizeof *b);
    struct err err = {0};
    b->fake = fake_hindsight_start(0);
    AUTO(mem_freep) char *url = mem_printf("http://127.0.0.1:%d/", fake_hindsight_port(b->fake));
    struct hindsight_settings settings = {
        .url = url, .api_key = key, .recall_ms = 500, .reflect_ms = 800, .other_ms = 700, .breaker_pause_ms = 150};
    assert_true(hindsight_open(&settings, &b->h, &err));
    *state = b;
    return 0;
}

static int close_bench(void **state)
{
    struct bench *b = *state;
    hindsight_close(b->h);
    fake_hindsight_stop(b->fake);
    free(b);
    return 0;
}

static struct hindsight_fact fact_of(const char *id, const char *operation, const char *text)
{
    return (struct hindsight_fact){
        .fact_id = id, .operation_id = operation, .fact = text, .source = "search", .at = "2026-01-15T10:30:00Z"};
}

static void retain(struct bench *b, const char *id, const char *operation, const char *text, char told[40])
{
    struct hindsight_fact fact = fact_of(id, operation, text);
    enum hindsight_state state;
    struct err err = {0};
    if (!hindsight_retain(b->h, bank, &maya, &fact, told, &state, &err))
        fail_msg("%s", err.log);
    assert_int_equal(state, HINDSIGHT_PENDING);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void a_fact_travels_there_and_back_in_every_version(void **state)
{
    static const char *const versions[] = {"0.4.0", "0.9.1", "0.10.1"};
    struct bench *b = *state;
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        struct err err = {0};
        char version[32], told[40];
        AUTO(hindsight_memories_free) struct hindsight_memories none = {0}, some = {0}, after = {0};
        enum hindsight_state now;
        int64_t gone = -1;
        fake_hindsight_version(b->fake, versions[i]);
        fake_hindsight_completes(b->fake, 80, 0);
        assert_true(hindsight_status(b->h, version, &err));
        assert_string_equal(version, versions[i]);
        assert_true(hindsight_recall(b->h, bank, &maya, "enzyme inhibition", 5, NULL, NULL, &none, &err));
        assert_int_equal(none.count, 0);
        assert_true(hindsight_bank(b->h, bank, &err));
        retain(b, "fact-1", op, "student searched for enzyme inhibition", told);
        assert_true(hindsight_operation(b->h, bank, told, &now, NULL, &err));
        assert_int_equal(now, HINDSIGHT_PENDING);
        usleep(100000);
        assert_true(hindsight_operation(b->h, bank, told, &now, NULL, &err));
        assert_int_equal(now, HINDSIGHT_COMPLETED);
        assert_true(hindsight_recall(b->h, bank, &maya, "what about enzyme kinetics", 5, NULL, NULL, &some, &err));
        assert_int_equal(some.count, 1);
        assert_string_equal(some.items[0].fact_id, "fact-1");
        assert_string_equal(some.items[0].text, "student searched for enzyme inhibition");
        assert_null(some.items[0].at);
        assert_true(hindsight_forget(b->h, bank, "fact-1", &gone, &err));
        assert_int_equal(gone, 1);
        assert_true(hindsight_forget(b->h, bank, "fact-1", &gone, &err));
        assert_int_equal(gone, 0);
        assert_true(hindsight_recall(b->h, bank, &maya, "enzyme", 5, NULL, NULL, &after, &err));
        assert_int_equal(after.count, 0);
        assert_true(hindsight_operation(b->h, bank, op2, &now, NULL, &err));
        assert_int_equal(now, HINDSIGHT_UNKNOWN);
        assert_true(hindsight_forget_bank(b->h, bank, &gone, &err));
        assert_true(hindsight_forget_bank(b->h, bank, &gone, &err));
    }
}

static void the_bank_derives_nothing_of_its_own(void **state)
{
    struct bench *b = *state;
    assert_true(hindsight_bank(b->h, bank, NULL));
    assert_false(fake_hindsight_observes(b->fake, bank));
}

static void requests_are_as_the_contract_says(void **state)
{
    struct bench *b = *state;
    char told[40];
    retain(b, "fact-1", op, "Maya Okafor (maya@x.org, 555-123-4567) searched for enzymes", told);
    AUTO(mem_freep)
    char *line = fake_hindsight_last(b->fake), *headers = fake_hindsight_last_headers(b->fake),
         *body = fake_hindsight_last_body(b->fake);
    assert_string_equal(line, "POST /v1/default/banks/6f9619ff-8b86-4d01-b42d-00cf4fc964ff/memories");
    assert_non_null(strstr(headers, "authorization: Bearer hsk_secret"));
    assert_string_equal(
        body,
        "{\"items\":[{\"content\":\"[name] ([email], [phone]) searched for enzymes\",\"context\":\"what a student does "
        "on a study platform\","
        "\"document_id\":\"fact-1\",\"timestamp\":\"2026-01-15T10:30:00Z\",\"metadata\":{\"source\":\"search\"}}],"
        "\"async\":true,\"operation_id\":\"550e8400-e29b-41d4-a716-446655440000\"}");
    AUTO(hindsight_memories_free) struct hindsight_memories found = {0};
    assert_true(
        hindsight_recall(b->h, bank, &maya, "call me at 555-123-4567 about Okafor", 5, NULL, NULL, &found, NULL));
    AUTO(mem_freep) char *query = fake_hindsight_last_body(b->fake);
    assert_non_null(strstr(query, "\"query\":\"call me at [phone] about [name]\""));
    AUTO(buf_free) struct buf text = {0};
    assert_true(hindsight_reflect(b->h, bank, &maya, "How does maya@x.org progress?", NULL, NULL, &text, NULL));
    AUTO(mem_freep) char *prompt = fake_hindsight_last_body(b->fake);
    assert_non_null(strstr(prompt, "How does [email] progress?"));
    assert_string_equal(text.data, "## Progress\nA reflection.");
}

static void what_it_would_refuse_is_not_sent(void **state)
{
    struct bench *b = *state;
    AUTO(hindsight_memories_free) struct hindsight_memories found = {0}, more = {0};
    AUTO(buf_free) struct buf query = {0};
    int before = fake_hindsight_requests(b->fake);
    assert_true(hindsight_recall(b->h, bank, NULL, "?! ...", 5, NULL, NULL, &found, NULL));
    assert_int_equal(fake_hindsight_requests(b->fake), before);
    while (query.length < 6000)
        buf_text(&query, "größere Fragen ");
    assert_true(hindsight_recall(b->h, bank, NULL, query.data, 5, NULL, NULL, &more, NULL));
}

static void refusals_say_what_to_do(void **state)
{
    static const struct {
        const char *behaviour;
        enum err_code code;
        long retry;
    } cases[] = {
        {"400", ERR_INVALID_PARAMS, 0}, {"401", ERR_UPSTREAM, 0},         {"402", ERR_UPSTREAM, 0},
        {"403", ERR_UPSTREAM, 0},       {"404", ERR_UPSTREAM, 0},         {"409", ERR_CONFLICT, 0},
        {"410", ERR_UPSTREAM, 0},       {"422", ERR_INVALID_PARAMS, 0},   {"422_object", ERR_INVALID_PARAMS, 0},
        {"429", ERR_UPSTREAM, 7000},    {"429_date", ERR_UPSTREAM, 0},    {"500", ERR_UPSTREAM, 0},
        {"503", ERR_UPSTREAM, 30000},   {"504", ERR_UPSTREAM, 0},         {"malformed", ERR_UPSTREAM, 0},
        {"hang", ERR_UPSTREAM, 0},      {"cut_at_once", ERR_UPSTREAM, 0}, {"huge", ERR_TOO_LARGE, 0},
    };
    struct bench *b = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct hindsight_fact fact = fact_of("fact-1", op, "student searched for enzymes");
        enum hindsight_state now;
        char told[40];
        struct err err = {0};
        /* libcurl itself tries once more where a kept connection turns out to be dead. */
        fake_hindsight_behave(b->fake, cases[i].behaviour, strcmp(cases[i].behaviour, "cut_at_once") ? 1 : 2);
        int64_t start = now_ms();
        bool fine = hindsight_retain(b->h, bank, NULL, &fact, told, &now, &err);
        if (fine || err.code != cases[i].code || err.retry_after_ms != cases[i].retry || now_ms() - start > 1500)
            fail_msg("%s: code %d, retry %ld, %s", cases[i].behaviour, (int)err.code, err.retry_after_ms, err.log);
        assert_null(strstr(err.log, key));
        assert_null(strstr(err.log, "jane"));
        assert_null(strstr(err.log, "enzymes"));
        assert_true(hindsight_bank(b->h, bank, &err)); /* keeps the breaker closed */
    }
}

static void a_lost_reply_does_not_make_two_of_one(void **state)
{
    struct bench *b = *state;
    struct hindsight_fact fact = fact_of("fact-1", op, "student searched for enzymes");
    enum hindsight_state now;
    char told[40];
    fake_hindsight_behave(b->fake, "lost", 1);
    assert_false(hindsight_retain(b->h, bank, NULL, &fact, told, &now, NULL));
    retain(b, "fact-1", op, "student searched for enzymes", told);
    assert_int_equal(fake_hindsight_documents(b->fake, bank), 1);
    assert_int_equal(fake_hindsight_retains(b->fake, "fact-1"), 2);
}

static void a_failed_operation_needs_a_new_one(void **state)
{
    struct bench *b = *state;
    char told[40], why[200];
    enum hindsight_state now;
    struct err err = {0};
    fake_hindsight_completes(b->fake, 0, 1);
    retain(b, "fact-1", op, "student searched for enzymes", told);
    assert_true(hindsight_operation(b->h, bank, told, &now, why, &err));
    assert_int_equal(now, HINDSIGHT_FAILED);
    assert_string_equal(why, "the language model is away");
    struct hindsight_fact fact = fact_of("fact-1", op, "student searched for enzymes");
    assert_false(hindsight_retain(b->h, bank, NULL, &fact, told, &now, &err));
    assert_int_equal(err.code, ERR_CONFLICT);
    retain(b, "fact-1", op2, "student searched for enzymes", told);
    assert_int_equal(fake_hindsight_documents(b->fake, bank), 1);
}

static void what_is_pending_can_be_taken_back(void **state)
{
    struct bench *b = *state;
    char told[40];
    fake_hindsight_completes(b->fake, 60, 0);
    retain(b, "fact-1", op, "student searched for enzymes", told);
    assert_true(hindsight_cancel(b->h, bank, told, NULL));
    usleep(80000);
    assert_int_equal(fake_hindsight_documents(b->fake, bank), 0);
    assert_true(hindsight_cancel(b->h, bank, told, NULL));
    assert_true(hindsight_cancel(b->h, bank, op2, NULL));
}

static void recall_is_never_later_than_its_limit(void **state)
{
    static const int delays[] = {20, 100, 2000, 10000};
    struct bench *b = *state;
    for (size_t i = 0; i < COUNT_OF(delays); i++) {
        AUTO(hindsight_memories_free) struct hindsight_memories found = {0};
        fake_hindsight_delay(b->fake, delays[i]);
        int64_t start = now_ms();
        bool fine = hindsight_recall(b->h, bank, NULL, "enzymes", 5, NULL, NULL, &found, NULL);
        assert_true(now_ms() - start < 3000);
        assert_int_equal(fine, delays[i] < 500);
    }
}

static void a_dead_recall_does_not_stop_the_sending(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 5; i++) {
        AUTO(hindsight_memories_free) struct hindsight_memories found = {0};
        fake_hindsight_behave(b->fake, "500", 1);
        assert_false(hindsight_recall(b->h, bank, NULL, "enzymes", 5, NULL, NULL, &found, NULL));
    }
    AUTO(hindsight_memories_free) struct hindsight_memories found = {0};
    struct err err = {0};
    char told[40], version[32];
    int before = fake_hindsight_requests(b->fake);
    assert_false(hindsight_reachable(b->h));
    assert_false(hindsight_recall(b->h, bank, NULL, "enzymes", 5, NULL, NULL, &found, &err));
    assert_int_equal(fake_hindsight_requests(b->fake), before);
    retain(b, "fact-1", op, "student searched for enzymes", told);
    assert_true(hindsight_status(b->h, version, &err));
    usleep(250000);
    assert_true(hindsight_recall(b->h, bank, NULL, "enzymes", 5, NULL, NULL, &found, &err));
    assert_true(hindsight_reachable(b->h));
}

static void *soon(void *flag)
{
    usleep(100000);
    atomic_store((atomic_bool *)flag, true);
    return NULL;
}

static bool asked_for(void *flag)
{
    return atomic_load((atomic_bool *)flag);
}

static void a_reflection_can_be_cancelled(void **state)
{
    struct bench *b = *state;
    AUTO(buf_free) struct buf text = {0};
    struct err err = {0};
    atomic_bool flag = false;
    pthread_t thread;
    fake_hindsight_behave(b->fake, "hang", 1);
    pthread_create(&thread, NULL, soon, &flag);
    int64_t start = now_ms();
    assert_false(hindsight_reflect(b->h, bank, NULL, "progress", asked_for, &flag, &text, &err));
    pthread_join(thread, NULL);
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_true(now_ms() - start < 3000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_bench, close_bench)
    const struct CMUnitTest tests[] = {
        TEST(a_fact_travels_there_and_back_in_every_version),
        TEST(the_bank_derives_nothing_of_its_own),
        TEST(requests_are_as_the_contract_says),
        TEST(what_it_would_refuse_is_not_sent),
        TEST(refusals_say_what_to_do),
        TEST(a_lost_reply_does_not_make_two_of_one),
        TEST(a_failed_operation_needs_a_new_one),
        TEST(what_is_pending_can_be_taken_back),
        TEST(recall_is_never_later_than_its_limit),
        TEST(a_dead_recall_does_not_stop_the_sending),
        TEST(a_reflection_can_be_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
