/* latent.c - latent semantic vectors of 128 dimensions, fitted on the texts of a lexical index. */
#include "server/retrieval/latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "server/retrieval/svd.h"
#include "server/retrieval/word_hash.h"

enum { D = LATENT_DIMENSIONS, WORDS_MOST = 4096 };

struct latent {
    char *text; /* the stems, each ended by NUL */
    size_t text_length;
    uint32_t *starts, terms;
    float *weights;        /* per term: idf, scale of its row */
    int8_t *projection;    /* terms * D */
    uint32_t *slots, mask; /* open addressing over terms */
};

struct latent_sample {
    struct svd_matrix matrix;
    float *idf;
    char *text;
    size_t text_length;
    uint32_t *starts;
};

void latent_free(struct latent *latent)
{
    if (!latent)
        return;
    free(latent->text);
    free(latent->starts);
    free(latent->weights);
    free(latent->projection);
    free(latent->slots);
    free(latent);
}

void latent_sample_free(struct latent_sample *sample)
{
    if (!sample)
        return;
    svd_matrix_free(&sample->matrix);
    free(sample->idf);
    free(sample->text);
    free(sample->starts);
    free(sample);
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Every text whose bit is set, or an even spread of LATENT_TEXTS_MOST of them. */
static uint32_t *choose_texts(const struct lexical *lexical, const uint64_t *bits, size_t *count)
{
    uint32_t all = lexical_count(lexical), *texts = mem_array(all + 1u, sizeof *texts);
    size_t found = 0;
    for (uint32_t i = 0; i < all; i++)
        if (bits[i / 64] >> i % 64 & 1)
            texts[found++] = i;
    *count = found < LATENT_TEXTS_MOST ? found : LATENT_TEXTS_MOST;
    for (size_t i = 0; i < *count; i++)
        texts[i] = texts[i * found / *count];
    return texts;
}

/* Numbers the stems that stand in two texts or more; past the limit, those in the most texts. */
static uint32_t *choose_terms(const struct lexical *lexical, const uint32_t *holders, size_t *count)
{
    uint32_t stems = vocabulary_stems(lexical_vocabulary(lexical)), *columns = mem_array(stems + 1u, sizeof *columns);
    uint32_t least = 2;
    for (;; least++) {
        *count = 0;
        for (uint32_t i = 0; i < stems; i++)
            *count += holders[i] >= least;
        if (*count <= LATENT_TERMS_MOST)
            break;
    }
    uint32_t next = 0;
    for (uint32_t i = 0; i < stems; i++)
        columns[i] = holders[i] >= least ? next++ : LEXICAL_NONE;
    return columns;
}

static size_t sorted_stems(const struct lexical *lexical, uint32_t text, uint32_t *stems)
{
    size_t count = lexical_stems(lexical, text, stems, WORDS_MOST);
    qsort(stems, count, sizeof *stems, by_number);
    return count;
}

static void add_row(struct latent_sample *sample, const uint32_t *stems, size_t count, const uint32_t *columns,
                    size_t *entries)
{
    struct svd_matrix *m = &sample->matrix;
    size_t first = *entries;
    double square = 0;
    for (size_t i = 0, j; i < count; i = j) {
        for (j = i + 1; j < count && stems[j] == stems[i]; j++)
            continue;
        uint32_t column = columns[stems[i]];
        if (column == LEXICAL_NONE)
            continue;
        float value = (1 + logf((float)(j - i))) * sample->idf[column];
        m->places[*entries] = column;
        m->values[(*entries)++] = value;
        square += (double)value * (double)value;
    }
    for (size_t e = first; e < *entries; e++)
        m->values[e] /= (float)sqrt(square);
    m->starts[++m->rows] = *entries;
}

struct latent_sample *latent_sample(const struct lexical *lexical, const uint64_t *bits)
{
    const struct vocabulary *v = lexical_vocabulary(lexical);
    struct latent_sample *sample = mem_alloc(sizeof *sample);
    size_t texts_count, terms, entries = 0;
    AUTO(mem_freep) uint32_t *texts = choose_texts(lexical, bits, &texts_count);
    AUTO(mem_freep) uint32_t *holders = mem_array(vocabulary_stems(v) + 1u, sizeof *holders);
    AUTO(mem_freep) uint32_t *stems = mem_array(WORDS_MOST, sizeof *stems);
    for (size_t t = 0; t < texts_count; t++) {
        size_t count = sorted_stems(lexical, texts[t], stems);
        for (size_t i = 0; i < count; i++)
            if (!i || stems[i] != stems[i - 1]) {
                holders[stems[i]]++;
                entries++;
            }
    }
    AUTO(mem_freep) uint32_t *columns = choose_terms(lexical, holders, &terms);
    struct svd_matrix *m = &sample->matrix;
    m->columns = terms;
    m->starts = mem_array(texts_count + 1, sizeof *m->starts);
    m->places = mem_array(entries + 1, sizeof *m->places);
    m->values = mem_array(entries + 1, sizeof *m->values);
    sample->idf = mem_array(terms + 1, sizeof *sample->idf);
    sample->starts = mem_array(terms + 1, sizeof *sample->starts);
    struct buf text = {0};
    for (uint32_t stem = 0; stem < vocabulary_stems(v); stem++) {
        if (columns[stem] == LEXICAL_NONE)
            continue;
        sample->idf[columns[stem]] = (float)log((double)texts_count / holders[stem]);
        sample->starts[columns[stem]] = (uint32_t)text.length;
        const char *spelt = vocabulary_stem_text(v, stem);
        buf_bytes(&text, spelt, strlen(spelt) + 1);
    }
    sample->text_length = text.length;
    sample->text = buf_take(&text);
    entries = 0;
    for (size_t t = 0; t < texts_count; t++)
        add_row(sample, stems, sorted_stems(lexical, texts[t], stems), columns, &entries);
    return sample;
}

static void index_terms(struct latent *latent)
{
    uint32_t size = 16;
    while (size < latent->terms * 2)
        size *= 2;
    latent->mask = size - 1;
    latent->slots = mem_array(size, sizeof *latent->slots);
    memset(latent->slots, 0xFF, size * sizeof *latent->slots);
    for (uint32_t i = 0; i < latent->terms; i++) {
        const char *text = latent->text + latent->starts[i];
        uint32_t slot = word_hash(text, strlen(text)) & latent->mask;
        while (latent->slots[slot] != LEXICAL_NONE)
            slot = (slot + 1) & latent->mask;
        latent->slots[slot] = i;
    }
}

static uint32_t find_term(const struct latent *latent, const char *stem, size_t length)
{
    for (uint32_t slot = word_hash(stem, length) & latent->mask;; slot = (slot + 1) & latent->mask) {
        uint32_t term = latent->slots[slot];
        if (term == LEXICAL_NONE)
            return term;
        const char *text = latent->text + latent->starts[term];
        if (!strncmp(text, stem, length) && !text[length])
            return term;
    }
}

/* Each term's row in 8 bits with a scale of its own: a quarter of the floats, and ranks the same. */
static void pack_row(const float *row, float *scale, int8_t *out)
{
    float most = 0;
    for (size_t i = 0; i < D; i++)
        most = fmaxf(most, fabsf(row[i]));
    *scale = most / 127;
    for (size_t i = 0; i < D && most > 0; i++)
        out[i] = (int8_t)lrintf(row[i] / *scale);
}

struct latent *latent_fit(struct latent_sample *sample, bool (*stop)(void *), void *context)
{
    size_t terms = sample->matrix.columns;
    AUTO(mem_freep) float *vectors = mem_array(terms * D + 1, sizeof *vectors);
    if (!svd_right(&sample->matrix, D, 20261123, vectors, stop, context))
        return NULL;
    struct latent *latent = mem_alloc(sizeof *latent);
    latent->terms = (uint32_t)terms;
    latent->text_length = sample->text_length;
    latent->text = mem_dupn(sample->text, sample->text_length);
    latent->starts = TAKE(sample->starts);
    latent->weights = mem_array(terms + 1, 2 * sizeof *latent->weights);
    latent->projection = mem_array(terms + 1, D);
    for (size_t i = 0; i < terms; i++) {
        latent->weights[2 * i] = sample->idf[i];
        pack_row(vectors + i * D, &latent->weights[2 * i + 1], latent->projection + i * D);
    }
    index_terms(latent);
    return latent;
}

static void add_term(const struct latent *latent, uint32_t term, size_t times, float *vector)
{
    float weight = (1 + logf((float)times)) * latent->weights[2 * term] * latent->weights[2 * term + 1];
    const int8_t *row = latent->projection + (size_t)term * D;
    for (size_t i = 0; i < D; i++)
        vector[i] += weight * (float)row[i];
}

static void fold(const struct latent *latent, uint32_t *terms, size_t count, float vector[D])
{
    qsort(terms, count, sizeof *terms, by_number);
    memset(vector, 0, D * sizeof *vector);
    for (size_t i = 0, j; i < count; i = j) {
        for (j = i + 1; j < count && terms[j] == terms[i]; j++)
            continue;
        add_term(latent, terms[i], j - i, vector);
    }
    float square = 0;
    for (size_t i = 0; i < D; i++)
        square += vector[i] * vector[i];
    for (size_t i = 0; i < D && square > 0; i++)
        vector[i] /= sqrtf(square);
}

void latent_embed_stems(const struct latent *latent, const char *const *stems, size_t count, float vector[D])
{
    AUTO(mem_freep) uint32_t *terms = mem_array(count + 1, sizeof *terms);
    size_t known = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t term = find_term(latent, stems[i], strlen(stems[i]));
        if (term != LEXICAL_NONE)
            terms[known++] = term;
    }
    fold(latent, terms, known, vector);
}

