/* users_import.h - many accounts at once, from a list as a spreadsheet saves it. */
#ifndef SERVER_METHODS_USERS_IMPORT_H
#define SERVER_METHODS_USERS_IMPORT_H

#include "server/rpc/method.h"

enum { USERS_IMPORT_MOST = 1000, USERS_IMPORT_BYTES_MOST = 1024 * 1024 };

struct users_import_params {
    const char *csv;
    bool partial;
};

/* The handler of users.import; LANE_SLOW: hashing a school's passwords takes minutes, and must not stand
 * before a login. Without `partial` one line that is wrong leaves everybody out; who is known is passed over. */
bool users_import(struct call *call, const void *params, struct buf *result, struct err *err);

#endif
