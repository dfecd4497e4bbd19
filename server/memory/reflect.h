/* reflect.h - what a person has covered, how often, and where it went quiet: figures from the rows alone.
 *
 * The prose may come from a model or an outside memory; the figures never do.
 */
#ifndef SERVER_MEMORY_REFLECT_H
#define SERVER_MEMORY_REFLECT_H

#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "server/memory/topics.h"

enum { REFLECT_TOPICS_MOST = 20, REFLECT_QUIET_DAYS = 7, REFLECT_GAP_DAYS = 14 };

struct reflect {
    char name[256];         /* of the person */
    struct topics topics;   /* sorted by count */
    struct reflect_search { /* oldest first */
        int64_t at;
        size_t topic;
    } * searches;
    size_t search_count;
    int active_days;
    int64_t first_at, last_active_at, quiet_since; /* 0: never */
};

/* `rows` is what api.reflection_begin returns; `now` in seconds since 1970. Days are UTC's. */
void reflect_compute(struct reflect *reflect, const cJSON *rows, int64_t now);
void reflect_free(struct reflect *reflect); /* for AUTO */
/* A paragraph of plain sentences, each true of the figures. `own`: it is about the reader. */
void reflect_prose(const struct reflect *reflect, bool own, int64_t now, struct buf *text);
/* Members topics, active_days, last_active_at and quiet_since of the object that is open. */
void reflect_write(const struct reflect *reflect, int64_t now, struct buf *out);

#endif
