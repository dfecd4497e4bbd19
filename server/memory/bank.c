/* bank.c - a person's memory bank. */
#include "server/memory/bank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/memory/hindsight.h"
#include "server/memory/memory.h"
#include "server/memory/redact.h"
#include "server/retrieval/embed.h"
#include "server/retrieval/fuse.h"
#include "server/retrieval/normal.h"
#include "server/retrieval/question.h"

enum { FACTS_MOST = 2000, FACT_CHARACTERS = 2000 };

/* What recency and frequency may add to a relevance of 1 for the best. Half of the recency is gone after a
 * fortnight; ten repetitions count about as much as having been said today. */
static const double RECENCY = 0.15, HALF_LIFE_DAYS = 14, FREQUENCY = 0.045;

static const char *const source_names[] = {"search", "ask", "reading", "client"};
static const char *const verbs[] = {"searched for", "asked", "read", ""};

static struct redact_person person_of(const struct call *call)
{
    return (struct redact_person){.name = call->caller.name, .institution_id = call->caller.institution_id};
}

/* Case and blanks folded, in any script: the same wording is the same fact. */
static void write_key(struct buf *key, enum bank_source source, const char *course_id, const char *text)
{
    AUTO(mem_freep) char *folded = normal_search(text, strlen(text));
    buf_printf(key, "%s:%s:%s", source_names[source], course_id ? course_id : "", folded);
}

static void cut(struct buf *text, size_t characters)
{
    size_t end = text->data ? text_offset(text->data, text->length, characters) : 0;
    if (end < text->length) {
        text->length = end;
        text->data[end] = '\0';
    }
}

void bank_draft_free(struct bank_draft *draft)
{
    buf_free(&draft->fact);
    buf_free(&draft->key);
    buf_free(&draft->topic);
}

/* The one path to what is written: redacted text, and its key. */
static bool redacted(struct call *call, enum bank_source source, const char *fact, const char *topic,
                     const char *course_id, struct bank_draft *draft, int *redactions, struct err *err)
{
    struct redact_person person = person_of(call);
    struct redact_counts counts = {{0}};
    if (!redact_text(&person, fact, strlen(fact), &draft->fact, &counts, err) ||
        (topic && !redact_text(&person, topic, strlen(topic), &draft->topic, NULL, err)))
        return false;
    *redactions = redact_total(&counts);
    cut(&draft->fact, FACT_CHARACTERS);
    write_key(&draft->key, source, course_id, topic ? draft->topic.data : draft->fact.data);
    draft->state = memory_hindsight() ? "pending" : "local";
    return true;
}

static bool keep(struct tx *tx, enum bank_source source, const char *course_id, const struct bank_draft *draft,
                 struct rows **rows, struct err *err)
{
    return tx_run(tx, SQL_MEMORY_RETAIN, rows, err, BIND_TEXT(draft->fact.data), BIND_TEXT(draft->key.data),
                  BIND_TEXT(source_names[source]), BIND_TEXT(draft->topic.data), BIND_TEXT(course_id),
                  BIND_TEXT(draft->state));
}

static bool make_draft(struct call *call, struct tx *tx, enum bank_source source, const char *what,
                       const char *course_id, const char *title, struct bank_draft *draft, struct err *err)
{
    AUTO(rows_free) struct rows *course = NULL;
    AUTO(buf_free) struct buf fact = {0};
    int redactions;
    if (course_id && !tx_run(tx, SQL_MEMORY_COURSE_TITLE, &course, err, BIND_TEXT(course_id)))
        return false;
    buf_printf(&fact, "%s %s %s", call->caller.role, verbs[source], what);
    if (title || (course && rows_count(course)))
        buf_printf(&fact, " in %s", title ? title : rows_text(course, 0, 0));
    return redacted(call, source, fact.data, what, course_id, draft, &redactions, err);
}

static void tell(const struct call *call, const struct err *err)
{
    log_event(LOG_WARN, "memory", "doing=note user=%s error=%s", call->caller.user_id, log_quote(err->log));
}

