/* memory.h - which memory this server has: hindsight, builtin or off.
 *
 * Facts are always rows here first (bank.h); with hindsight a thread of this room sends them on, polls until
 * they have arrived, and carries out erasures, which also happens while memory is off as long as a URL is
 * configured. It works with leases on rows, so any number of nodes may do it side by side. The same thread
 * counts what is trending.
 */
#ifndef SERVER_MEMORY_MEMORY_H
#define SERVER_MEMORY_MEMORY_H

#include <stdbool.h>

#include "common/err.h"

struct hindsight;

/* Before listen_start; needs the pools. */
bool memory_start(struct err *err) MUST_CHECK;
void memory_stop(void);

bool memory_enabled(void);         /* not off */
const char *memory_provider(void); /* "hindsight" | "builtin" | "off" */
bool memory_reachable(void);       /* whether the provider answers, as far as is known */
/* The outside service where it is the provider; NULL otherwise. Valid until memory_stop. */
struct hindsight *memory_hindsight(void);

#endif
