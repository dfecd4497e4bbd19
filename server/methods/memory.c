/* memory.c - what is remembered about a person: to see, to correct, to erase, and to think about. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/log.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/memory/bank.h"
#include "server/memory/hindsight.h"
#include "server/memory/memory.h"
#include "server/memory/reflect.h"
#include "server/memory/subjects.h"
#include "server/methods/shapes.h"
#include "server/models/fair.h"
#include "server/models/models.h"
#include "server/models/prompt.h"

enum { FACT_CHARACTERS = 2000, PROMPT_FACTS = 200, MODEL_SECONDS = 120 };

METHOD_HANDLER(status, none)
{
    (void)params;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run0(call->tx, SQL_MEMORY_STATUS, &rows, err))
        return false;
    buf_json_open(result, '{');
    buf_json_member_bool(result, "enabled", memory_enabled());
    buf_json_member(result, "provider", memory_provider());
    buf_json_member_bool(result, "reachable", memory_reachable());
    buf_json_member_int(result, "facts", rows_int(rows, 0, 0, 0));
    buf_json_member_int(result, "pending_sync", rows_int(rows, 0, 1, 0));
    buf_json_member_int(result, "failed_sync", rows_int(rows, 0, 2, 0));
    buf_json_member(result, "last_error", rows_text(rows, 0, 3));
    buf_json_close(result, '}');
    return true;
}

#define RETAIN_PARAMS(P, S) P(S, TEXT, fact, REQUIRED, .min = 1, .max = FACT_CHARACTERS)
METHOD_PARAMS(retain, RETAIN_PARAMS);

static void kept_free(struct bank_kept *kept)
{
    buf_free(&kept->fact);
}

METHOD_HANDLER(retain, retain)
{
    AUTO(kept_free) struct bank_kept kept = {0};
    if (!params->fact[strspn(params->fact, " \t\r\n")])
        return err_field(err, "fact", "is empty. Say what should be remembered.");
    if (!bank_retain(call, call->tx, params->fact, &kept, err))
        return false;
    buf_json_open(result, '{');
    buf_json_member(result, "fact_id", kept.fact_id[0] ? kept.fact_id : NULL);
    buf_json_member(result, "fact", kept.fact.data);
    buf_json_member_int(result, "redactions", kept.redactions);
    buf_json_close(result, '}');
    return true;
}

#define RECALL_PARAMS(P, S)                                          \
    P(S, TEXT, query, REQUIRED, .line = true, .min = 1, .max = 1000) \
    P(S, INT, limit, OPTIONAL, .min = 1, .max = 50, .fallback = 10)
METHOD_PARAMS(recall, RECALL_PARAMS);

METHOD_HANDLER(recall, recall)
{
    AUTO(bank_items_free) struct bank_items items = {0};
    if (!bank_recall(call, params->query, (size_t)params->limit, &items, err))
        return false;
    buf_json_open(result, '{');
    buf_json_key(result, "items");
    buf_json_open(result, '[');
    for (size_t i = 0; i < items.count; i++) {
        buf_json_open(result, '{');
        buf_json_member(result, "fact_id", items.items[i].fact_id);
        buf_json_member(result, "fact", items.items[i].fact);
        buf_json_key(result, "score");
        buf_json_double(result, items.items[i].score);
        buf_json_member(result, "at", items.items[i].at);
        buf_json_close(result, '}');
    }
    buf_json_close(result, ']');
    buf_json_member(result, "provider", items.degraded ? "builtin" : memory_provider());
    buf_json_member_bool(result, "degraded", items.degraded);
    buf_json_close(result, '}');
    return true;
}

#define LIST_PARAMS(P, S)                                  \
    P(S, TEXT, query, OPTIONAL, .line = true, .max = 1000) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(list, LIST_PARAMS);
#define LOG_PARAMS(P, S) PARAMS_LIST(P, S)
METHOD_PARAMS(log, LOG_PARAMS);

#define FORGET_PARAMS(P, S)       \
    P(S, UUID, fact_id, OPTIONAL) \
    P(S, BOOL, all, OPTIONAL)
METHOD_PARAMS(forget, FORGET_PARAMS);

METHOD_HANDLER(forget, forget)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!params->fact_id == !params->all)
        return err_field(err, "fact_id", "or all: say which one fact, or all of them.");
    if (!tx_run(call->tx, SQL_MEMORY_FORGET, &rows, err, BIND_TEXT(params->fact_id)))
        return false;
    buf_json_raw(result, rows_text(rows, 0, 0));
    return true;
}

#define REFLECT_PARAMS(P, S) P(S, UUID, user_id, OPTIONAL)
METHOD_PARAMS(reflect, REFLECT_PARAMS);

struct thought {
    struct reflect stats;
    struct buf summary;
    const char *provider;
    bool own;
};

static void thought_free(struct thought *t)
{
    reflect_free(&t->stats);
    buf_free(&t->summary);
}

static bool cancelled(void *context)
{
    return call_cancelled(context);
}

/* A model may write as long as it likes; a reflection waits this long for its turn and for it. */
struct patience {
    struct call *call;
    int64_t until;
};

