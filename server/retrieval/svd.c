/* svd.c - the leading right singular vectors of a sparse matrix, by randomised subspace iteration. */
#include "server/retrieval/svd.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { EXTRA = 10, POWER = 2, SWEEPS = 30 };

void svd_matrix_free(struct svd_matrix *matrix)
{
    free(matrix->starts);
    free(matrix->places);
    free(matrix->values);
    *matrix = (struct svd_matrix){0};
}

/* splitmix64: Steele, Lea and Flood 2014. */
static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

static void fill_random(float *out, size_t count, uint64_t seed)
{
    for (size_t i = 0; i < count; i++) {
        double a = ((double)(next_random(&seed) >> 11) + 1) / 9007199254740993.0;
        double b = (double)(next_random(&seed) >> 11) / 9007199254740992.0;
        out[i] = (float)(sqrt(-2 * log(a)) * cos(6.283185307179586 * b));
    }
}

/* to += factor * from: where all the time goes. */
__attribute__((optimize("O3"))) static void add_scaled(float *restrict to, const float *restrict from, float factor,
                                                       size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += factor * from[i];
}

/* out (rows * k) = matrix * in (columns * k) */
static void times(const struct svd_matrix *m, const float *in, float *out, size_t k)
{
    memset(out, 0, m->rows * k * sizeof *out);
    for (size_t r = 0; r < m->rows; r++)
        for (size_t e = m->starts[r]; e < m->starts[r + 1]; e++)
            add_scaled(out + r * k, in + m->places[e] * k, m->values[e], k);
}

/* out (columns * k) = matrix transposed * in (rows * k) */
static void times_transposed(const struct svd_matrix *m, const float *in, float *out, size_t k)
{
    memset(out, 0, m->columns * k * sizeof *out);
    for (size_t r = 0; r < m->rows; r++)
        for (size_t e = m->starts[r]; e < m->starts[r + 1]; e++)
            add_scaled(out + m->places[e] * k, in + r * k, m->values[e], k);
}

/* gram (k * k) = x transposed * x, summed in blocks of rows so that single precision does inside a block. */
static void gram_of(const float *x, size_t rows, size_t k, double *gram)
{
    AUTO(mem_freep) float *block = mem_array(k * k, sizeof *block);
    memset(gram, 0, k * k * sizeof *gram);
    for (size_t from = 0; from < rows; from += 256) {
        size_t to = from + 256 < rows ? from + 256 : rows;
        memset(block, 0, k * k * sizeof *block);
        for (size_t r = from; r < to; r++)
            for (size_t i = 0; i < k; i++)
                add_scaled(block + i * k + i, x + r * k + i, x[r * k + i], k - i);
        for (size_t i = 0; i < k * k; i++)
            gram[i] += (double)block[i];
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < i; j++)
            gram[i * k + j] = gram[j * k + i];
}

static void rotate(double *restrict x, double *restrict y, size_t stride, size_t k, double c, double s)
{
    for (size_t i = 0; i < k; i++) {
        double a = x[i * stride], b = y[i * stride];
        x[i * stride] = c * a - s * b;
        y[i * stride] = s * a + c * b;
    }
}

/* Cyclic Jacobi: `a` (symmetric) becomes diagonal, the rows of `vectors` its eigenvectors. */
static void eigen(double *a, double *vectors, size_t k)
{
    memset(vectors, 0, k * k * sizeof *vectors);
    for (size_t i = 0; i < k; i++)
        vectors[i * k + i] = 1;
    for (int sweep = 0; sweep < SWEEPS; sweep++) {
        double off = 0, on = 0;
        for (size_t p = 0; p < k; p++)
            for (size_t q = p; q < k; q++)
                *(p == q ? &on : &off) += a[p * k + q] * a[p * k + q];
        if (off <= 1e-16 * on)
            return;
        for (size_t p = 0; p + 1 < k; p++)
            for (size_t q = p + 1; q < k; q++) {
                double between = a[p * k + q];
                if (between * between <= 1e-20 * fabs(a[p * k + p] * a[q * k + q]))
                    continue;
                double theta = (a[q * k + q] - a[p * k + p]) / (2 * between);
                double t = (theta < 0 ? -1 : 1) / (fabs(theta) + sqrt(theta * theta + 1));
                double c = 1 / sqrt(t * t + 1), s = t * c;
                rotate(a + p, a + q, k, k, c, s);
                rotate(a + p * k, a + q * k, 1, k, c, s);
                rotate(vectors + p * k, vectors + q * k, 1, k, c, s);
            }
    }
}

