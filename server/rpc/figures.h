/* figures.h - how many requests there were, how they ended and how long they took, for /metrics.
 *
 * Socket thread. A request is counted when its answer leaves, with the time since it came.
 */
#ifndef SERVER_RPC_FIGURES_H
#define SERVER_RPC_FIGURES_H

#include "server/rpc/job.h"

void figures_start(size_t methods);
void figures_stop(void);
/* `method`: the place in the table of rpc_method, or past its end for what named no method. */
void figures_count(size_t method, const struct job *job);
/* Prometheus text: edurag_requests_total by method and outcome, edurag_request_seconds by method. */
void figures_write(struct buf *out);

#endif
