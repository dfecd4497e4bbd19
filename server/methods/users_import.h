/* users_import.h - many accounts at once, from a list as a spreadsheet saves it. */
#ifndef SERVER_METHODS_USERS_IMPORT_H
#define SERVER_METHODS_USERS_IMPORT_H

#include "server/rpc/method.h"

enum { USERS_IMPORT_MOST = 1000, USERS_IMPORT_BYTES_MOST = 1024 * 1024 };

/* What users.import does; LANE_SLOW: hashing a school's passwords takes minutes, and must not stand
 * before a login. Without `partial` one line that is wrong leaves everybody out; who is known is passed over. */
bool users_import(struct call *call, const char *csv, bool partial, struct buf *result, struct err *err) MUST_CHECK;

#endif
