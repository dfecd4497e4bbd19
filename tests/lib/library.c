/* library.c - documents in a test's database without a PDF. */
#include "tests/lib/library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/text.h"
#include "server/retrieval/hashed.h"
#include "tests/lib/pg.h"

char *library_sql(const char *directory, const char *role, const char *sql)
{
    char error[400];
    char *value = pg_try(pg_url_in(directory, role), sql, error, sizeof error);
    if (*error) {
        fprintf(stderr, "library: %.300s: %s\n", sql, error);
        exit(1);
    }
    return value;
}

static void cache_vectors(const char *directory, const struct library_passage *passages, size_t count)
{
    AUTO(buf_free) struct buf sql = {0};
    AUTO(tokens_freep) struct tokens *tokens = tokens_new();
    float vector[HASHED_DIMENSIONS];
    buf_text(
        &sql,
        "insert into public.embedding_cache (model, text_sha256, vector) select '" HASHED_NAME
        "', sha256(convert_to(v.item ->> 't', 'UTF8')), (v.item ->> 'v')::real[] from jsonb_array_elements($library$");
    AUTO(buf_free) struct buf json = {0};
    buf_json_open(&json, '[');
    for (size_t i = 0; i < count; i++) {
        AUTO(buf_free) struct buf text = {0};
        hashed_embed(tokens, passages[i].text, strlen(passages[i].text), vector);
        for (size_t k = 0; k < HASHED_DIMENSIONS; k++)
            buf_printf(&text, "%c%.6g", k ? ',' : '{', (double)vector[k]);
        buf_char(&text, '}');
        buf_json_open(&json, '{');
        buf_json_member(&json, "t", passages[i].text);
        buf_json_member(&json, "v", text.data);
        buf_json_close(&json, '}');
    }
    buf_json_close(&json, ']');
    buf_bytes(&sql, json.data, json.length);
    buf_text(&sql, "$library$::jsonb) v(item) on conflict do nothing");
    free(library_sql(directory, "edurag_worker", sql.data));
}

static void write_pages(struct buf *out, const struct library_passage *passages, size_t count)
{
    buf_json_open(out, '[');
    for (size_t i = 0, next; i < count; i = next) {
        AUTO(buf_free) struct buf text = {0};
        AUTO(mem_freep) char *label = mem_printf("p%d", passages[i].page);
        for (next = i; next < count && passages[next].page == passages[i].page; next++)
            buf_printf(&text, "%s%s", next > i ? "\n" : "", passages[next].text);
        buf_json_open(out, '{');
        buf_json_member_int(out, "page", passages[i].page);
        buf_json_member(out, "label", label);
        buf_json_member(out, "status", "ok");
        buf_json_member(out, "text", text.data);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
}

static void write_chunks(struct buf *out, const struct library_passage *passages, size_t count)
{
    size_t start = 0;
    buf_json_open(out, '[');
    for (size_t i = 0; i < count; i++) {
        const struct library_passage *p = &passages[i];
        size_t length = text_count(p->text, strlen(p->text));
        AUTO(mem_freep) char *label = mem_printf("p%d", p->page);
        AUTO(mem_freep)
        char *span = mem_printf("[{\"page\":%d,\"at\":0,\"start\":%zu,\"end\":%zu}]", p->page, start, start + length);
        buf_json_open(out, '{');
        buf_json_member_int(out, "first_page", p->page);
        buf_json_member_int(out, "last_page", p->page);
        buf_json_member(out, "first_label", label);
        buf_json_member(out, "last_label", label);
        buf_json_member_int(out, "start_offset", (int64_t)start);
        buf_json_member_int(out, "end_offset", (int64_t)(start + length));
        buf_json_member(out, "text", p->text);
        buf_json_member_raw(out, "spans", span);
        buf_json_close(out, '}');
        start = i + 1 < count && passages[i + 1].page == p->page ? start + length + 1 : 0;
    }
    buf_json_close(out, ']');
}

void library_put(const char *directory, const char *title, const char *course_id,
                 const struct library_passage *passages, size_t count, char pdf_id[40])
{
    AUTO(buf_free) struct buf sql = {0};
    char job[40] = "", lease[40] = "";
    cache_vectors(directory, passages, count);
    buf_printf(&sql,
               "with f as (insert into public.pdf_files default values returning file_id), "
               "p as (insert into public.pdfs (file_id, course_id, title, filename, size, sha256) "
               "select file_id, nullif('%s', '')::uuid, $library$%s$library$, 'test.pdf', 1, "
               "encode(sha256(convert_to(file_id::text, 'UTF8')), 'hex') from f returning pdf_id), "
               "j as (insert into public.index_jobs (pdf_id, state, attempt, lease, lease_until) "
               "select pdf_id, 'embedding', 1, gen_random_uuid(), now() + interval '50 seconds' from p returning "
               "job_id, lease, pdf_id) "
               "select job_id || ' ' || lease || ' ' || pdf_id from j",
               course_id ? course_id : "", title);
    AUTO(mem_freep) char *ids = library_sql(directory, "edurag_owner", sql.data);
    if (sscanf(ids, "%39s %39s %39s", job, lease, pdf_id) != 3)
        exit(1);
    buf_clear(&sql);
    buf_printf(&sql, "select worker.store_document('%s', '%s', '" HASHED_NAME "', 'test', null, $library$", job, lease);
    AUTO(buf_free) struct buf pages = {0};
    AUTO(buf_free) struct buf chunks = {0};
    write_pages(&pages, passages, count);
    write_chunks(&chunks, passages, count);
    buf_bytes(&sql, pages.data, pages.length);
    buf_text(&sql, "$library$, $library$");
    buf_bytes(&sql, chunks.data, chunks.length);
    buf_text(&sql, "$library$, '[]')");
    AUTO(mem_freep) char *stored = library_sql(directory, "edurag_worker", sql.data);
    if (!stored || strcmp(stored, "t") != 0) {
        fprintf(stderr, "library: %s was not stored\n", title);
        exit(1);
    }
}

void library_delete(const char *directory, const char *pdf_id)
{
    AUTO(mem_freep) char *sql = mem_printf("delete from public.pdfs where pdf_id = '%s'", pdf_id);
    free(library_sql(directory, "edurag_owner", sql));
}
