/* pending.h - requests that wait for their replies. Times are microseconds of the caller's clock.
 *
 * Each is answered exactly once, and taken out before its callback is called: callbacks may add more.
 */
#ifndef COMMON_PENDING_H
#define COMMON_PENDING_H

#include <stddef.h>

#include "common/client.h"

struct pending {
    struct pending_request *first;
    uint64_t last_id;
};

/* `deadline` 0: none. Its id. */
uint64_t pending_add(struct pending *p, int64_t deadline, client_reply *reply, void *user);
/* False where no such request waits. */
bool pending_answer(struct pending *p, uint64_t id, const cJSON *result, const struct err *err);
/* All that wait now, but none that is added by a callback; false where there was none. */
bool pending_fail(struct pending *p, const struct err *err);
/* It waits on, but nobody is told. */
void pending_forget(struct pending *p, uint64_t id);
void pending_silence(struct pending *p);
bool pending_has(const struct pending *p, uint64_t id);
size_t pending_count(const struct pending *p);
/* The first whose deadline has come, 0 for none; and the next deadline, 0 for none. */
uint64_t pending_late(const struct pending *p, int64_t now);
int64_t pending_deadline(const struct pending *p);

#endif
