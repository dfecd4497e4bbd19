/* snippet.c - the lines that show why a passage was found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/snippet.h"

static const struct passage_words words = {.stems = {"enzym", "inhibit", "glucos"}, .weights = {2, 3, 1}, .count = 3};
static const struct passage_words quoted = {
    .said = {"the", "end", "of", "it"}, .said_count = 4, .stems = {"end"}, .weights = {1}, .count = 1};

static struct snippet snip(const char *text, const char *spans)
{
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    struct passage passage;
    struct snippet snippet;
    passage_read(&passage, tokens, &words, text, spans, 7);
    snippet_make(&snippet, &passage, &words);
    passage_free(&passage);
    return snippet;
}

static void a_snippet_starts_at_the_sentence_that_holds_most_and_stays_on_its_page(void **state)
{
    (void)state;
    static const struct {
        const char *text, *spans, *snippet;
        size_t marks[2][2], count;
        int page;
    } cases[] = {
        {"First words. Enzymes are inhibited. The end.",
         "[]",
         "Enzymes are inhibited. The end.",
         {{0, 7}, {12, 21}},
         2,
         7},
        {"Nothing of it.", "[]", "Nothing of it.", {{0}}, 0, 7},
        {"Über  Größe.\nDas   enzyme\n spricht.", "[]", "Das enzyme spricht.", {{4, 10}}, 1, 7},
        {"Page one ends. Enzymes go on",
         "[{\"page\":3,\"at\":0,\"start\":0,\"end\":14},{\"page\":4,\"at\":15,\"start\":0,\"end\":13}]",
         "Enzymes go on",
         {{0, 7}},
         1,
         4},
        {"An enzyme that goes over. the page to glucose.",
         "[{\"page\":3,\"at\":0,\"start\":0,\"end\":13},{\"page\":4,\"at\":14,\"start\":0,\"end\":33}]",
         "An enzyme that",
         {{3, 9}},
         1,
         3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(snippet_free) struct snippet got = snip(cases[i].text, cases[i].spans);
        assert_string_equal(got.text.data, cases[i].snippet);
        assert_int_equal(got.page, cases[i].page);
        assert_int_equal(got.mark_count, cases[i].count);
        for (size_t m = 0; m < got.mark_count; m++) {
            assert_int_equal(got.marks[m][0], cases[i].marks[m][0]);
            assert_int_equal(got.marks[m][1], cases[i].marks[m][1]);
        }
    }
}

static void an_endless_sentence_is_entered_near_its_match(void **state)
{
    (void)state;
    AUTO(buf_free) struct buf text = {0};
    for (int i = 0; i < 100; i++)
        buf_text(&text, "word after word ");
    buf_text(&text, "then the enzyme and more.");
    AUTO(snippet_free) struct snippet got = snip(text.data, NULL);
    assert_int_equal(got.mark_count, 1);
    assert_true(got.text.length < SNIPPET_MOST + 10);
    assert_true(got.marks[0][0] >= 50 && got.marks[0][0] <= 90);
}

static void it_starts_with_the_sentence_that_says_it_word_for_word(void **state)
{
    (void)state;
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    struct passage passage;
    struct snippet snippet;
    passage_read(&passage, tokens, &quoted, "In the end it ends. An end has no end. This is The End of it, they say.",
                 NULL, 7);
    assert_int_equal(passage.run, 4);
    snippet_make(&snippet, &passage, &quoted);
    assert_string_equal(snippet.text.data, "This is The End of it, they say.");
    snippet_free(&snippet);
    passage_free(&passage);
    /* On the page where the words stand, though the sentence began before. */
    passage_read(&passage, tokens, &quoted, "Here it says the end of it all.",
                 "[{\"page\":3,\"at\":0},{\"page\":4,\"at\":13}]", 3);
    snippet_make(&snippet, &passage, &quoted);
    assert_int_equal(snippet.page, 4);
    snippet_free(&snippet);
    passage_free(&passage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_with_the_sentence_that_says_it_word_for_word),
        cmocka_unit_test(a_snippet_starts_at_the_sentence_that_holds_most_and_stays_on_its_page),
        cmocka_unit_test(an_endless_sentence_is_entered_near_its_match),
    };
    return cmocka_run_group_tests_name("snippet", tests, NULL, NULL);
}
