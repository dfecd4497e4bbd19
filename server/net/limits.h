/* limits.h - what a peer may cost: token buckets, addresses behind proxies, places for connections.
 *
 * Places. A connection is a stranger's until somebody has logged in on it. Strangers have a fifth of all places, those
 * of one address half of that; a person has so many of the rest. What root or the server's own account opens on the
 * Unix socket is not counted as a stranger's, and the last LIMITS_RESERVE places are theirs alone, so that an
 * administrator always gets in. A TCP connection that has not shaken hands yet counts for its address, too.
 *
 * Memory. What hostile peers can make the server hold: LIMITS_UNFINISHED and 16 KiB a connection for messages that are not
 * whole, each for EDURAG_MESSAGE_SECONDS at most; LIMITS_UNSENT and one reply a connection for what nobody reads. With
 * 4,000 places and replies of 16 KiB that is some 450 MiB.
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
    int64_t connections, connections_per_person;
    int64_t buckets;             /* kept at most, of all kinds together */
    const char *trusted_proxies; /* addresses and networks, separated by commas or blanks */
};

/* ERR_INVALID_PARAMS where trusted_proxies is not readable. */
bool limits_start(const struct limits_settings *settings, struct err *err) MUST_CHECK;
void limits_stop(void);

enum {
    LIMITS_RESERVE = 8,                   /* places; a tenth of all, where that is less */
    LIMITS_UNFINISHED = 64 * 1024 * 1024, /* bytes, of the whole node */
    LIMITS_UNSENT = 256 * 1024 * 1024,
};

/* LOGIN: attempts to log in have as much again for each address, which other calls can't take. */
enum limits_kind { LIMITS_PERSON = 'p', LIMITS_ADDRESS = 'a', LIMITS_LOGIN = 'l', LIMITS_UPLOAD = 'u' };
/* Takes `cost` out of the bucket, or leaves it as it is and says in *wait_ms when it would be there. A cost
 * above the burst passes when the bucket is full. now_ms: a monotonic clock. */
bool limits_take(enum limits_kind kind, const char *key, int64_t cost, int64_t now_ms, long *wait_ms);
size_t limits_buckets(void);

/* The address that counts for a connection: `peer`, or where that is a trusted proxy the last address in
 * `forwarded` (X-Forwarded-For; may be "") that is not one. Writes at most `size` bytes. */
void limits_address(const char *peer, const char *forwarded, char *address, size_t size);

/* The address of a Unix socket's peer who may use the reserve. */
bool limits_trusted_peer(const char *address);
/* Counts a stranger's connection in until limits_leave; false: there is no place for it. */
bool limits_enter(const char *address, int64_t now_ms);
/* It is this person's from here on; false, and still a stranger's: they have their share already. */
bool limits_settle(const char *address, const char *user_id, int64_t now_ms);
/* user_id: "" where it was a stranger's to the end. */
void limits_leave(const char *address, const char *user_id);
/* The same for connections that have not shaken hands. */
bool limits_knock(const char *address, int64_t now_ms);
void limits_knocked(const char *address);
size_t limits_connections(void);
size_t limits_strangers(void);
/* NULL, or which places are all taken. */
const char *limits_full(void);

#endif
