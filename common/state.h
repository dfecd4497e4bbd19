/* state.h - what this account keeps between runs, under $XDG_STATE_HOME/edurag (~/.local/state/edurag):
 * `servers`, the certificates trusted on first use, `tokens`, who is logged in where, and `devices` (device.h). All 0600.
 *
 * In an account that many people share (`edurag --shared`, as for a lab over ssh; EDURAG_SHARED_ACCOUNT=1 does the same)
 * nothing is kept, read or taken from the environment: the next one would sit down as the last one, and each could write
 * and read what the account may.
 *
 * Lines are `NAME VALUE`. Files are replaced as a whole, so that a crash leaves the old or the new one.
 */
#ifndef COMMON_STATE_H
#define COMMON_STATE_H

#include <stddef.h>

#include "common/err.h"

enum { STATE_FINGERPRINT = 65, STATE_TOKEN = 4096 };

/* From here on this account is shared: the environment loses all but what a terminal needs. Before threads and setlocale.
 * Nothing takes it back. */
void state_share(void);
bool state_shared(void);
/* False, with a sentence, where files are out of reach because the account is shared: asked wherever one would be named. */
bool state_may_use_files(struct err *err) MUST_CHECK;

/* The path of a file there; the directory is made where missing (0700). The caller frees. NULL: no home, or a shared
 * account. */
char *state_path(const char *file);
/* The value kept for `name` in `file`; false where there is none. */
bool state_get(const char *file, const char *name, char *value, size_t size);
/* Keeps `value` for `name`; NULL forgets it. */
bool state_set(const char *file, const char *name, const char *value, struct err *err) MUST_CHECK;

#endif
