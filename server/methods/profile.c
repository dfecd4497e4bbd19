/* profile.c - what people change about themselves. */
#include "server/methods/shapes.h"
#include "server/rpc/method.h"

#include <string.h>

#include "common/mem.h"
#include "common/text.h"

#define PROFILE_PARAMS(P, S)                \
    P(S, TEXT, avatar, OPTIONAL, .max = 16) \
    P(S, BOOL_GIVEN, plain, OPTIONAL)
METHOD_PARAMS(profile, PROFILE_PARAMS);

METHOD_HANDLER(update, profile)
{
    if (params->avatar) {
        AUTO(buf_free) struct buf clean = {0};
        size_t length = strlen(params->avatar);
        text_clean(&clean, params->avatar, length, TEXT_ONE_LINE);
        if (clean.length != length || (length && memcmp(clean.data, params->avatar, length) != 0))
            return err_field(err, "avatar", "has characters that a terminal can't show.");
        if (text_cells(params->avatar, length) > 2)
            return err_field(err, "avatar", "must be at most two cells wide.");
    }
    AUTO(rows_free) struct rows *rows = NULL;
    if (!tx_run(call->tx, SQL_PROFILE_UPDATE, &rows, err, BIND_TEXT(params->avatar),
                BIND_TEXT(!params->plain_given ? NULL
                          : params->plain      ? "true"
                                               : "false")))
        return false;
    buf_text(result, rows_text(rows, 0, 0));
    return true;
}

const struct method methods_profile[] = {
    {METHOD_CALL("profile.update", profile, update),
     .summary = "Change your avatar, or have plain text on your screen.",
     .description = "An avatar is at most two cells wide.", .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = SHAPE_USER, .example = "{'avatar': 'MO', 'plain': false}",
     .example_result = "{'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'institution_id': 's1024', 'name': 'Maria "
                       "Okafor', 'role': 'student', 'avatar': 'MO', 'plain': false}"},
    {0},
};
