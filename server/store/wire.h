/* wire.h - one libpq connection whose every wait has an end; for store/ alone.
 *
 * Used by one thread at a time. Calls that fail with ERR_BUSY leave a connection that is only good
 * for wire_close: wire_usable says which.
 */
#ifndef SERVER_STORE_WIRE_H
#define SERVER_STORE_WIRE_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "gen/queries.h"

struct wire {
    PGconn *pg;
    bool broken;                /* a wait ran out or the server went away */
    bool prepared[QUERY_COUNT]; /* known to this connection under wire_statement's name */
};

/* NULL on failure: ERR_BUSY with libpq's words in the log text. `program` is its application_name. */
struct wire *wire_open(const char *url, const char *program, int timeout_ms, struct err *err) MUST_CHECK;
void wire_close(struct wire **wire); /* for AUTO; NULL is fine */
/* Whether a server answers there and accepts connections. */
bool wire_ping(const char *url);
bool wire_usable(const struct wire *wire);
/* An idle connection that the server has neither closed nor spoken on since. */
bool wire_idle(const struct wire *wire);

/* Sends what is queued and waits for the next result; NULL is libpq's end of one command, and also
 * what a failure returns, with *err set. `until` is in wire_now() milliseconds. */
bool wire_result(struct wire *wire, int64_t until, PGresult **result, struct err *err) MUST_CHECK;
/* Waits for notifications from the server or on the descriptor `also` (-1: none), whichever is first. */
bool wire_wait(struct wire *wire, int also, int timeout_ms);

/* Waits without a connection, until `also` is readable at most. */
void wire_nap(int also, int timeout_ms);

/* One statement outside pipeline mode; values are text. `result` may be NULL. */
bool wire_exec(struct wire *wire, const char *sql, const char *const *values, int count, int timeout_ms,
               PGresult **result, struct err *err) MUST_CHECK;
/* Several statements in one simple query, outside pipeline mode. */
bool wire_script(struct wire *wire, const char *sql, int timeout_ms, struct err *err) MUST_CHECK;

void wire_result_free(PGresult **result); /* for AUTO */
int64_t wire_now(void);                   /* milliseconds of the monotonic clock */

#endif
