/* prompt.h - what a language model is told: rules, passages as data, what is known of the reader, earlier turns.
 *
 * Pure. Everything that others wrote (passages, facts, earlier answers, the question) stands inside fences
 * that its text cannot close, and the rules say that it is data.
 */
#ifndef SERVER_MODELS_PROMPT_H
#define SERVER_MODELS_PROMPT_H

#include "server/models/models.h"

struct prompt_passage {
    const char *title, *page; /* page: as it is printed */
    const char *text;
};

struct prompt_turn {
    const char *question, *answer;
};

struct prompt_parts {
    const char *question;
    const struct prompt_passage *passages; /* number n is passages[n - 1] */
    size_t passage_count;
    const char *const *facts; /* about the reader; redacted before */
    size_t fact_count;
    const struct prompt_turn *turns; /* oldest first */
    size_t turn_count;
    size_t budget; /* tokens that earlier turns may take; 0: 1,000 */
};

enum { PROMPT_TURNS_MOST = 8 };

struct prompt {
    struct models_question question; /* lent until prompt_free */
    struct models_message messages[2 * PROMPT_TURNS_MOST + 1];
    char *texts[2 * PROMPT_TURNS_MOST + 1];
};

void prompt_make(struct prompt *prompt, const struct prompt_parts *parts);
void prompt_free(struct prompt *prompt);

/* A guess on the safe side: a token for each three bytes. */
size_t prompt_tokens(const char *text);

/* What a model makes of a person's facts (memory.reflect): the same rules, no passages. */
void prompt_make_reflection(struct prompt *prompt, const char *const *facts, size_t fact_count);

#endif
