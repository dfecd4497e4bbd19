/* refusals.h - what one session was refused: like refusals are one line of the log a second, and who goes on is shown out.
 *
 * Socket thread. A refusal costs the peer a request and us a reply; without this it would cost a line of the log as well,
 * and a single peer could fill the disk.
 */
#ifndef SERVER_RPC_REFUSALS_H
#define SERVER_RPC_REFUSALS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"

enum { REFUSALS_MOST = 100 /* rate_limited in a row: by then retry_after_ms has been said a hundred times */ };

struct refusals {
    int64_t second;
    uint16_t limited; /* rate_limited, since something was last served */
    uint16_t more[ERR_COUNT];
    bool any[ERR_COUNT];
};

/* Counts one; true where it is the first of its kind in this second, and so gets a line of its own. `now_s`: of the
 * monotonic clock. */
bool refusals_note(struct refusals *refusals, uint64_t session, enum err_code code, int64_t now_s);
/* One more for which the bucket was empty, whatever it was told. */
void refusals_limited(struct refusals *refusals);
/* Something was served. */
void refusals_served(struct refusals *refusals);
/* Says what has not been said yet. */
void refusals_flush(struct refusals *refusals, uint64_t session);

#endif
