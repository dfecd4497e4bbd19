/* gauges.h - what /metrics says of the rooms that know no sockets: indexing jobs, outside services. */
#ifndef SERVER_GAUGES_H
#define SERVER_GAUGES_H

#include "common/err.h"

/* Before the socket runs. Always true. */
bool gauges_start(struct err *err) MUST_CHECK;

#endif