void latent_embed(const struct latent *latent, struct tokens *tokens, const char *text, size_t length, float vector[D])
{
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, length, &words, &language), known = 0;
    AUTO(mem_freep) uint32_t *terms = mem_array(count + 1, sizeof *terms);
    for (size_t i = 0; i < count; i++) {
        if (words[i].stop)
            continue;
        size_t size = words[i].length;
        const char *stem = tokens_stem(tokens, language, words[i].word, &size);
        uint32_t term = find_term(latent, stem, size);
        if (term != LEXICAL_NONE)
            terms[known++] = term;
    }
    fold(latent, terms, known, vector);
}

void latent_store(const struct latent *latent, struct buf *out)
{
    uint32_t head[2] = {latent->terms, (uint32_t)latent->text_length};
    buf_bytes(out, head, sizeof head);
    size_t from = out->length;
    buf_bytes(out, latent->text, latent->text_length);
    for (size_t i = from; i < out->length; i++)
        if (!out->data[i])
            out->data[i] = '\n';
    buf_bytes(out, latent->weights, latent->terms * 2 * sizeof(float));
    buf_bytes(out, latent->projection, (size_t)latent->terms * D);
}

struct latent *latent_load(const void *bytes, size_t length, struct err *err)
{
    uint32_t head[2] = {0}, lines = 0;
    const char *text = (const char *)bytes + sizeof head;
    if (length >= sizeof head)
        memcpy(head, bytes, sizeof head);
    size_t terms = head[0], text_length = head[1];
    bool fits = length == sizeof head + text_length + terms * (2 * sizeof(float) + D);
    for (size_t i = 0; fits && i < text_length; i++)
        lines += text[i] == '\n';
    if (!fits || lines != terms || (terms && text[text_length - 1] != '\n')) {
        err_set(err, ERR_INTERNAL, "latent model of %zu bytes is not whole", length);
        return NULL;
    }
    struct latent *latent = mem_alloc(sizeof *latent);
    latent->terms = (uint32_t)terms;
    latent->text_length = text_length;
    latent->text = mem_dupn(text, text_length);
    latent->weights = mem_array(terms + 1, 2 * sizeof *latent->weights);
    latent->projection = mem_array(terms + 1, D);
    latent->starts = mem_array(terms + 1, sizeof *latent->starts);
    memcpy(latent->weights, text + text_length, terms * 2 * sizeof(float));
    memcpy(latent->projection, text + text_length + terms * 2 * sizeof(float), terms * D);
    for (size_t i = 0, term = 0, start = 0; i < text_length; i++)
        if (latent->text[i] == '\n') {
            latent->text[i] = '\0';
            latent->starts[term++] = (uint32_t)start;
            start = i + 1;
        }
    index_terms(latent);
    return latent;
}

size_t latent_bytes(const struct latent *latent)
{
    return latent->text_length + latent->terms * (sizeof(uint32_t) + 2 * sizeof(float) + D) +
           (latent->mask + 1u) * sizeof(uint32_t);
}
