/* words.c - what somebody asks and what a document says: words, sentences and snippets lie inside their text.
 *
 * The first line is the question, the rest the passage. FUZZ_LONGEST 1200
 */
#include "common/text.h"
#include "server/retrieval/passage.h"
#include "server/retrieval/snippet.h"
#include "server/retrieval/word_hash.h"
#include "tests/fuzz/fuzz.h"

static void valid(const char *bytes, size_t length, struct buf *out)
{
    buf_bytes(out, "", 0);
    for (size_t at = 0; at < length;) {
        uint32_t c = text_next(bytes, length, &at);
        text_append(out, c ? c : ' ');
    }
}

static bool between(const char *text, size_t length, size_t at)
{
    return at == length || ((unsigned char)text[at] & 0xC0) != 0x80;
}

static size_t words_of(struct tokens *tokens, const struct buf *text, struct passage_words *words, struct buf *kept)
{
    const struct token *list;
    enum language language;
    size_t count = tokens_split(tokens, text->data, text->length, &list, &language), behind = 0;
    for (size_t i = 0; i < count; i++) {
        const struct token *t = &list[i];
        FUZZ_MUST(t->start < t->end && t->end <= text->length && t->start >= behind,
                  "a word outside its text, or out of order");
        FUZZ_MUST(between(text->data, text->length, t->start) && between(text->data, text->length, t->end),
                  "a word cuts a character");
        FUZZ_MUST(t->length && t->length <= TOKENS_WORD_MOST && strlen(t->word) == t->length &&
                      text_valid_utf8(t->word, t->length),
                  "a word that is none");
        FUZZ_MUST(t->hash == word_hash(t->word, t->length), "a word with another's hash");
        behind = t->start;
    }
    for (size_t i = 0; words && i < count && words->count < 8; i++) {
        size_t length = list[i].length;
        const char *stem = tokens_stem(tokens, language, list[i].word, &length);
        FUZZ_MUST(length <= TOKENS_WORD_MOST, "a stem longer than a word");
        words->stems[words->count] =
            (const char *)(uintptr_t)kept->length; /* a place, until the text stays where it is */
        words->weights[words->count++] = 1;
        buf_bytes(kept, stem, length);
        buf_char(kept, '\0');
    }
    for (size_t i = 0; words && i < words->count; i++)
        words->stems[i] = kept->data + (uintptr_t)words->stems[i];
    return count;
}

static void shown(const struct passage *passage, const struct passage_words *words)
{
    struct snippet snippet = {0};
    snippet_make(&snippet, passage, words);
    const char *text = snippet.text.data ? snippet.text.data : "";
    size_t length = text_count(text, snippet.text.length), behind = 0;
    FUZZ_MUST(text_valid_utf8(text, snippet.text.length), "a snippet is not UTF-8");
    FUZZ_MUST(length <= SNIPPET_MOST + 2, "a snippet of %zu characters", length);
    for (size_t i = 0; i < snippet.mark_count; i++) {
        FUZZ_MUST(snippet.marks[i][0] >= behind && snippet.marks[i][0] < snippet.marks[i][1] &&
                      snippet.marks[i][1] <= length,
                  "a mark outside");
        behind = snippet.marks[i][1];
    }
    snippet_free(&snippet);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    static struct tokens *tokens;
    tokens = tokens ? tokens : tokens_new();
    size_t asked, said;
    AUTO(mem_freep) char *first = fuzz_line(&in, &asked);
    AUTO(mem_freep) char *rest = fuzz_rest(&in, &said);
    AUTO(buf_free) struct buf question = {0};
    AUTO(buf_free) struct buf text = {0};
    AUTO(buf_free) struct buf kept = {0};
    struct passage_words words = {0};
    valid(first, asked, &question);
    valid(rest, said, &text);
    words_of(tokens, &question, &words, &kept);
    words_of(tokens, &text, NULL, NULL);
    struct passage passage;
    passage_read(&passage, tokens, &words, text.data,
                 asked % 2 ? "[{\"at\":0,\"page\":1},{\"at\":7,\"page\":2},{\"at\":3,\"page\":3}]" : NULL, 1);
    size_t behind = 0;
    for (size_t i = 0; i < passage.sentence_count; i++) {
        const struct sentence *s = &passage.sentences[i];
        FUZZ_MUST(s->start >= behind && s->start < s->end && s->end <= text.length, "a sentence outside its text");
        FUZZ_MUST(between(text.data, text.length, s->start) && between(text.data, text.length, s->end),
                  "a sentence cuts a character");
        behind = s->end;
    }
    shown(&passage, &words);
    passage_free(&passage);
    return 0;
}
