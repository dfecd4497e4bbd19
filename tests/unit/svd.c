/* svd.c - the singular vectors of a known matrix, and the latent vectors made with them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/latent.h"
#include "server/retrieval/svd.h"

/* rows of three kinds: the right singular vectors are unit vectors, by the strength of each kind. */
static void known_directions_come_out_in_their_order(void **state)
{
    (void)state;
    enum { ROWS = 60, COLUMNS = 5, RANK = 4 };
    struct svd_matrix m = {.rows = ROWS,
                           .columns = COLUMNS,
                           .starts = mem_array(ROWS + 1, sizeof(size_t)),
                           .places = mem_array(ROWS, sizeof(uint32_t)),
                           .values = mem_array(ROWS, sizeof(float))};
    static const float strength[] = {2, 7, 4};
    for (size_t i = 0; i < ROWS; i++) {
        m.starts[i + 1] = i + 1;
        m.places[i] = (uint32_t)(i % 3);
        m.values[i] = strength[i % 3];
    }
    float vectors[COLUMNS * RANK], again[COLUMNS * RANK];
    assert_true(svd_right(&m, RANK, 1, vectors, NULL, NULL));
    static const size_t order[] = {1, 2, 0};
    for (size_t place = 0; place < 3; place++)
        for (size_t c = 0; c < COLUMNS; c++)
            assert_true(fabsf(fabsf(vectors[c * RANK + place]) - (c == order[place] ? 1.0f : 0.0f)) < 1e-3f);
    for (size_t c = 0; c < COLUMNS; c++)
        assert_true(fabsf(vectors[c * RANK + 3]) < 1e-3f);
    assert_true(svd_right(&m, RANK, 1, again, NULL, NULL));
    assert_memory_equal(vectors, again, sizeof vectors);
    svd_matrix_free(&m);
}

static bool stop_now(void *context)
{
    (void)context;
    return true;
}

static float cosine(const struct latent *latent, struct tokens *tokens, const char *a, const char *b)
{
    float x[LATENT_DIMENSIONS], y[LATENT_DIMENSIONS], sum = 0;
    latent_embed(latent, tokens, a, strlen(a), x);
    latent_embed(latent, tokens, b, strlen(b), y);
    for (size_t i = 0; i < LATENT_DIMENSIONS; i++)
        sum += x[i] * y[i];
    return sum;
}

/* 600 texts on two subjects of 200 words each, six of them in a text. */
static struct latent *fit(struct tokens *tokens, bool (*stop)(void *))
{
    enum { TEXTS = 600 };
    struct lexical *lexical = lexical_new();
    uint64_t bits[TEXTS / 64 + 1] = {0};
    uint32_t seed = 9;
    for (unsigned i = 0; i < TEXTS; i++) {
        AUTO(buf_free) struct buf text = {0};
        for (int k = 0; k < 6; k++) {
            seed = seed * 1664525u + 1013904223u;
            buf_printf(&text, "%s%u ", i % 2 ? "machine" : "enzyme", (seed >> 16) % 200);
        }
        const struct token *words;
        enum language language;
        size_t count = tokens_split(tokens, text.data, text.length, &words, &language);
        lexical_add(lexical, tokens, language, words, count);
        bits[i / 64] |= 1ull << i % 64;
    }
    struct latent_sample *sample = latent_sample(lexical, bits);
    struct latent *latent = latent_fit(sample, stop, NULL);
    latent_sample_free(sample);
    lexical_free(lexical);
    return latent;
}

static void words_of_one_subject_come_near_each_other(void **state)
{
    (void)state;
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    struct latent *latent = fit(tokens, NULL);
    assert_non_null(latent);
    /* Sixty words of one subject, against sixty others of it and as many of the other. */
    AUTO(buf_free) struct buf some = {0};
    AUTO(buf_free) struct buf others = {0};
    AUTO(buf_free) struct buf foreign = {0};
    for (int i = 0; i < 60; i++) {
        buf_printf(&some, "enzyme%d ", i);
        buf_printf(&others, "enzyme%d ", i + 100);
        buf_printf(&foreign, "machine%d ", i + 100);
    }
    assert_true(cosine(latent, tokens, some.data, others.data) >
                cosine(latent, tokens, some.data, foreign.data) + 0.3f);
    assert_true(cosine(latent, tokens, "the enzyme1", "of ENZYME1") > 0.999f);
    assert_true(cosine(latent, tokens, "unheard", "enzyme1") == 0.0f);
    latent_free(latent);
    assert_null(fit(tokens, stop_now));
}

static void a_stored_model_embeds_the_same_and_a_broken_one_is_refused(void **state)
{
    (void)state;
    struct err err = {0};
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    AUTO(buf_free) struct buf stored = {0};
    struct latent *latent = fit(tokens, NULL);
    latent_store(latent, &stored);
    struct latent *loaded = latent_load(stored.data, stored.length, &err);
    assert_non_null(loaded);
    float a[LATENT_DIMENSIONS], b[LATENT_DIMENSIONS];
    latent_embed(latent, tokens, "enzyme1 machine2", 16, a);
    latent_embed(loaded, tokens, "enzyme1 machine2", 16, b);
    assert_memory_equal(a, b, sizeof a);
    for (size_t cut = 0; cut < stored.length; cut += 97)
        assert_null(latent_load(stored.data, cut, &err));
    memset(stored.data, 0xFF, 4);
    assert_null(latent_load(stored.data, stored.length, &err));
    latent_free(latent);
    latent_free(loaded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_directions_come_out_in_their_order),
        cmocka_unit_test(words_of_one_subject_come_near_each_other),
        cmocka_unit_test(a_stored_model_embeds_the_same_and_a_broken_one_is_refused),
    };
    return cmocka_run_group_tests_name("svd", tests, NULL, NULL);
}
