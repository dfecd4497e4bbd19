/* search.c - finding passages, and answering from them. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "server/memory/bank.h"
#include "server/methods/answer.h"
#include "server/methods/passage_search.h"
#include "server/methods/search_write.h"
#include "server/retrieval/embed.h"
#include "server/models/models.h"
#include "server/rpc/method.h"

#define ITEMS_SCHEMA "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"

enum { FACTS_MOST = 5 }; /* about the reader, that a model gets to see */

struct query_params {
    const char *query;
    int64_t limit;
    const char *course_id;
    bool preview;
};
static const struct param query_spec[] = {
    PARAM(TEXT, struct query_params, query, .min = 1, .max = 1000),
    PARAM(INT, struct query_params, limit, .optional = true, .min = 1, .max = 50, .fallback = 10),
    PARAM(UUID, struct query_params, course_id, .optional = true),
    PARAM(BOOL, struct query_params, preview, .optional = true),
    {0},
};

struct ask_params {
    const char *query, *course_id, *thread_id;
    bool stream;
};
static const struct param ask_spec[] = {
    PARAM(TEXT, struct ask_params, query, .min = 1, .max = 1000),
    PARAM(UUID, struct ask_params, course_id, .optional = true),
    PARAM(UUID, struct ask_params, thread_id, .optional = true),
    PARAM(BOOL, struct ask_params, stream, .optional = true),
    {0},
};

struct thread_params {
    const char *thread_id;
};
static const struct param thread_spec[] = {
    PARAM(UUID, struct thread_params, thread_id, .optional = false),
    {0},
};

struct list_params {
    int64_t limit;
    const char *cursor;
};
static const struct param list_spec[] = {PARAMS_LIST(struct list_params), {0}};

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void write_took(struct buf *result, double since)
{
    buf_json_key(result, "took_ms");
    buf_json_double(result, round((now_ms() - since) * 100) / 100);
}

/* A search as one types costs a tenth. */
static int query_cost(const cJSON *params)
{
    return json_bool(params, "preview", false) ? COST_ONE / 10 : COST_ONE;
}

static void write_result(struct buf *result, const struct passage_search *found, const struct passage_search_item *item)
{
    AUTO(snippet_free) struct snippet snippet = {0};
    snippet_make(&snippet, &item->passage, &found->words);
    buf_json_open(result, '{');
    passage_search_write_place(result, item, snippet.page);
    buf_json_member(result, "heading", item->heading);
    buf_json_member(result, "snippet", snippet.text.data);
    buf_json_key(result, "highlights");
    buf_json_open(result, '[');
    for (size_t i = 0; i < snippet.mark_count; i++) {
        buf_json_open(result, '[');
        buf_json_int(result, (int64_t)snippet.marks[i][0]);
        buf_json_int(result, (int64_t)snippet.marks[i][1]);
        buf_json_close(result, ']');
    }
    buf_json_close(result, ']');
    buf_json_key(result, "score");
    buf_json_double(result, round((double)item->score * 1e4) / 1e4);
    buf_json_close(result, '}');
}

/* Where a service embeds questions a search waits for it, so it leaves the quick lane; one as you type never asks. */
static enum lane query_lane(const cJSON *params)
{
    return embed_waits() && !json_bool(params, "preview", false) ? LANE_SLOW : LANE_QUICK;
}

static void write_results(struct buf *list, const struct passage_search *found)
{
    buf_json_open(list, '[');
    for (size_t i = 0; i < found->count; i++)
        write_result(list, found, &found->items[i]);
    buf_json_close(list, ']');
}

static void write_found(struct buf *result, const struct query_params *params, const struct passage_search *found,
                        const struct buf *list, const char *search_id, bool degraded, double since)
{
    buf_json_open(result, '{');
    buf_json_member(result, "search_id", search_id);
    buf_json_member(result, "query", params->query);
    buf_json_member(result, "corrected", found->answer.corrected.length ? found->answer.corrected.data : NULL);
    buf_json_member_raw(result, "results", list->data);
    buf_json_member_bool(result, "embeddings_degraded", degraded);
    write_took(result, since);
    buf_json_close(result, '}');
}

