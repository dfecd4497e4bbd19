/* judged.c - the judged collections of ../shared/retrieval. */
#include "tests/lib/judged.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

enum { DEPTH = 10, WORD_LEAST = 4, WORD_MOST = 100 };

static FILE *open_part(const char *set, const char *part)
{
    const char *shared = getenv("EDURAG_SHARED");
    AUTO(mem_freep)
    char *path = mem_printf("%s/retrieval/%s/%s.tsv", shared && *shared ? shared : "../shared", set, part);
    return fopen(path, "r");
}

static bool load_texts(const char *set, const char *part, struct judged_text **texts, size_t *count)
{
    FILE *file = open_part(set, part);
    char *line = NULL;
    size_t capacity = 0;
    if (!file)
        return false;
    for (ssize_t length; (length = getline(&line, &capacity, file)) > 0;) {
        char *tab = strchr(line, '\t');
        if (!tab)
            continue;
        if (line[length - 1] == '\n')
            line[length - 1] = '\0';
        *texts = mem_grow(*texts, *count + 1, sizeof **texts);
        (*texts)[(*count)++] = (struct judged_text){mem_dupn(line, (size_t)(tab - line)), mem_dup(tab + 1)};
    }
    free(line);
    fclose(file);
    return true;
}

static size_t place_of(const struct judged_text *texts, size_t count, const char *id)
{
    size_t i = 0;
    while (i < count && strcmp(texts[i].id, id) != 0)
        i++;
    return i;
}

static bool load_judgements(struct judged *j, const char *set)
{
    FILE *file = open_part(set, "judgements");
    char question[64], passage[64];
    if (!file)
        return false;
    while (fscanf(file, "%63[^\t]\t%63[^\t]\t%*[^\n]\n", question, passage) == 2) {
        size_t q = place_of(j->questions, j->question_count, question),
               p = place_of(j->passages, j->passage_count, passage);
        if (q == j->question_count || p == j->passage_count)
            continue;
        j->relevant_of = mem_grow(j->relevant_of, j->relevant_count + 1, sizeof *j->relevant_of);
        j->relevant = mem_grow(j->relevant, j->relevant_count + 1, sizeof *j->relevant);
        j->relevant_of[j->relevant_count] = q;
        j->relevant[j->relevant_count++] = p;
    }
    fclose(file);
    return true;
}

bool judged_load(struct judged *j, const char *set)
{
    *j = (struct judged){0};
    return load_texts(set, "passages", &j->passages, &j->passage_count) &&
           load_texts(set, "questions", &j->questions, &j->question_count) && load_judgements(j, set);
}

static void free_texts(struct judged_text *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(texts[i].id);
        free(texts[i].text);
    }
    free(texts);
}

void judged_free(struct judged *j)
{
    free_texts(j->passages, j->passage_count);
    free_texts(j->questions, j->question_count);
    free(j->relevant_of);
    free(j->relevant);
    *j = (struct judged){0};
}

bool judged_score(const struct judged *j, size_t question, const size_t *ranking, size_t count, double *ndcg,
                  double *recall)
{
    double gain = 0, ideal = 0;
    size_t right = 0, hits = 0;
    for (size_t i = 0; i < j->relevant_count; i++) {
        if (j->relevant_of[i] != question)
            continue;
        if (right < DEPTH)
            ideal += 1 / log2((double)right + 2);
        right++;
        for (size_t r = 0; r < count && r < DEPTH; r++)
            if (ranking[r] == j->relevant[i]) {
                gain += 1 / log2((double)r + 2);
                hits++;
            }
    }
    if (!right)
        return false;
    *ndcg = gain / ideal;
    *recall = (double)hits / (double)right;
    return true;
}

static unsigned below(unsigned long long *state, size_t limit)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((*state >> 33) % limit);
}

static void edit(char *word, size_t length, unsigned long long *state)
{
    size_t at = below(state, length);
    unsigned kind = below(state, 4);
    char letter = (char)('a' + below(state, 26)), spare = word[at];
    if (kind == 0) {
        memmove(word + at, word + at + 1, length - at);
    } else if (kind == 1) {
        memmove(word + at + 1, word + at, length - at + 1);
        word[at] = letter;
    } else if (kind == 2) {
        word[at] = letter;
    } else if (at + 1 < length) {
        word[at] = word[at + 1];
        word[at + 1] = spare;
    }
}

char *judged_mistype(const char *question, unsigned long long *state)
{
    struct buf out = {0};
    while (*question) {
        char word[WORD_MOST + 2];
        size_t length = 0;
        while (length < WORD_MOST && isalpha((unsigned char)question[length]))
            length++;
        if (!length) {
            buf_char(&out, *question++);
            continue;
        }
        memcpy(word, question, length);
        word[length] = '\0';
        if (length >= WORD_LEAST && below(state, 4) == 0)
            edit(word, length, state);
        buf_text(&out, word);
        question += length;
    }
    return buf_take(&out);
}
