/* pending.c - requests that wait: each is answered once, whatever its callback does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/pending.h"

static struct pending waiting;
static int answers, failures;
static bool ask_again;

static void hear(void *user, const cJSON *result, const struct err *err)
{
    (void)user;
    answers += result != NULL;
    failures += err != NULL;
    if (ask_again)
        pending_add(&waiting, 0, hear, NULL);
}

static int clear(void **state)
{
    (void)state;
    ask_again = false;
    pending_silence(&waiting);
    pending_fail(&waiting, NULL);
    answers = failures = 0;
    return 0;
}

static void each_is_answered_once(void **state)
{
    (void)state;
    AUTO(json_freep) cJSON *result = cJSON_CreateObject();
    uint64_t first = pending_add(&waiting, 0, hear, NULL), second = pending_add(&waiting, 0, hear, NULL);
    assert_true(first && second && first != second);
    assert_true(pending_answer(&waiting, first, result, NULL));
    assert_false(pending_answer(&waiting, first, result, NULL));
    assert_false(pending_has(&waiting, first));
    pending_forget(&waiting, second);
    assert_true(pending_has(&waiting, second));
    assert_true(pending_answer(&waiting, second, result, NULL));
    assert_int_equal(answers, 1);
    assert_int_equal(pending_count(&waiting), 0);
}

static void what_a_callback_asks_outlives_the_failure(void **state)
{
    (void)state;
    struct err err = {.code = ERR_UNREACHABLE};
    pending_add(&waiting, 0, hear, NULL);
    pending_add(&waiting, 0, hear, NULL);
    ask_again = true;
    assert_true(pending_fail(&waiting, &err));
    assert_int_equal(failures, 2);
    assert_int_equal(pending_count(&waiting), 2);
    ask_again = false;
    assert_true(pending_fail(&waiting, &err));
    assert_false(pending_fail(&waiting, &err));
}

static void the_next_deadline_is_the_earliest(void **state)
{
    (void)state;
    assert_int_equal(pending_deadline(&waiting), 0);
    pending_add(&waiting, 0, hear, NULL);
    uint64_t late = pending_add(&waiting, 900, hear, NULL), soon = pending_add(&waiting, 500, hear, NULL);
    assert_int_equal(pending_deadline(&waiting), 500);
    assert_int_equal(pending_late(&waiting, 499), 0);
    assert_int_equal(pending_late(&waiting, 500), soon);
    pending_answer(&waiting, soon, NULL, &(struct err){.code = ERR_TIMEOUT});
    assert_int_equal(pending_deadline(&waiting), 900);
    assert_int_equal(pending_late(&waiting, 1000), late);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(each_is_answered_once, clear),
        cmocka_unit_test_teardown(what_a_callback_asks_outlives_the_failure, clear),
        cmocka_unit_test_teardown(the_next_deadline_is_the_earliest, clear),
    };
    return cmocka_run_group_tests_name("pending", tests, NULL, NULL);
}
