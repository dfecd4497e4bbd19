/* index.c - one job's work, from the file's bytes to passages with vectors. */
#include "server/ingest/index.h"

#include <errno.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <openssl/evp.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/log.h"
#include "common/mem.h"
#include "server/ingest/chunk.h"
#include "server/ingest/extract.h"
#include "server/retrieval/embed.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum { HASH_HEX = SHA256_DIGEST_LENGTH * 2 };

static const char partial_sentence[] = "Some pages needed more memory or time than is allowed, or the text was very "
                                       "long: what could be read is searchable.";

struct texts {
    const char **text;
    char (*hash)[HASH_HEX + 1];
    size_t count;
};

static void texts_free(struct texts *texts)
{
    free(texts->text);
    free(texts->hash);
}

static void hash_of(const char *text, char hex[HASH_HEX + 1])
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, strlen(text), digest);
    for (int i = 0; i < SHA256_DIGEST_LENGTH; i++) {
        hex[i * 2] = "0123456789abcdef"[digest[i] >> 4];
        hex[i * 2 + 1] = "0123456789abcdef"[digest[i] & 15];
    }
    hex[HASH_HEX] = '\0';
}

static struct texts texts_new(size_t count)
{
    return (struct texts){mem_array(count, sizeof(char *)), mem_array(count, HASH_HEX + 1), count};
}

static void texts_set(struct texts *texts, size_t i, const char *text)
{
    texts->text[i] = text;
    hash_of(text, texts->hash[i]);
}

/* One query in a transaction of its own. */
static bool ask(enum query query, const struct bind *values, size_t count, bool binary, struct rows **rows,
                struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    if (!tx_begin(pool_worker(), NULL, &tx, err))
        return false;
    if (!(binary ? tx_query_binary : tx_query)(tx, query, values, count, rows, err))
        return false;
    if (tx_commit(&tx, err))
        return true;
    rows_free(rows);
    return false;
}
#define ASK(query_, rows_, err_, ...)                                                                                 \
    ask(query_, (const struct bind[]){__VA_ARGS__}, sizeof((const struct bind[]){__VA_ARGS__}) / sizeof(struct bind), \
        false, rows_, err_)

