/* library.c - documents: uploading in pieces, watching jobs, reading pages. */
#include "server/rpc/method.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/memory/bank.h"
#include "server/memory/memory.h"
#include "server/rpc/notify.h"

enum { CHUNK_BYTES = 512 * 1024, ENVELOPE_BYTES = 512, BASE64_MOST = 1398104 /* of 1 MiB */ };

#define STATES "queued|extracting|embedding|storing|indexed|failed"
#define ITEMS_SCHEMA "{\"type\":\"object\",\"required\":[\"items\",\"next_cursor\"]}"
#define JOB_SCHEMA                                                                                              \
    "{\"type\":\"object\",\"required\":[\"job_id\",\"pdf_id\",\"title\",\"state\",\"attempt\",\"pages_total\"," \
    "\"pages_done\",\"pages_without_text\",\"chunks_total\",\"chunks_done\",\"queued_at\",\"started_at\","      \
    "\"indexed_at\",\"failed_at\",\"error_message\"]}"
#define PDF_SCHEMA                                                                                                  \
    "{\"type\":\"object\",\"required\":[\"pdf_id\",\"title\",\"filename\",\"pages\",\"course_id\",\"uploaded_by\"," \
    "\"created_at\",\"indexed_at\",\"failed_at\",\"error_message\"]}"

struct begin_params {
    const char *filename, *sha256, *title, *course_id;
    int64_t size;
};
static const struct param begin_spec[] = {
    PARAM(TEXT, struct begin_params, filename, .min = 1, .max = 255),
    PARAM(INT, struct begin_params, size, .min = 1),
    PARAM(TEXT, struct begin_params, sha256, .min = 64, .max = 64),
    PARAM(TEXT, struct begin_params, title, .optional = true, .min = 1, .max = 300),
    PARAM(UUID, struct begin_params, course_id, .optional = true, .nullable = true),
    {0},
};

struct chunk_params {
    const char *upload_id, *data;
    int64_t offset;
};
static const struct param chunk_spec[] = {
    PARAM(UUID, struct chunk_params, upload_id, .optional = false),
    PARAM(INT, struct chunk_params, offset, .min = 0),
    PARAM(TEXT, struct chunk_params, data, .bytes = true, .min = 4, .max = BASE64_MOST),
    {0},
};

struct upload_params {
    const char *upload_id;
};
static const struct param upload_spec[] = {PARAM(UUID, struct upload_params, upload_id, .optional = false), {0}};

struct job_params {
    const char *job_id;
};
static const struct param job_spec[] = {PARAM(UUID, struct job_params, job_id, .optional = false), {0}};

struct jobs_params {
    const char *state;
    int64_t limit;
    const char *cursor;
};
static const struct param jobs_spec[] = {
    PARAM(TEXT, struct jobs_params, state, .optional = true, .one_of = STATES),
    PARAMS_LIST(struct jobs_params),
    {0},
};

struct list_params {
    const char *query, *course_id;
    int64_t limit;
    const char *cursor;
};
static const struct param list_spec[] = {
    PARAM(TEXT, struct list_params, query, .optional = true, .max = 200),
    PARAM(UUID, struct list_params, course_id, .optional = true),
    PARAMS_LIST(struct list_params),
    {0},
};

struct pdf_params {
    const char *pdf_id;
};
static const struct param pdf_spec[] = {PARAM(UUID, struct pdf_params, pdf_id, .optional = false), {0}};

struct page_params {
    const char *pdf_id;
    int64_t page;
    const cJSON *chunk_ids;
};
static const struct param page_spec[] = {
    PARAM(UUID, struct page_params, pdf_id, .optional = false),
    PARAM(INT, struct page_params, page, .min = 1, .max = 1000000),
    PARAM(UUIDS, struct page_params, chunk_ids, .optional = true, .max = 200),
    {0},
};

