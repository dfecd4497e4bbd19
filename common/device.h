/* device.h - the random text by which a server knows that a person has logged in from here before, so that other
 * people's wrong passwords do not make them wait. It proves nothing. Kept as state.h says, one for each person and server;
 * in an account that many share, none.
 */
#ifndef COMMON_DEVICE_H
#define COMMON_DEVICE_H

#include "common/json.h"

/* auth.login's `params` (one JSON object) with what is kept for that person at `server`, and this machine's name. The
 * caller wipes and frees; NULL where they are no object. */
char *device_offer(const char *server, const char *params);
/* Keeps what auth.login gave to the person named in its `params`. */
void device_keep(const char *server, const char *params, const cJSON *result);

#endif
