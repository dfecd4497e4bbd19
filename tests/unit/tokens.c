/* tokens.c - text becomes the words that search knows it by. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/retrieval/hashed.h"
#include "server/retrieval/tokens.h"

/* Stems in one line; stop words in brackets. */
static char *stems(const char *text)
{
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    struct buf out = {0};
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, strlen(text), &words, &language);
    for (size_t i = 0; i < count; i++) {
        size_t length = words[i].length;
        const char *stem = tokens_stem(tokens, language, words[i].word, &length);
        buf_printf(&out, words[i].stop ? "%s(%.*s)" : "%s%.*s", i ? " " : "", (int)length, stem);
    }
    return buf_take(&out);
}

static void words_of_many_languages_become_stems(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", ""},
        {" ,;- ", ""},
        {"The Enzymes are inhibited", "(the) enzym (are) inhibit"},
        {"the cell's wall", "(the) cell (s) wall"},
        {"self-organizing", "self organ"},
        {"H₂O and H2O", "h2o (and) h2o"},
        {"eﬃcient ﬁelds", "effici field"},
        {"photo\xc2\xad"
         "synthesis",
         "photosynthesi"},
        {"résumé resume", "resum resum"},
        {"ＡＢＣ １２３", "abc 123"},
        {"Was ist die Photosynthese und wie wachsen Bäume?", "(was) (ist) (die) photosynthes (und) (wie) wachs baum"},
        {"Quelle est la structure des cellules dans les plantes",
         "(quel) (est) (la) structur (de) cellul (dan) (le) plant"},
        {"Что такое фотосинтез у растений?", "(что) так фотосинтез (у) растен"},
        {"ещё еще", "(ещ) (ещ)"},
        {"光合作用", "光 光合 合 合作 作 作用 用"},
        {"DNA的结构", "dna 的 的结 结 结构 构"},
        {"กากล้วย", "กา กล้วย"},
        {"1½ cups", "1 cup"},
        {"a\xe2\x80\x99s naïve—test", "(a) (s) naiv test"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        AUTO(mem_freep) char *got = stems(cases[i].in);
        assert_string_equal(got, cases[i].out);
    }
}

static void a_word_stands_where_its_offsets_say(void **state)
{
    (void)state;
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    const char *text = "Die Größe H₂O 光合 end";
    static const char *const parts[] = {"Die", "Größe", "H₂O", "光", "光合", "合", "end"};
    const struct token *words;
    assert_int_equal(tokens_split(tokens, text, strlen(text), &words, NULL), COUNT_OF(parts));
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        assert_int_equal(words[i].end - words[i].start, strlen(parts[i]));
        assert_memory_equal(text + words[i].start, parts[i], strlen(parts[i]));
    }
    assert_true(words[4].pair);
    assert_false(words[5].pair);
}

static void any_bytes_and_endless_words_are_survived(void **state)
{
    (void)state;
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    uint32_t seed = 11;
    for (int round = 0; round < 3000; round++) {
        char in[200];
        for (size_t i = 0; i < sizeof in; i++) {
            seed = seed * 1664525u + 1013904223u;
            in[i] = (char)(seed >> 24);
        }
        const struct token *words;
        enum language language;
        size_t count = tokens_split(tokens, in, sizeof in, &words, &language);
        for (size_t i = 0; i < count; i++) {
            assert_true(words[i].start < words[i].end && words[i].end <= sizeof in);
            assert_in_range(words[i].length, 1, TOKENS_WORD_MOST);
        }
    }
    char big[5000];
    memset(big, 'x', sizeof big);
    const struct token *words;
    assert_int_equal(tokens_split(tokens, big, sizeof big, &words, NULL), 1);
    assert_int_equal(words[0].length, TOKENS_WORD_MOST);
    assert_int_equal(words[0].end, sizeof big);
}

static void hashed_vectors_have_length_one_and_know_equal_texts(void **state)
{
    (void)state;
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    float a[HASHED_DIMENSIONS], b[HASHED_DIMENSIONS], c[HASHED_DIMENSIONS];
    hashed_embed(tokens, "Enzymes are inhibited", 21, a);
    hashed_embed(tokens, "the enzyme inhibits", 19, b);
    hashed_embed(tokens, "...", 3, c);
    float same = 0, length = 0, nothing = 0;
    for (size_t i = 0; i < HASHED_DIMENSIONS; i++) {
        same += a[i] * b[i];
        length += a[i] * a[i];
        nothing += c[i] * c[i];
    }
    assert_true(same > 0.999f && length > 0.999f && length < 1.001f && nothing == 0.0f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_many_languages_become_stems),
        cmocka_unit_test(a_word_stands_where_its_offsets_say),
        cmocka_unit_test(any_bytes_and_endless_words_are_survived),
        cmocka_unit_test(hashed_vectors_have_length_one_and_know_equal_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
