/* users_import.c - many accounts at once, from a list as a spreadsheet saves it. */
#include "server/methods/users_import.h"

#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "server/methods/csv.h"
#include "server/methods/lookalike.h"

enum { BATCH = 8, COLUMNS = 3 }; /* a statement hashes so many passwords, well within its limit */

static const char *const columns[COLUMNS] = {"institution_id", "name", "role"};

static bool is_header(const struct csv_row *row)
{
    return row->count == COLUMNS && !row->problem && !strcasecmp(row->fields[0], columns[0]) &&
           !strcasecmp(row->fields[1], columns[1]) && !strcasecmp(row->fields[2], columns[2]);
}

static void write_row(struct buf *out, const struct csv_row *row)
{
    buf_json_open(out, '{');
    buf_json_member_int(out, "line", row->line);
    if (row->problem || row->count != COLUMNS)
        buf_json_member(out, "problem",
                        row->problem ? row->problem : "A line has three fields: institution_id,name,role.");
    for (int i = 0; i < COLUMNS && row->count == COLUMNS; i++)
        buf_json_member(out, columns[i], row->fields[i]);
    buf_json_close(out, '}');
}

/* The list as JSON: [{line, institution_id, name, role}], or with `problem` what can't be read. */
static bool read_list(const char *text, struct buf *people, struct err *err)
{
    struct csv csv;
    AUTO(csv_row_free) struct csv_row row = {0};
    int count = 0;
    csv_start(&csv, text);
    buf_json_open(people, '[');
    for (bool first = true; csv_next(&csv, &row); first = false) {
        if (first && is_header(&row))
            continue;
        if (++count > USERS_IMPORT_MOST) {
            err_say(err, ERR_TOO_LARGE, "A list may hold at most %d people. Please send it in parts.",
                    USERS_IMPORT_MOST);
            err->limit = USERS_IMPORT_MOST;
            return false;
        }
        write_row(people, &row);
    }
    buf_json_close(people, ']');
    return count ? true : err_field(err, "csv", "holds nobody: a line is institution_id,name,role.");
}

/* One statement that takes people and gives {…, skipped, errors}. */
static cJSON *ask(struct tx *tx, enum query query, const char *people, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(tx, query, &rows, err, BIND_TEXT(people)))
        return NULL;
    const char *text = rows_text(rows, 0, 0);
    return json_parse(text ? text : "", text ? strlen(text) : 0, err);
}

/* What has come of it so far; arrays are cJSON's. */
struct outcome {
    cJSON *created, *errors;
    int64_t skipped;
};

static void outcome_free(struct outcome *outcome)
{
    cJSON_Delete(outcome->created);
    cJSON_Delete(outcome->errors);
}

static void move(cJSON *to, const cJSON *from)
{
    while (from && from->child)
        cJSON_AddItemToArray(to, cJSON_DetachItemViaPointer((cJSON *)(uintptr_t)from, from->child));
}

static void add(struct outcome *outcome, const cJSON *answer)
{
    move(outcome->created, json_get(answer, "created"));
    move(outcome->errors, json_get(answer, "errors"));
    outcome->skipped += json_int(answer, "skipped", 0);
}

/* How far it is, for whoever asked: a thousand take minutes. */
static void tell(struct call *call, int done, int total)
{
    AUTO(buf_free) struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member_int(&params, "done", done);
    buf_json_member_int(&params, "total", total);
    if (call->id_json)
        buf_json_member_raw(&params, "id", call->id_json);
    buf_json_close(&params, '}');
    call_notify(call, "users.progress", params.data);
}

static void add_person(struct buf *batch, const cJSON *person)
{
    AUTO(json_freep) cJSON *copy = cJSON_Duplicate(person, true);
    AUTO(mem_freep) char *number = lookalike_number(json_text(person, "institution_id", ""));
    AUTO(mem_freep) char *name = lookalike_name(json_text(person, "name", ""));
    if (number)
        cJSON_AddStringToObject(copy, "id_skeleton", number);
    if (name)
        cJSON_AddStringToObject(copy, "name_skeleton", name);
    json_write(batch, copy);
}

/* Makes the accounts of `fresh`, some at a time; stops at the first that can't be made unless `partial`. */
static bool make(struct call *call, struct tx *tx, const cJSON *fresh, bool partial, struct outcome *outcome,
                 struct err *err)
{
    const cJSON *at = fresh ? fresh->child : NULL;
    int done = 0, total = cJSON_GetArraySize(fresh);
    while (at && (partial || !outcome->errors->child)) {
        AUTO(buf_free) struct buf batch = {0};
        buf_json_open(&batch, '[');
        for (int i = 0; at && i < BATCH; i++, at = at->next, done++)
            add_person(&batch, at);
        buf_json_close(&batch, ']');
        if (call_cancelled(call))
            return err_set(err, ERR_CANCELLED, "nobody waits for the passwords");
        AUTO(json_freep) cJSON *answer = ask(tx, SQL_USERS_IMPORT, batch.data, err);
        if (!answer)
            return false;
        add(outcome, answer);
        tell(call, done, total);
    }
    return true;
}

static void write_result(struct buf *result, const struct outcome *outcome, bool made)
{
    buf_json_open(result, '{');
    buf_json_key(result, "created");
    if (made)
        json_write(result, outcome->created);
    else
        buf_json_raw(result, "[]");
    buf_json_member_int(result, "skipped", outcome->skipped);
    buf_json_key(result, "errors");
    json_write(result, outcome->errors);
    buf_json_close(result, '}');
}

bool users_import(struct call *call, const char *csv, bool partial, struct buf *result, struct err *err)
{
    AUTO(buf_free) struct buf people = {0};
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(outcome_free) struct outcome outcome = {.created = cJSON_CreateArray(), .errors = cJSON_CreateArray()};
    if (!read_list(csv, &people, err) || !call_tx(call, &tx, err))
        return false;
    AUTO(json_freep) cJSON *checked = ask(tx, SQL_USERS_IMPORT_CHECK, people.data, err);
    if (!checked)
        return false;
    add(&outcome, checked);
    if (!make(call, tx, json_get(checked, "fresh"), partial, &outcome, err))
        return false;
    bool made = partial || !outcome.errors->child;
    if (made && (!tx_run(tx, SQL_USERS_IMPORT_DONE, NULL, err, BIND_INT(cJSON_GetArraySize(outcome.created)),
                         BIND_INT(outcome.skipped), BIND_INT(cJSON_GetArraySize(outcome.errors))) ||
                 !tx_commit(&tx, err)))
        return false;
    write_result(result, &outcome, made);
    return true;
}
