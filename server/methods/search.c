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
#include "server/methods/shapes.h"
#include "server/retrieval/embed.h"
#include "server/models/models.h"
#include "server/rpc/method.h"

enum { FACTS_MOST = 5 }; /* about the reader, that a model gets to see */

#define QUERY_PARAMS(P, S)                                           \
    P(S, TEXT, query, REQUIRED, .line = true, .min = 1, .max = 1000) \
    P(S, INT, limit, OPTIONAL, .min = 1, .max = 50, .fallback = 10)  \
    P(S, UUID, course_id, OPTIONAL)                                  \
    P(S, BOOL, preview, OPTIONAL)
METHOD_PARAMS(query, QUERY_PARAMS);

#define ASK_PARAMS(P, S)                                             \
    P(S, TEXT, query, REQUIRED, .line = true, .min = 1, .max = 1000) \
    P(S, UUID, course_id, OPTIONAL)                                  \
    P(S, UUID, thread_id, OPTIONAL)                                  \
    P(S, BOOL, stream, OPTIONAL)
METHOD_PARAMS(ask, ASK_PARAMS);

#define THREAD_PARAMS(P, S) P(S, UUID, thread_id, REQUIRED)
METHOD_PARAMS(thread, THREAD_PARAMS);

#define LIST_PARAMS(P, S) PARAMS_LIST(P, S)
METHOD_PARAMS(list, LIST_PARAMS);

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
static bool find(struct call *call, struct tx *tx, const struct query_params *params,
                 const struct embed_question *vector, struct passage_search **found, struct rows **recorded,
                 struct err *err)
{
    const struct passage_search_query query = {.user_id = call->caller.user_id,
                                               .text = params->query,
                                               .course = params->course_id,
                                               .vector = vector,
                                               .most = (size_t)params->limit};
    return passage_search_candidates(tx, &query, found, err) && send_both(call, tx, params, *found, err) &&
           passage_search_receive(tx, *found, err) &&
           (!passage_search_short(*found) || make_up(tx, params, *found, recorded, err)) &&
           tx_send_last(tx, QUERY_NONE, NULL, 0, err);
}

METHOD_HANDLER(query, query)
{
    double since = now_ms();
    AUTO(passage_search_free) struct passage_search *found = NULL;
    AUTO(rows_free) struct rows *recorded = NULL;
    AUTO(buf_free) struct buf list = {0};
    AUTO(tx_free) struct tx *own = NULL; /* in the slow lane */
    AUTO(embed_question_free) struct embed_question vector = {0};
    if (!call->tx)
        embed_question(&vector, params->query);
    if (!call->tx && !call_tx(call, &own, err))
        return false;
    struct tx *tx = call->tx ? call->tx : own;
    if (!find(call, tx, params, &vector, &found, &recorded, err))
        return false;
    passage_search_read(found);
    write_results(&list, found);
    if ((!params->preview && !recorded && !tx_receive(tx, &recorded, err)) || !tx_receive(tx, NULL, err))
        return false;
    write_found(result, params, found, &list, params->preview ? NULL : rows_text(recorded, 0, 0), vector.unanswered,
                since);
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
    struct embed_question vector;
    const char *fact_texts[FACTS_MOST];
};

static void asked_free(struct asked *asked)
{
    rows_free(&asked->thread);
    rows_free(&asked->search);
    rows_free(&asked->earlier);
    passage_search_free(&asked->found);
    bank_items_free(&asked->facts);
    embed_question_free(&asked->vector);
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
    const struct passage_search_query query = {.user_id = call->caller.user_id,
                                               .text = params->query,
                                               .course = params->course_id,
                                               .vector = &asked->vector,
                                               .most = ANSWER_SOURCES};
    embed_question(&asked->vector, params->query);
    if (!call_tx(call, &tx, err) || !open_thread(tx, params, &asked->thread, err) ||
        !read_turns(tx, rows_text(asked->thread, 0, 0), &asked->earlier, asked->turns, &asked->turn_count, err) ||
        !passage_search_run(tx, &query, &asked->found, err))
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
    buf_json_member_bool(result, "embeddings_degraded", asked->vector.unanswered);
    buf_json_member(result, "generation", generation);
    write_took(result, since);
    buf_json_close(result, '}');
}