static bool lost_patience(void *context)
{
    const struct patience *patience = context;
    return call_cancelled(patience->call) || wait_now() >= patience->until;
}

static void unheard(void *context, const char *text, size_t length)
{
    (void)context, (void)text, (void)length;
}

static const char question_text[] = "In at most five plain sentences: what has this student worked on, how has that "
                                    "changed over time, and where did it go quiet?";

static bool from_hindsight(struct call *call, const cJSON *rows, struct thought *t)
{
    struct err why = {0};
    struct redact_person person = {json_text(rows, "name", ""), json_text(rows, "institution_id", "")};
    if (!memory_hindsight() || !hindsight_reflect(memory_hindsight(), json_text(rows, "user_id", ""), &person,
                                                  question_text, cancelled, call, &t->summary, &why))
        return false;
    t->provider = "hindsight";
    return true;
}

static bool from_model(struct call *call, const cJSON *rows, struct thought *t)
{
    struct models_generator *generator = models_generator();
    const char *facts[PROMPT_FACTS];
    size_t count = 0;
    const cJSON *fact;
    cJSON_ArrayForEach (fact, json_get(rows, "facts"))
        if (count < PROMPT_FACTS)
            facts[count++] = json_text(fact, "fact", "");
    if (!generator || !memory_enabled() || !count)
        return false;
    AUTO(prompt_free) struct prompt prompt = {0};
    AUTO(models_answer_free) struct models_answer answer = {0};
    struct err why = {0};
    struct patience patience = {call, wait_now() + MODEL_SECONDS * 1000};
    const struct models_listener listener = {.delta = unheard, .cancelled = lost_patience, .context = &patience};
    const struct fair_waiter waiter = {.cancelled = lost_patience, .context = &patience};
    prompt_make_reflection(&prompt, facts, count);
    if (!models_generate(call->caller.user_id, &waiter, &prompt.question, &listener, &answer, &why) ||
        answer.end == MODELS_END_BROKEN || !answer.text.length)
        return false;
    buf_text(&t->summary, answer.text.data);
    t->provider = generator->provider;
    return true;
}

/* What identifies the person goes from their own wordings as it does from facts. */
static bool redact_labels(struct reflect *stats, const cJSON *rows, struct err *err)
{
    struct redact_person person = {json_text(rows, "name", ""), json_text(rows, "institution_id", "")};
    for (size_t i = 0; i < stats->topics.count; i++) {
        struct buf label = {0};
        struct topic *topic = &stats->topics.items[i];
        if (!redact_text(&person, topic->label, strlen(topic->label), &label, NULL, err)) {
            buf_free(&label);
            return false;
        }
        free(topic->label);
        topic->label = buf_take(&label);
    }
    return true;
}

/* On somebody else: the rows that the caller may be told of, with what the library calls it in place of each wording. */
static bool read_others(const char *reflection_id, cJSON *rows, struct err *err)
{
    AUTO(rows_free) struct rows *read = NULL;
    AUTO(subjects_freep) struct subjects *subjects = NULL;
    if (!tx_worker(SQL_WORKER_REFLECTION_ROWS, &read, err, BIND_TEXT(reflection_id)))
        return false;
    const char *text = rows_count(read) ? rows_text(read, 0, 0) : NULL;
    if (!text)
        return err_say(err, ERR_NOT_FOUND, "There is no such student in your courses.");
    AUTO(json_freep) cJSON *known = json_parse(text, strlen(text), err);
    cJSON *search;
    if (!known || !subjects_load(json_text(known, "courses", "{}"), &subjects, err))
        return false;
    cJSON_ArrayForEach (search, json_get(known, "searches")) {
        const char *subject = subjects_find(subjects, json_text(search, "query", ""));
        cJSON_ReplaceItemInObjectCaseSensitive(search, "query", cJSON_CreateString(subject ? subject : ""));
    }
    static const char *const members[] = {"searches", "opens"};
    for (size_t i = 0; i < COUNT_OF(members); i++)
        cJSON_AddItemToObject(rows, members[i], cJSON_DetachItemFromObjectCaseSensitive(known, members[i]));
    return true;
}

