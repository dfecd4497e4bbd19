/* openrpc.h - the OpenRPC document of this very server, from the table of methods. */
#ifndef SERVER_RPC_OPENRPC_H
#define SERVER_RPC_OPENRPC_H

#include "common/json.h"

/* Built at the first call and kept; the socket thread's. */
const char *openrpc_document(void);
/* A row's example: JSON with ' in place of ". The caller's to cJSON_Delete; NULL with `err` where it can't be read. */
cJSON *openrpc_example(const char *text, struct err *err) MUST_CHECK;

#endif
