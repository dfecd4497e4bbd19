/* vectors.c - the scan finds what exact cosines find, with every kernel of this processor. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/vectors.h"

enum { TEXTS = 1500 };

static uint32_t seed = 5;

static void random_vector(float *vector, size_t dimensions)
{
    double square = 0;
    for (size_t i = 0; i < dimensions; i++) {
        seed = seed * 1664525u + 1013904223u;
        vector[i] = (float)((double)(seed >> 8) / 8388608.0 - 1);
        square += (double)vector[i] * (double)vector[i];
    }
    for (size_t i = 0; i < dimensions; i++)
        vector[i] /= (float)sqrt(square);
}

static void every_kernel_scores_as_the_plain_one_and_near_the_floats(void **state)
{
    (void)state;
    static const size_t dimensions[] = {1, 3, 63, 128, 256, 300, 768};
    for (size_t d = 0; d < COUNT_OF(dimensions); d++) {
        struct vectors *v = vectors_new(dimensions[d]);
        AUTO(mem_freep) float *stored = mem_array(TEXTS * dimensions[d], sizeof *stored);
        AUTO(mem_freep) float *question = mem_array(dimensions[d], sizeof *question);
        AUTO(mem_freep) float *plain = mem_array(TEXTS, sizeof *plain);
        AUTO(mem_freep) float *scores = mem_array(TEXTS, sizeof *scores);
        const struct vectors_span all = {0, TEXTS};
        for (uint32_t i = 0; i < TEXTS; i++) {
            random_vector(stored + i * dimensions[d], dimensions[d]);
            vectors_put(v, i, stored + i * dimensions[d]);
        }
        random_vector(question, dimensions[d]);
        vectors_scan_with(v, "plain", question, &all, 1, plain);
        for (size_t k = 0; vectors_kernel(k); k++) {
            vectors_scan_with(v, vectors_kernel(k), question, &all, 1, scores);
            assert_memory_equal(scores, plain, TEXTS * sizeof *scores);
        }
        for (uint32_t i = 0; i < TEXTS; i++) {
            double exact = 0;
            for (size_t n = 0; n < dimensions[d]; n++)
                exact += (double)question[n] * (double)stored[i * dimensions[d] + n];
            assert_true(fabs((double)plain[i] - exact) < 0.015);
            assert_true(fabs((double)vectors_score(v, question, i) - exact) < (dimensions[d] <= 256 ? 1e-5 : 0.015));
        }
        vectors_free(v);
    }
}

static void only_the_spans_are_scored_and_missing_vectors_are_zero(void **state)
{
    (void)state;
    struct vectors *v = vectors_new(4);
    const float one[] = {1, 0, 0, 0};
    float scores[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    const struct vectors_span spans[] = {{1, 3}, {5, 8}};
    vectors_put(v, 2, one);
    vectors_put(v, 5, one);
    vectors_scan(v, one, spans, COUNT_OF(spans), scores);
    const float want[] = {9, 0, 1, 9, 9, 1, 0, 0};
    for (size_t i = 0; i < 8; i++)
        assert_true(fabsf(scores[i] - want[i]) < 0.001f);
    assert_true(vectors_has(v, 2) && !vectors_has(v, 3) && !vectors_has(v, 7));
    uint64_t keep = 0x2C; /* 2, 3 and 5 */
    struct vectors *copy = vectors_copy(v, &keep, 8);
    assert_true(vectors_has(copy, 0) && !vectors_has(copy, 1) && vectors_has(copy, 2));
    assert_true(fabsf(vectors_score(copy, one, 2) - 1) < 1e-6f);
    vectors_free(copy);
    vectors_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_scores_as_the_plain_one_and_near_the_floats),
        cmocka_unit_test(only_the_spans_are_scored_and_missing_vectors_are_zero),
    };
    return cmocka_run_group_tests_name("vectors", tests, NULL, NULL);
}