METHOD_HANDLER(ask, ask)
{
    double since = now_ms();
    AUTO(asked_free) struct asked asked = {0};
    AUTO(answer_free) struct answer answer = {0};
    const char *generation = NULL;
    if (!ask_begin(call, params, &asked, err) || !read_facts(call, params->query, &asked, err))
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
    {METHOD_CALL("search.query", query, query), .summary = "Find passages in the library.",
     .description = "highlights are pairs of code points of snippet. corrected is the spelling that was searched, or "
                    "null. preview is for search as you type: it records nothing and costs a tenth.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .cost_of = query_cost, .lane_of = query_lane,
     .result = "{search_id: uuid | null, query: text, corrected: text | null, results: [{" SHAPE_PLACE
               ", heading: text | null, snippet: text, highlights: [[int]], score: number}], embeddings_degraded: "
               "bool, took_ms: number}",
     .example = "{'query': 'activation energy', 'limit': 10}",
     .example_result =
         "{'search_id': 'e8d7c6b5-a493-4827-b615-04f3e2d1c0bf', 'query': 'activation energy', 'corrected': null, "
         "'results': [{'chunk_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'pdf_id': "
         "'7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes', 'page': 2, 'page_label': '2', 'heading': "
         "'Activation energy', 'snippet': 'Enzymes lower the activation energy of a reaction.', 'highlights': [[18, "
         "28], [29, 35]], 'score': 0.91}], 'embeddings_degraded': false, 'took_ms': 2.1}"},
    {METHOD_CALL("search.ask", ask, ask), .summary = "Ask the library; the answer cites its pages.",
     .description = "Every [n] in answer is in citations. grounded false: the library does not say, and the "
                    "answer says so. With stream, search.sources and search.delta come first. thread_id goes "
                    "on with an earlier question.",
     .access = ACCESS_USER, .lane = LANE_SLOW, .cost = COST_ONE, .keep = true,
     .result = "{search_id: uuid, thread_id: uuid, answer: text, citations: " SHAPE_CITATIONS
               ", sentences: [{start: int, end: int, n: int | null, support: " SHAPE_SUPPORT
               "}], grounded: bool, memory_used: int, memory_degraded: bool, embeddings_degraded: bool, "
               "generation: text, took_ms: number}",
     .example = "{'query': 'What lowers the activation energy?', 'stream': false}",
     .example_result =
         "{'search_id': 'e8d7c6b5-a493-4827-b615-04f3e2d1c0bf', 'thread_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8', "
         "'answer': 'Enzymes lower the activation energy of a reaction. [1]', 'citations': [{'n': 1, 'chunk_id': "
         "'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': "
         "'Enzymes', 'page': 2, 'page_label': '2', 'quote': 'Enzymes lower the activation energy of a reaction.', "
         "'support': 'quoted'}], 'sentences': [{'start': 0, 'end': 54, 'n': 1, 'support': 'quoted'}], 'grounded': "
         "true, 'memory_used': 0, 'memory_degraded': false, 'embeddings_degraded': false, 'generation': 'extractive', "
         "'took_ms': 3.4}"},
    {METHOD_QUERY("search.thread", thread, SQL_SEARCH_THREAD), .summary = "The questions and answers of a thread.",
     .description = "An answer whose asker lost the connection is found here.", .access = ACCESS_USER,
     .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{turns: [{search_id: uuid, query: text, answer: text, citations: " SHAPE_CITATIONS ", at: time}]}",
     .example = "{'thread_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8'}",
     .example_result =
         "{'turns': [{'search_id': 'e8d7c6b5-a493-4827-b615-04f3e2d1c0bf', 'query': 'What lowers the activation "
         "energy?', 'answer': 'Enzymes lower the activation energy of a reaction. [1]', 'citations': [{'n': 1, "
         "'chunk_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', "
         "'title': 'Enzymes', 'page': 2, 'page_label': '2', 'quote': 'Enzymes lower the activation energy of a "
         "reaction.', 'support': 'quoted'}], 'at': '2026-11-23T09:00:00.000Z'}]}"},
    {METHOD_QUERY("search.history", list, SQL_SEARCH_HISTORY), .summary = "Your earlier searches.",
     .description = "Newest first.", .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = SHAPE_LIST("{search_id: uuid, thread_id: uuid | null, query: text, "
                          "results: int, at: time}"),
     .example = "{'limit': 50}",
     .example_result = "{'items': [{'search_id': 'e8d7c6b5-a493-4827-b615-04f3e2d1c0bf', 'thread_id': null, 'query': "
                       "'activation energy', 'results': 11, 'at': '2026-11-23T09:00:00.000Z'}], 'next_cursor': null}"},
    {METHOD_QUERY("search.clear_history", none, SQL_SEARCH_CLEAR_HISTORY),
     .summary = "Forget your earlier searches and their answers.", .description = "Threads and their answers go too.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .result = "{deleted: int}", .example = "{}",
     .example_result = "{'deleted': 42}"},
    {0},
};
