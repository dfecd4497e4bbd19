/* metrics.h - /metrics: this node's figures as Prometheus text.
 *
 * Socket thread; nothing here waits. What has to be asked for is counted elsewhere and kept ready.
 */
#ifndef SERVER_NET_METRICS_H
#define SERVER_NET_METRICS_H

#include "common/buf.h"

/* Another room's figures, after ours. Before the socket runs. */
void metrics_add(void (*write)(struct buf *out));
/* The two lines before a figure's samples. */
void metrics_gauge(struct buf *out, const char *name, const char *help);
void metrics_write(struct buf *out);

#endif