static bool send_record(struct tx *tx, const struct query_params *params, size_t count, const struct bank_draft *draft,
                        struct err *err)
{
    const struct bind values[] = {
        BIND_TEXT(params->query),    BIND_INT((int64_t)count),   BIND_TEXT(params->course_id), BIND_TEXT(NULL),
        BIND_TEXT(draft->fact.data), BIND_TEXT(draft->key.data), BIND_TEXT(draft->topic.data), BIND_TEXT(draft->state)};
    return tx_send(tx, SQL_SEARCH_RECORD, values, COUNT_OF(values), err);
}

/* The question for the passages, and behind it what goes into the history and the memory bank: the database does one
 * after the other without waiting for us. A preview leaves nothing. */
static bool send_both(struct call *call, struct tx *tx, const struct query_params *params, struct passage_search *found,
                      struct err *err)
{
    AUTO(bank_draft_free) struct bank_draft draft = {0};
    bool tells = found->count && !params->preview;
    if (tells && params->course_id) /* whose title has to be asked for */
        bank_draft(call, tx, BANK_SEARCH, params->query, params->course_id, NULL, &draft);
    if (!passage_search_send(tx, found, err))
        return false;
    if (tells && !params->course_id)
        bank_draft(call, tx, BANK_SEARCH, params->query, NULL, NULL, &draft);
    return params->preview || send_record(tx, params, found->count, &draft, err);
}

/* Where passages have just gone others come instead, and the history is told how many there were in the end. */
static bool make_up(struct tx *tx, const struct query_params *params, struct passage_search *found,
                    struct rows **recorded, struct err *err)
{
    if (params->preview)
        return passage_search_more(tx, found, err);
    return tx_receive(tx, recorded, err) && passage_search_more(tx, found, err) &&
           tx_run(tx, SQL_SEARCH_RECOUNT, NULL, err, BIND_INT((int64_t)found->count),
                  BIND_TEXT(rows_text(*recorded, 0, 0)));
}

/* Up to the rows; the history row and the commit are on their way. */
static bool find(struct call *call, struct tx *tx, const struct query_params *params, struct passage_search **found,
                 struct rows **recorded, struct err *err)
{
    return passage_search_candidates(tx, call->caller.user_id, params->query, params->course_id, (size_t)params->limit,
                                     found, err) &&
           send_both(call, tx, params, *found, err) && passage_search_receive(tx, *found, err) &&
           (!passage_search_short(*found) || make_up(tx, params, *found, recorded, err)) &&
           tx_send_last(tx, QUERY_NONE, NULL, 0, err);
}

static bool query(struct call *call, const void *data, struct buf *result, struct err *err)
{
    const struct query_params *params = data;
    double since = now_ms();
    AUTO(passage_search_free) struct passage_search *found = NULL;
    AUTO(rows_free) struct rows *recorded = NULL;
    AUTO(buf_free) struct buf list = {0};
    AUTO(tx_free) struct tx *own = NULL; /* in the slow lane */
    if (!call->tx)
        embed_ahead(params->query);
    bool ready = call->tx || call_tx(call, &own, err);
    struct tx *tx = call->tx ? call->tx : own;
    bool fine = ready && find(call, tx, params, &found, &recorded, err);
    bool degraded = embed_reduced();
    embed_ahead(NULL);
    if (!fine)
        return false;
    passage_search_read(found);
    write_results(&list, found);
    if ((!params->preview && !recorded && !tx_receive(tx, &recorded, err)) || !tx_receive(tx, NULL, err))
        return false;
    write_found(result, params, found, &list, params->preview ? NULL : rows_text(recorded, 0, 0), degraded, since);
    return true;
}

