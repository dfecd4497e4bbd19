/* envelope.h - JSON-RPC 2.0 around a result: replies, errors, notifications, and ids as they came. */
#ifndef SERVER_RPC_ENVELOPE_H
#define SERVER_RPC_ENVELOPE_H

#include "common/buf.h"
#include "common/err.h"

/* Begins a reply: everything up to the place of the result. id NULL: null. */
void envelope_begin(struct buf *out, const char *id);
void envelope_end(struct buf *out);
/* A whole reply with an error. `incident` (may be NULL) is what the log has, for internal. */
void envelope_error(struct buf *out, const char *id, const struct err *err, const char *incident);
void envelope_notification(struct buf *out, const char *method, const char *params);

/* In text that json_parse has accepted: the value of the member "id" of the object at `object`, byte for
 * byte (numbers keep their form), the caller's to free(); NULL where it can't be seen. */
char *envelope_id(const char *object);
/* The elements of an array: the first, or the one behind `element`; NULL at the end. */
const char *envelope_first(const char *array);
const char *envelope_next(const char *element);

#endif
