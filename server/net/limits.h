/* limits.h - what a peer may cost: token buckets, addresses behind proxies, caps on connections.
 *
 * Everything here belongs to the socket thread. Buckets are per node: N nodes allow N times as much.
 * Costs are tenths of a request (COST_ONE is 10), or bytes for uploads.
 */
#ifndef SERVER_NET_LIMITS_H
#define SERVER_NET_LIMITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct limits_settings {
    int64_t person_per_minute, address_per_minute; /* whole requests; the burst is one minute's worth */
    int64_t upload_burst, upload_per_second;       /* bytes */
    int64_t connections, connections_per_address;
    int64_t buckets;             /* kept at most, of all kinds together */
    const char *trusted_proxies; /* addresses and networks, separated by commas or blanks */
};

/* ERR_INVALID_PARAMS where trusted_proxies is not readable. */
bool limits_start(const struct limits_settings *settings, struct err *err) MUST_CHECK;
void limits_stop(void);

enum limits_kind { LIMITS_PERSON = 'p', LIMITS_ADDRESS = 'a', LIMITS_UPLOAD = 'u' };
/* Takes `cost` out of the bucket, or leaves it as it is and says in *wait_ms when it would be there. A cost
 * above the burst passes when the bucket is full. now_ms: a monotonic clock. */
bool limits_take(enum limits_kind kind, const char *key, int64_t cost, int64_t now_ms, long *wait_ms);
size_t limits_buckets(void);

/* The address that counts for a connection: `peer`, or where that is a trusted proxy the last address in
 * `forwarded` (X-Forwarded-For; may be "") that is not one. Writes at most `size` bytes. */
void limits_address(const char *peer, const char *forwarded, char *address, size_t size);

enum limits_admission { LIMITS_ADMITTED, LIMITS_FULL, LIMITS_ADDRESS_FULL };
/* Counts a connection in until limits_leave. */
enum limits_admission limits_enter(const char *address, int64_t now_ms);
void limits_leave(const char *address);
size_t limits_connections(void);

#endif
