/* chat.c - a class talks while it works, and nothing said becomes a permanent record. */
#include <string.h>

#include "common/mem.h"
#include "server/chat/chat_delivery.h"
#include "server/rpc/method.h"
#include "server/rpc/notify.h"

enum { TEXT_MOST = 2000, MESSAGES_MOST = 1000, MUTE_MOST = 400 * 24 * 3600 };

struct room_params {
    const char *room;
    int64_t after_seq;
};

static const struct param join_spec[] = {
    PARAM(UUID, struct room_params, room, .optional = true),
    PARAM(INT, struct room_params, after_seq, .optional = true, .min = 0, .max = INT64_C(9007199254740991)),
    {0}};

static const char *room_of(const char *room)
{
    return room ? room : CHAT_COMMON_ROOM;
}

/* To a member who was away: what it may still show and was taken back meanwhile, ids separated by blanks. */
static void tell_gone(struct call *call, const char *room, const char *ids)
{
    for (const char *id = ids; id; id = strchr(id, ' ') ? strchr(id, ' ') + 1 : NULL) {
        AUTO(buf_free) struct buf params = {0};
        buf_json_open(&params, '{');
        buf_json_member(&params, "room", room);
        buf_json_key(&params, "message_id");
        buf_json_stringn(&params, id, strcspn(id, " "));
        buf_json_close(&params, '}');
        call_notify(call, "chat.deleted", params.data);
    }
}

/* The order matters (notify.h): follow and hold, then read, then live from where the reading ended. With more
 * pages to come the room stays held, so that nothing comes twice. */
static bool join(struct call *call, const void *params, struct buf *result, struct err *err)
{
    const struct room_params *p = params;
    const char *room = room_of(p->room);
    if (!chat_delivery_follow(room, err))
        return false;
    notify_join(call->caller.session, room);
    AUTO(rows_free) struct rows *rows = NULL;
    const struct bind values[] = {BIND_TEXT(room), BIND_INT(p->after_seq), BIND_INT(MESSAGES_MOST)};
    if (!tx_query_commit(&call->tx, SQL_CHAT_JOIN, values, COUNT_OF(values), &rows, err)) {
        notify_leave(call->caller.session, room);
        return false;
    }
    tell_gone(call, room, rows_text(rows, 0, 3));
    if (!rows_bool(rows, 0, 2))
        call_live(call, room, rows_int(rows, 0, 1, 0));
    buf_json_raw(result, rows_text(rows, 0, 0));
    return true;
}

struct send_params {
    const char *text, *room, *client_id;
};

static const struct param send_spec[] = {
    PARAM(TEXT, struct send_params, text, .min = 1, .max = TEXT_MOST, .cleaned = true),
    PARAM(UUID, struct send_params, room, .optional = true),
    PARAM(TEXT, struct send_params, client_id, .optional = true, .min = 1, .max = 100),
    {0}};

static const struct param leave_spec[] = {PARAM(UUID, struct room_params, room, .optional = true), {0}};

static bool leave(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)err;
    const struct room_params *p = params;
    notify_leave(call->caller.session, room_of(p->room));
    buf_json_raw(result, "{}");
    return true;
}

struct delete_params {
    const char *message_id;
};

static const struct param delete_spec[] = {PARAM(UUID, struct delete_params, message_id, .optional = false), {0}};

struct mute_params {
    const char *room, *user_id;
    int64_t seconds;
};

static const struct param mute_spec[] = {PARAM(UUID, struct mute_params, room, .optional = true),
                                         PARAM(UUID, struct mute_params, user_id, .optional = false),
                                         PARAM(INT, struct mute_params, seconds, .min = 0, .max = MUTE_MOST),
                                         {0}};

#define MESSAGE_SCHEMA                                                                                          \
    "{\"type\":\"object\",\"properties\":{\"message_id\":{\"type\":\"string\"},\"seq\":{\"type\":\"integer\"}," \
    "\"room\":{\"type\":\"string\"},\"user_id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"},"          \
    "\"role\":{\"type\":\"string\"},\"avatar\":{\"type\":\"string\"},\"text\":{\"type\":\"string\"},"           \
    "\"at\":{\"type\":\"string\"},\"expires_at\":{\"type\":\"string\"}}}"

const struct method methods_chat[] = {
    {.name = "chat.join",
     .summary = "Enter a room: what was said and has not expired, then what comes.",
     .access = ACCESS_USER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = join_spec,
     .params_size = sizeof(struct room_params),
     .handler = join,
     .result =
         "{\"type\":\"object\",\"properties\":{\"room\":{\"type\":\"string\"},\"ttl_seconds\":{\"type\":\"integer\"},"
         "\"messages\":{\"type\":\"array\",\"items\":" MESSAGE_SCHEMA "},\"more\":{\"type\":\"boolean\"},"
         "\"online\":{\"type\":\"integer\"}}}"},
    {.name = "chat.send",
     .summary = "Say something in a room.",
     .access = ACCESS_USER,
     .lane = LANE_CHAT,
     .cost = COST_ONE,
     .params = send_spec,
     .params_size = sizeof(struct send_params),
     .sql = SQL_CHAT_SEND,
     .batched = true,
     .result =
         "{\"type\":\"object\",\"properties\":{\"message_id\":{\"type\":\"string\"},\"seq\":{\"type\":\"integer\"},"
         "\"at\":{\"type\":\"string\"}}}"},
    {.name = "chat.leave",
     .summary = "Leave a room.",
     .access = ACCESS_USER,
     .lane = LANE_INLINE,
     .cost = COST_ONE,
     .params = leave_spec,
     .params_size = sizeof(struct room_params),
     .handler = leave,
     .result = "{\"type\":\"object\"}"},
    {.name = "chat.delete",
     .summary = "Take a line back, in a room of one's own course.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = delete_spec,
     .params_size = sizeof(struct delete_params),
     .sql = SQL_CHAT_DELETE,
     .result = "{\"type\":\"object\"}"},
    {.name = "chat.mute",
     .summary = "Silence a person in a room for a while; 0 seconds lets them speak again.",
     .access = ACCESS_TEACHER,
     .lane = LANE_QUICK,
     .cost = COST_ONE,
     .params = mute_spec,
     .params_size = sizeof(struct mute_params),
     .sql = SQL_CHAT_MUTE,
     .result = "{\"type\":\"object\"}"},
    {0}};
