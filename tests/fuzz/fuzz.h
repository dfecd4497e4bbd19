/* fuzz.h - what the fuzz targets share: properties that must hold, and input taken apart from its front.
 *
 * A target is one file with LLVMFuzzerTestOneInput. Built with clang it searches (tests/fuzz/search.sh); built
 * with any compiler and replay.c it runs what is kept in corpus/NAME and found/NAME, as an ordinary test.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The property in words, so that a finding reads as a sentence. */
#define FUZZ_MUST(condition, ...) ((condition) ? (void)0 : fuzz_broken(__FILE__, __LINE__, __VA_ARGS__))
static inline _Noreturn __attribute__((format(printf, 3, 4))) void fuzz_broken(const char *file, int line,
                                                                               const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s:%d: ", file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    abort();
}

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (!in->left)
        return 0;
    in->left--;
    return *in->at++;
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
    uint32_t value = 0;
    for (int i = 0; i < 4; i++)
        value = value << 8 | fuzz_byte(in);
    return value;
}

/* Up to the next line feed, which is passed over. A copy of exactly its size and a NUL, so that the address
 * sanitizer sees the first byte too many; the caller's to free(). */
static inline char *fuzz_line(struct fuzz_input *in, size_t *length)
{
    const uint8_t *end = in->left ? memchr(in->at, '\n', in->left) : NULL;
    *length = end ? (size_t)(end - in->at) : in->left;
    char *line = mem_dupn(in->at, *length);
    in->at += *length + (end != NULL);
    in->left -= *length + (end != NULL);
    return line;
}

/* All that is left, as fuzz_line. */
static inline char *fuzz_rest(struct fuzz_input *in, size_t *length)
{
    *length = in->left;
    char *rest = mem_dupn(in->at, in->left);
    in->at += in->left;
    in->left = 0;
    return rest;
}

#endif
