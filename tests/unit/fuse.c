/* fuse.c - a ranking is the same with and without help, whatever lies where. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/scan_helper.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/question.h"

enum { TEXTS = 40000, DIMENSIONS = 16, SPANS_MOST = 2000, ROUNDS = 30 };

struct library {
    struct lexical *lexical;
    struct tokens *tokens;
    struct vectors *vectors[2];
    uint64_t bits[TEXTS / 64];
    struct vectors_span spans[2][SPANS_MOST];
    size_t span_count[2];
};

static unsigned dice(unsigned sides)
{
    static uint32_t state = 20260711;
    state = state * 1664525u + 1013904223u;
    return (unsigned)((uint64_t)state * sides >> 32);
}

static void fill(struct library *l)
{
    l->lexical = lexical_new();
    l->tokens = tokens_new();
    for (size_t m = 0; m < 2; m++)
        l->vectors[m] = vectors_new(DIMENSIONS);
    for (uint32_t t = 0; t < TEXTS; t++) {
        char text[80];
        float vector[DIMENSIONS];
        const struct token *words;
        enum language language;
        snprintf(text, sizeof text, "leaf word%u word%u word%u", dice(3000), dice(3000), dice(3000));
        size_t count = tokens_split(l->tokens, text, strlen(text), &words, &language);
        assert_int_equal(lexical_add(l->lexical, l->tokens, language, words, count), t);
        for (size_t i = 0; i < DIMENSIONS; i++)
            vector[i] = (float)dice(2000) / 1000 - 1;
        vectors_put(l->vectors[t % 2], t, vector);
    }
}

/* Long spans and short ones, with gaps, in no order, some of each model. */
static void lay(struct library *l, unsigned longest)
{
    memset(l->bits, 0, sizeof l->bits);
    l->span_count[0] = l->span_count[1] = 0;
    for (uint32_t at = 0; at < TEXTS;) {
        uint32_t to = at + 1 + dice(longest);
        size_t m = dice(3);
        to = to < TEXTS ? to : TEXTS;
        if (m < 2 && l->span_count[m] < SPANS_MOST) {
            size_t n = l->span_count[m]++, other = dice((unsigned)n + 1);
            l->spans[m][n] = l->spans[m][other];
            l->spans[m][other] = (struct vectors_span){at, to};
            for (uint32_t t = at; t < to; t++)
                l->bits[t / 64] |= 1ull << t % 64;
        }
        at = to;
    }
}

static size_t ask(struct library *l, struct scan_helper *helper, const char *text, const float *question,
                  struct fuse_hit *hits)
{
    struct question words = {0};
    struct fuse_work work = {0};
    struct lexical_scope scope = {.bits = l->bits};
    struct fuse_model models[2];
    for (size_t m = 0; m < 2; m++)
        models[m] = (struct fuse_model){.vectors = l->vectors[m],
                                        .question = question,
                                        .weight = m ? 0.5 : FUSE_LATENT_WEIGHT,
                                        .wordless = m,
                                        .spans = l->spans[m],
                                        .span_count = l->span_count[m]};
    lexical_scope(l->lexical, &scope);
    question_read(&words, l->lexical, &scope, l->tokens, text, strlen(text));
    struct fuse_input input = {l->lexical, &scope, &words.words, models, 2, helper};
    memset(hits, 0, FUSE_POOL * sizeof *hits);
    size_t count = fuse_rank(&input, &work, hits, FUSE_POOL);
    fuse_work_free(&work);
    question_free(&words);
    return count;
}

static void help_changes_nothing(void **state)
{
    AUTO(mem_freep) struct library *l = mem_alloc(sizeof *l);
    struct scan_helper *helper = scan_helper_new();
    struct fuse_hit one[FUSE_POOL], two[FUSE_POOL];
    (void)state;
    fill(l);
    for (int round = 0; round < ROUNDS; round++) {
        float question[DIMENSIONS];
        char text[60];
        lay(l, round % 3 == 0 ? 30 : round % 3 == 1 ? 9000 : TEXTS);
        for (size_t i = 0; i < DIMENSIONS; i++)
            question[i] = (float)dice(2000) / 1000 - 1;
        if (round % 5 == 4)
            snprintf(text, sizeof text, "zzzzzz qqqqqq"); /* no word in common: the vectors alone */
        else
            snprintf(text, sizeof text, "leaf word%u word%u", dice(3000), dice(3000));
        size_t wordless = ask(l, NULL, text, question, one), helped = ask(l, helper, text, question, two);
        assert_int_equal(wordless, helped);
        assert_memory_equal(one, two, sizeof one);
        for (size_t i = 0; i < wordless; i++)
            assert_true(l->bits[one[i].text / 64] >> one[i].text % 64 & 1);
    }
    scan_helper_free(helper);
    for (size_t m = 0; m < 2; m++)
        vectors_free(l->vectors[m]);
    lexical_free(l->lexical);
    tokens_free(l->tokens);
}

static void add_one(void *context)
{
    ++*(int *)context;
}

static void work_is_over_or_never_began(void **state)
{
    struct scan_helper *helper = scan_helper_new();
    (void)state;
    assert_false(scan_helper_begin(NULL, add_one, NULL));
    if (!helper)
        skip();
    for (int i = 0, done = 0; i < 20000; i++) {
        int before = done;
        if (scan_helper_begin(helper, add_one, &done)) {
            int spare = 0;
            assert_false(scan_helper_begin(helper, add_one, &spare)); /* lent already */
            scan_helper_end(helper);
            assert_int_equal(spare, 0);
        }
        assert_in_range(done, before, before + 1);
    }
    scan_helper_free(helper);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_changes_nothing),
        cmocka_unit_test(work_is_over_or_never_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
