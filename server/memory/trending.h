/* trending.h - what many search, so that nobody learns what one person searched.
 *
 * A topic is named by a title or heading of the library (subjects.h), never by what somebody typed; and what is shown of
 * it changes only by many people at once: what is promised stands in sql/migrations/016_privacy.sql.
 */
#ifndef SERVER_MEMORY_TRENDING_H
#define SERVER_MEMORY_TRENDING_H

#include "common/err.h"

/* Counts the last seven days, in the open library and in each course; `people` at least make a topic. Several nodes may
 * count: they come to the same. */
bool trending_count(int people, struct err *err) MUST_CHECK;

#endif
