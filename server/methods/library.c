/* library.c - documents: uploading in pieces, watching jobs, reading pages. */
#include "server/methods/shapes.h"
#include "server/rpc/method.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/memory/bank.h"
#include "server/memory/memory.h"
#include "server/rpc/notify.h"
#include "server/store/disk.h"

enum { CHUNK_BYTES = 512 * 1024, ENVELOPE_BYTES = 512, BASE64_MOST = 1398104 /* of 1 MiB */ };

#define STATES "queued|extracting|embedding|storing|indexed|failed"

#define BEGIN_PARAMS(P, S)                                             \
    P(S, TEXT, filename, REQUIRED, .line = true, .min = 1, .max = 255) \
    P(S, INT, size, REQUIRED, .min = 1)                                \
    P(S, TEXT, sha256, REQUIRED, .min = 64, .max = 64)                 \
    P(S, TEXT, title, OPTIONAL, .line = true, .min = 1, .max = 300)    \
    P(S, UUID, course_id, OPTIONAL, .nullable = true)
METHOD_PARAMS(begin, BEGIN_PARAMS);

#define CHUNK_PARAMS(P, S)                \
    P(S, UUID, upload_id, REQUIRED)       \
    P(S, INT, offset, REQUIRED, .min = 0) \
    P(S, TEXT, data, REQUIRED, .bytes = true, .min = 4, .max = BASE64_MOST)
METHOD_PARAMS(chunk, CHUNK_PARAMS);

#define UPLOAD_PARAMS(P, S) P(S, UUID, upload_id, REQUIRED)
METHOD_PARAMS(upload, UPLOAD_PARAMS);

#define JOB_PARAMS(P, S) P(S, UUID, job_id, REQUIRED)
METHOD_PARAMS(job, JOB_PARAMS);

#define JOBS_PARAMS(P, S)                         \
    P(S, TEXT, state, OPTIONAL, .one_of = STATES) \
    PARAMS_LIST(P, S)
METHOD_PARAMS(jobs, JOBS_PARAMS);

#define LIST_PARAMS(P, S)                                 \
    P(S, TEXT, query, OPTIONAL, .line = true, .max = 200) \
    P(S, UUID, course_id, OPTIONAL)                       \
    PARAMS_LIST(P, S)
METHOD_PARAMS(list, LIST_PARAMS);

#define PDF_PARAMS(P, S) P(S, UUID, pdf_id, REQUIRED)
METHOD_PARAMS(pdf, PDF_PARAMS);

#define PAGE_PARAMS(P, S)                               \
    P(S, UUID, pdf_id, REQUIRED)                        \
    P(S, INT, page, REQUIRED, .min = 1, .max = 1000000) \
    P(S, UUIDS, chunk_ids, OPTIONAL, .max = 200)
METHOD_PARAMS(page, PAGE_PARAMS);

/* Reading is remembered by sections: the first page of one that is opened makes a fact. */
METHOD_HANDLER(page, page)
{
    AUTO(rows_free) struct rows *rows = NULL, *place = NULL;
    AUTO(buf_free) struct buf chunks = {0};
    if (params->chunk_ids)
        json_write(&chunks, params->chunk_ids);
    if (!tx_run(call->tx, SQL_LIBRARY_PAGE, &rows, err, BIND_TEXT(chunks.data), BIND_TEXT(params->pdf_id),
                BIND_INT(params->page)))
        return false;
    if (!rows_count(rows))
        return err_say(err, ERR_NOT_FOUND, "There is no such page, or no longer.");
    buf_json_raw(result, rows_text(rows, 0, 0));
    if (!memory_enabled())
        return true;
    if (!tx_run(call->tx, SQL_MEMORY_OPEN, &place, err, BIND_TEXT(chunks.data), BIND_INT(params->page),
                BIND_TEXT(params->pdf_id)))
        return false;
    if (rows_count(place) && rows_bool(place, 0, 3))
        bank_note(call, call->tx, BANK_READING, rows_text(place, 0, 0), NULL, rows_text(place, 0, 1));
    return true;
}

#define UPDATE_PARAMS(P, S)                                         \
    P(S, UUID, pdf_id, REQUIRED)                                    \
    P(S, TEXT, title, OPTIONAL, .line = true, .min = 1, .max = 300) \
    P(S, UUID_GIVEN, course_id, OPTIONAL, .nullable = true)
METHOD_PARAMS(update, UPDATE_PARAMS);

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

METHOD_HANDLER(upload_begin, begin)
{
    if (!disk_room(err))
        return false;
    /* A piece in base64 with its envelope has to fit into one message. */
    int64_t room = (config.message_bytes - ENVELOPE_BYTES) / 4 * 3;
    int64_t chunk = room < 1024 ? 1024 : room < CHUNK_BYTES ? room : CHUNK_BYTES;
    const struct bind values[] = {BIND_TEXT(params->filename), BIND_INT(params->size),       BIND_TEXT(params->sha256),
                                  BIND_TEXT(params->title),    BIND_TEXT(params->course_id), BIND_INT(chunk)};
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
    /* Nor padding inside, nor bits behind the last byte: encoded again it is the same text, or two texts were one file. */
    AUTO(mem_freep) char *again = mem_alloc(length + 1);
    EVP_EncodeBlock((unsigned char *)again, (const unsigned char *)bytes->data, n - (int)pad);
    if (strcmp(again, text) != 0)
        return err_field(err, "data", "must be base64.");
    bytes->length = (size_t)n - pad;
    return true;
}

