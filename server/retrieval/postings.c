/* postings.c - which passages hold a stem and how often, packed: about two bytes a passage. */
#include "server/retrieval/postings.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

void postings_arena_free(struct postings_arena *arena)
{
    free(arena->bytes);
    *arena = (struct postings_arena){0};
}

size_t postings_write(uint8_t *out, uint32_t value)
{
    size_t n = 0;
    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

/* A block of 8 << class bytes. Block 0 is never given out: it means none. */
static uint32_t block_take(struct postings_arena *arena, unsigned class)
{
    uint32_t block = arena->free[class];
    if (block) {
        memcpy(&arena->free[class], arena->bytes + (size_t)block * 8, sizeof block);
        return block;
    }
    size_t size = (size_t)8 << class;
    if (!arena->used)
        arena->used = 8;
    if (arena->used + size > arena->capacity) {
        arena->capacity = arena->capacity + arena->capacity / 2 + size + 4096;
        arena->bytes = mem_grow(arena->bytes, arena->capacity, 1);
    }
    block = (uint32_t)(arena->used / 8);
    arena->used += size;
    return block;
}

static void block_give(struct postings_arena *arena, unsigned class, uint32_t block)
{
    memcpy(arena->bytes + (size_t)block * 8, &arena->free[class], sizeof block);
    arena->free[class] = block;
}

void postings_add(struct postings_arena *arena, struct postings *list, uint32_t passage, uint32_t times)
{
    uint8_t bytes[10];
    size_t n = postings_write(bytes, (passage - list->last) << 1 | (times != 1));
    if (times != 1)
        n += postings_write(bytes + n, times);
    if (!list->block) {
        list->block = block_take(arena, 0);
        list->class = 0;
    }
    while (list->used + n > (size_t)8 << list->class) {
        uint32_t bigger = block_take(arena, list->class + 1u);
        memcpy(arena->bytes + (size_t)bigger * 8, arena->bytes + (size_t)list->block * 8, list->used);
        block_give(arena, list->class, list->block);
        list->block = bigger;
        list->class ++;
    }
    memcpy(arena->bytes + (size_t)list->block * 8 + list->used, bytes, n);
    list->used += (uint32_t)n;
    list->last = passage;
    list->count++;
}