void bank_draft(struct call *call, struct tx *tx, enum bank_source source, const char *what, const char *course_id,
                const char *title, struct bank_draft *draft)
{
    struct err err = {0};
    if (!memory_enabled() || make_draft(call, tx, source, what, course_id, title, draft, &err))
        return;
    tell(call, &err);
    bank_draft_free(draft);
}

void bank_note(struct call *call, struct tx *tx, enum bank_source source, const char *what, const char *course_id,
               const char *title)
{
    struct err err = {0};
    AUTO(bank_draft_free) struct bank_draft draft = {0};
    bank_draft(call, tx, source, what, course_id, title, &draft);
    if (draft.state && !keep(tx, source, course_id, &draft, NULL, &err))
        tell(call, &err);
}

bool bank_retain(struct call *call, struct tx *tx, const char *fact, struct bank_kept *kept, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(bank_draft_free) struct bank_draft draft = {0};
    if (!redacted(call, BANK_CLIENT, fact, NULL, NULL, &draft, &kept->redactions, err))
        return false;
    if (memory_enabled() && !keep(tx, BANK_CLIENT, NULL, &draft, &rows, err))
        return false;
    kept->fact = draft.fact;
    draft.fact = (struct buf){0};
    if (!memory_enabled())
        return true;
    if (!rows_count(rows))
        return err_field(err, "fact", "could not be kept. If it holds numbers or addresses, say it without them.");
    snprintf(kept->fact_id, sizeof kept->fact_id, "%s", rows_text(rows, 0, 0));
    return true;
}

void bank_items_free(struct bank_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        free(items->items[i].fact_id);
        free(items->items[i].fact);
        free(items->items[i].at);
    }
    free(items->items);
    *items = (struct bank_items){0};
}

/* The bank as a small library of its own: every fact a text, with a vector where embedding costs no network. */
struct loader {
    struct tokens *tokens;
    struct lexical *lexical;
    struct vectors *vectors;
    struct embed_model model;
    float *question;
    uint64_t *bits;
};

static void index_close(struct loader *s)
{
    tokens_free(s->tokens);
    lexical_free(s->lexical);
    vectors_free(s->vectors);
    free(s->question);
    free(s->bits);
}

static void index_fill(struct loader *s, const struct rows *rows)
{
    s->tokens = tokens_new();
    s->lexical = lexical_new();
    s->bits = mem_array((size_t)rows_count(rows) / 64 + 1, sizeof *s->bits);
    for (int i = 0; i < rows_count(rows); i++) {
        const struct token *words;
        enum language language;
        const char *fact = rows_text(rows, i, 1);
        size_t count = tokens_split(s->tokens, fact, strlen(fact), &words, &language);
        lexical_add(s->lexical, s->tokens, language, words, count);
        s->bits[i / 64] |= UINT64_C(1) << (i % 64);
    }
}

/* Vectors of a built-in model only: an outside one would have to be asked, and paid, for each fact. */
static void index_embed(struct loader *s, const struct rows *rows, const char *query)
{
    embed_current(&s->model);
    if (strncmp(s->model.name, "builtin-", 8) != 0 || !(s->model.weight > 0))
        return;
    int count = rows_count(rows);
    s->question = mem_array(s->model.dimensions, sizeof *s->question);
    if (!embed_texts(s->model.name, &query, 1, s->question, NULL))
        return;
    AUTO(mem_freep) float *vectors = mem_array((size_t)count * s->model.dimensions, sizeof *vectors);
    AUTO(mem_freep) const char **texts = mem_array((size_t)count, sizeof *texts);
    for (int i = 0; i < count; i++)
        texts[i] = rows_text(rows, i, 1);
    if (!embed_texts(s->model.name, texts, (size_t)count, vectors, NULL))
        return;
    s->vectors = vectors_new(s->model.dimensions);
    for (int i = 0; i < count; i++)
        vectors_put(s->vectors, (uint32_t)i, vectors + (size_t)i * s->model.dimensions);
}

