/* uploads.c - documents into a test's eduragd, the way a client brings them. */
#include "tests/lib/uploads.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"

bool uploads_read(const char *path, struct buf *bytes)
{
    char piece[65536];
    size_t n;
    FILE *in = fopen(path, "rb");
    while (in && (n = fread(piece, 1, sizeof piece, in)) > 0)
        buf_bytes(bytes, piece, n);
    return in && !fclose(in);
}

void uploads_pdf(struct buf *out, const char *const *pages)
{
    int count = 0;
    while (pages[count])
        count++;
    buf_printf(out, "%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Count %d/Kids[",
               count);
    for (int i = 0; i < count; i++)
        buf_printf(out, "%d 0 R ", 4 + 2 * i);
    buf_text(out, "]>>endobj\n3 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n");
    for (int i = 0; i < count; i++) {
        buf_printf(out,
                   "%d 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<</Font<</F 3 0 R>>>>/Contents %d "
                   "0 R>>endobj\n",
                   4 + 2 * i, 5 + 2 * i);
        buf_printf(out, "%d 0 obj<</Length %zu>>stream\nBT /F 11 Tf 70 600 Td (%s) Tj ET\nendstream endobj\n",
                   5 + 2 * i, strlen(pages[i]) + strlen("BT /F 11 Tf 70 600 Td () Tj ET"), pages[i]);
    }
    buf_text(out, "trailer<</Root 1 0 R>>\n%%EOF\n");
}

static void copy(char *to, size_t size, const char *from)
{
    snprintf(to, size, "%s", from ? from : "");
}

static cJSON *call(struct ws *ws, struct upload *upload, const char *method, const char *params)
{
    cJSON *reply = harness_call(ws, method, params);
    const cJSON *error = json_get(reply, "error");
    copy(upload->reason, sizeof upload->reason,
         !reply  ? "closed"
         : error ? json_text(json_get(error, "data"), "reason", "?")
                 : "ok");
    copy(upload->message, sizeof upload->message, json_text(error, "message", ""));
    if (!error)
        return reply;
    cJSON_Delete(reply);
    return NULL;
}

static void begin(struct buf *params, const char *filename, const void *bytes, size_t length, const char *course_id)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256(bytes, length, digest);
    buf_json_open(params, '{');
    buf_json_member(params, "filename", filename);
    buf_json_member_int(params, "size", (int64_t)length);
    if (course_id)
        buf_json_member(params, "course_id", course_id);
    buf_json_key(params, "sha256");
    buf_char(params, '"');
    for (size_t i = 0; i < sizeof digest; i++)
        buf_printf(params, "%02x", digest[i]);
    buf_text(params, "\"}");
}

struct upload uploads_bring(struct ws *ws, const char *filename, const void *bytes, size_t length, size_t chunk,
                            const char *course_id)
{
    struct upload upload = {0};
    AUTO(buf_free) struct buf params = {0};
    begin(&params, filename, bytes, length, course_id);
    cJSON *reply = call(ws, &upload, "library.upload_begin", params.data);
    if (!reply)
        return upload;
    const cJSON *result = json_get(reply, "result");
    copy(upload.upload_id, sizeof upload.upload_id, json_text(result, "upload_id", ""));
    int64_t offset = json_int(result, "offset", 0);
    if (!chunk)
        chunk = (size_t)json_int(result, "chunk_size", 1024);
    cJSON_Delete(reply);
    while (offset < (int64_t)length) {
        size_t n = length - (size_t)offset < chunk ? length - (size_t)offset : chunk;
        AUTO(mem_freep) char *text = mem_alloc(n / 3 * 4 + 8);
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes + offset, (int)n);
        AUTO(mem_freep)
        char *piece = mem_printf("{\"upload_id\":\"%s\",\"offset\":%lld,\"data\":\"%s\"}", upload.upload_id,
                                 (long long)offset, text);
        reply = call(ws, &upload, "library.upload_chunk", piece);
        if (!reply)
            return upload;
        offset = json_int(json_get(reply, "result"), "offset", offset);
        cJSON_Delete(reply);
    }
    return upload;
}

void uploads_commit(struct ws *ws, struct upload *upload)
{
    AUTO(mem_freep) char *id = mem_printf("{\"upload_id\":\"%s\"}", upload->upload_id);
    AUTO(json_freep) cJSON *reply = call(ws, upload, "library.upload_commit", id);
    copy(upload->pdf_id, sizeof upload->pdf_id, json_text(json_get(reply, "result"), "pdf_id", ""));
    copy(upload->job_id, sizeof upload->job_id, json_text(json_get(reply, "result"), "job_id", ""));
}

struct upload uploads_send(struct ws *ws, const char *filename, const void *bytes, size_t length, size_t chunk,
                           const char *course_id)
{
    struct upload upload = uploads_bring(ws, filename, bytes, length, chunk, course_id);
    if (!strcmp(upload.reason, "ok"))
        uploads_commit(ws, &upload);
    return upload;
}

bool uploads_wait(struct ws *ws, struct upload *upload, int ms)
{
    AUTO(mem_freep) char *params = mem_printf("{\"job_id\":\"%s\"}", upload->job_id);
    for (int waited = 0; waited < ms; waited += 50) {
        AUTO(json_freep) cJSON *reply = harness_call(ws, "library.job", params);
        const cJSON *job = json_get(reply, "result");
        copy(upload->state, sizeof upload->state, json_text(job, "state", "?"));
        copy(upload->message, sizeof upload->message, json_text(job, "error_message", ""));
        if (!strcmp(upload->state, "indexed") || !strcmp(upload->state, "failed"))
            return true;
        nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    }
    return false;
}