static bool open_thread(struct tx *tx, const struct ask_params *params, struct rows **thread, struct err *err)
{
    if (!tx_run(tx, SQL_SEARCH_OPEN_THREAD, thread, err, BIND_TEXT(params->course_id), BIND_TEXT(params->thread_id)))
        return false;
    return rows_count(*thread) || err_say(err, ERR_NOT_FOUND, "There is no such thread, or no longer.");
}

/* The earlier turns of the thread; lent by `rows`. */
static bool read_turns(struct tx *tx, const char *thread_id, struct rows **rows, struct prompt_turn *turns,
                       size_t *count, struct err *err)
{
    if (!tx_run(tx, SQL_SEARCH_EARLIER, rows, err, BIND_TEXT(thread_id)))
        return false;
    for (int row = 0; row < rows_count(*rows) && *count < PROMPT_TURNS_MOST; row++)
        turns[(*count)++] = (struct prompt_turn){rows_text(*rows, row, 0), rows_text(*rows, row, 1)};
    return true;
}

/* What an ask has read before it waits for a model. */
struct asked {
    struct rows *thread, *search, *earlier;
    struct passage_search *found;
    struct prompt_turn turns[PROMPT_TURNS_MOST];
    size_t turn_count;
    struct bank_items facts;
    bool embeddings_degraded;
    const char *fact_texts[FACTS_MOST];
};

static void asked_free(struct asked *asked)
{
    rows_free(&asked->thread);
    rows_free(&asked->search);
    rows_free(&asked->earlier);
    passage_search_free(&asked->found);
    bank_items_free(&asked->facts);
}

/* What is known of the reader and fits the question, for a model to write to them. Verbatim answers have no use for it. */
static bool read_facts(struct call *call, const char *query, struct asked *asked, struct err *err)
{
    if (!models_generator())
        return true;
    if (!bank_recall(call, query, FACTS_MOST, &asked->facts, err))
        return false;
    for (size_t i = 0; i < asked->facts.count; i++)
        asked->fact_texts[i] = asked->facts.items[i].fact;
    return true;
}

static bool ask_begin(struct call *call, const struct ask_params *params, struct asked *asked, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    embed_ahead(params->query);
    if (!call_tx(call, &tx, err) || !open_thread(tx, params, &asked->thread, err) ||
        !read_turns(tx, rows_text(asked->thread, 0, 0), &asked->earlier, asked->turns, &asked->turn_count, err) ||
        !passage_search_run(tx, call->caller.user_id, params->query, params->course_id, ANSWER_SOURCES, &asked->found,
                            err))
        return false;
    const struct bind values[] = {BIND_TEXT(params->query),
                                  BIND_INT((int64_t)asked->found->count),
                                  BIND_TEXT(params->course_id),
                                  BIND_TEXT(rows_text(asked->thread, 0, 0)),
                                  {0},
                                  {0},
                                  {0},
                                  {0}};
    if (!tx_send_last(tx, SQL_SEARCH_RECORD, values, COUNT_OF(values), err))
        return false;
    passage_search_read(asked->found);
    return tx_receive(tx, &asked->search, err) && tx_commit(&tx, err);
}

static bool ask_end(const struct search_write *write, const struct ask_params *params, const struct answer *answer,
                    const char *generation, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    if (!call_tx(write->call, &tx, err) ||
        !tx_run(tx, SQL_SEARCH_RECORD_TURN, NULL, err, BIND_TEXT(write->search_id), BIND_TEXT(write->thread_id),
                BIND_TEXT(params->query), BIND_TEXT(answer->text.data), BIND_TEXT(answer->citations.data),
                BIND_TEXT(answer->sentences.data), BIND_TEXT(answer->grounded ? "true" : "false"),
                BIND_TEXT(generation), BIND_INT((int64_t)write->fact_count)))
        return false;
    if (answer->grounded)
        bank_note(write->call, tx, BANK_ASK, params->query, params->course_id, NULL);
    return tx_commit(&tx, err);
}

