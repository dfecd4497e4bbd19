/* state.h - what this account keeps between runs, under $XDG_STATE_HOME/edurag (~/.local/state/edurag):
 * `servers`, the certificates trusted on first use, and `tokens`, who is logged in where. All 0600.
 *
 * In an account that many people share (EDURAG_SHARED_ACCOUNT=1, as for a lab over ssh) no token is kept, or the
 * next one would sit down as the last one.
 *
 * Lines are `NAME VALUE`. Files are replaced as a whole, so that a crash leaves the old or the new one.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include <stddef.h>

#include "common/err.h"

enum { STATE_FINGERPRINT = 65, STATE_TOKEN = 4096 };

/* The path of a file there; the directory is made where missing (0700). The caller frees. NULL: no home. */
char *state_path(const char *file);
/* The value kept for `name` in `file`; false where there is none. */
bool state_get(const char *file, const char *name, char *value, size_t size);
/* Keeps `value` for `name`; NULL forgets it. */
bool state_set(const char *file, const char *name, const char *value, struct err *err) MUST_CHECK;

#endif
