/* postings.h - which passages hold a stem and how often, packed: about two bytes a passage.
 *
 * A list grows at its end, with rising passage numbers. Lists share one arena of blocks in powers of two;
 * whoever owns the arena owns the lock.
 */
#ifndef SERVER_RETRIEVAL_POSTINGS_H
#define SERVER_RETRIEVAL_POSTINGS_H

#include <stddef.h>
#include <stdint.h>

enum { POSTINGS_CLASSES = 28 };

struct postings_arena {
    uint8_t *bytes;
    size_t used, capacity;
    uint32_t free[POSTINGS_CLASSES]; /* first free block of a class, 0: none; a free block holds the next */
};

struct postings {
    uint32_t block; /* in units of 8 bytes; 0: nothing yet */
    uint32_t used;  /* bytes */
    uint32_t last;  /* the last passage */
    uint32_t count;
    uint8_t class;
};

void postings_arena_free(struct postings_arena *arena);
/* `passage` is higher than any before in this list. */
void postings_add(struct postings_arena *arena, struct postings *list, uint32_t passage, uint32_t times);

/* A list's reader: {postings_at, end}; each postings_next moves `at` and adds to `passage` (start both with 0). */
static inline const uint8_t *postings_begin(const struct postings_arena *arena, const struct postings *list)
{
    return arena->bytes + (size_t)list->block * 8;
}

static inline uint32_t postings_number(const uint8_t **at)
{
    uint32_t value = *(*at)++;
    if (value < 0x80)
        return value;
    value &= 0x7F;
    for (unsigned shift = 7;; shift += 7) {
        uint32_t byte = *(*at)++;
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
}

/* The step to the next passage doubled, plus one where a count other than 1 follows. */
static inline uint32_t postings_next(const uint8_t **at, uint32_t *passage)
{
    uint32_t value = postings_number(at);
    *passage += value >> 1;
    return value & 1 ? postings_number(at) : 1;
}

/* 7 bits a byte, low ones first; returns the bytes written (at most 5). */
size_t postings_write(uint8_t *out, uint32_t value);

#endif