static bool think(struct call *call, const char *begun, struct thought *t, char reflection_id[37], struct err *err)
{
    AUTO(json_freep) cJSON *rows = json_parse(begun, strlen(begun), err);
    if (!rows)
        return false;
    int64_t now = (int64_t)time(NULL);
    memcpy(reflection_id, json_text(rows, "reflection_id", "                                    "), 37);
    t->own = !strcmp(json_text(rows, "user_id", ""), call->caller.user_id);
    if (!t->own && !read_others(reflection_id, rows, err))
        return false;
    reflect_compute(&t->stats, rows, now);
    if (t->own && !redact_labels(&t->stats, rows, err))
        return false;
    /* A model or an outside memory knows the person's words, and all of them: it is asked about oneself alone. */
    if (!t->own || (!from_hindsight(call, rows, t) && !from_model(call, rows, t))) {
        buf_clear(&t->summary);
        reflect_prose(&t->stats, t->own, now, &t->summary);
        t->provider = "builtin";
    }
    return true;
}

/* What stays begun because not even this can be written ends when its lease does. */
static void give_up(struct call *call, const char *id)
{
    AUTO(tx_free) struct tx *tx = NULL;
    struct err err = {0};
    if (!call_tx(call, &tx, &err) ||
        !tx_run(tx, SQL_MEMORY_REFLECTION_END, NULL, &err, BIND_TEXT(id), BIND_TEXT(NULL), BIND_TEXT(NULL),
                BIND_TEXT("This could not be written. Please ask again.")) ||
        !tx_commit(&tx, &err))
        log_event(LOG_WARN, "memory", "doing=reflection_end error=%s", log_quote(err.log));
}

METHOD_HANDLER(reflect, reflect)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(thought_free) struct thought thought = {0};
    char id[37] = "";
    if (!call_tx(call, &tx, err) || !tx_run(tx, SQL_MEMORY_REFLECTION_BEGIN, &rows, err, BIND_TEXT(params->user_id)) ||
        !tx_commit(&tx, err))
        return false;
    if (!think(call, rows_text(rows, 0, 0), &thought, id, err)) {
        give_up(call, id);
        return false;
    }
    if (!call_tx(call, &tx, err) ||
        !tx_run(tx, SQL_MEMORY_REFLECTION_END, NULL, err, BIND_TEXT(id), BIND_TEXT(thought.provider),
                BIND_TEXT(thought.summary.data), BIND_TEXT(NULL)) ||
        !tx_commit(&tx, err))
        return false;
    buf_json_open(result, '{');
    buf_json_member(result, "summary", thought.summary.data);
    reflect_write(&thought.stats, (int64_t)time(NULL), result);
    buf_json_member(result, "provider", thought.provider);
    buf_json_close(result, '}');
    return true;
}

