/* sync.c - one round of sending facts to the outside memory service, and of erasing there. */
#include "server/memory/sync.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "server/memory/hindsight.h"
#include "server/store/tx.h"

enum { REFUSALS_MOST = 5, POLL_SECONDS = 2, POLL_MOST = 30, AWAY_MOST = 300, BANKS_KNOWN = 256 };

static int gave_up(const char *what, const struct err *err)
{
    log_event(LOG_WARN, "memory", "doing=%s error=%s", what, log_quote(err->log));
    return -1;
}

/* Seconds before the next try: 1, 2, 4 … or what the service asked for. */
static int64_t pause_after(int64_t tries, const struct err *err)
{
    int64_t wait = INT64_C(1) << (tries < 8 ? tries : 8);
    if (err->retry_after_ms > wait * 1000)
        wait = err->retry_after_ms / 1000 + 1;
    return wait < AWAY_MOST ? wait : AWAY_MOST;
}

struct fact_row {
    const char *id, *user_id, *state, *operation;
    struct hindsight_fact fact;
    int64_t attempts;
};

static bool note_fact(const struct fact_row *row, const char *state, const char *operation, int64_t attempts,
                      int64_t seconds, const char *sentence, struct err *err)
{
    return tx_worker(SQL_MEMORY_SYNC_NOTE, NULL, err, BIND_TEXT(state), BIND_INT(attempts), BIND_TEXT(operation),
                     BIND_INT(seconds), BIND_TEXT(sentence), BIND_TEXT(row->id));
}

/* The service refused it: again with a new operation, until it has failed for good. */
static bool refused(const struct fact_row *row, bool for_ever, const char *why, struct err *err)
{
    char sentence[300];
    bool last = for_ever || row->attempts + 1 >= REFUSALS_MOST;
    snprintf(sentence, sizeof sentence, "The memory service did not take this fact: %s",
             *why ? why : "it gave no reason.");
    return note_fact(row, last ? "failed" : "pending", "", row->attempts + 1,
                     pause_after(row->attempts, &(struct err){0}), sentence, err);
}

/* A bank is made once by each node before its first fact, so that nothing is derived from what is in it. */
static bool bank_made(struct hindsight *h, const char *user_id, struct err *err)
{
    static char known[BANKS_KNOWN][37];
    static unsigned next;
    for (size_t i = 0; i < BANKS_KNOWN; i++)
        if (!strcmp(known[i], user_id))
            return true;
    if (!hindsight_bank(h, user_id, err))
        return false;
    snprintf(known[next++ % BANKS_KNOWN], sizeof known[0], "%s", user_id);
    return true;
}

static bool settle(const struct fact_row *row, enum hindsight_state state, const char *operation, const char *message,
                   struct err *err)
{
    switch (state) {
    case HINDSIGHT_COMPLETED: return note_fact(row, "synced", operation, row->attempts, 0, NULL, err);
    case HINDSIGHT_FAILED: return refused(row, false, message, err);
    case HINDSIGHT_UNKNOWN: return note_fact(row, "pending", "", row->attempts, POLL_SECONDS, NULL, err);
    case HINDSIGHT_PENDING: break;
    }
    bool first = !strcmp(row->state, "pending");
    return note_fact(row, "sent", operation, row->attempts, first ? POLL_SECONDS : POLL_MOST, NULL, err);
}

/* false: the service or the database is away, and `err` says which; the row comes back when its lease ends, or
 * sooner where that could be noted. */
static bool handle_fact(struct hindsight *h, const struct fact_row *row, struct err *err)
{
    char operation[40] = "", message[200] = "";
    enum hindsight_state state = HINDSIGHT_PENDING;
    bool sent = !strcmp(row->state, "sent");
    snprintf(operation, sizeof operation, "%s", row->operation);
    bool fine = sent ? hindsight_operation(h, row->user_id, row->operation, &state, message, err)
                     : bank_made(h, row->user_id, err) &&
                           hindsight_retain(h, row->user_id, NULL, &row->fact, operation, &state, err);
    if (fine)
        return settle(row, state, operation, message, err);
    struct err why = *err;
    if (why.code == ERR_INVALID_PARAMS)
        return refused(row, true, err_sentence(&why), err);
    if (why.code == ERR_CONFLICT)
        return note_fact(row, "pending", "", row->attempts, 1, NULL, err);
    if (!note_fact(row, row->state, row->operation, row->attempts, pause_after(3, &why),
                   "The memory service does not answer.", err))
        return false;
    *err = why;
    return false;
}

int sync_facts(struct hindsight *h, bool (*stop)(void))
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (!tx_worker(SQL_MEMORY_SYNC_CLAIM, &rows, &err, BIND_INT(SYNC_BATCH)))
        return gave_up("claim", &err);
    for (int i = 0; i < rows_count(rows); i++) {
        struct fact_row row = {.id = rows_text(rows, i, 0),
                               .user_id = rows_text(rows, i, 1),
                               .state = rows_text(rows, i, 5),
                               .operation = rows_text(rows, i, 6),
                               .attempts = rows_int(rows, i, 7, 0),
                               .fact = {.fact_id = rows_text(rows, i, 0),
                                        .operation_id = rows_text(rows, i, 6),
                                        .fact = rows_text(rows, i, 2),
                                        .source = rows_text(rows, i, 3),
                                        .at = rows_text(rows, i, 4)}};
        if (stop())
            return -1;
        if (!handle_fact(h, &row, &err))
            return gave_up("send", &err);
    }
    return rows_count(rows);
}

static bool erase(struct hindsight *h, const struct rows *rows, int i, struct err *err)
{
    const char *user_id = rows_text(rows, i, 1), *operation = rows_text(rows, i, 4);
    if (strcmp(rows_text(rows, i, 2), "fact") != 0)
        return hindsight_forget_bank(h, user_id, NULL, err);
    return (!operation || hindsight_cancel(h, user_id, operation, err)) &&
           hindsight_forget(h, user_id, rows_text(rows, i, 3), NULL, err);
}

int sync_erasures(struct hindsight *h, bool (*stop)(void))
{
    AUTO(rows_free) struct rows *rows = NULL;
    struct err err = {0};
    if (!tx_worker(SQL_MEMORY_ERASURE_CLAIM, &rows, &err, BIND_INT(SYNC_BATCH)))
        return gave_up("claim_erasures", &err);
    for (int i = 0; i < rows_count(rows); i++) {
        int64_t attempts = rows_int(rows, i, 5, 0) + 1;
        if (stop())
            return -1;
        bool done = erase(h, rows, i, &err),
             final = !done && err.code == ERR_INVALID_PARAMS && attempts >= REFUSALS_MOST;
        struct err why = err;
        if (!tx_worker(
                SQL_MEMORY_ERASURE_NOTE, NULL, &err,
                BIND_TEXT(done    ? "done"
                          : final ? "failed"
                                  : "pending"),
                BIND_INT(attempts), BIND_INT(done ? 0 : pause_after(attempts, &why)),
                BIND_TEXT(final ? "The memory service refused to erase this." : "The memory service does not answer."),
                BIND_TEXT(rows_text(rows, i, 0))))
            return gave_up("note_erasure", &err);
        if (!done && why.code != ERR_INVALID_PARAMS)
            return gave_up("erase", &why);
    }
    return rows_count(rows);
}
