/* request_metrics.h - how many requests there were, how they ended and how long they took, for /metrics.
 *
 * Socket thread. A request is counted when its answer leaves, with the time since it came.
 */
#ifndef SERVER_RPC_REQUEST_METRICS_H
#define SERVER_RPC_REQUEST_METRICS_H

#include "server/rpc/job.h"

/* `methods` as rpc_method numbers them; lent until request_metrics_stop. */
void request_metrics_start(const struct method *const *methods, size_t count);
void request_metrics_stop(void);
/* `method`: its place among them, or past its end for what named no method. */
void request_metrics_count(size_t method, const struct job *job);
/* Prometheus text: edurag_requests_total by method and outcome, edurag_request_seconds by method. */
void request_metrics_write(struct buf *out);

#endif