METHOD_HANDLER(upload_chunk, chunk)
{
    AUTO(buf_free) struct buf bytes = {0};
    if (!disk_room(err) || !decode(params->data, &bytes, err))
        return false;
    const struct bind values[] = {BIND_TEXT(params->upload_id), BIND_INT(params->offset),
                                  BIND_BYTES(bytes.data, bytes.length)};
    return answer(call->tx, SQL_LIBRARY_UPLOAD_CHUNK, values, COUNT_OF(values), result, err);
}

/* What the piece takes from the bucket of bytes. */
static int chunk_cost(const cJSON *params)
{
    return (int)(strlen(json_text(params, "data", "")) / 4 * 3);
}

static void digest_free(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

/* The SHA-256 of all that has arrived, piece by piece: nobody holds the file. What was asked before is asked again by
 * the statement that commits, and the indexer compares once more. */
static bool digest_of(struct tx *tx, const char *upload_id, char hex[65], struct err *err)
{
    AUTO(digest_free) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    unsigned char sum[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    size_t length = 0;
    int64_t start = 0;
    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "no SHA-256");
    do {
        AUTO(rows_free) struct rows *piece = NULL;
        const struct bind values[] = {BIND_TEXT(upload_id), BIND_INT(start)};
        if (!tx_query_binary(tx, SQL_LIBRARY_UPLOAD_PIECE, values, COUNT_OF(values), &piece, err))
            return false;
        const char *data = rows_count(piece) ? rows_bytes(piece, 0, 0, &length) : NULL;
        length = data ? length : 0;
        EVP_DigestUpdate(digest, data ? data : "", length);
        start += (int64_t)length;
    } while (length);
    EVP_DigestFinal_ex(digest, sum, &n);
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", sum[i]);
    return true;
}

METHOD_HANDLER(upload_commit, upload)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(buf_free) struct buf reply = {0};
    char digest[65] = "";
    const struct bind values[] = {BIND_TEXT(params->upload_id), BIND_TEXT(digest)};
    if (!call_tx(call, &tx, err) || !digest_of(tx, params->upload_id, digest, err) ||
        !answer(tx, SQL_LIBRARY_UPLOAD_COMMIT, values, COUNT_OF(values), &reply, err) || !tx_commit(&tx, err))
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

METHOD_HANDLER(jobs, jobs)
{
    const struct bind values[] = {BIND_TEXT(params->cursor), BIND_TEXT(params->state), BIND_INT(params->limit)};
    if (!answer(call->tx, SQL_LIBRARY_JOBS, values, COUNT_OF(values), result, err))
        return false;
    if (!strcmp(call->caller.role, "admin"))
        notify_watch(call->caller.session);
    return true;
}

const struct method methods_library[] = {
    {METHOD_CALL("library.upload_begin", begin, upload_begin),
     .summary = "Begin to upload a PDF, or go on with an interrupted upload.",
     .description = "An interrupted upload of the same file goes on at offset. A file that this course (or the open "
                    "library) has already is a conflict, and existing is its pdf_id.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{upload_id: uuid, offset: int, chunk_size: int}",
     .example = "{'filename': 'enzymes.pdf', 'size': 48211, 'sha256': "
                "'9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'course_id': "
                "'5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f'}",
     .example_result = "{'upload_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8', 'offset': 0, 'chunk_size': 524288}"},
    {METHOD_CALL("library.upload_chunk", chunk, upload_chunk), .summary = "Send the next piece of a PDF.",
     .description = "data is base64, at most chunk_size bytes before encoding; offset is where it begins. Takes "
                    "bytes from a bucket of its own.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost_of = chunk_cost, .byte_bucket = true,
     .result = "{offset: int}",
     .example = "{'upload_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8', 'offset': 0, 'data': 'JVBERi0xLjcK'}",
     .example_result = "{'offset': 9}"},
    {METHOD_CALL("library.upload_commit", upload, upload_commit),
     .summary = "The PDF is complete: have it checked and indexed.",
     .description = "Size and SHA-256 are compared first. library.progress tells what becomes of it.",
     .access = ACCESS_TEACHER, .lane = LANE_SLOW, .cost = COST_ONE, .keep = true,
     .result = "{pdf_id: uuid, job_id: uuid, status: 'accepted'}",
     .example = "{'upload_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8'}",
     .example_result = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'job_id': "
                       "'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'status': 'accepted'}"},
    {METHOD_QUERY("library.quota", none, SQL_LIBRARY_QUOTA),
     .summary = "Your share of the library's disk, and what of it is left.",
     .description = "In bytes; unfinished are those of uploads that were begun.", .access = ACCESS_TEACHER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = "{stored: int, unfinished: int, limit: int, free: int}",
     .example = "{}", .example_result = "{'stored': 48211, 'unfinished': 0, 'limit': 5368709120, 'free': 5368660909}"},
    {METHOD_QUERY("library.upload_abort", upload, SQL_LIBRARY_UPLOAD_ABORT), .summary = "Forget an upload.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'upload_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8'}", .example_result = "{}"},
    {METHOD_QUERY("library.job", job, SQL_LIBRARY_JOB), .summary = "How far a document of yours is.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_JOB,
     .example = "{'job_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9'}",
     .example_result = "{'job_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'pdf_id': "
                       "'7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes', 'state': 'indexed', 'attempt': 1, "
                       "'pages_total': 3, 'pages_done': 3, 'pages_without_text': 0, 'chunks_total': 9, 'chunks_done': "
                       "9, 'queued_at': '2026-11-23T09:00:00.000Z', 'started_at': '2026-11-23T09:00:00.100Z', "
                       "'indexed_at': '2026-11-23T09:00:02.000Z', 'failed_at': null, 'error_message': null}"},
    {METHOD_CALL("library.jobs", jobs, jobs),
     .summary = "Your documents' jobs; an admin sees, and from then on hears of, all.", .description = "Newest first.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_LIST(SHAPE_JOB),
     .example = "{'state': 'failed'}",
     .example_result = "{'items': [{'job_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'pdf_id': "
                       "'7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes', 'state': 'failed', 'attempt': 1, "
                       "'pages_total': 3, 'pages_done': 3, 'pages_without_text': 0, 'chunks_total': 9, 'chunks_done': "
                       "9, 'queued_at': '2026-11-23T09:00:00.000Z', 'started_at': '2026-11-23T09:00:00.100Z', "
                       "'indexed_at': null, 'failed_at': '2026-11-23T09:00:00.000Z', 'error_message': '1 of 1 pages "
                       "had no text: this looks like a scan.'}], 'next_cursor': null}"},
    {METHOD_QUERY("library.retry", pdf, SQL_LIBRARY_RETRY), .summary = "Try a document that failed once more.",
     .description = "One that is indexed is a conflict.", .access = ACCESS_TEACHER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = "{job_id: uuid}", .example = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b'}",
     .example_result = "{'job_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9'}"},
    {METHOD_QUERY("library.list", list, SQL_LIBRARY_LIST), .summary = "The documents that you may see.",
     .description = "Students see what is indexed in the open library and their "
                    "courses; teachers their own uploads in every state, too.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_LIST(SHAPE_PDF),
     .example = "{'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'limit': 50}",
     .example_result =
         "{'items': [{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes', 'filename': 'enzymes.pdf', "
         "'pages': 3, 'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'uploaded_by': "
         "'0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'created_at': '2026-11-23T09:00:00.000Z', 'indexed_at': "
         "'2026-11-23T09:00:02.000Z', 'failed_at': null, 'error_message': null}], 'next_cursor': null}"},
    {METHOD_QUERY("library.outline", pdf, SQL_LIBRARY_OUTLINE), .summary = "A document's table of contents.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{items: [{title: text, page: int, level: int}]}",
     .example = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b'}",
     .example_result = "{'items': [{'title': 'The active site', 'page': 2, 'level': 1}]}"},
    {METHOD_CALL("library.page", page, page), .summary = "A page's text, and where passages lie in it.",
     .description = "start and end are code points of text; passages are "
                    "those of chunk_ids that lie on this page.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{text: text, page: int, page_label: text | null, pages: "
               "int, title: text, passages: [{chunk_id: uuid, start: int, "
               "end: int}]}",
     .example = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'page': 2, 'chunk_ids': "
                "['c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9']}",
     .example_result = "{'text': 'The active site', 'page': 2, 'page_label': '2', 'pages': 3, 'title': 'Enzymes', "
                       "'passages': [{'chunk_id': 'c3f1d2e4-5b6a-4978-8695-a4b3c2d1e0f9', 'start': 0, 'end': 15}]}"},
    {METHOD_QUERY("library.update", update, SQL_LIBRARY_UPDATE),
     .summary = "Rename a document, or move it to another course.",
     .description = "course_id null moves it into the open "
                    "library; absent leaves it where it is.",
     .access = ACCESS_TEACHER, .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_PDF,
     .example = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes and the living cell'}",
     .example_result =
         "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b', 'title': 'Enzymes and the living cell', 'filename': "
         "'enzymes.pdf', 'pages': 3, 'course_id': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'uploaded_by': "
         "'0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'created_at': '2026-11-23T09:00:00.000Z', 'indexed_at': "
         "'2026-11-23T09:00:02.000Z', 'failed_at': null, 'error_message': null}"},
    {METHOD_QUERY("library.delete", pdf, SQL_LIBRARY_DELETE), .summary = "Delete a document.",
     .description = "It is gone from search at once, on every node.", .access = ACCESS_TEACHER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_NOTHING, .example = "{'pdf_id': '7a9e2b34-6c1d-4e8f-a0b5-3d2c1e0f9a8b'}",
     .example_result = "{}"},
    {0},
};
