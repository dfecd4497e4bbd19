/* chat.c - a class talks while it works, and nothing said becomes a permanent record. */
#include <string.h>

#include "common/mem.h"
#include "server/chat/chat_delivery.h"
#include "server/methods/shapes.h"
#include "server/rpc/method.h"
#include "server/rpc/notify.h"

enum { TEXT_MOST = 2000, MESSAGES_MOST = 1000, MUTE_MOST = 400 * 24 * 3600 };

#define JOIN_PARAMS(P, S)      \
    P(S, UUID, room, OPTIONAL) \
    P(S, INT, after_seq, OPTIONAL, .min = 0, .max = INT64_C(9007199254740991))
METHOD_PARAMS(join, JOIN_PARAMS);

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
METHOD_HANDLER(join, join)
{
    const char *room = room_of(params->room);
    if (!chat_delivery_follow(room, err))
        return false;
    notify_join(call->caller.session, room);
    AUTO(rows_free) struct rows *rows = NULL;
    const struct bind values[] = {BIND_TEXT(room), BIND_INT(params->after_seq), BIND_INT(MESSAGES_MOST)};
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

#define SEND_PARAMS(P, S)                                                   \
    P(S, TEXT, text, REQUIRED, .min = 1, .max = TEXT_MOST, .cleaned = true) \
    P(S, UUID, room, OPTIONAL)                                              \
    P(S, TEXT, client_id, OPTIONAL, .line = true, .min = 1, .max = 100)
METHOD_PARAMS(send, SEND_PARAMS);

#define LEAVE_PARAMS(P, S) P(S, UUID, room, OPTIONAL)
METHOD_PARAMS(leave, LEAVE_PARAMS);

METHOD_HANDLER(leave, leave)
{
    (void)err;
    notify_leave(call->caller.session, room_of(params->room));
    buf_json_raw(result, "{}");
    return true;
}

#define DELETE_PARAMS(P, S) P(S, UUID, message_id, REQUIRED)
METHOD_PARAMS(delete, DELETE_PARAMS);

#define MUTE_PARAMS(P, S)         \
    P(S, UUID, room, OPTIONAL)    \
    P(S, UUID, user_id, REQUIRED) \
    P(S, INT, seconds, REQUIRED, .min = 0, .max = MUTE_MOST)
METHOD_PARAMS(mute, MUTE_PARAMS);

const struct method methods_chat[] = {
    {METHOD_CALL("chat.join", join, join),
     .summary = "Enter a room: what was said and has not expired, then what comes.",
     .description = "room is a course_id; without it the common room. Oldest first, at most 1,000 behind after_seq; "
                    "with more, call it again behind the last one.",
     .access = ACCESS_USER, .lane = LANE_QUICK, .cost = COST_ONE,
     .result = "{room: uuid, ttl_seconds: int, messages: [" SHAPE_LINE "], more: bool, online: int}",
     .example = "{'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'after_seq': 0}",
     .example_result =
         "{'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'ttl_seconds': 3600, 'messages': [{'message_id': "
         "'91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8', 'seq': 17, 'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', "
         "'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', 'name': 'Maria Okafor', 'role': 'student', 'avatar': '', "
         "'text': 'Has anybody read page 2?', 'at': '2026-11-23T09:05:00.000Z', 'expires_at': "
         "'2026-11-23T10:05:00.000Z'}], 'more': false, 'online': 12}"},
    {METHOD_QUERY("chat.send", send, SQL_CHAT_SEND), .summary = "Say something in a room.",
     .description = "The same client_id twice is one message. Somebody who is muted gets forbidden with until.",
     .access = ACCESS_USER, .lane = LANE_CHAT, .cost = COST_ONE, .batched = true,
     .result = "{message_id: uuid, seq: int, at: time}",
     .example =
         "{'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'text': 'Has anybody read page 2?', 'client_id': 'a1'}",
     .example_result =
         "{'message_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8', 'seq': 17, 'at': '2026-11-23T09:00:00.000Z'}"},
    {METHOD_CALL("chat.leave", leave, leave), .summary = "Leave a room.", .access = ACCESS_USER, .lane = LANE_INLINE,
     .cost = COST_ONE, .result = SHAPE_NOTHING, .example = "{'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f'}",
     .example_result = "{}"},
    {METHOD_QUERY("chat.delete", delete, SQL_CHAT_DELETE),
     .summary = "Take a line back, in a room of one's own course.", .access = ACCESS_TEACHER, .lane = LANE_QUICK,
     .cost = COST_ONE, .result = SHAPE_NOTHING, .example = "{'message_id': '91b2a3c4-d5e6-4f70-8192-a3b4c5d6e7f8'}",
     .example_result = "{}"},
    {METHOD_QUERY("chat.mute", mute, SQL_CHAT_MUTE),
     .summary = "Silence a person in a room for a while; 0 seconds lets them speak again.", .access = ACCESS_TEACHER,
     .lane = LANE_QUICK, .cost = COST_ONE, .result = SHAPE_NOTHING,
     .example = "{'room': '5d1c3e0a-41c7-4b6d-8f3e-9a2b7c6d5e4f', 'user_id': '0b6f6c1e-8d0c-4f3a-9c57-2f4f1f0f7a11', "
                "'seconds': 600}",
     .example_result = "{}"},
    {0}};
