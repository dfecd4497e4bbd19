/* support.c - each cited sentence is compared with its passage. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/support.h"

static const char *const texts[] = {
    "Enzymes are proteins that speed up chemical reactions in living cells. They lower the activation energy. "
    "A competitive inhibitor binds to the active site and raises Km, while Vmax stays at 120 units.",
    "The war began in 1914 and ended in 1918. About 17 million people died.",
    "Die Photosynthese wandelt Lichtenergie in chemische Energie um. Sie findet in den Chloroplasten statt.",
};

static struct support check(const char *answer)
{
    struct support_passage passages[COUNT_OF(texts)];
    struct support support;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        passages[i] = (struct support_passage){texts[i], strlen(texts[i])};
    support_check(&support, answer, passages, COUNT_OF(texts));
    return support;
}

/* Claims as "n:kind" joined by blanks. */
static const struct {
    const char *answer, *claims;
    bool grounded;
} cases[] = {
    {"Enzymes are proteins that speed up chemical reactions in living cells [1].", "1:quoted", true},
    {"enzymes are PROTEINS, that speed up chemical reactions in living cells. [1]", "1:quoted", true},
    {"The book says that enzymes “speed up chemical reactions in living cells” [1].", "1:quoted", true},
    {"In living cells, chemical reactions are sped up by enzymes, which are proteins [1].", "1:close", true},
    {"Competitive inhibitors bind at the active site and raise the Km [1].", "1:close", true},
    {"Bananas grow in warm countries [1].", "1:none", false},
    {"A competitive inhibitor raises Km while Vmax stays at 250 units [1].", "1:none", false},
    {"The war began in 1914 [2].", "2:quoted", true},
    {"The war began in 1915 [2].", "2:none", false},
    {"Enzymes are proteins that speed up chemical reactions. [1] The war ended in 1918. [2]", "1:quoted 2:close", true},
    {"[1] Enzymes are proteins that speed up chemical reactions.", "1:quoted", true},
    {"Enzymes lower the activation energy [1], and bananas grow on trees in warm countries [2].", "1:close 2:none",
     true},
    {"They lower the activation energy [1] in cells.", "1:close", true},
    {"Enzymes are proteins that speed up reactions, and in 1914 the war began [1][2].", "1:close 2:close", true},
    {"Die Photosynthese findet in den Chloroplasten statt [3].", "3:close", true},
    {"Die Photosynthese wandelt Lichtenergie in chemische Energie um [3]. Mehr steht dort nicht.", "3:quoted", true},
    {"Enzymes are proteins that speed up chemical reactions [1][1].", "1:quoted", true},
    {"Nothing is cited here.", "", false},
    {"", "", false},
    {"[1]", "", false},
    {"[1] [2]", "", false},
};

static void sentences_are_compared_with_what_they_cite(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(support_free) struct support support = check(cases[i].answer);
        AUTO(buf_free) struct buf got = {0};
        buf_text(&got, "");
        buf_reserve(&got, 1);
        for (size_t k = 0; k < support.count; k++)
            buf_printf(&got, "%s%zu:%s", k ? " " : "", support.claims[k].n, support_word(support.claims[k].kind));
        if (strcmp(got.data, cases[i].claims) || support.grounded != cases[i].grounded)
            fail_msg("“%s”: %s, not %s", cases[i].answer, got.data, cases[i].claims);
    }
}

static void places_count_code_points_and_leave_the_numbers_out(void **state)
{
    (void)state;
    static const char answer[] =
        "Größe 😀 ja. Enzymes are proteins that speed up chemical reactions [1]. The war began in 1914 [2]!";
    AUTO(support_free) struct support support = check(answer);
    static const char *const want[] = {"Enzymes are proteins that speed up chemical reactions",
                                       "The war began in 1914"};
    assert_int_equal(support.count, 2);
    for (size_t i = 0; i < 2; i++) {
        size_t from = text_offset(answer, strlen(answer), support.claims[i].start),
               to = text_offset(answer, strlen(answer), support.claims[i].end);
        assert_int_equal(to - from, strlen(want[i]));
        assert_memory_equal(answer + from, want[i], to - from);
    }
}

static void the_best_part_of_the_passage_is_named(void **state)
{
    (void)state;
    AUTO(support_free) struct support a = check("About 17 million people died [2].");
    AUTO(support_free) struct support b = check("The activation energy becomes lower [1].");
    assert_int_equal(a.count, 1);
    assert_memory_equal(texts[1] + a.claims[0].from, "About 17 million people died", a.claims[0].to - a.claims[0].from);
    assert_memory_equal(texts[0] + b.claims[0].from, "They lower the activation energy.",
                        b.claims[0].to - b.claims[0].from);
}

static void long_and_odd_answers_are_survived(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf answer = {0};
    for (int i = 0; i < 600; i++)
        buf_text(&answer, "Enzymes are proteins that speed up chemical reactions [1][2][3]. ");
    AUTO(support_free) struct support support = check(answer.data);
    assert_true(support.count > 0 && support.count <= 200);
    assert_true(support.grounded);
    AUTO(support_free)
    struct support odd = check("“ [1] ” « [2] » \" [3] [1][2][3][1][2][3][1][2][3][1][2][3][1][2][3]");
    assert_false(odd.grounded);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_compared_with_what_they_cite),
        cmocka_unit_test(places_count_code_points_and_leave_the_numbers_out),
        cmocka_unit_test(the_best_part_of_the_passage_is_named),
        cmocka_unit_test(long_and_odd_answers_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
