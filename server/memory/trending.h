/* trending.h - what many search: counted over at least three different people, so that it is nobody's own. */
#ifndef SERVER_MEMORY_TRENDING_H
#define SERVER_MEMORY_TRENDING_H

#include "common/err.h"

/* Similar queries of the last seven days are one topic (topics.h); its label is a wording that at least three
 * people typed, and no topic is told without one. Replaces the table `trending`, where no other node is at it. */
bool trending_count(struct err *err) MUST_CHECK;

#endif
