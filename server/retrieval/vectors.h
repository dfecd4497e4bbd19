/* vectors.h - vectors of one model over numbered texts, and the scan for those nearest to a question.
 *
 * Each is kept in 8 bits with a scale of its own for the scan and, up to 256 dimensions, as floats too, from
 * which the best are scored again. The scan uses the widest instructions that the processor has; all
 * kernels sum whole numbers, so all give the same scores. (No target_clones: they crash under the thread
 * sanitizer with gcc 12.)
 *
 * No locks inside: scans may run side by side, vectors_put may not.
 */
#ifndef SERVER_RETRIEVAL_VECTORS_H
#define SERVER_RETRIEVAL_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vectors;
struct vectors *vectors_new(size_t dimensions);
void vectors_free(struct vectors *v);
/* In 8 bits alone, which is what the scan needs: a fifth of the memory. */
struct vectors *vectors_new_packed(size_t dimensions);
size_t vectors_dimensions(const struct vectors *v);

/* Of this text, any number; texts without one score 0. */
void vectors_put(struct vectors *v, uint32_t text, const float *vector);
/* A new set with the texts whose bit is set, of the first `texts`, numbered anew in the same order. */
struct vectors *vectors_copy(const struct vectors *v, const uint64_t *keep, uint32_t texts);
bool vectors_has(const struct vectors *v, uint32_t text);

/* Texts from `from` on, before `to`. */
struct vectors_span {
    uint32_t from, to;
};

/* scores[text] gets the cosine, within about 0.01, for each text of the spans. */
void vectors_scan(const struct vectors *v, const float *question, const struct vectors_span *spans, size_t count,
                  float *scores);
/* From the floats where they are kept. */
float vectors_score(const struct vectors *v, const float *question, uint32_t text);
size_t vectors_bytes(const struct vectors *v);

/* For tests: which kernels this processor runs, and the scan with a given one. "avx512", "avx2", "plain". */
const char *vectors_kernel(size_t n); /* NULL past the last; the first is what vectors_scan uses */
void vectors_scan_with(const struct vectors *v, const char *kernel, const float *question,
                       const struct vectors_span *spans, size_t count, float *scores);

#endif
