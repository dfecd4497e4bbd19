/* word_hash.h - one hash of a word for every table of words. */
#ifndef SERVER_RETRIEVAL_WORD_HASH_H
#define SERVER_RETRIEVAL_WORD_HASH_H

#include <stddef.h>
#include <stdint.h>

/* FNV-1a (Fowler, Noll, Vo), mixed at the end so that its low bits serve as a place in a table. */
static const uint32_t WORD_HASH_START = 2166136261u;

static inline uint32_t word_hash_add(uint32_t hash, unsigned char byte)
{
    return (hash ^ byte) * 16777619u;
}

static inline uint32_t word_hash_end(uint32_t hash)
{
    hash ^= hash >> 15;
    hash *= 0x85EBCA6Bu;
    return hash ^ hash >> 13;
}

static inline uint32_t word_hash(const char *word, size_t length)
{
    uint32_t hash = WORD_HASH_START;
    for (size_t i = 0; i < length; i++)
        hash = word_hash_add(hash, (unsigned char)word[i]);
    return word_hash_end(hash);
}

#endif