static int by_score(const void *a, const void *b)
{
    double x = ((const struct fuse_hit *)a)->score, y = ((const struct fuse_hit *)b)->score;
    return x < y ? 1 : x > y ? -1 : 0;
}

static size_t rank(struct loader *s, const struct rows *rows, const char *query, struct fuse_hit *hits)
{
    struct question question = {0};
    struct fuse_work work = {0};
    struct lexical_scope scope = {.bits = s->bits};
    struct vectors_span all = {0, (uint32_t)rows_count(rows)};
    struct fuse_model model = {
        .vectors = s->vectors, .question = s->question, .weight = s->model.weight, .spans = &all, .span_count = 1};
    lexical_scope(s->lexical, &scope);
    question_read(&question, s->lexical, &scope, s->tokens, query, strlen(query));
    struct fuse_input input = {.lexical = s->lexical,
                               .scope = &scope,
                               .words = &question.words,
                               .models = &model,
                               .model_count = s->vectors ? 1 : 0};
    size_t count = fuse_rank(&input, &work, hits, FUSE_POOL);
    fuse_work_free(&work);
    question_free(&question);
    for (size_t i = 0; i < count; i++) {
        int row = (int)hits[i].text;
        double days = (double)rows_int(rows, row, 3, 0) / 86400, often = (double)rows_int(rows, row, 2, 1);
        hits[i].score += (float)(RECENCY * exp2(-days / HALF_LIFE_DAYS) + FREQUENCY * log2(often));
    }
    if (count)
        qsort(hits, count, sizeof *hits, by_score);
    return count;
}

static void take(struct bank_items *items, const char *fact_id, const char *fact, const char *at, double score)
{
    items->items = mem_grow(items->items, items->count + 1, sizeof *items->items);
    items->items[items->count++] = (struct bank_item){mem_dup(fact_id), mem_dup(fact), mem_dup(at), score};
}

bool bank_recall_here(struct tx *tx, const char *query, size_t limit, struct bank_items *items, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(tx, SQL_MEMORY_FACTS, &rows, err, BIND_INT(FACTS_MOST)))
        return false;
    if (!rows_count(rows))
        return true;
    AUTO(index_close) struct loader loader = {0};
    struct fuse_hit hits[FUSE_POOL];
    index_fill(&loader, rows);
    index_embed(&loader, rows, query);
    size_t count = rank(&loader, rows, query, hits);
    for (size_t i = 0; i < count && i < limit; i++) {
        int row = (int)hits[i].text;
        take(items, rows_text(rows, row, 0), rows_text(rows, row, 1), rows_text(rows, row, 4),
             round((double)hits[i].score * 1e4) / 1e4);
    }
    return true;
}

static bool cancelled(void *context)
{
    return call_cancelled(context);
}

static bool recall_outside(struct call *call, const char *query, size_t limit, struct bank_items *items,
                           struct err *err)
{
    struct redact_person person = person_of(call);
    struct hindsight_memories memories = {0};
    if (!hindsight_recall(memory_hindsight(), call->caller.user_id, &person, query, limit, cancelled, call, &memories,
                          err))
        return false;
    for (size_t i = 0; i < memories.count; i++)
        take(items, memories.items[i].fact_id, memories.items[i].text, memories.items[i].at, memories.items[i].score);
    hindsight_memories_free(&memories);
    return true;
}

bool bank_recall(struct call *call, const char *query, size_t limit, struct bank_items *items, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    if (!memory_enabled())
        return true;
    if (memory_hindsight()) {
        struct err why = {0};
        if (recall_outside(call, query, limit, items, &why))
            return true;
        if (why.code == ERR_CANCELLED) {
            *err = why;
            return false;
        }
        items->degraded = true;
    }
    return call_tx(call, &tx, err) && bank_recall_here(tx, query, limit, items, err) && tx_commit(&tx, err);
}
