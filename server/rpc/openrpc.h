/* openrpc.h - the OpenRPC document of this very server, from the table of methods. */
#ifndef SERVER_RPC_OPENRPC_H
#define SERVER_RPC_OPENRPC_H

#include "server/rpc/method.h"

/* Built at the first call and kept; the socket thread's. */
const char *openrpc_document(void);
/* The handler of rpc.discover; LANE_INLINE. */
bool openrpc_discover(struct call *call, const void *params, struct buf *result, struct err *err);

#endif
