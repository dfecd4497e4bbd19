/* topics.h - groups of wordings that mean the same: their stems agree by half or more (Jaccard >= 0.5).
 *
 * "enzyme inhibition" and "Inhibition of enzymes" are one topic. One thread.
 */
#ifndef SERVER_MEMORY_TOPICS_H
#define SERVER_MEMORY_TOPICS_H

#include <stddef.h>
#include <stdint.h>

#include "server/retrieval/tokens.h"

enum { TOPIC_STEMS_MOST = 16 };

struct topic {
    char *label; /* the first wording that was placed here; callers may choose another */
    uint32_t stems[TOPIC_STEMS_MOST];
    size_t stem_count;
    int count; /* the rest is the callers': how often, and when (seconds since 1970) */
    int64_t first, last;
    double weight;
};

struct topics {
    struct topic *items;
    size_t count, capacity;
};

/* The different stems of the words that count, as numbers; with `beginning` only of so many bytes of each. */
size_t topics_stems(struct tokens *tokens, const char *text, size_t beginning, uint32_t stems[TOPIC_STEMS_MOST]);

#define TOPICS_NOWHERE ((size_t)-1)
/* Where this wording belongs. */
size_t topics_find(const struct topics *topics, struct tokens *tokens, const char *text);
/* The same, a new topic where nowhere yet; TOPICS_NOWHERE without a word that counts. */
size_t topics_place(struct topics *topics, struct tokens *tokens, const char *text);
/* Counts a use of a topic over [first, last]. */
void topics_count(struct topic *topic, int count, int64_t first, int64_t last);
/* By count, then by name. */
void topics_sort(struct topics *topics);
void topics_free(struct topics *topics); /* leaves {0}; for AUTO */

#endif
