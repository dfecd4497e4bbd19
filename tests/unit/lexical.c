/* lexical.c - the inverted index: who holds a word, what it weighs, and for whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/postings.h"
#include "server/retrieval/question.h"

static const char *const texts[] = {
    "The cat sat on the mat.",
    "A dog and a cat, a cat and a dog.",
    "Enzymes speed up reactions; an enzyme is a protein.",
    "Proteins fold. The folding of proteins is helped by other proteins, chaperones.",
    "A dog barked at the moon.",
};

struct library {
    struct lexical *lexical;
    struct tokens *tokens;
    uint64_t bits[4];
    struct lexical_scope scope;
    float scores[256];
    uint32_t scratch[514];
};

static void see(struct library *l, uint64_t bits)
{
    l->bits[0] = bits;
    l->scope = (struct lexical_scope){.bits = l->bits};
    lexical_scope(l->lexical, &l->scope);
}

static void fill(struct library *l)
{
    *l = (struct library){.lexical = lexical_new(), .tokens = tokens_new()};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct token *words;
        enum language language;
        size_t count = tokens_split(l->tokens, texts[i], strlen(texts[i]), &words, &language);
        assert_int_equal(lexical_add(l->lexical, l->tokens, language, words, count), i);
    }
    see(l, 0x1F);
}

static void empty(struct library *l)
{
    lexical_free(l->lexical);
    tokens_free(l->tokens);
}

static struct lexical_question ask(struct library *l, const char *text)
{
    struct question question;
    question_read(&question, l->lexical, &l->scope, l->tokens, text, strlen(text));
    struct lexical_question words = question.words;
    question_free(&question);
    lexical_score(l->lexical, &words, &l->scope, l->scores, l->scratch);
    return words;
}

static void scores_are_those_of_bm25(void **state)
{
    (void)state;
    struct library l;
    fill(&l);
    ask(&l, "cats");
    /* By hand: 5 texts of 3, 4, 5, 7 and 3 words, two of them with the word. */
    double idf = log(1 + (5 - 2 + 0.5) / 2.5), mean = 22 / 5.0;
    double first = idf * 2.2 / (1 + 1.2 * (0.25 + 0.75 * 3 / mean)),
           second = idf * 2.2 * 2 / (2 + 1.2 * (0.25 + 0.75 * 4 / mean));
    assert_true(fabs((double)l.scores[0] - first) < 1e-5);
    assert_true(fabs((double)l.scores[1] - second) < 1e-5);
    assert_true(l.scores[2] == 0.0f && l.scores[3] == 0.0f && l.scores[4] == 0.0f);
    empty(&l);
}

static void what_is_out_of_scope_counts_for_nothing(void **state)
{
    (void)state;
    struct library l;
    fill(&l);
    see(&l, 0x12); /* the dogs alone */
    struct lexical_question q = ask(&l, "dog cat enzyme");
    assert_int_equal(l.scope.count, 2);
    assert_int_equal(q.terms[0].texts, 2);
    assert_int_equal(q.terms[1].texts, 1);
    assert_true(q.terms[2].stem == LEXICAL_NONE);
    assert_true(l.scores[0] == 0.0f && l.scores[2] == 0.0f && l.scores[1] > l.scores[4]);
    empty(&l);
}

static void neighbours_and_shares_are_counted(void **state)
{
    (void)state;
    struct library l;
    fill(&l);
    struct lexical_question q = ask(&l, "folding proteins");
    size_t run;
    assert_true(lexical_pairs(l.lexical, &q, &l.scope, 3, &run) > 0.0f);
    assert_int_equal(run, 2);
    assert_true(lexical_pairs(l.lexical, &q, &l.scope, 2, &run) == 0.0f);
    assert_true(run < 2);
    assert_true(lexical_share(l.lexical, &q, 3) > 0.999f);
    assert_true(lexical_share(l.lexical, &q, 2) > 0.0f && lexical_share(l.lexical, &q, 2) < 0.6f);
    assert_true(lexical_share(l.lexical, &q, 0) == 0.0f);
    empty(&l);
}

static void a_copy_leaves_the_removed_behind(void **state)
{
    (void)state;
    struct library l;
    fill(&l);
    uint64_t keep = 0x16;
    struct lexical *copy = lexical_copy(l.lexical, &keep, l.tokens);
    assert_int_equal(lexical_count(copy), 3);
    assert_true(vocabulary_stem(lexical_vocabulary(copy), "mat", 3) == VOCABULARY_NONE);
    lexical_free(l.lexical);
    l.lexical = copy;
    see(&l, 7);
    ask(&l, "dog");
    assert_true(l.scores[0] > 0.0f && l.scores[1] == 0.0f && l.scores[2] > 0.0f);
    empty(&l);
}

static void packed_lists_give_back_what_went_in(void **state)
{
    (void)state;
    struct postings_arena arena = {0};
    struct postings lists[3] = {{0}};
    uint32_t seed = 3, passages[3][2000], times[3][2000], at[3] = {0};
    for (int i = 0; i < 2000; i++)
        for (int l = 0; l < 3; l++) {
            seed = seed * 1664525u + 1013904223u;
            at[l] += 1 + (seed >> 16) % (l == 0 ? 2 : l == 1 ? 300 : 70000);
            passages[l][i] = at[l];
            times[l][i] = 1 + (seed >> 8) % (l == 2 ? 40000 : 3);
            postings_add(&arena, &lists[l], at[l], times[l][i]);
        }
    for (int l = 0; l < 3; l++) {
        const uint8_t *p = postings_begin(&arena, &lists[l]), *end = p + lists[l].used;
        uint32_t passage = 0;
        for (int i = 0; i < 2000; i++) {
            uint32_t n = postings_next(&p, &passage);
            assert_int_equal(passage, passages[l][i]);
            assert_int_equal(n, times[l][i]);
        }
        assert_ptr_equal(p, end);
    }
    postings_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores_are_those_of_bm25),
        cmocka_unit_test(what_is_out_of_scope_counts_for_nothing),
        cmocka_unit_test(neighbours_and_shares_are_counted),
        cmocka_unit_test(a_copy_leaves_the_removed_behind),
        cmocka_unit_test(packed_lists_give_back_what_went_in),
    };
    return cmocka_run_group_tests_name("lexical", tests, NULL, NULL);
}
