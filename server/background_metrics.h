/* background_metrics.h - what /metrics says of the rooms that know no sockets: indexing jobs, outside services. */
#ifndef SERVER_BACKGROUND_METRICS_H
#define SERVER_BACKGROUND_METRICS_H

#include "common/err.h"

/* Before the socket runs. Always true. */
bool background_metrics_start(struct err *err) MUST_CHECK;

#endif
