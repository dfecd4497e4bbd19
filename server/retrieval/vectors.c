/* vectors.c - vectors of one model over numbered texts, and the scan for those nearest to a question. */
#include "server/retrieval/vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "common/mem.h"

enum {
    FLOATS_MOST = 256,
    STEP = 64,
    AHEAD = 2048, /* bytes that a scan asks of the memory before it needs them: over the next page's edge */
    HUGE_PAGE = 2 << 20,
};

struct vectors {
    size_t dimensions, stride; /* bytes of a vector in 8 bits: a multiple of STEP, zero behind the end */
    int8_t *bytes;
    float *scales, *floats; /* scale 0: no vector; floats NULL: packed, or too many dimensions */
    bool packed;
    size_t texts, capacity;
};

struct vectors *vectors_new(size_t dimensions)
{
    struct vectors *v = mem_alloc(sizeof *v);
    v->dimensions = dimensions;
    v->stride = (dimensions + STEP - 1) / STEP * STEP;
    return v;
}

struct vectors *vectors_new_packed(size_t dimensions)
{
    struct vectors *v = vectors_new(dimensions);
    v->packed = true;
    return v;
}

void vectors_free(struct vectors *v)
{
    if (!v)
        return;
    free(v->bytes);
    free(v->scales);
    free(v->floats);
    free(v);
}

size_t vectors_dimensions(const struct vectors *v)
{
    return v->dimensions;
}

static void pack(const float *vector, size_t dimensions, int8_t *bytes, float *scale)
{
    float most = 0;
    for (size_t i = 0; i < dimensions; i++)
        most = fmaxf(most, fabsf(vector[i]));
    *scale = most / 127;
    for (size_t i = 0; i < dimensions; i++)
        bytes[i] = most > 0 ? (int8_t)lrintf(vector[i] / *scale) : 0;
}

/* In huge pages where it is worth it: a scan over small ones takes twice as long. */
static void bytes_grow(struct vectors *v, size_t capacity)
{
    if (capacity * v->stride < 2 * HUGE_PAGE) {
        v->bytes = mem_grow(v->bytes, capacity, v->stride);
        return;
    }
    size_t size = (capacity * v->stride + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
    int8_t *bytes = aligned_alloc(HUGE_PAGE, size);
    if (!bytes)
        abort();
    madvise(bytes, size, MADV_HUGEPAGE); /* a hint; without it small ones do */
    if (v->texts)
        memcpy(bytes, v->bytes, v->texts * v->stride);
    free(v->bytes);
    v->bytes = bytes;
}

static void reserve(struct vectors *v, size_t texts)
{
    if (texts > v->capacity) {
        size_t capacity = texts + texts / 2 + 64;
        bytes_grow(v, capacity);
        v->capacity = capacity;
        v->scales = mem_grow(v->scales, v->capacity, sizeof *v->scales);
        if (v->dimensions <= FLOATS_MOST && !v->packed)
            v->floats = mem_grow(v->floats, v->capacity * v->dimensions, sizeof *v->floats);
    }
    for (; v->texts < texts; v->texts++) {
        v->scales[v->texts] = 0;
        memset(v->bytes + v->texts * v->stride, 0, v->stride);
        if (v->floats)
            memset(v->floats + v->texts * v->dimensions, 0, v->dimensions * sizeof *v->floats);
    }
}

void vectors_put(struct vectors *v, uint32_t text, const float *vector)
{
    reserve(v, (size_t)text + 1);
    pack(vector, v->dimensions, v->bytes + text * v->stride, &v->scales[text]);
    if (v->floats)
        memcpy(v->floats + text * v->dimensions, vector, v->dimensions * sizeof *v->floats);
}

struct vectors *vectors_copy(const struct vectors *v, const uint64_t *keep, uint32_t texts)
{
    struct vectors *copy = v->packed ? vectors_new_packed(v->dimensions) : vectors_new(v->dimensions);
    for (uint32_t text = 0; text < texts; text++) {
        if (!(keep[text / 64] >> text % 64 & 1))
            continue;
        uint32_t to = (uint32_t)copy->texts;
        reserve(copy, (size_t)to + 1);
        if (!vectors_has(v, text))
            continue;
        copy->scales[to] = v->scales[text];
        memcpy(copy->bytes + to * v->stride, v->bytes + text * v->stride, v->stride);
        if (v->floats)
            memcpy(copy->floats + to * v->dimensions, v->floats + text * v->dimensions,
                   v->dimensions * sizeof *v->floats);
    }
    return copy;
}

bool vectors_has(const struct vectors *v, uint32_t text)
{
    return text < v->texts && v->scales[text] > 0;
}

/* Vectors that follow each other, `stride` bytes each, against one question: scores[i] = scale * scales[i] *
 * the sum of products. Bytes lie between -127 and 127. */
struct row {
    const int8_t *question, *bytes;
    size_t stride, count;
    const float *scales;
    float scale, *scores;
};
typedef void kernel(const struct row *row);

static void scan_plain(const struct row *row)
{
    for (size_t n = 0; n < row->count; n++) {
        int32_t sum = 0;
        for (size_t i = 0; i < row->stride; i++)
            sum += row->question[i] * row->bytes[n * row->stride + i];
        row->scores[n] = row->scale * row->scales[n] * (float)sum;
    }
}

#if defined(__x86_64__)
/* Sums of products of 32 dimensions more: |x| times y with x's sign; two products of at most 127 * 127 fit in 16 bits. */
__attribute__((target("avx2"), always_inline)) static inline __m256i add32(__m256i sum, __m256i x, __m256i size,
                                                                           const int8_t *vector)
{
    __m256i y = _mm256_loadu_si256((const __m256i *)(const void *)vector);
    return _mm256_add_epi32(
        sum, _mm256_madd_epi16(_mm256_maddubs_epi16(size, _mm256_sign_epi8(y, x)), _mm256_set1_epi16(1)));
}

/* Four vectors at once: their sums are added up across together, which would else cost as much as the products. */
__attribute__((target("avx2"))) static void scan_avx2(const struct row *row)
{
    size_t n = 0;
    for (; n + 4 <= row->count; n += 4) {
        const int8_t *vector = row->bytes + n * row->stride;
        __m256i a = _mm256_setzero_si256(), b = a, c = a, d = a;
        for (size_t i = 0; i < 4 * row->stride; i += STEP)
            _mm_prefetch((const char *)vector + AHEAD + i, _MM_HINT_T0); /* may lie behind the end: it only asks */
        for (size_t i = 0; i < row->stride; i += 32) {
            __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(row->question + i)),
                    size = _mm256_abs_epi8(x);
            a = add32(a, x, size, vector + i);
            b = add32(b, x, size, vector + i + row->stride);
            c = add32(c, x, size, vector + i + 2 * row->stride);
            d = add32(d, x, size, vector + i + 3 * row->stride);
        }
        a = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
        __m128 sums = _mm_cvtepi32_ps(_mm_add_epi32(_mm256_castsi256_si128(a), _mm256_extracti128_si256(a, 1)));
        __m128 scales = _mm_mul_ps(_mm_set1_ps(row->scale), _mm_loadu_ps(row->scales + n));
        _mm_storeu_ps(row->scores + n, _mm_mul_ps(scales, sums));
    }
    scan_plain(&(struct row){row->question, row->bytes + n * row->stride, row->stride, row->count - n, row->scales + n,
                             row->scale, row->scores + n});
}

