/* ranking.c - how well the default ranking finds what people judged right, through a whole server.
 *
 * Each judged set becomes a library of its own: every passage is stored as one passage, the embedder is fitted
 * on it as on any library, and every question goes through search.query. One configuration for all sets.
 * Beside it BM25 alone, and the same questions with a random edit in a quarter of the words of four letters or
 * more. Then each library is asked its own questions and those of the other sets, to tell how often search.ask
 * says "not in the library" where it is, and answers where it is not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/question.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/judged.h"
#include "tests/lib/library.h"

enum { DOCUMENT = 100, TOP = 10, WAIT_SECONDS = 300, TYPING_SEED = 42, ASKED = 100 };
static const double TYPING_LOSS_MOST = 0.02;

static const struct {
    const char *name;
    double least;
    const char *aim;
} sets[] = {{"squad", 0.885, ">= 0.885"}, {"cran", 0.415, ">= 0.415"}, {"med", 0.725, ">= 0.725"}};

struct stats {
    double ndcg, recall;
};

static void store(const struct harness *h, const struct judged *judged)
{
    struct library_passage passages[DOCUMENT];
    char title[40], pdf_id[40];
    for (size_t from = 0; from < judged->passage_count; from += DOCUMENT) {
        size_t count = 0;
        for (; count < DOCUMENT && from + count < judged->passage_count; count++)
            passages[count] = (struct library_passage){
                (int)count + 1, *judged->passages[from + count].text ? judged->passages[from + count].text : "."};
        snprintf(title, sizeof title, "%zu", from);
        library_put(h->directory, title, NULL, passages, count, pdf_id);
    }
}

/* Until every document is served by the fitted model, and the index has heard of it. */
static bool settled(const struct harness *h)
{
    for (int second = 0; second < WAIT_SECONDS; second++) {
        AUTO(mem_freep)
        char *left = library_sql(
            h->directory, "edurag_owner",
            "select count(*) from public.pdfs where embedding_model is distinct from "
            "(select model from public.embedding_models where state = 'current' and model like 'builtin-lsa-%' "
            "and fitted_on > 0.9 * (select count(*) from public.pdf_chunks))");
        nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
        if (!strcmp(left, "0"))
            return true;
    }
    return false;
}

static size_t ask(struct ws *ws, const char *question, size_t *ranking)
{
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "query", question);
    buf_json_member_bool(&params, "preview", true);
    buf_json_close(&params, '}');
    AUTO(json_freep) cJSON *reply = harness_call(ws, "search.query", params.data);
    const cJSON *one;
    size_t count = 0;
    cJSON_ArrayForEach (one, json_get(json_get(reply, "result"), "results"))
        if (count < TOP)
            ranking[count++] = strtoul(json_text(one, "title", "0"), NULL, 10) + (size_t)json_int(one, "page", 1) - 1;
    return count;
}

static struct stats measure(struct ws *ws, const struct judged *judged, bool mistyped)
{
    struct stats sum = {0};
    size_t counted = 0;
    unsigned long long random = TYPING_SEED;
    for (size_t q = 0; q < judged->question_count; q++) {
        size_t ranking[TOP];
        double ndcg, recall;
        AUTO(mem_freep)
        char *typed =
            mistyped ? judged_mistype(judged->questions[q].text, &random) : mem_dup(judged->questions[q].text);
        size_t count = ask(ws, typed, ranking);
        if (!judged_score(judged, q, ranking, count, &ndcg, &recall))
            continue;
        sum.ndcg += ndcg;
        sum.recall += recall;
        counted++;
    }
    return (struct stats){sum.ndcg / (double)counted, sum.recall / (double)counted};
}

/* The share of up to ASKED of a set's questions that get an answer. */
static double answered(struct ws *ws, const struct judged *judged)
{
    size_t asked = 0, grounded = 0;
    for (size_t q = 0; q < judged->question_count && asked < ASKED; q += 1 + judged->question_count / (ASKED + 1)) {
        AUTO(buf_free) struct buf params = {0};
        buf_json_open(&params, '{');
        buf_json_member(&params, "query", judged->questions[q].text);
        buf_json_close(&params, '}');
        AUTO(json_freep) cJSON *reply = harness_call(ws, "search.ask", params.data);
        grounded += json_bool(json_get(reply, "result"), "grounded", false);
        asked++;
    }
    return (double)grounded / (double)asked;
}

