/* spell.c - what was meant, and never a word of a text that is out of scope. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "common/mem.h"
#include "server/retrieval/question.h"
#include "server/retrieval/spell.h"

static void edits_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        unsigned distance;
    } cases[] = {
        {"same", "same", 0},        {"enzime", "enzyme", 1},  {"enzmye", "enzyme", 1},
        {"enzym", "enzyme", 1},     {"enzyyme", "enzyme", 1}, {"relativty", "relativity", 1},
        {"anzime", "enzyme", 2},    {"cat", "dogs", 3},       {"", "ab", 2},
        {"short", "muchlonger", 3},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t a[TOKENS_WORD_MOST], b[TOKENS_WORD_MOST];
        size_t a_length = strlen(cases[i].a), b_length = strlen(cases[i].b);
        for (size_t k = 0; k < a_length; k++)
            a[k] = (unsigned char)cases[i].a[k];
        for (size_t k = 0; k < b_length; k++)
            b[k] = (unsigned char)cases[i].b[k];
        assert_int_equal(spell_distance(a, a_length, b, b_length, 2), cases[i].distance);
        assert_int_equal(spell_distance(b, b_length, a, a_length, 2), cases[i].distance);
    }
}

static void corrections_stay_in_scope(void **state)
{
    (void)state;
    static const char *const texts[] = {"Enzymes and photosynthesis.",
                                        "Enzymes again, in the membrane.",
                                        "A zyzzyvaquark and enzymology.",
                                        "Фотосинтез в растениях.",
                                        "naïve enzyme",
                                        "光合作用"};
    /* scope, typed, corrected ("" where nothing is) */
    static const struct {
        uint64_t scope;
        const char *typed, *corrected;
    } cases[] = {
        {0x3F, "enzime", "enzyme"},
        {0x3F, "What is fotosynthesis?", "What is photosynthesis?"},
        {0x3F, "zyzzyvaquork", "zyzzyvaquark"},
        {0x3B, "zyzzyvaquork", ""},
        {0x3E, "fotosynthesis", ""},
        {0x3F, "enzymes", ""},
        {0x3F, "1234", ""},
        {0x3F, "the", ""},
        {0x3F, "фотасинтез", "фотосинтез"},
        {0x37, "membrnae of enzimes", "membrane of enzymes"},
        {0x3F, "光作合用", ""},
    };
    struct lexical *lexical = lexical_new();
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        const struct token *words;
        enum language language;
        size_t count = tokens_split(tokens, texts[i], strlen(texts[i]), &words, &language);
        lexical_add(lexical, tokens, language, words, count);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct lexical_scope scope = {.bits = &cases[i].scope};
        struct question question;
        lexical_scope(lexical, &scope);
        question_read(&question, lexical, &scope, tokens, cases[i].typed, strlen(cases[i].typed));
        assert_string_equal(question.corrected.length ? question.corrected.data : "", cases[i].corrected);
        question_free(&question);
    }
    lexical_free(lexical);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_are_counted),
        cmocka_unit_test(corrections_stay_in_scope),
    };
    return cmocka_run_group_tests_name("spell", tests, NULL, NULL);
}
