/* notifications.c - what the server says unasked. */
#include "server/rpc/notifications.h"

#include <stddef.h>

#define OBJECT(required_, ...) "{\"type\":\"object\",\"required\":[" required_ "],\"properties\":{" __VA_ARGS__ "}}"
#define NAMED(name_) "\"" name_ "\""
#define TEXT(name_) NAMED(name_) ":{\"type\":\"string\"}"
#define UUID(name_) NAMED(name_) ":{\"type\":\"string\",\"format\":\"uuid\"}"
#define TIME(name_) NAMED(name_) ":{\"type\":\"string\",\"format\":\"date-time\"}"
#define COUNT(name_) NAMED(name_) ":{\"type\":\"integer\"}"
#define ID NAMED("id") ":{\"type\":[\"string\",\"number\"]}"
#define MAYBE_UUID(name_) NAMED(name_) ":{\"type\":[\"string\",\"null\"],\"format\":\"uuid\"}"

const struct notification notifications[] = {
    {"search.sources", "The passages of an answer, before its text.",
     OBJECT(NAMED("id") "," NAMED("search_id") "," NAMED("thread_id") "," NAMED("citations"),
            ID "," MAYBE_UUID("search_id") "," MAYBE_UUID("thread_id") ",\"citations\":{\"type\":\"array\"}")},
    {"search.delta", "The next piece of a streamed answer, or one's place while waiting for the language model.",
     OBJECT(NAMED("id"), ID "," TEXT("text") "," COUNT("queue_position"))},
    {"library.progress", "A job as library.job gives it, to the uploader, and to admins that have called library.jobs.",
     OBJECT(NAMED("job_id") "," NAMED("pdf_id") "," NAMED("state"),
            UUID("job_id") "," UUID("pdf_id") "," TEXT("state"))},
    {"users.progress", "How far the list of users.import with this id is.",
     OBJECT(NAMED("done") "," NAMED("total"), COUNT("done") "," COUNT("total") "," ID)},
    {"chat.message", "A line in a room that one has joined.",
     OBJECT(NAMED("message_id") "," NAMED("seq") "," NAMED("room") "," NAMED("user_id") "," NAMED("name") "," NAMED(
                "role") "," NAMED("avatar") "," NAMED("text") "," NAMED("at") "," NAMED("expires_at"),
            UUID("message_id") "," COUNT("seq") "," UUID("room") "," MAYBE_UUID("user_id") "," TEXT("name") "," TEXT(
                "role") "," TEXT("avatar") "," TEXT("text") "," TIME("at") "," TIME("expires_at"))},
    {"chat.expired", "Lines whose time is over.",
     OBJECT(NAMED("room") "," NAMED("message_ids"), UUID("room") ",\"message_ids\":{\"type\":\"array\"}")},
    {"chat.deleted", "A line that a teacher has taken away.",
     OBJECT(NAMED("room") "," NAMED("message_id"), UUID("room") "," UUID("message_id"))},
    {"chat.presence", "How many people are in a room.",
     OBJECT(NAMED("room") "," NAMED("online"), UUID("room") "," COUNT("online"))},
    {"chat.lagged", "Lines were dropped for a slow reader: chat.join with after_seq brings them.",
     OBJECT(NAMED("room") "," NAMED("dropped"), UUID("room") "," COUNT("dropped"))},
    {"auth.expiring", "Five minutes before the token ends: auth.refresh gives a new one.",
     OBJECT(NAMED("expires_at"), TIME("expires_at"))},
    {"server.closing", "The server ends; the socket is closed with 1001.", OBJECT(NAMED("reason"), TEXT("reason"))},
    {NULL, NULL, NULL},
};
