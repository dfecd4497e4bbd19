/* profile.c - what people change about themselves. */
#include "server/rpc/method.h"

#include <string.h>

#include "common/mem.h"
#include "common/text.h"

struct profile_params {
    const char *avatar;
    bool plain, plain_given;
};
static const struct param profile_spec[] = {
    PARAM(TEXT, struct profile_params, avatar, .optional = true, .max = 16),
    PARAM(BOOL, struct profile_params, plain, .optional = true, .given = offsetof(struct profile_params, plain_given)),
    {0},
};

static bool update(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct profile_params *p = params;
    if (p->avatar) {
        AUTO(buf_free) struct buf clean = {0};
        size_t length = strlen(p->avatar);
        text_clean(&clean, p->avatar, length, TEXT_ONE_LINE);
        if (clean.length != length || (length && memcmp(clean.data, p->avatar, length) != 0))
            return err_field(err, "avatar", "has characters that a terminal can't show.");
        if (text_cells(p->avatar, length) > 2)
            return err_field(err, "avatar", "must be at most two cells wide.");
    }
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(call->tx, SQL_PROFILE_UPDATE, &rows, err, BIND_TEXT(p->avatar),
                BIND_TEXT(!p->plain_given ? NULL
                          : p->plain      ? "true"
                                          : "false")))
        return false;
    buf_text(result, rows_text(rows, 0, 0));
    return true;
}

const struct method methods_profile[] = {
    {.name = "profile.update",
     .summary = "Change your avatar, or have plain text on your screen.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = profile_spec,
     .params_size = sizeof(struct profile_params),
     .handler = update,
     .result =
         "{\"type\":\"object\",\"required\":[\"user_id\",\"institution_id\",\"name\",\"role\",\"avatar\",\"plain\"]}"},
    {0},
};
