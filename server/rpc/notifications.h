/* notifications.h - what the server says unasked: the OpenRPC document and the man page read this table. */
#ifndef SERVER_RPC_NOTIFICATIONS_H
#define SERVER_RPC_NOTIFICATIONS_H

struct notification {
    const char *name;
    const char *summary;
    const char *params; /* what they look like, see shape.h */
};

extern const struct notification notifications[]; /* ends with name NULL */

#endif
