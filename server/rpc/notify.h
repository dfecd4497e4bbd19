/* notify.h - what any room may tell connected people; net/ implements it.
 *
 * Every function may be called from any thread: it queues and wakes the socket thread, and never waits (but
 * notify_settle).
 * `params` is one JSON object, copied. Sessions are addressed by number, person or room, never by
 * pointer: they can end at any moment, and notifications for one that has ended is dropped.
 */
#ifndef SERVER_RPC_NOTIFY_H
#define SERVER_RPC_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

void notify_session(uint64_t session, const char *method, const char *params);
void notify_user(const char *user_id, const char *method, const char *params);
/* To the uploader's sockets, and to admins' sockets that have called library.jobs. */
void notify_watchers(const char *user_id, const char *method, const char *params);
/* This session hears the progress of everybody's jobs from now on (an admin has called library.jobs). */
void notify_watch(uint64_t session);
/* To every member of a chat room on this node; encoded once. Chat may be dropped for slow readers,
 * who then get one chat.lagged. `seq`: the line's number in its room, in rising order; 0: no line. */
void notify_room(const char *room, int64_t seq, const char *method, const char *params);
/* A person (or, with sid, one of their tokens) may no longer be here: closes with 4401. */
void notify_end_user(const char *user_id, const char *sid, const char *reason);
/* Role, name or memberships changed: sessions of that person read themselves again. */
void notify_user_changed(const char *user_id);
/* A session's own chat rooms. Joining has two steps, so that no line falls between the table and the
 * stream: notify_join before the room is read holds back what is said meanwhile; call_live, once it was read up
 * to a line, hands over what came behind that one and goes on live. */
void notify_join(uint64_t session, const char *room);
void notify_leave(uint64_t session, const char *room);
/* That person's sessions leave every room that is not among `rooms` (ids separated by blanks). */
void notify_keep_rooms(const char *user_id, const char *rooms);
/* Waits until all notifications so far have been handed to their sessions, at most `ms`: who has much to tell goes on
 * then, so that the rest waits in the database and not here. Never on the socket thread. */
bool notify_settle(int ms);
/* Who is in which room on this node, as lines "room user\n", the caller's to free(); NULL where nothing
 * has changed since *version, which moves on. */
char *notify_presence(uint64_t *version);

#endif
