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
#include "server/models/fair.h"
#include "server/models/models.h"
#include "server/models/prompt.h"

#define ITEMS_SCHEMA "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"

enum { FACT_CHARACTERS = 2000, PROMPT_FACTS = 200, MODEL_SECONDS = 120 };

static bool status(struct call *call, const void *params, struct buf *result, struct err *err)
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

struct retain_params {
    const char *fact;
};
static const struct param retain_spec[] = {PARAM(TEXT, struct retain_params, fact, .min = 1, .max = FACT_CHARACTERS),
                                           {0}};

static void kept_free(struct bank_kept *kept)
{
    buf_free(&kept->fact);
}

static bool retain(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct retain_params *p = params;
    AUTO(kept_free) struct bank_kept kept = {0};
    if (!p->fact[strspn(p->fact, " \t\r\n")])
        return err_field(err, "fact", "is empty. Say what should be remembered.");
    if (!bank_retain(call, call->tx, p->fact, &kept, err))
        return false;
    buf_json_open(result, '{');
    buf_json_member(result, "fact_id", kept.fact_id[0] ? kept.fact_id : NULL);
    buf_json_member(result, "fact", kept.fact.data);
    buf_json_member_int(result, "redactions", kept.redactions);
    buf_json_close(result, '}');
    return true;
}

struct recall_params {
    const char *query;
    int64_t limit;
};
static const struct param recall_spec[] = {
    PARAM(TEXT, struct recall_params, query, .min = 1, .max = 1000),
    PARAM(INT, struct recall_params, limit, .optional = true, .min = 1, .max = 50, .fallback = 10),
    {0}};

static bool recall(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct recall_params *p = params;
    AUTO(bank_items_free) struct bank_items items = {0};
    if (!bank_recall(call, p->query, (size_t)p->limit, &items, err))
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

struct list_params {
    const char *query;
    int64_t limit;
    const char *cursor;
};
static const struct param list_spec[] = {
    PARAM(TEXT, struct list_params, query, .optional = true, .max = 1000), PARAMS_LIST(struct list_params), {0}};
static const struct param log_spec[] = {PARAMS_LIST(struct list_params), {0}};

struct forget_params {
    const char *fact_id;
    bool all;
};
static const struct param forget_spec[] = {PARAM(UUID, struct forget_params, fact_id, .optional = true),
                                           PARAM(BOOL, struct forget_params, all, .optional = true),
                                           {0}};

static bool forget(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct forget_params *p = params;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!p->fact_id == !p->all)
        return err_field(err, "fact_id", "or all: say which one fact, or all of them.");
    if (!tx_run(call->tx, SQL_MEMORY_FORGET, &rows, err, BIND_TEXT(p->fact_id)))
        return false;
    buf_json_raw(result, rows_text(rows, 0, 0));
    return true;
}

struct reflect_params {
    const char *user_id;
};
static const struct param reflect_spec[] = {PARAM(UUID, struct reflect_params, user_id, .optional = true), {0}};

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

/* Wordings are shown to teachers, too: what identifies the person goes as it does from facts. */
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

static bool think(struct call *call, const char *begun, struct thought *t, char reflection_id[37], struct err *err)
{
    AUTO(json_freep) cJSON *rows = json_parse(begun, strlen(begun), err);
    if (!rows)
        return false;
    int64_t now = (int64_t)time(NULL);
    memcpy(reflection_id, json_text(rows, "reflection_id", "                                    "), 37);
    t->own = !strcmp(json_text(rows, "user_id", ""), call->caller.user_id);
    reflect_compute(&t->stats, rows, now);
    if (!redact_labels(&t->stats, rows, err))
        return false;
    if (!from_hindsight(call, rows, t) && !from_model(call, rows, t)) {
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

static bool reflect(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct reflect_params *p = params;
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(thought_free) struct thought thought = {0};
    char id[37] = "";
    if (!call_tx(call, &tx, err) || !tx_run(tx, SQL_MEMORY_REFLECTION_BEGIN, &rows, err, BIND_TEXT(p->user_id)) ||
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
    {.name = "memory.status",
     .summary = "Is memory on, and does it answer?",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .handler = status,
     .result = "{\"type\":\"object\",\"required\":[\"enabled\",\"provider\",\"reachable\",\"facts\",\"pending_sync\","
               "\"failed_sync\",\"last_error\"]}"},
    {.name = "memory.retain",
     .summary = "Tell EduRag something to remember.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = retain_spec,
     .params_size = sizeof(struct retain_params),
     .handler = retain,
     .result = "{\"type\":\"object\",\"required\":[\"fact_id\",\"fact\",\"redactions\"]}"},
    {.name = "memory.recall",
     .summary = "Find facts by meaning.",
     .access = ACCESS_USER,
     .lane = LANE_SLOW,
     .cost = COST_ONE,
     .params = recall_spec,
     .params_size = sizeof(struct recall_params),
     .handler = recall,
     .result = "{\"type\":\"object\",\"required\":[\"items\",\"provider\",\"degraded\"]}"},
    {.name = "memory.list",
     .summary = "What is remembered about you.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = list_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_MEMORY_LIST,
     .result = ITEMS_SCHEMA},
    {.name = "memory.forget",
     .summary = "Erase one fact, or everything that was learned about you.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = forget_spec,
     .params_size = sizeof(struct forget_params),
     .handler = forget,
     .result = "{\"type\":\"object\",\"required\":[\"forgotten\"]}"},
    {.name = "memory.export",
     .summary = "All that is kept about you.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .sql = SQL_MEMORY_EXPORT,
     .result = "{\"type\":\"object\",\"required\":[\"account\",\"facts\",\"searches\",\"turns\",\"reflections\","
               "\"chat\",\"access_log\"]}"},
    {.name = "memory.access_log",
     .summary = "Who looked at your memory.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = log_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_MEMORY_ACCESS_LOG,
     .result = ITEMS_SCHEMA},
    {.name = "memory.reflect",
     .summary = "What was covered, how often, and where it went quiet.",
     .access = ACCESS_USER,
     .lane = LANE_SLOW,
     .cost = COST_ONE,
     .params = reflect_spec,
     .params_size = sizeof(struct reflect_params),
     .handler = reflect,
     .result = "{\"type\":\"object\",\"required\":[\"summary\",\"topics\",\"active_days\",\"last_active_at\",\"quiet_"
               "since\",\"provider\"]}"},
    {0}};
