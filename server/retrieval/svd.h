/* svd.h - the leading right singular vectors of a sparse matrix, by randomised subspace iteration.
 *
 * Halko, Martinsson and Tropp 2011, algorithm 4.4 with two power iterations and ten extra directions. The
 * same matrix and seed give the same vectors on the same processor. One thread; memory: rows * (rank + 10) and
 * columns * (rank + 10) floats for the time of the call.
 */
#ifndef SERVER_RETRIEVAL_SVD_H
#define SERVER_RETRIEVAL_SVD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct svd_matrix {
    size_t rows, columns;
    size_t *starts;   /* rows + 1: where each row's entries begin */
    uint32_t *places; /* the column of an entry */
    float *values;
};

void svd_matrix_free(struct svd_matrix *matrix);
/* `vectors`: columns * rank floats, those of one column together. A matrix of lower rank leaves the last
 * ones zero. `stop` (may be NULL) is asked now and then; false is returned when it said true. */
bool svd_right(const struct svd_matrix *matrix, size_t rank, uint64_t seed, float *vectors, bool (*stop)(void *),
               void *context);

#endif
