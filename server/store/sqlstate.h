/* sqlstate.h - what an SQLSTATE means to a caller: the one place where they map to error codes.
 *
 * The schema's own states begin with ER (head of sql/migrations/): their message is the sentence for
 * the person, their detail a JSON object with the members that protocol.md gives that error.
 */
#ifndef SERVER_STORE_SQLSTATE_H
#define SERVER_STORE_SQLSTATE_H

#include <libpq-fe.h>

#include "common/err.h"

/* Always false, as err_set. */
bool sqlstate_err(const PGresult *result, struct err *err);
bool sqlstate_is(const PGresult *result, const char *state);

#endif
