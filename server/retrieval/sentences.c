/* sentences.c - where the sentences of a text begin and end (ICU). */
#include "server/retrieval/sentences.h"

#include <pthread.h>
#include <string.h>
#include <unicode/ubrk.h>

enum { ENDLESS = 400, PIECE_LEAST = 40 /* bytes */ };

/* Opening the rules takes far longer than using them: each thread keeps its own copy. */
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void drop(void *rules)
{
    ubrk_close(rules);
}

static void make_key(void)
{
    pthread_key_create(&key, drop);
}

static UBreakIterator *rules_of_thread(void)
{
    pthread_once(&once, make_key);
    UBreakIterator *rules = pthread_getspecific(key);
    UErrorCode status = U_ZERO_ERROR;
    if (!rules) {
        rules = ubrk_open(UBRK_SENTENCE, "en", NULL, 0, &status);
        if (U_FAILURE(status))
            return NULL;
        pthread_setspecific(key, rules);
    }
    return rules;
}

static int blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f';
}

/* Text without capitals (old abstracts, lists) is one endless sentence to ICU: cut at any mark that a blank
 * follows, in pieces that are not too small. */
static size_t push(const char *text, size_t start, size_t end, struct sentence *sentences, size_t count, size_t most)
{
    for (size_t at = start; end - start > ENDLESS && at + 1 < end && count < most; at++) {
        if (!strchr(".;!?", text[at]) || !blank(text[at + 1]) || at + 1 - start < PIECE_LEAST || end - at < PIECE_LEAST)
            continue;
        sentences[count++] = (struct sentence){start, at + 1};
        for (start = at + 1; start < end && blank(text[start]);)
            start++;
        at = start;
    }
    if (end > start && count < most)
        sentences[count++] = (struct sentence){start, end};
    return count;
}

size_t sentences_split(const char *text, size_t length, struct sentence *sentences, size_t most)
{
    UBreakIterator *rules = rules_of_thread();
    UErrorCode status = U_ZERO_ERROR;
    UText source = UTEXT_INITIALIZER;
    size_t count = 0;
    utext_openUTF8(&source, text, (int64_t)length, &status);
    if (rules)
        ubrk_setUText(rules, &source, &status);
    if (rules && U_SUCCESS(status)) {
        int32_t from = ubrk_first(rules);
        for (int32_t to = ubrk_next(rules); to != UBRK_DONE && count < most; from = to, to = ubrk_next(rules)) {
            size_t start = (size_t)from, end = (size_t)to;
            while (start < end && blank(text[start]))
                start++;
            while (end > start && blank(text[end - 1]))
                end--;
            count = push(text, start, end, sentences, count, most);
        }
    }
    utext_close(&source);
    return count;
}
