/* chat_delivery.h - brings what is said in the rooms to this node's members, and says who is here.
 *
 * A room of its own beside methods/, because nobody's request drives it: it hears the database (listen.h)
 * and works on a thread of its own. Lines are delivered only from the NOTIFY stream, on the sender's node
 * too, so that every node shows them in the order of their commits and none that was not stored. A payload
 * is a hint: the rows are read once, as the worker, and encoded once for all members.
 *
 * The thread says every second that this node is alive, keeps its part of `presence`, publishes who is
 * online (at most once a second and room), and sweeps expired lines every minute where no other node does.
 */
#ifndef SERVER_CHAT_CHAT_DELIVERY_H
#define SERVER_CHAT_CHAT_DELIVERY_H

#include <stdbool.h>

#include "common/err.h"

/* Before listen_start (it names what it wants to hear); the thread starts at once. */
bool chat_delivery_start(struct err *err) MUST_CHECK;
void chat_delivery_stop(void);

/* From now on this room's lines are delivered here. Before its table is read for a new member. */
bool chat_delivery_follow(const char *room, struct err *err) MUST_CHECK;

/* The common room, and the open library. */
#define CHAT_COMMON_ROOM "00000000-0000-0000-0000-000000000000"

#endif