/* Reading is remembered by sections: the first page of one that is opened makes a fact. */
static bool page(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct page_params *p = params;
    AUTO(rows_free) struct rows *rows = NULL, *place = NULL;
    AUTO(buf_free) struct buf chunks = {0};
    if (p->chunk_ids)
        json_write(&chunks, p->chunk_ids);
    if (!tx_run(call->tx, SQL_LIBRARY_PAGE, &rows, err, BIND_TEXT(chunks.data), BIND_TEXT(p->pdf_id),
                BIND_INT(p->page)))
        return false;
    if (!rows_count(rows))
        return err_say(err, ERR_NOT_FOUND, "There is no such page, or no longer.");
    buf_json_raw(result, rows_text(rows, 0, 0));
    if (!memory_enabled())
        return true;
    if (!tx_run(call->tx, SQL_MEMORY_OPEN, &place, err, BIND_TEXT(chunks.data), BIND_INT(p->page),
                BIND_TEXT(p->pdf_id)))
        return false;
    if (rows_count(place) && rows_bool(place, 0, 3))
        bank_note(call, call->tx, BANK_READING, rows_text(place, 0, 0), NULL, rows_text(place, 0, 1));
    return true;
}

struct update_params {
    const char *pdf_id, *title, *course_id;
    bool course_id_given;
};
static const struct param update_spec[] = {
    PARAM(UUID, struct update_params, pdf_id, .optional = false),
    PARAM(TEXT, struct update_params, title, .optional = true, .min = 1, .max = 300),
    PARAM(UUID, struct update_params, course_id, .optional = true, .nullable = true,
          .given = offsetof(struct update_params, course_id_given)),
    {0},
};

/* The first column of the only row is the result. */
static bool answer(struct tx *tx, enum query query, const struct bind *values, size_t count, struct buf *result,
                   struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_query(tx, query, values, count, &rows, err))
        return false;
    const char *text = rows_count(rows) ? rows_text(rows, 0, 0) : NULL;
    if (!text)
        return err_set(err, ERR_NOT_FOUND, "%s gave no row", query_texts[query].name);
    buf_text(result, text);
    return true;
}

static bool upload_begin(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct begin_params *p = params;
    /* A piece in base64 with its envelope has to fit into one message. */
    int64_t room = (config.message_bytes - ENVELOPE_BYTES) / 4 * 3;
    int64_t chunk = room < 1024 ? 1024 : room < CHUNK_BYTES ? room : CHUNK_BYTES;
    const struct bind values[] = {BIND_TEXT(p->filename), BIND_INT(p->size),       BIND_TEXT(p->sha256),
                                  BIND_TEXT(p->title),    BIND_TEXT(p->course_id), BIND_INT(chunk)};
    return answer(call->tx, SQL_LIBRARY_UPLOAD_BEGIN, values, COUNT_OF(values), result, err);
}

static bool decode(const char *text, struct buf *bytes, struct err *err)
{
    size_t length = strlen(text), pad = 0;
    while (pad < 2 && pad < length && text[length - 1 - pad] == '=')
        pad++;
    buf_reserve(bytes, length / 4 * 3 + 3);
    /* EVP_DecodeBlock forgives white space around the text; we do not. */
    bool plain = length % 4 == 0 && strcspn(text, " \t\r\n") == length;
    int n = plain ? EVP_DecodeBlock((unsigned char *)bytes->data, (const unsigned char *)text, (int)length) : -1;
    if (n < 0 || (size_t)n <= pad)
        return err_field(err, "data", "must be base64.");
    bytes->length = (size_t)n - pad;
    return true;
}

static bool upload_chunk(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct chunk_params *p = params;
    AUTO(buf_free) struct buf bytes = {0};
    if (!decode(p->data, &bytes, err))
        return false;
    const struct bind values[] = {BIND_TEXT(p->upload_id), BIND_INT(p->offset), BIND_BYTES(bytes.data, bytes.length)};
    return answer(call->tx, SQL_LIBRARY_UPLOAD_CHUNK, values, COUNT_OF(values), result, err);
}

/* What the piece takes from the bucket of bytes. */
static int chunk_cost(const cJSON *params)
{
    return (int)(strlen(json_text(params, "data", "")) / 4 * 3);
}

static bool upload_commit(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct upload_params *p = params;
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(buf_free) struct buf reply = {0};
    const struct bind id = BIND_TEXT(p->upload_id);
    if (!call_tx(call, &tx, err) || !answer(tx, SQL_LIBRARY_UPLOAD_COMMIT, &id, 1, &reply, err) || !tx_commit(&tx, err))
        return false;
    AUTO(json_freep) cJSON *json = json_parse(reply.data, reply.length, err);
    const cJSON *error = json_get(json, "error");
    if (!json)
        return false;
    if (error) { /* the upload is gone, which is why the transaction was not undone */
        enum err_code code = err_from_reason(json_text(error, "reason", ""));
        err_say(err, code, "%s", json_text(error, "message", ""));
        snprintf(err->field, sizeof err->field, "%s", json_text(error, "field", ""));
        return false;
    }
    buf_text(result, reply.data);
    return true;
}