__attribute__((target("avx512bw"))) static void scan_avx512(const struct row *row)
{
    for (size_t n = 0; n < row->count; n++) {
        const int8_t *vector = row->bytes + n * row->stride;
        __m512i sum = _mm512_setzero_si512();
        for (size_t i = 0; i < row->stride; i += 32) {
            __m512i x = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(row->question + i)));
            __m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(const void *)(vector + i)));
            sum = _mm512_add_epi32(sum, _mm512_madd_epi16(x, y));
        }
        row->scores[n] = row->scale * row->scales[n] * (float)_mm512_reduce_add_epi32(sum);
    }
}
#endif

static const struct {
    const char *name;
    kernel *scan;
} kernels[] = {
#if defined(__x86_64__)
    {"avx512", scan_avx512},
    {"avx2", scan_avx2},
#endif
    {"plain", scan_plain},
};

static bool runs_here(const char *name)
{
#if defined(__x86_64__)
    if (!strcmp(name, "avx512"))
        return __builtin_cpu_supports("avx512bw");
    if (!strcmp(name, "avx2"))
        return __builtin_cpu_supports("avx2");
#endif
    return !strcmp(name, "plain");
}

const char *vectors_kernel(size_t n)
{
    for (size_t i = 0; i < COUNT_OF(kernels); i++)
        if (runs_here(kernels[i].name) && n-- == 0)
            return kernels[i].name;
    return NULL;
}

void vectors_scan_with(const struct vectors *v, const char *name, const float *question,
                       const struct vectors_span *spans, size_t count, float *scores)
{
    AUTO(mem_freep) int8_t *packed = mem_alloc(v->stride);
    float scale;
    pack(question, v->dimensions, packed, &scale);
    kernel *scan = scan_plain;
    for (size_t i = 0; i < COUNT_OF(kernels); i++)
        if (!strcmp(kernels[i].name, name))
            scan = kernels[i].scan;
    for (size_t s = 0; s < count; s++) {
        uint32_t end = spans[s].to < v->texts ? spans[s].to : (uint32_t)v->texts, from = spans[s].from;
        if (from < end)
            scan(&(struct row){packed, v->bytes + from * v->stride, v->stride, end - from, v->scales + from, scale,
                               scores + from});
        for (uint32_t text = from > end ? from : end; text < spans[s].to; text++)
            scores[text] = 0;
    }
}

void vectors_scan(const struct vectors *v, const float *question, const struct vectors_span *spans, size_t count,
                  float *scores)
{
    vectors_scan_with(v, vectors_kernel(0), question, spans, count, scores);
}

/* Four sums, so that no addition waits for the one before it. */
static double dot(const float *x, const float *y, size_t count)
{
    double a = 0, b = 0, c = 0, d = 0;
    size_t i = 0;
    for (; i + 4 <= count; i += 4) {
        a += (double)x[i] * (double)y[i];
        b += (double)x[i + 1] * (double)y[i + 1];
        c += (double)x[i + 2] * (double)y[i + 2];
        d += (double)x[i + 3] * (double)y[i + 3];
    }
    for (; i < count; i++)
        a += (double)x[i] * (double)y[i];
    return (a + b) + (c + d);
}

float vectors_score(const struct vectors *v, const float *question, uint32_t text)
{
    if (!vectors_has(v, text))
        return 0;
    if (v->floats)
        return (float)dot(question, v->floats + text * v->dimensions, v->dimensions);
    double sum = 0;
    for (size_t i = 0; i < v->dimensions; i++)
        sum += (double)question[i] * (double)(v->scales[text] * (float)v->bytes[text * v->stride + i]);
    return (float)sum;
}

size_t vectors_bytes(const struct vectors *v)
{
    return v->capacity * (v->stride + sizeof *v->scales + (v->floats ? v->dimensions * sizeof *v->floats : 0));
}