static void write_answer(struct buf *result, const struct search_write *write, const struct answer *answer,
                         const char *generation, const struct asked *asked, double since)
{
    buf_json_open(result, '{');
    buf_json_member(result, "search_id", write->search_id);
    buf_json_member(result, "thread_id", write->thread_id);
    buf_json_member(result, "answer", answer->text.data);
    buf_json_member_raw(result, "citations", answer->citations.data);
    buf_json_member_raw(result, "sentences", answer->sentences.data);
    buf_json_member_bool(result, "grounded", answer->grounded);
    buf_json_member_int(result, "memory_used", (int64_t)write->fact_count);
    buf_json_member_bool(result, "memory_degraded", asked->facts.degraded);
    buf_json_member_bool(result, "embeddings_degraded", asked->embeddings_degraded);
    buf_json_member(result, "generation", generation);
    write_took(result, since);
    buf_json_close(result, '}');
}

static bool ask(struct call *call, const void *data, struct buf *result, struct err *err)
{
    const struct ask_params *params = data;
    double since = now_ms();
    AUTO(asked_free) struct asked asked = {0};
    AUTO(answer_free) struct answer answer = {0};
    const char *generation = NULL;
    bool ready = ask_begin(call, params, &asked, err) && read_facts(call, params->query, &asked, err);
    asked.embeddings_degraded = embed_reduced();
    embed_ahead(NULL);
    if (!ready)
        return false;
    struct search_write write = {.call = call,
                                 .stream = params->stream,
                                 .search_id = rows_text(asked.search, 0, 0),
                                 .thread_id = rows_text(asked.thread, 0, 0),
                                 .turns = asked.turns,
                                 .turn_count = asked.turn_count,
                                 .facts = asked.fact_texts,
                                 .fact_count = asked.facts.count};
    if (!search_write(&write, params->query, asked.found, &answer, &generation, err))
        return false;
    if (!strcmp(generation, "extractive")) /* sentences of the library know nothing of the reader */
        write.fact_count = 0;
    if (!ask_end(&write, params, &answer, generation, err))
        return false;
    write_answer(result, &write, &answer, generation, &asked, since);
    return true;
}

const struct method methods_search[] = {
    {.name = "search.query",
     .summary = "Find passages in the library.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = query_spec,
     .params_size = sizeof(struct query_params),
     .handler = query,
     .cost_of = query_cost,
     .lane_of = query_lane,
     .result = "{\"type\":\"object\",\"required\":[\"search_id\",\"query\",\"corrected\",\"results\",\"took_ms\"]}"},
    {.name = "search.ask",
     .summary = "Ask the library; the answer cites its pages.",
     .access = ACCESS_USER,
     .lane = LANE_SLOW,
     .cost = COST_ONE,
     .params = ask_spec,
     .params_size = sizeof(struct ask_params),
     .handler = ask,
     .keep = true,
     .result = "{\"type\":\"object\",\"required\":[\"search_id\",\"thread_id\",\"answer\",\"citations\",\"sentences\","
               "\"grounded\","
               "\"memory_used\",\"memory_degraded\",\"generation\",\"took_ms\"]}"},
    {.name = "search.thread",
     .summary = "The questions and answers of a thread.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = thread_spec,
     .params_size = sizeof(struct thread_params),
     .sql = SQL_SEARCH_THREAD,
     .result = "{\"type\":\"object\",\"required\":[\"turns\"]}"},
    {.name = "search.history",
     .summary = "Your earlier searches.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = list_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_SEARCH_HISTORY,
     .result = ITEMS_SCHEMA},
    {.name = "search.clear_history",
     .summary = "Forget your earlier searches and their answers.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .sql = SQL_SEARCH_CLEAR_HISTORY,
     .result = "{\"type\":\"object\",\"required\":[\"deleted\"]}"},
    {0},
};
