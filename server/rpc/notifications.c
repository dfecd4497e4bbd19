/* notifications.c - what the server says unasked. */
#include "server/rpc/notifications.h"

#include <stddef.h>

#define PLACE "pdf_id: uuid, title: text, page: int, page_label: text | null"

const struct notification notifications[] = {
    {"search.sources", "The passages of an answer, before its text.",
     "{id: id, search_id: uuid, thread_id: uuid, citations: [{n: int, chunk_id: uuid, " PLACE
     ", quote: text, support?: text}]}"},
    {"search.delta", "The next piece of a streamed answer, or one's place while waiting for the language model.",
     "{id: id, text?: text, queue_position?: int}"},
    {"library.progress", "A job as library.job gives it, to the uploader, and to admins that have called library.jobs.",
     "{job_id: uuid, pdf_id: uuid, title: text, state: text, attempt: int, pages_total: int | null, pages_done: int, "
     "pages_without_text: int, chunks_total: int | null, chunks_done: int, queued_at: time, started_at: time | null, "
     "indexed_at: time | null, failed_at: time | null, error_message: text | null}"},
    {"users.progress", "How far the list of users.import with this id is.", "{id?: id, done: int, total: int}"},
    {"chat.message", "A line in a room that one has joined.",
     "{message_id: uuid, seq: int, room: uuid, user_id: uuid | null, name: text, role: text, avatar: text, text: text, "
     "at: time, expires_at: time}"},
    {"chat.expired", "Lines whose time is over.", "{room: uuid, message_ids: [uuid]}"},
    {"chat.deleted", "A line that a teacher has taken away.", "{room: uuid, message_id: uuid}"},
    {"chat.presence", "How many people are in a room.", "{room: uuid, online: int}"},
    {"chat.lagged", "Lines were dropped for a slow reader: chat.join with after_seq brings them.",
     "{room: uuid, dropped: int}"},
    {"courses.changed", "Somebody has put one into a course, and who it was: courses.leave takes one out again.",
     "{course_id: uuid, enrolled_by: text}"},
    {"auth.expiring", "Five minutes before the token ends: auth.refresh gives a new one.", "{expires_at: time}"},
    {"server.closing", "The server ends; the socket is closed with 1001.", "{reason: text}"},
    {NULL, NULL, NULL},
};