static void tell(size_t set, const char *what, double value, double floor, const char *aim)
{
    char name[80];
    snprintf(name, sizeof name, "ranking, %s: %s", sets[set].name, what);
    bench_aim(name, value, "", floor, aim);
}

/* Both kinds of error of "not in the library". */
static void cross_ask(struct ws *ws, size_t own, const struct judged *judged)
{
    double wrong = 0;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct judged other;
        if (i == own || !judged_load(&other, sets[i].name))
            continue;
        wrong += answered(ws, &other) / (double)(COUNT_OF(sets) - 1);
        judged_free(&other);
    }
    tell(own, "own questions turned away", 1 - answered(ws, judged), 0, NULL);
    tell(own, "foreign questions answered", wrong, 0, NULL);
}

/* The floor beside it: the same words and the same index, without vectors, pairs or spelling. */
static struct stats measure_bm25(const struct judged *judged)
{
    struct lexical *lexical = lexical_new();
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    AUTO(mem_freep) uint64_t *bits = mem_array(judged->passage_count / 64 + 1, sizeof *bits);
    AUTO(fuse_work_free) struct fuse_work work = {0};
    struct lexical_scope scope = {.bits = bits};
    struct stats sum = {0};
    size_t counted = 0;
    const struct token *words;
    enum language language;
    for (size_t i = 0; i < judged->passage_count; i++) {
        size_t count =
            tokens_split(tokens, judged->passages[i].text, strlen(judged->passages[i].text), &words, &language);
        lexical_add(lexical, tokens, language, words, count);
        bits[i / 64] |= 1ull << i % 64;
    }
    lexical_scope(lexical, &scope);
    for (size_t q = 0; q < judged->question_count; q++) {
        struct lexical_question question = {0};
        struct fuse_hit hits[TOP];
        size_t ranking[TOP], count = tokens_split(tokens, judged->questions[q].text, strlen(judged->questions[q].text),
                                                  &words, &language);
        double ndcg, recall;
        for (size_t i = 0; i < count; i++) {
            size_t length = words[i].length;
            const char *stem = tokens_stem(tokens, language, words[i].word, &length);
            if (!words[i].stop)
                lexical_ask(&question, vocabulary_stem(lexical_vocabulary(lexical), stem, length));
        }
        question.length = 0; /* no pairs */
        count = fuse_rank(&(struct fuse_input){lexical, &scope, &question, NULL, 0, NULL}, &work, hits, TOP);
        for (size_t i = 0; i < count; i++)
            ranking[i] = hits[i].text;
        if (!judged_score(judged, q, ranking, count, &ndcg, &recall))
            continue;
        sum.ndcg += ndcg;
        sum.recall += recall;
        counted++;
    }
    lexical_free(lexical);
    return (struct stats){sum.ndcg / (double)counted, sum.recall / (double)counted};
}

int main(void)
{
    double lost = 0;
    bool fine = true;
    for (size_t i = 0; i < COUNT_OF(sets); i++) {
        struct judged judged;
        struct harness h;
        struct ws ws;
        if (!judged_load(&judged, sets[i].name)) {
            puts("skipped: ../shared is not here");
            return 77;
        }
        harness_start(&h, NULL, (const char *const[]){"EDURAG_LOG=info", NULL});
        harness_user(&h, "student", "ranker", "Ranker");
        store(&h, &judged);
        if (!settled(&h)) {
            fprintf(stderr, "ranking: the embedder was not fitted, or the documents did not follow\n");
            return 1;
        }
        harness_open(&h, &ws, "ranker");
        struct stats bm25 = measure_bm25(&judged), whole = measure(&ws, &judged, false),
                     typed = measure(&ws, &judged, true);
        tell(i, "nDCG@10, beside BM25 alone", whole.ndcg, bm25.ndcg, sets[i].aim);
        tell(i, "recall@10, beside BM25 alone", whole.recall, bm25.recall, NULL);
        tell(i, "nDCG@10 with typing errors", typed.ndcg, whole.ndcg, NULL);
        cross_ask(&ws, i, &judged);
        fine = fine && whole.ndcg >= sets[i].least;
        lost += (whole.ndcg - typed.ndcg) / (double)COUNT_OF(sets);
        ws_close(&ws);
        harness_stop(&h);
        judged_free(&judged);
    }
    bench_aim("ranking: nDCG@10 lost by typing errors, mean of the sets", lost, "", 0, "<= 0.02");
    if (fine && lost < TYPING_LOSS_MOST)
        return 0;
    fprintf(stderr, "it finds less than it should\n");
    return 1;
}
