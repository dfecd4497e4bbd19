/* announced.h - what the server says unasked: the OpenRPC document and the man page read this table. */
#ifndef SERVER_RPC_ANNOUNCED_H
#define SERVER_RPC_ANNOUNCED_H

struct announced {
    const char *name;
    const char *summary;
    const char *params; /* JSON Schema of an object */
};

extern const struct announced announced[]; /* ends with name NULL */

#endif
