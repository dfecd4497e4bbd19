/* filling.c - a big library for benchmarks: passages out of words of a judged set, with latent vectors fitted on them. */
#include "tests/lib/filling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/retrieval/fuse.h"
#include "tests/lib/library.h"

enum { DOCUMENT = 200, WORDS = 170, RUN = 12 };

size_t filling_below(struct filling *filling, size_t limit)
{
    filling->random = filling->random * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(filling->random >> 33) % limit;
}

static void cut_words(struct filling *filling)
{
    size_t capacity = 0;
    for (size_t i = 0; i < filling->judged.passage_count; i++)
        for (char *save = NULL, *word = strtok_r(filling->judged.passages[i].text, " ", &save); word;
             word = strtok_r(NULL, " ", &save)) {
            if (filling->word_count == capacity)
                filling->words =
                    mem_grow(filling->words, capacity = capacity ? capacity * 2 : 4096, sizeof *filling->words);
            filling->words[filling->word_count++] = word;
        }
}

static void write_passage(struct filling *filling, struct buf *text)
{
    buf_clear(text);
    for (size_t n = 0; n < WORDS; n += RUN) {
        size_t from = filling_below(filling, filling->word_count - RUN);
        for (size_t i = 0; i < RUN && n + i < WORDS; i++)
            buf_printf(text, "%s%s", text->length ? " " : "", filling->words[from + i]);
    }
}

void filling_fit(struct filling *filling, size_t passages)
{
    AUTO(buf_free) struct buf text = {0};
    AUTO(mem_freep) uint64_t *bits = mem_array(passages / 64 + 1, sizeof *bits);
    filling->passages = passages;
    filling->random = 1;
    filling->lexical = lexical_new();
    for (size_t i = 0; i < filling->passages; i++) {
        const struct token *words;
        enum language language;
        write_passage(filling, &text);
        size_t count = tokens_split(filling->tokens, text.data, text.length, &words, &language);
        lexical_add(filling->lexical, filling->tokens, language, words, count);
        bits[i / 64] |= 1ull << i % 64;
    }
    struct latent_sample *sample = latent_sample(filling->lexical, bits);
    filling->latent = latent_fit(sample, NULL, NULL);
    latent_sample_free(sample);
}

static void store_model(struct filling *filling, const char *directory)
{
    AUTO(buf_free) struct buf stored = {0};
    AUTO(buf_free) struct buf sql = {0};
    latent_store(filling->latent, &stored);
    free(library_sql(directory, "edurag_owner",
                     "update public.embedding_models set state = 'ready' where state = 'current'"));
    buf_printf(
        &sql,
        "insert into public.embedding_models (model, provider, dim, fusion_weight, state, fitted_on, parameters) "
        "values ('builtin-lsa-1', 'builtin', %d, %g, 'current', %zu, '\\x",
        LATENT_DIMENSIONS, FUSE_LATENT_WEIGHT, filling->passages);
    for (size_t i = 0; i < stored.length; i++)
        buf_printf(&sql, "%02x", (unsigned char)stored.data[i]);
    buf_text(&sql, "')");
    free(library_sql(directory, "edurag_owner", sql.data));
    buf_clear(&sql);
    buf_printf(&sql,
               "with n as (select generate_series(1, %zu) as n), f as (insert into public.pdf_files (file_id) "
               "select lpad(to_hex(n), 32, '0')::uuid from n returning file_id) "
               "insert into public.pdfs (pdf_id, file_id, title, filename, size, sha256) select file_id, file_id, "
               "'Document', 'd.pdf', 1, "
               "encode(sha256(uuid_send(file_id)), 'hex') from f",
               filling->passages / DOCUMENT);
    free(library_sql(directory, "edurag_owner", sql.data));
}

static void store_batch(struct filling *filling, const char *directory, size_t from, struct buf *text)
{
    AUTO(buf_free) struct buf rows = {0};
    AUTO(buf_free) struct buf sql = {0};
    float vector[LATENT_DIMENSIONS];
    buf_json_open(&rows, '[');
    for (size_t i = from; i < from + FILLING_BATCH; i++) {
        AUTO(buf_free) struct buf array = {0};
        write_passage(filling, text);
        latent_embed(filling->latent, filling->tokens, text->data, text->length, vector);
        vectors_put(filling->vectors, (uint32_t)i, vector);
        for (size_t d = 0; d < LATENT_DIMENSIONS; d++)
            buf_printf(&array, "%c%.5g", d ? ',' : '{', (double)vector[d]);
        buf_char(&array, '}');
        buf_json_open(&rows, '{');
        buf_json_member_int(&rows, "n", (int64_t)i);
        buf_json_member(&rows, "t", text->data);
        buf_json_member(&rows, "v", array.data);
        buf_json_close(&rows, '}');
    }
    buf_json_close(&rows, ']');
    buf_printf(&sql,
               "with r as (select r.* from jsonb_to_recordset($bench$%s$bench$::jsonb) r(n int, t text, v text)), "
               "c as (insert into public.pdf_chunks (chunk_id, pdf_id, ordinal, first_page, last_page, start_offset, "
               "end_offset, text) "
               "select lpad(to_hex(n), 32, '0')::uuid, lpad(to_hex(n / %d + 1), 32, '0')::uuid, n %% %d, 1, 1, 0, 0, t "
               "from r) "
               "insert into public.rag_embeddings (chunk_id, model, vector) "
               "select lpad(to_hex(n), 32, '0')::uuid, 'builtin-lsa-1', v::real[] from r",
               rows.data, DOCUMENT, DOCUMENT);
    free(library_sql(directory, "edurag_owner", sql.data));
}

void filling_store(struct filling *filling, const char *directory)
{
    AUTO(buf_free) struct buf text = {0};
    store_model(filling, directory);
    filling->vectors = vectors_new(LATENT_DIMENSIONS);
    filling->random = 1;
    for (size_t from = 0; from < filling->passages; from += FILLING_BATCH)
        store_batch(filling, directory, from, &text);
    free(library_sql(directory, "edurag_owner",
                     "update public.pdfs set indexed_at = now(), embedding_model = 'builtin-lsa-1', pages = 1"));
    free(library_sql(directory, "edurag_owner", "analyze public.pdfs, public.pdf_chunks, public.rag_embeddings"));
}

char *filling_question(struct filling *filling, bool preview)
{
    struct buf params = {0};
    buf_json_open(&params, '{');
    buf_json_member(&params, "query",
                    filling->judged.questions[filling_below(filling, filling->judged.question_count)].text);
    buf_json_member_bool(&params, "preview", preview);
    buf_json_close(&params, '}');
    return buf_take(&params);
}

bool filling_load(struct filling *filling)
{
    *filling = (struct filling){0};
    if (!judged_load(&filling->judged, "squad"))
        return false;
    filling->tokens = tokens_new();
    cut_words(filling);
    return true;
}

void filling_clear(struct filling *filling)
{
    lexical_free(filling->lexical);
    latent_free(filling->latent);
    vectors_free(filling->vectors);
    filling->lexical = NULL;
    filling->latent = NULL;
    filling->vectors = NULL;
}

void filling_free(struct filling *filling)
{
    filling_clear(filling);
    free(filling->words);
    judged_free(&filling->judged);
    tokens_free(filling->tokens);
}