static bool jobs(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct jobs_params *p = params;
    const struct bind values[] = {BIND_TEXT(p->cursor), BIND_TEXT(p->state), BIND_INT(p->limit)};
    if (!answer(call->tx, SQL_LIBRARY_JOBS, values, COUNT_OF(values), result, err))
        return false;
    if (!strcmp(call->caller.role, "admin"))
        notify_watch(call->caller.session);
    return true;
}

const struct method methods_library[] = {
    {.name = "library.upload_begin",
     .summary = "Begin to upload a PDF, or go on with an interrupted upload.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = begin_spec,
     .params_size = sizeof(struct begin_params),
     .handler = upload_begin,
     .result = "{\"type\":\"object\",\"required\":[\"upload_id\",\"offset\",\"chunk_size\"]}"},
    {.name = "library.upload_chunk",
     .summary = "Send the next piece of a PDF.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .params = chunk_spec,
     .params_size = sizeof(struct chunk_params),
     .handler = upload_chunk,
     .cost_of = chunk_cost,
     .byte_bucket = true,
     .result = "{\"type\":\"object\",\"required\":[\"offset\"]}"},
    {.name = "library.upload_commit",
     .summary = "The PDF is complete: have it checked and indexed.",
     .access = ACCESS_TEACHER,
     .lane = LANE_SLOW,
     .cost = COST_ONE,
     .params = upload_spec,
     .params_size = sizeof(struct upload_params),
     .handler = upload_commit,
     .keep = true,
     .result = "{\"type\":\"object\",\"required\":[\"pdf_id\",\"job_id\",\"status\"]}"},
    {.name = "library.upload_abort",
     .summary = "Forget an upload.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = upload_spec,
     .params_size = sizeof(struct upload_params),
     .sql = SQL_LIBRARY_UPLOAD_ABORT,
     .result = "{\"type\":\"object\"}"},
    {.name = "library.job",
     .summary = "How far a document of yours is.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = job_spec,
     .params_size = sizeof(struct job_params),
     .sql = SQL_LIBRARY_JOB,
     .result = JOB_SCHEMA},
    {.name = "library.jobs",
     .summary = "Your documents' jobs; an admin sees, and from then on hears of, all.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = jobs_spec,
     .params_size = sizeof(struct jobs_params),
     .handler = jobs,
     .result = ITEMS_SCHEMA},
    {.name = "library.retry",
     .summary = "Try a document that failed once more.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = pdf_spec,
     .params_size = sizeof(struct pdf_params),
     .sql = SQL_LIBRARY_RETRY,
     .result = "{\"type\":\"object\",\"required\":[\"job_id\"]}"},
    {.name = "library.list",
     .summary = "The documents that you may see.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = list_spec,
     .params_size = sizeof(struct list_params),
     .sql = SQL_LIBRARY_LIST,
     .result = ITEMS_SCHEMA},
    {.name = "library.outline",
     .summary = "A document's table of contents.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = pdf_spec,
     .params_size = sizeof(struct pdf_params),
     .sql = SQL_LIBRARY_OUTLINE,
     .result = "{\"type\":\"object\",\"required\":[\"items\"]}"},
    {.name = "library.page",
     .summary = "A page's text, and where passages lie in it.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = page_spec,
     .params_size = sizeof(struct page_params),
     .handler = page,
     .result =
         "{\"type\":\"object\",\"required\":[\"text\",\"page\",\"page_label\",\"pages\",\"title\",\"passages\"]}"},
    {.name = "library.update",
     .summary = "Rename a document, or move it to another course.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = update_spec,
     .params_size = sizeof(struct update_params),
     .sql = SQL_LIBRARY_UPDATE,
     .result = PDF_SCHEMA},
    {.name = "library.delete",
     .summary = "Delete a document.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = pdf_spec,
     .params_size = sizeof(struct pdf_params),
     .sql = SQL_LIBRARY_DELETE,
     .result = "{\"type\":\"object\"}"},
    {0},
};
