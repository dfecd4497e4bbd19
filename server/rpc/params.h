/* params.h - a request's params, checked against a method's spec and bound to its struct.
 *
 * Errors are invalid_params and name the member. A name that the spec does not have is refused too:
 * it is a slip of the pen that would otherwise be ignored in silence.
 */
#ifndef SERVER_RPC_PARAMS_H
#define SERVER_RPC_PARAMS_H

#include "server/rpc/method.h"

/* Of lists: entries where a spec says no less, and bytes of one entry. */
enum { PARAMS_ITEMS_MOST = 1000, PARAMS_ITEM_BYTES_MOST = 4096 };

/* Binds `object` (NULL or an empty array: no params) to the zeroed struct `bound`. Texts and arrays in it
 * are lent by `object`. */
bool params_read(const struct param *spec, const cJSON *object, void *bound, struct err *err) MUST_CHECK;
/* The spec's row called `name`, or NULL. */
const struct param *params_find(const struct param *spec, const char *name);
/* Overwrites the texts of secret params inside `object`. */
void params_wipe(const struct param *spec, cJSON *object);
/* The values of a query's parameters, by name: the params of the spec; `NAME_given` for one with `given`;
 * "address" and "session" of the caller. Arrays are JSON text. What is absent is SQL null. Texts that had
 * to be made go to `texts`, which must outlive the binds. Returns how many. */
size_t params_bind(const struct param *spec, const void *bound, const cJSON *object, const struct caller *caller,
                   enum query query, struct bind *binds, struct buf texts[QUERY_PARAMS_MOST]);
/* Whether params_bind has a value for a query's `name`. */
bool params_binds(const struct param *spec, const char *name);

#endif
