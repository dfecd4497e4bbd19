/* hashed.c - vectors for a library too small to learn from: each stem adds to two of 256 places. */
#include "server/retrieval/hashed.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

static uint64_t hash_of(const char *word, size_t length)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)word[i]) * 1099511628211u;
    hash ^= hash >> 32;
    hash *= 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 29;
}

void hashed_embed(struct tokens *tokens, const char *text, size_t length, float vector[HASHED_DIMENSIONS])
{
    const struct token *words;
    enum language language;
    size_t count = tokens_split(tokens, text, length, &words, &language);
    memset(vector, 0, HASHED_DIMENSIONS * sizeof *vector);
    for (size_t i = 0; i < count; i++) {
        if (words[i].stop)
            continue;
        size_t size = words[i].length;
        const char *stem = tokens_stem(tokens, language, words[i].word, &size);
        uint64_t hash = hash_of(stem, size);
        vector[hash % HASHED_DIMENSIONS] += hash >> 62 & 1 ? 1.0f : -1.0f;
        vector[(hash >> 16) % HASHED_DIMENSIONS] += hash >> 63 & 1 ? 1.0f : -1.0f;
    }
    float square = 0;
    for (size_t i = 0; i < HASHED_DIMENSIONS; i++)
        square += vector[i] * vector[i];
    for (size_t i = 0; i < HASHED_DIMENSIONS && square > 0; i++)
        vector[i] /= sqrtf(square);
}