/* x = x * turn (k * k) */
static void turn_by(float *x, size_t rows, size_t k, const float *turn)
{
    AUTO(mem_freep) float *row = mem_array(k, sizeof *row);
    for (size_t r = 0; r < rows; r++) {
        memset(row, 0, k * sizeof *row);
        for (size_t i = 0; i < k; i++)
            add_scaled(row, turn + i * k, x[r * k + i], k);
        memcpy(x + r * k, row, k * sizeof *row);
    }
}

/* The inverse of the upper triangular Cholesky factor of `gram`, which is spent; directions that are not
 * there come out as zero columns. */
static void inverse_factor(double *gram, float *turn, size_t k)
{
    AUTO(mem_freep) double *inverse = mem_array(k * k, sizeof *inverse);
    double most = 0;
    for (size_t i = 0; i < k; i++)
        most = fmax(most, gram[i * k + i]);
    for (size_t j = 0; j < k; j++) {
        double pivot = gram[j * k + j];
        if (!(pivot > most * 1e-10)) {
            for (size_t i = j; i < k; i++)
                gram[j * k + i] = 0;
            continue;
        }
        for (size_t i = j; i < k; i++)
            gram[j * k + i] /= sqrt(pivot);
        for (size_t r = j + 1; r < k; r++)
            for (size_t i = r; i < k; i++)
                gram[r * k + i] -= gram[j * k + r] * gram[j * k + i];
        inverse[j * k + j] = 1 / gram[j * k + j];
        for (size_t i = 0; i < j; i++) {
            double sum = 0;
            for (size_t m = i; m < j; m++)
                sum += inverse[i * k + m] * gram[m * k + j];
            inverse[i * k + j] = -sum * inverse[j * k + j];
        }
    }
    for (size_t i = 0; i < k * k; i++)
        turn[i] = (float)inverse[i];
}

/* x (rows * k) becomes an orthonormal basis of its columns, in no particular order. */
static void orthonormalise(float *x, size_t rows, size_t k)
{
    AUTO(mem_freep) double *gram = mem_array(k * k, sizeof *gram);
    AUTO(mem_freep) float *turn = mem_array(k * k, sizeof *turn);
    gram_of(x, rows, k, gram);
    inverse_factor(gram, turn, k);
    turn_by(x, rows, k, turn);
}

/* The same by eigenvectors: the strongest direction first, and those that are not there zero. */
static void principal(float *x, size_t rows, size_t k)
{
    AUTO(mem_freep) double *gram = mem_array(k * k, sizeof *gram);
    AUTO(mem_freep) double *vectors = mem_array(k * k, sizeof *vectors);
    AUTO(mem_freep) float *turn = mem_array(k * k, sizeof *turn);
    AUTO(mem_freep) bool *used = mem_array(k, sizeof *used);
    gram_of(x, rows, k, gram);
    eigen(gram, vectors, k);
    double largest = 0;
    for (size_t place = 0; place < k; place++) {
        size_t best = k;
        for (size_t i = 0; i < k; i++)
            if (!used[i] && (best == k || gram[i * k + i] > gram[best * k + best]))
                best = i;
        used[best] = true;
        double strength = gram[best * k + best];
        largest = place ? largest : strength;
        for (size_t i = 0; i < k && strength > largest * 1e-10 && strength > 0; i++)
            turn[i * k + place] = (float)(vectors[best * k + i] / sqrt(strength));
    }
    turn_by(x, rows, k, turn);
}

bool svd_right(const struct svd_matrix *m, size_t rank, uint64_t seed, float *vectors, bool (*stop)(void *),
               void *context)
{
    size_t k = rank + EXTRA;
    AUTO(mem_freep) float *right = mem_array(m->columns * k, sizeof *right);
    AUTO(mem_freep) float *left = mem_array(m->rows * k, sizeof *left);
    fill_random(right, m->columns * k, seed);
    times(m, right, left, k);
    for (int i = 0; i < POWER; i++) {
        if (stop && stop(context))
            return false;
        orthonormalise(left, m->rows, k);
        times_transposed(m, left, right, k);
        orthonormalise(right, m->columns, k);
        times(m, right, left, k);
    }
    if (stop && stop(context))
        return false;
    orthonormalise(left, m->rows, k);
    times_transposed(m, left, right, k);
    /* The basis of what is left, strongest first, is the right singular vectors. */
    principal(right, m->columns, k);
    for (size_t c = 0; c < m->columns; c++)
        memcpy(vectors + c * rank, right + c * k, rank * sizeof *vectors);
    return true;
}