const struct method methods_memory[] = {
    {METHOD_CALL("memory.status", none, status), .summary = "Is memory on, and does it answer?",
     .description = "facts are the caller's own; pending_sync and failed_sync are those of them that an outside "
                    "service still lacks.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{enabled: bool, provider: 'hindsight' | 'builtin' | 'off', reachable: bool, facts: int, pending_sync: "
               "int, failed_sync: int, last_error: text | null}",
     .example = "{}",
     .example_result = "{'enabled': true, 'provider': 'builtin', 'reachable': true, 'facts': 12, 'pending_sync': 0, "
                       "'failed_sync': 0, 'last_error': null}"},
    {METHOD_CALL("memory.retain", retain, retain), .summary = "Tell EduRag something to remember.",
     .description = "fact comes back as it was stored, personal details taken out. With memory off fact_id is null.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{fact_id: uuid | null, fact: text, redactions: int}",
     .example = "{'fact': 'I have an exam on enzymes in June.'}",
     .example_result = "{'fact_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'fact': 'I have an exam on enzymes in "
                       "June.', 'redactions': 0}"},
    {METHOD_CALL("memory.recall", recall, recall), .summary = "Find facts by meaning.",
     .description = "degraded: the outside service did not answer, and the built-in bank did. What an "
                    "outside service derived itself has fact_id null.",
     .access = ACCESS_USER, .lane = LANE_SLOW, .cost = COST_ONE,
     .result = "{items: [{fact_id: uuid | null, fact: text, score: number, at: time | null}], provider: "
               "'hindsight' | 'builtin' | 'off', degraded: bool}",
     .example = "{'query': 'exam', 'limit': 5}",
     .example_result =
         "{'items': [{'fact_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'fact': 'I have an exam on enzymes in June.', "
         "'score': 0.83, 'at': '2026-11-23T09:00:00.000Z'}], 'provider': 'builtin', 'degraded': false}"},
    {METHOD_QUERY("memory.list", list, SQL_MEMORY_LIST), .summary = "What is remembered about you.",
     .description = "Newest first; query finds a part of a fact.", .access = ACCESS_USER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_LIST("{fact_id: uuid, fact: text, source: text, count: int, at: time}"),
     .example = "{'query': 'enzyme'}",
     .example_result =
         "{'items': [{'fact_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'fact': 'searched for “enzyme inhibition”', "
         "'source': 'search', 'count': 3, 'at': '2026-11-23T09:00:00.000Z'}], 'next_cursor': null}"},
    {METHOD_CALL("memory.forget", forget, forget),
     .summary = "Erase one fact, or everything that was learned about you.",
     .description = "With all, search history, threads and reflections go too. What an outside "
                    "service holds is erased there as well.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{forgotten: {facts: int, searches: int, reflections: int}}",
     .example = "{'fact_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9'}",
     .example_result = "{'forgotten': {'facts': 1, 'searches': 0, 'reflections': 0}}"},
    {METHOD_QUERY("memory.export", none, SQL_MEMORY_EXPORT), .summary = "All that is kept about you.",
     .description = "Reading it leaves an entry in the access log. sessions and failed_logins hold the addresses that "
                    "logins came from; audit what the audit log says of one; kept every other row that names one, by "
                    "table and column, without hashes and digests. What others were told of one stands under "
                    "reflections; what one was told of others is theirs.",
     .access = ACCESS_USER, .lane = LANE_SLOW, .cost = COST_ONE,
     .result = "{account: {" SHAPE_USER_MEMBERS
               ", created_at: time, last_active_at: time | null}, facts: [object], searches: "
               "[object], turns: [object], opened: [object], reflections: [object], chat: "
               "[object], access_log: [object], sessions: [object], failed_logins: [object], audit: "
               "[object], erasures: [object], kept: object}",
     .example = "{}",
     .example_result =
         "{'account': {'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', "
         "'name': 'Maria Okafor', 'role': 'student', 'avatar': '', 'plain': false, 'created_at': "
         "'2026-11-23T09:00:00.000Z', 'last_active_at': '2026-11-23T09:00:00.000Z'}, 'facts': [], "
         "'searches': [], 'turns': [], 'opened': [], 'reflections': [], 'chat': [], 'access_log': [], 'sessions': [], "
         "'failed_logins': [], 'audit': [], 'erasures': [], 'kept': {}}"},
    {METHOD_QUERY("memory.access_log", log, SQL_MEMORY_ACCESS_LOG), .summary = "Who looked at your memory.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = SHAPE_LIST("{at: time, by: text, role: text | null, action: text}"), .example = "{'limit': 50}",
     .example_result = "{'items': [{'at': '2026-11-23T09:00:00.000Z', 'by': 'D. Novak', 'role': 'teacher', 'action': "
                       "'reflect'}], 'next_cursor': null}"},
    {METHOD_CALL("memory.reflect", reflect, reflect),
     .summary = "What was covered, how often, and where it went quiet.",
     .description = "On oneself, or with user_id on a student of "
                    "one's courses (an admin: on anyone); then it "
                    "always stands in that person's access log, and holds topics as the library's headings name them, "
                    "never the person's words; a teacher's covers searches in their own courses and pages of those "
                    "courses' documents alone.",
     .access = ACCESS_USER, .lane = LANE_SLOW, .cost = COST_ONE,
     .result = "{summary: text, topics: [{topic: text, searches: int, "
               "first_at: time, last_at: time, weeks: [{from: text, "
               "searches: int}]}], active_days: int, last_active_at: time "
               "| null, quiet_since: time | null, provider: text}",
     .example = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11'}",
     .example_result = "{'summary': 'Enzymes, mostly in the week of 16 November.', 'topics': [{'topic': 'Enzymes', "
                       "'searches': 7, 'first_at': '2026-11-23T09:00:00.000Z', 'last_at': '2026-11-23T09:00:00.000Z', "
                       "'weeks': [{'from': '2026-11-16', 'searches': 7}]}], 'active_days': 4, 'last_active_at': "
                       "'2026-11-23T09:00:00.000Z', 'quiet_since': null, 'provider': 'builtin'}"},
    {0}};
