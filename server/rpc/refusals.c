/* refusals.c - what one session was refused: like refusals are one line of the log a second. */
#include "server/rpc/refusals.h"

#include <string.h>

#include "common/log.h"

void refusals_flush(struct refusals *r, uint64_t session)
{
    for (int code = 0; code < ERR_COUNT; code++)
        if (r->more[code])
            log_event(LOG_INFO, "refused_again", "session=%llx reason=%s count=%u", (unsigned long long)session,
                      err_reason((enum err_code)code), r->more[code]);
    memset(r->more, 0, sizeof r->more);
    memset(r->any, 0, sizeof r->any);
}

void refusals_limited(struct refusals *r)
{
    if (r->limited < UINT16_MAX)
        r->limited++;
}

bool refusals_note(struct refusals *r, uint64_t session, enum err_code code, int64_t now_s)
{
    if (now_s != r->second) {
        refusals_flush(r, session);
        r->second = now_s;
    }
    if (code == ERR_RATE_LIMITED)
        refusals_limited(r);
    bool first = !r->any[code];
    r->any[code] = true;
    if (!first && r->more[code] < UINT16_MAX)
        r->more[code]++;
    return first;
}

void refusals_served(struct refusals *r)
{
    r->limited = 0;
}
