/* request_metrics.h - how many requests there were, how they ended and how long they took, for /metrics.
 *
 * Socket thread. A request is counted when its answer leaves, with the time since it came.
 */
#ifndef SERVER_RPC_REQUEST_METRICS_H
#define SERVER_RPC_REQUEST_METRICS_H

#include "server/rpc/job.h"

void request_metrics_start(size_t methods);
void request_metrics_stop(void);
/* `method`: the place in the table of rpc_method, or past its end for what named no method. */
void request_metrics_count(size_t method, const struct job *job);
/* Prometheus text: edurag_requests_total by method and outcome, edurag_request_seconds by method. */
void request_metrics_write(struct buf *out);

#endif