static bool write_all(int file, const char *data, size_t length)
{
    while (length) {
        ssize_t n = write(file, data, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        length -= (size_t)n;
    }
    return true;
}

static void digest_free(EVP_MD_CTX **digest)
{
    EVP_MD_CTX_free(*digest);
}

/* Whoever said so when the upload was committed: here the bytes themselves are read. */
static bool announced(EVP_MD_CTX *digest, const char *sha256)
{
    unsigned char sum[EVP_MAX_MD_SIZE];
    char hex[2 * EVP_MAX_MD_SIZE + 1] = "";
    unsigned n = 0;
    EVP_DigestFinal_ex(digest, sum, &n);
    for (unsigned i = 0; i < n; i++)
        snprintf(hex + 2 * (size_t)i, 3, "%02x", sum[i]);
    return sha256 && !strcmp(hex, sha256);
}

/* The PDF's bytes in a file in memory: the extractor's, and nobody else's. */
static bool fetch(const struct index_job *job, int file, struct err *err)
{
    AUTO(rows_free) struct rows *found = NULL;
    if (!ASK(SQL_JOBS_FILE, &found, err, BIND_TEXT(job->pdf_id)))
        return false;
    if (!rows_count(found))
        return err_set(err, ERR_CANCELLED, "the document is gone");
    int64_t size = rows_int(found, 0, 1, 0);
    AUTO(digest_free) EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (!digest || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1)
        return err_set(err, ERR_INTERNAL, "no SHA-256");
    for (int64_t start = 0; start < size;) {
        AUTO(rows_free) struct rows *piece = NULL;
        const struct bind values[] = {BIND_TEXT(rows_text(found, 0, 0)), BIND_INT(start)};
        size_t length = 0;
        if (!ask(SQL_JOBS_FILE_PIECE, values, COUNT_OF(values), true, &piece, err))
            return false;
        const char *data = rows_count(piece) ? rows_bytes(piece, 0, 0, &length) : NULL;
        if (!data || !length)
            return err_set(err, ERR_CANCELLED, "the document's bytes are gone");
        EVP_DigestUpdate(digest, data, length);
        if (!write_all(file, data, length))
            return err_set(err, ERR_BUSY, "no memory for the file: %s", strerror(errno));
        start += (int64_t)length;
    }
    return announced(digest, rows_text(found, 0, 2)) ||
           err_say(err, ERR_INVALID_PARAMS, "What was stored is not the file that was announced. Please add it again.");
}

static void on_page(void *context, size_t done, size_t total, size_t without_text)
{
    struct index_job *job = context;
    atomic_store(&job->pages_total, (int)total);
    atomic_store(&job->pages_done, (int)done);
    atomic_store(&job->pages_without_text, (int)without_text);
}

static bool stopped(void *context)
{
    return atomic_load(&((struct index_job *)context)->stop);
}

static bool read_pdf(struct index_job *job, struct document **document, struct err *err)
{
    const struct extract_watch watch = {on_page, stopped, job};
    int file = extract_file();
    if (file < 0)
        return err_set(err, ERR_BUSY, "no file in memory: %s", strerror(errno));
    bool ok = fetch(job, file, err) && extract_document(file, &watch, document, err);
    close(file);
    return ok;
}

/* Marks in `have` which texts the cache has a vector for. */
static bool look_up(const char *model, const struct texts *texts, size_t from, size_t to, bool *have, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(buf_free) struct buf hashes = {0};
    buf_json_open(&hashes, '[');
    for (size_t i = from; i < to; i++)
        buf_json_string(&hashes, texts->hash[i]);
    buf_json_close(&hashes, ']');
    if (!ASK(SQL_JOBS_CACHED, &rows, err, BIND_TEXT(model), BIND_TEXT(hashes.data)))
        return false;
    for (int row = 0; row < rows_count(rows); row++)
        for (size_t i = from; i < to; i++)
            if (!strcmp(rows_text(rows, row, 0), texts->hash[i]))
                have[i] = true;
    return true;
}

static bool keep(const char *model, const struct texts *texts, const size_t *which, size_t count, const float *vectors,
                 size_t dimensions, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(buf_free) struct buf json = {0};
    buf_json_open(&json, '[');
    for (size_t i = 0; i < count; i++) {
        buf_json_open(&json, '{');
        buf_json_member(&json, "hash", texts->hash[which[i]]);
        buf_json_key(&json, "vector");
        buf_json_open(&json, '[');
        for (size_t k = 0; k < dimensions; k++)
            buf_json_double(&json, (double)vectors[i * dimensions + k]);
        buf_json_close(&json, ']');
        buf_json_close(&json, '}');
    }
    buf_json_close(&json, ']');
    return ASK(SQL_JOBS_CACHE, &rows, err, BIND_TEXT(model), BIND_TEXT(json.data));
}

/* Vectors of every text in embedding_cache, kept batch by batch: what is paid for survives us. */
static bool embed(struct index_job *job, const struct embed_model *model, const struct texts *texts, struct err *err)
{
    AUTO(mem_freep) bool *have = mem_array(texts->count, sizeof *have);
    AUTO(mem_freep) float *vectors = mem_array(EMBED_BATCH * model->dimensions, sizeof *vectors);
    atomic_store(&job->chunks_total, (int)texts->count);
    atomic_store(&job->state, INDEX_EMBEDDING);
    for (size_t from = 0; from < texts->count; from += EMBED_BATCH) {
        size_t to = from + EMBED_BATCH < texts->count ? from + EMBED_BATCH : texts->count, count = 0,
               which[EMBED_BATCH];
        const char *batch[EMBED_BATCH];
        if (stopped(job))
            return err_set(err, ERR_CANCELLED, "stopped while embedding");
        if (!look_up(model->name, texts, from, to, have, err))
            return false;
        for (size_t i = from; i < to; i++)
            if (!have[i]) {
                which[count] = i;
                batch[count++] = texts->text[i];
            }
        if (count && (!embed_texts(model->name, batch, count, vectors, err) ||
                      !keep(model->name, texts, which, count, vectors, model->dimensions, err)))
            return false;
        atomic_store(&job->chunks_done, (int)to);
    }
    return true;
}

static void write_pages(struct buf *out, const struct document *document)
{
    static const char *const statuses[] = {"ok", "empty", "garbage", "failed"};
    buf_json_open(out, '[');
    for (size_t i = 0; i < document->page_count; i++) {
        const struct page *page = &document->pages[i];
        buf_json_open(out, '{');
        buf_json_member_int(out, "page", page->number);
        buf_json_member(out, "label", page->label);
        buf_json_member(out, "status", statuses[page->status]);
        buf_json_member(out, "text", page->status == PAGE_OK ? page->text : "");
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

static void write_outline(struct buf *out, const struct document *document)
{
    buf_json_open(out, '[');
    for (size_t i = 0; i < document->outline_count; i++) {
        const struct outline_item *item = &document->outline[i];
        buf_json_open(out, '{');
        buf_json_member(out, "title", item->title);
        buf_json_key(out, "page");
        if (item->page)
            buf_json_int(out, item->page);
        else
            buf_json_null(out);
        buf_json_member_int(out, "level", item->level);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

static void write_chunk(struct buf *out, const struct chunk *chunk, const char *hash)
{
    const struct chunk_span *first = &chunk->spans[0], *last = &chunk->spans[chunk->span_count - 1];
    buf_json_open(out, '{');
    buf_json_member_int(out, "first_page", first->page);
    buf_json_member_int(out, "last_page", last->page);
    buf_json_member(out, "first_label", chunk->first_label);
    buf_json_member(out, "last_label", chunk->last_label);
    buf_json_member_int(out, "start_offset", (int64_t)first->start);
    buf_json_member_int(out, "end_offset", (int64_t)last->end);
    buf_json_member(out, "heading", chunk->heading);
    buf_json_member(out, "text", chunk->text);
    buf_json_member(out, "search_text", chunk->search);
    buf_json_member_int(out, "tokens", (int64_t)chunk->words);
    buf_json_member(out, "embed_sha256", hash);
    buf_json_key(out, "spans");
    buf_json_open(out, '[');
    for (size_t i = 0; i < chunk->span_count; i++) {
        buf_json_open(out, '{');
        buf_json_member_int(out, "page", chunk->spans[i].page);
        buf_json_member_int(out, "at", (int64_t)chunk->spans[i].at);
        buf_json_member_int(out, "start", (int64_t)chunk->spans[i].start);
        buf_json_member_int(out, "end", (int64_t)chunk->spans[i].end);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
    buf_json_close(out, '}');
}

static bool held(struct rows *rows, struct err *err)
{
    return rows_bool(rows, 0, 0) || err_set(err, ERR_CANCELLED, "the lease was lost");
}

static bool store(struct index_job *job, const struct embed_model *model, const struct document *document,
                  const struct chunk *chunks, const struct texts *texts, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL;
    AUTO(buf_free) struct buf pages = {0}, passages = {0}, outline = {0};
    write_pages(&pages, document);
    write_outline(&outline, document);
    buf_json_open(&passages, '[');
    for (size_t i = 0; i < texts->count; i++)
        write_chunk(&passages, &chunks[i], texts->hash[i]);
    buf_json_close(&passages, ']');
    atomic_store(&job->state, INDEX_STORING);
    return ASK(SQL_JOBS_STORE, &rows, err, BIND_TEXT(job->job_id), BIND_TEXT(job->lease), BIND_TEXT(model->name),
               BIND_TEXT(EXTRACT_VERSION), BIND_TEXT(document->partial ? partial_sentence : NULL),
               BIND_TEXT(pages.data), BIND_TEXT(passages.data), BIND_TEXT(outline.data)) &&
           held(rows, err);
}

/* Vectors of the current model; where its service fails, of the built-in one, so that the document can be searched
 * today. The others follow in the background when the service is back. */
static bool embed_somehow(struct index_job *job, struct embed_model *model, const struct texts *texts, struct err *err)
{
    embed_current(model);
    if (embed(job, model, texts, err))
        return true;
    if (err->code != ERR_UPSTREAM)
        return false;
    log_event(LOG_WARN, "index_without_service", "job=%s model=%s cause=%s", job->job_id, model->name,
              log_quote(err->log));
    embed_built_in(model);
    *err = (struct err){0};
    return embed(job, model, texts, err);
}

static bool index_document(struct index_job *job, struct err *err)
{
    AUTO(document_freep) struct document *document = NULL;
    if (!read_pdf(job, &document, err))
        return false;
    size_t count = 0;
    struct chunk *chunks = chunk_document(document, &count);
    struct texts texts = texts_new(count);
    for (size_t i = 0; i < count; i++)
        texts_set(&texts, i, chunks[i].text);
    struct embed_model model;
    bool ok = count ? embed_somehow(job, &model, &texts, err) && store(job, &model, document, chunks, &texts, err)
                    : err_say(err, ERR_INVALID_PARAMS, "There are no words to search for in this PDF.");
    texts_free(&texts);
    chunk_free(chunks, count);
    return ok;
}

/* The passages stay, a new model's vectors come. */
static bool index_again(struct index_job *job, struct err *err)
{
    AUTO(rows_free) struct rows *rows = NULL, *stored = NULL;
    struct embed_model model;
    if (!embed_find(job->model, &model) && (!embed_refresh(err) || !embed_find(job->model, &model)))
        return err->code == ERR_NONE &&
               err_say(err, ERR_INVALID_PARAMS, "The embedding model %s is no longer in use.", job->model);
    if (!ASK(SQL_JOBS_PASSAGES, &rows, err, BIND_TEXT(job->pdf_id)))
        return false;
    struct texts texts = texts_new((size_t)rows_count(rows));
    for (size_t i = 0; i < texts.count; i++)
        texts_set(&texts, i, rows_text(rows, (int)i, 0));
    bool ok = embed(job, &model, &texts, err);
    texts_free(&texts);
    if (!ok)
        return false;
    atomic_store(&job->state, INDEX_STORING);
    return ASK(SQL_JOBS_STORE_VECTORS, &stored, err, BIND_TEXT(job->job_id), BIND_TEXT(job->lease)) &&
           held(stored, err);
}

bool index_run(struct index_job *job, struct err *err)
{
    return job->embed ? index_again(job, err) : index_document(job, err);
}
