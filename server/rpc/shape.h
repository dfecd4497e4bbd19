/* shape.h - what a result or a notification looks like, in a line that people can read too.
 *
 * The notation is TypeScript's for types, on one line:
 *
 *   {course_id: uuid, teacher: text | null, labels?: [text], state: 'queued' | 'failed'}
 *
 * An object names its members, `?` marks one that may be absent; [T] is an array of T; | joins alternatives.
 * Words: text, uuid, time (RFC 3339, UTC), int, number, bool, null, id (a JSON-RPC id: text or number), object (of
 * any members), any. The tables of methods and notifications are written in it; the OpenRPC document gives it as
 * JSON Schema, and the tests hold every reply against it.
 */
#ifndef SERVER_RPC_SHAPE_H
#define SERVER_RPC_SHAPE_H

#include "common/buf.h"
#include "common/err.h"

/* Appends the JSON Schema of `shape`. With `exact`, objects have no further members: for tests, since the protocol
 * may add some at any time. ERR_INTERNAL, naming the place, where the notation is broken; `out` is then in pieces. */
bool shape_schema(struct buf *out, const char *shape, bool exact, struct err *err) MUST_CHECK;

#endif
