/* question.c - what somebody typed, as the index understands it: stems, and the spelling that was meant. */
#include "server/retrieval/question.h"

#include <string.h>

#include "common/mem.h"
#include "server/retrieval/spell.h"

/* A question is often too short to betray its language: after the detected one, each that the texts are in. */
static uint32_t known_stem(const struct lexical *lexical, const struct lexical_scope *scope, struct tokens *tokens,
                           enum language language, const struct token *word)
{
    const struct vocabulary *v = lexical_vocabulary(lexical);
    uint32_t languages = vocabulary_languages(v) & ~(1u << language);
    for (int other = (int)language;; other = __builtin_ctz(languages), languages &= languages - 1) {
        size_t length = word->length;
        const char *stem = tokens_stem(tokens, (enum language)other, word->word, &length);
        uint32_t found = vocabulary_stem(v, stem, length);
        if (found != VOCABULARY_NONE && lexical_holders(lexical, found, scope->bits, 1))
            return found;
        if (!languages)
            return LEXICAL_NONE;
    }
}

void question_read(struct question *question, const struct lexical *lexical, const struct lexical_scope *scope,
                   struct tokens *tokens, const char *text, size_t length)
{
    const struct vocabulary *v = lexical_vocabulary(lexical);
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, length, &words, &language), copied = 0;
    *question = (struct question){0};
    for (size_t i = 0; i < count; i++) {
        if (words[i].stop)
            continue;
        uint32_t stem = known_stem(lexical, scope, tokens, language, &words[i]);
        if (stem == LEXICAL_NONE) {
            uint32_t meant = spell_correct(lexical, scope->bits, words[i].word, words[i].length);
            if (meant != VOCABULARY_NONE) {
                stem = vocabulary_stem_of(v, meant);
                buf_bytes(&question->corrected, text + copied, words[i].start - copied);
                buf_text(&question->corrected, vocabulary_word_text(v, meant));
                copied = words[i].end;
            }
        }
        lexical_ask(&question->words, stem);
    }
    if (question->corrected.length)
        buf_bytes(&question->corrected, text + copied, length - copied);
}

void question_free(struct question *question)
{
    buf_free(&question->corrected);
}
