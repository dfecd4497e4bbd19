/* index_sync_load.c - from the database's rows to a passage index: everything that differs, or one document. */
#include "server/retrieval/index_sync_load.h"

#include <arpa/inet.h>
#include <endian.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "server/store/pool.h"
#include "server/store/tx.h"

enum { BATCH_PASSAGES = 2000, THREADS = 2, DIMENSIONS_MOST = 8192 };

struct wanted {
    struct passage_index_document document;
    int64_t passages;
};

static bool read_wanted(const struct rows *rows, int row, struct wanted *wanted)
{
    *wanted = (struct wanted){.passages = rows_int(rows, row, 5, 0)};
    struct passage_index_document *d = &wanted->document;
    d->version = rows_int(rows, row, 4, 0);
    snprintf(d->model, sizeof d->model, "%s", rows_text(rows, row, 3));
    return passage_index_id_read(&d->id, rows_text(rows, row, 0)) &&
           passage_index_id_read(&d->course, rows_text(rows, row, 1)) &&
           passage_index_id_read(&d->uploader, rows_text(rows, row, 2));
}

/* A float4[] in PostgreSQL's binary format: dimensions, flags, type, length, lower bound; then each with its size. */
static size_t read_vector(const char *bytes, size_t length, float *out, size_t most)
{
    uint32_t head[5], pair[2];
    if (!bytes || length < sizeof head)
        return 0;
    memcpy(head, bytes, sizeof head);
    size_t count = ntohl(head[3]);
    if (ntohl(head[0]) != 1 || count > most || length != sizeof head + count * sizeof pair)
        return 0;
    for (size_t i = 0; i < count; i++) {
        memcpy(pair, bytes + sizeof head + i * sizeof pair, sizeof pair);
        pair[1] = ntohl(pair[1]);
        memcpy(&out[i], &pair[1], sizeof out[i]);
    }
    return count;
}

static bool same_id(const struct passage_index_id *a, const struct passage_index_id *b)
{
    return !memcmp(a, b, sizeof *a);
}

/* The passages of rows from..to, all of one document, into the passage index under what the rows say of it. */
static void add_rows(struct passage_index *index, const struct rows *rows, int from, int to,
                     struct passage_index_document document)
{
    size_t count = (size_t)(to - from), length, dimensions = 0;
    AUTO(mem_freep) struct passage_index_passage *passages = mem_array(count, sizeof *passages);
    AUTO(mem_freep) float *vectors = NULL;
    AUTO(mem_freep) float *first = mem_array(DIMENSIONS_MOST, sizeof *first);
    const char *bytes = rows_bytes(rows, from, 3, &length);
    dimensions = read_vector(bytes, length, first, DIMENSIONS_MOST);
    vectors = mem_array(count * dimensions + 1, sizeof *vectors);
    for (size_t i = 0; i < count; i++) {
        int row = from + (int)i;
        bytes = rows_bytes(rows, row, 3, &length);
        if (read_vector(bytes, length, vectors + i * dimensions, dimensions) != dimensions)
            memset(vectors + i * dimensions, 0, dimensions * sizeof *vectors);
        bytes = rows_bytes(rows, row, 1, &length);
        memcpy(&passages[i].id, bytes, sizeof passages[i].id);
        passages[i].text = rows_bytes(rows, row, 2, &passages[i].length);
        passages[i].vector = vectors + i * dimensions;
    }
    bytes = rows_bytes(rows, from, 4, &length);
    snprintf(document.model, sizeof document.model, "%.*s", (int)length, bytes);
    bytes = rows_bytes(rows, from, 5, &length);
    uint64_t version;
    memcpy(&version, bytes, sizeof version);
    document.version = (int64_t)be64toh(version);
    if (!passage_index_switch(index, &document, dimensions, passages, count))
        passage_index_put(index, &document, dimensions, passages, count);
}

/* Loads these documents; one that is no longer there is left to its own notification. */
static bool load(struct passage_index *index, const struct wanted *wanted, size_t count, struct err *err)
{
    AUTO(buf_free) struct buf ids = {0};
    for (size_t i = 0; i < count; i++) {
        char text[37];
        passage_index_id_text(&wanted[i].document.id, text);
        buf_printf(&ids, "%c%s", i ? ',' : '{', text);
    }
    buf_char(&ids, '}');
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    const struct bind bind = BIND_TEXT(ids.data);
    if (!tx_begin(pool_worker(), NULL, &tx, err) || !tx_query_binary(tx, SQL_INDEX_PASSAGES, &bind, 1, &rows, err))
        return false;
    tx_free(&tx);
    for (int from = 0, to; from < rows_count(rows); from = to) {
        size_t length;
        const char *id = rows_bytes(rows, from, 0, &length);
        for (to = from + 1; to < rows_count(rows) && !memcmp(rows_bytes(rows, to, 0, &length), id, 16); to++)
            continue;
        for (size_t i = 0; i < count; i++)
            if (!memcmp(&wanted[i].document.id, id, 16))
                add_rows(index, rows, from, to, wanted[i].document);
    }
    return true;
}

