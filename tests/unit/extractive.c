/* extractive.c - answers are whole sentences, chosen for what they add, in reading order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/models/extractive.h"

static const float weights[EXTRACTIVE_WORDS] = {2, 3, 1};

static struct extractive_candidate sentence(const char *text, uint64_t holds, float score, int document, int order,
                                            size_t start)
{
    return (struct extractive_candidate){text, strlen(text), holds, score, document, order, start, 0};
}

static void sentences_are_chosen_once_for_what_they_add(void **state)
{
    (void)state;
    const char *block = "An inhibitor blocks enzymes by filling their active site.",
               *sugar = "Glucose feeds nearly every cell  of\nthe body.";
    const struct extractive_candidate candidates[] = {
        sentence(sugar, 4, 0.9f, 0, 5, 0), sentence(block, 3, 1.0f, 0, 2, 80), sentence(block, 3, 0.9f, 0, 3, 0),
        sentence("Unrelated words stand here at first.", 0, 1.0f, 0, 2, 0), sentence("Enzymes.", 7, 1.0f, 0, 1, 0)};
    AUTO(extractive_free) struct extractive_answer answer = {0};
    extractive_make(&answer, candidates, COUNT_OF(candidates), weights);
    assert_int_equal(answer.count, 1); /* glucose weighs too little beside the other two words */
    assert_string_equal(answer.text.data, "An inhibitor blocks enzymes by filling their active site. [1]");
    const float even[EXTRACTIVE_WORDS] = {1, 1, 1};
    AUTO(extractive_free) struct extractive_answer both = {0};
    extractive_make(&both, candidates, COUNT_OF(candidates), even);
    assert_int_equal(both.count, 2);
    assert_string_equal(both.text.data, "An inhibitor blocks enzymes by filling their active site. [1] "
                                        "Glucose feeds nearly every cell of the body. [2]");
    for (size_t i = 0; i < both.count; i++) {
        size_t from = text_offset(both.text.data, both.text.length, both.sentences[i].answer_start);
        size_t to = text_offset(both.text.data, both.text.length, both.sentences[i].answer_end);
        assert_int_equal(both.text.data[to - 1], '.');
        assert_memory_equal(both.text.data + from, i ? "Glucose" : "An inhi", 7);
    }
}

static void nothing_that_fits_is_no_answer(void **state)
{
    (void)state;
    const struct extractive_candidate candidates[] = {
        sentence("Short enzyme.", 1, 1, 0, 0, 0), sentence("A sentence of something else altogether.", 0, 1, 0, 0, 20)};
    struct extractive_answer answer;
    extractive_make(&answer, candidates, COUNT_OF(candidates), weights);
    assert_int_equal(answer.count, 0);
    assert_int_equal(answer.text.length, 0);
    extractive_free(&answer);
    extractive_make(&answer, NULL, 0, weights);
    assert_int_equal(answer.count, 0);
    extractive_free(&answer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_chosen_once_for_what_they_add),
        cmocka_unit_test(nothing_that_fits_is_no_answer),
    };
    return cmocka_run_group_tests_name("extractive", tests, NULL, NULL);
}