struct loading {
    struct passage_index *index;
    const struct wanted *wanted;
    size_t count, next;
    bool failed;
    struct err err;
    pthread_mutex_t lock; /* next, failed, err */
};

/* The next documents, about BATCH_PASSAGES passages together; 0 where all are taken or one thread failed. */
static size_t take(struct loading *loading, size_t *from)
{
    pthread_mutex_lock(&loading->lock);
    int64_t passages = 0;
    *from = loading->next;
    while (!loading->failed && loading->next < loading->count && passages < BATCH_PASSAGES)
        passages += loading->wanted[loading->next++].passages;
    size_t count = loading->failed ? 0 : loading->next - *from;
    pthread_mutex_unlock(&loading->lock);
    return count;
}

static void *load_batches(void *context)
{
    struct loading *loading = context;
    for (size_t from, count; (count = take(loading, &from));) {
        struct err err = {0};
        if (load(loading->index, loading->wanted + from, count, &err))
            continue;
        pthread_mutex_lock(&loading->lock);
        loading->failed = true;
        loading->err = err;
        pthread_mutex_unlock(&loading->lock);
    }
    return NULL;
}

/* Two threads at first: while one waits for the database, the other indexes. */
static bool load_many(struct passage_index *index, const struct wanted *wanted, size_t count, int threads,
                      struct err *err)
{
    struct loading loading = {.index = index, .wanted = wanted, .count = count, .lock = PTHREAD_MUTEX_INITIALIZER};
    pthread_t others[THREADS];
    int started = 0;
    while (started < threads - 1 && pthread_create(&others[started], NULL, load_batches, &loading) == 0)
        started++;
    load_batches(&loading);
    while (started > 0)
        pthread_join(others[--started], NULL);
    if (loading.failed)
        *err = loading.err;
    return !loading.failed;
}

static int by_id(const void *a, const void *b)
{
    return memcmp(&((const struct wanted *)a)->document.id, &((const struct wanted *)b)->document.id,
                  sizeof(struct passage_index_id));
}

static int by_document_id(const void *a, const void *b)
{
    return memcmp(&((const struct passage_index_document *)a)->id, &((const struct passage_index_document *)b)->id,
                  sizeof(struct passage_index_id));
}

/* What is gone from the database goes from the passage index; the rest of `wanted` (sorted) is cut down to what has to
 * be loaded. */
static size_t settle(struct passage_index *index, struct wanted *wanted, size_t count)
{
    size_t here_count, kept = 0, at = 0;
    AUTO(mem_freep) struct passage_index_document *here = passage_index_documents(index, &here_count);
    qsort(here, here_count, sizeof *here, by_document_id);
    for (size_t i = 0; i < count; i++) {
        const struct passage_index_document *want = &wanted[i].document;
        while (at < here_count && by_document_id(&here[at], want) < 0)
            passage_index_remove(index, &here[at++].id);
        const struct passage_index_document *have =
            at < here_count && same_id(&here[at].id, &want->id) ? &here[at++] : NULL;
        if (have && have->version == want->version && !strcmp(have->model, want->model)) {
            if (!same_id(&have->course, &want->course) || !same_id(&have->uploader, &want->uploader))
                passage_index_move(index, want);
        } else {
            wanted[kept++] = wanted[i];
        }
    }
    while (at < here_count)
        passage_index_remove(index, &here[at++].id);
    return kept;
}

static bool list(const struct bind *id, struct wanted **wanted, size_t *count, struct err *err)
{
    AUTO(tx_free) struct tx *tx = NULL;
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_begin(pool_worker(), NULL, &tx, err) || !tx_query(tx, SQL_INDEX_DOCUMENTS, id, 1, &rows, err))
        return false;
    *wanted = mem_array((size_t)rows_count(rows) + 1, sizeof **wanted);
    *count = 0;
    for (int row = 0; row < rows_count(rows); row++)
        *count += read_wanted(rows, row, &(*wanted)[*count]);
    return true;
}

bool index_sync_load_all(struct passage_index *index, const atomic_bool *ready, struct err *err)
{
    AUTO(mem_freep) struct wanted *wanted = NULL;
    size_t count;
    if (!list(&BIND_TEXT(NULL), &wanted, &count, err))
        return false;
    qsort(wanted, count, sizeof *wanted, by_id);
    count = settle(index, wanted, count);
    return load_many(index, wanted, count, atomic_load(ready) ? 1 : THREADS, err);
}

bool index_sync_load_one(struct passage_index *index, const struct passage_index_id *id, struct err *err)
{
    AUTO(mem_freep) struct wanted *wanted = NULL;
    struct passage_index_document here;
    char text[37];
    size_t count;
    passage_index_id_text(id, text);
    if (!list(&BIND_TEXT(text), &wanted, &count, err))
        return false;
    if (!count) {
        passage_index_remove(index, id);
        return true;
    }
    const struct passage_index_document *want = &wanted[0].document;
    if (!passage_index_find(index, id, &here) || here.version != want->version || strcmp(here.model, want->model) != 0)
        return load(index, wanted, 1, err);
    passage_index_move(index, want);
    return true;
}
