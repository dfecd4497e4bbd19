/* limits.c - what a peer may cost: token buckets, addresses behind proxies, places for connections. */
#include "server/net/limits.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/net/table.h"

enum { KEY_SIZE = 72, NETWORKS_MOST = 64, REQUEST = 10 };

struct bucket {
    struct table_item item; /* first */
    char key[KEY_SIZE];
    int64_t level; /* in thousandths of a cost, so that slow refills are not rounded away */
    int64_t at;
    int64_t connections; /* of a person, or a stranger's of an address */
    int64_t knocking;    /* of an address: those that have not shaken hands */
};

struct network {
    unsigned char bytes[16];
    int bits;
};

static struct {
    struct limits_settings settings;
    struct network trusted[NETWORKS_MOST];
    size_t trusted_count;
    bool trust_unix;
    struct table *buckets;
    int64_t swept_at;
    size_t connections, strangers, knocking;
    char own[24]; /* the address of this very account on the Unix socket */
} limits;

/* IPv4 as ::ffff:a.b.c.d, so that both families compare alike. */
static bool parse_address(const char *text, unsigned char bytes[16])
{
    struct in_addr v4;
    if (inet_pton(AF_INET, text, &v4) == 1) {
        memset(bytes, 0, 10);
        memset(bytes + 10, 0xff, 2);
        memcpy(bytes + 12, &v4, 4);
        return true;
    }
    return inet_pton(AF_INET6, text, bytes) == 1;
}

static bool parse_network(const char *text, struct network *network)
{
    char address[64];
    snprintf(address, sizeof address, "%s", text);
    char *slash = strchr(address, '/');
    if (slash)
        *slash++ = '\0';
    if (!parse_address(address, network->bytes))
        return false;
    int most = strchr(address, ':') ? 128 : 32;
    char *end = NULL;
    long bits = slash ? strtol(slash, &end, 10) : most;
    if (slash && (!*slash || *end || bits < 0 || bits > most))
        return false;
    network->bits = (int)bits + 128 - most;
    return true;
}

static bool in_network(const unsigned char bytes[16], const struct network *network)
{
    int whole = network->bits / 8, rest = network->bits % 8;
    if (memcmp(bytes, network->bytes, (size_t)whole) != 0)
        return false;
    int mask = 0xff & (0xff << (8 - rest));
    return !rest || ((bytes[whole] ^ network->bytes[whole]) & mask) == 0;
}

static bool trusted(const char *address)
{
    unsigned char bytes[16];
    if (!strncmp(address, "uid:", 4))
        return limits.trust_unix;
    if (!parse_address(address, bytes))
        return false;
    for (size_t i = 0; i < limits.trusted_count; i++)
        if (in_network(bytes, &limits.trusted[i]))
            return true;
    return false;
}

bool limits_start(const struct limits_settings *settings, struct err *err)
{
    limits.settings = *settings;
    limits.trusted_count = 0;
    limits.trust_unix = false;
    AUTO(mem_freep) char *list = mem_dup(settings->trusted_proxies ? settings->trusted_proxies : "");
    char *rest = NULL;
    for (char *word = strtok_r(list, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest)) {
        if (!strcmp(word, "unix")) {
            limits.trust_unix = true;
            continue;
        }
        if (limits.trusted_count == NETWORKS_MOST)
            return err_say(err, ERR_INVALID_PARAMS, "EDURAG_TRUSTED_PROXIES names more than %d networks.",
                           NETWORKS_MOST);
        if (!parse_network(word, &limits.trusted[limits.trusted_count++]))
            return err_say(err, ERR_INVALID_PARAMS,
                           "EDURAG_TRUSTED_PROXIES: “%s” is no address or network such as 10.0.0.0/8, ::1 or unix.",
                           word);
    }
    limits.buckets = table_new();
    limits.swept_at = INT64_MIN / 2;
    limits.connections = limits.strangers = limits.knocking = 0;
    snprintf(limits.own, sizeof limits.own, "uid:%d", (int)geteuid());
    return true;
}

void limits_stop(void)
{
    table_free(limits.buckets, free);
    limits.buckets = NULL;
}

static void rates(char kind, int64_t *burst, int64_t *per_second_thousandths)
{
    if (kind == LIMITS_UPLOAD) {
        *burst = limits.settings.upload_burst;
        *per_second_thousandths = limits.settings.upload_per_second * 1000;
        return;
    }
    int64_t minute = kind == LIMITS_PERSON ? limits.settings.person_per_minute : limits.settings.address_per_minute;
    *burst = minute * REQUEST;
    *per_second_thousandths = minute * REQUEST * 1000 / 60;
}

static void refill(struct bucket *bucket, int64_t now_ms)
{
    int64_t burst, rate;
    rates(bucket->key[0], &burst, &rate);
    int64_t passed = now_ms - bucket->at, missing = burst * 1000 - bucket->level;
    if (passed <= 0)
        return;
    bucket->at = now_ms;
    if (missing > 0)
        bucket->level += rate > 0 && passed > missing / rate * 1000 + 1000 ? missing
                         : passed * rate / 1000 < missing                  ? passed * rate / 1000
                                                                           : missing;
}

/* A full bucket of nobody connected says nothing, so it can be forgotten. */
static bool forgettable(struct table_item *item, void *now_ms)
{
    struct bucket *bucket = (struct bucket *)item;
    int64_t burst, rate;
    if (bucket->connections || bucket->knocking)
        return false;
    refill(bucket, *(int64_t *)now_ms);
    rates(bucket->key[0], &burst, &rate);
    return bucket->level >= burst * 1000;
}

static struct bucket *bucket_find(char kind, const char *key, bool create, int64_t now_ms)
{
    char full[KEY_SIZE];
    snprintf(full, sizeof full, "%c%s", kind, key);
    struct bucket *bucket = (struct bucket *)table_find(limits.buckets, full);
    if (bucket || !create)
        return bucket;
    if (table_count(limits.buckets) >= (size_t)limits.settings.buckets && now_ms - limits.swept_at >= 100) {
        limits.swept_at = now_ms; /* not for every newcomer of a flood */
        table_sweep(limits.buckets, forgettable, &now_ms, free);
    }
    if (table_count(limits.buckets) >= (size_t)limits.settings.buckets)
        return NULL;
    bucket = mem_alloc(sizeof *bucket);
    memcpy(bucket->key, full, sizeof full);
    int64_t burst, rate;
    rates(kind, &burst, &rate);
    bucket->level = burst * 1000;
    bucket->at = now_ms;
    table_add(limits.buckets, &bucket->item, bucket->key);
    return bucket;
}

bool limits_take(enum limits_kind kind, const char *key, int64_t cost, int64_t now_ms, long *wait_ms)
{
    if (cost <= 0)
        return true;
    struct bucket *bucket = bucket_find((char)kind, key, true, now_ms);
    if (!bucket) {
        *wait_ms = 1000; /* more people than we keep count of: they wait for a place */
        return false;
    }
    int64_t burst, rate;
    rates((char)kind, &burst, &rate);
    refill(bucket, now_ms);
    int64_t need = (cost < burst ? cost : burst) * 1000;
    if (bucket->level >= need) {
        bucket->level -= need;
        return true;
    }
    *wait_ms = rate > 0 ? (long)((need - bucket->level) * 1000 / rate + 1) : 60000;
    return false;
}

size_t limits_buckets(void)
{
    return table_count(limits.buckets);
}

void limits_address(const char *peer, const char *forwarded, char *address, size_t size)
{
    if (!strncmp(peer, "::ffff:", 7) && strchr(peer, '.'))
        peer += 7;
    snprintf(address, size, "%s", peer);
    AUTO(mem_freep) char *list = mem_dup(forwarded);
    while (trusted(address)) {
        char *comma = strrchr(list, ',');
        char *last = comma ? comma + 1 : list;
        last += strspn(last, " \t");
        last[strcspn(last, " \t")] = '\0';
        unsigned char bytes[16];
        if (!parse_address(last, bytes))
            return;
        snprintf(address, size, "%s", last);
        if (!comma)
            return;
        *comma = '\0';
    }
}

static size_t reserve(void)
{
    size_t tenth = (size_t)limits.settings.connections / 10;
    return tenth < LIMITS_RESERVE ? tenth : LIMITS_RESERVE;
}

static size_t strangers_most(void)
{
    size_t fifth = (size_t)limits.settings.connections / 5;
    return fifth ? fifth : 1;
}

static size_t of_address_most(void)
{
    size_t half = strangers_most() / 2;
    return half ? half : 1;
}

bool limits_trusted_peer(const char *address)
{
    return !strcmp(address, "uid:0") || !strcmp(address, limits.own);
}

bool limits_enter(const char *address, int64_t now_ms)
{
    bool own = limits_trusted_peer(address);
    struct bucket *bucket = bucket_find(LIMITS_ADDRESS, address, true, now_ms);
    if (!bucket || limits.connections + (own ? 0 : reserve()) >= (size_t)limits.settings.connections)
        return false;
    if (!own && (limits.strangers >= strangers_most() || (size_t)bucket->connections >= of_address_most()))
        return false;
    bucket->connections++;
    limits.connections++;
    limits.strangers += !own;
    return true;
}

/* The stranger's place of this address is free. */
static void leave_address(const char *address)
{
    struct bucket *bucket = bucket_find(LIMITS_ADDRESS, address, false, 0);
    if (bucket && bucket->connections)
        bucket->connections--;
    if (limits.strangers && !limits_trusted_peer(address))
        limits.strangers--;
}

bool limits_settle(const char *address, const char *user_id, int64_t now_ms)
{
    struct bucket *person = bucket_find(LIMITS_PERSON, user_id, true, now_ms);
    if (!person || person->connections >= limits.settings.connections_per_person)
        return false;
    person->connections++;
    leave_address(address);
    return true;
}

void limits_leave(const char *address, const char *user_id)
{
    if (limits.connections)
        limits.connections--;
    if (!*user_id) {
        leave_address(address);
        return;
    }
    struct bucket *person = bucket_find(LIMITS_PERSON, user_id, false, 0);
    if (person && person->connections)
        person->connections--;
}

bool limits_knock(const char *address, int64_t now_ms)
{
    struct bucket *bucket = bucket_find(LIMITS_ADDRESS, address, true, now_ms);
    if (!limits_trusted_peer(address) && !trusted(address) &&
        (!bucket || limits.knocking >= strangers_most() || (size_t)bucket->knocking >= of_address_most()))
        return false;
    if (bucket)
        bucket->knocking++;
    limits.knocking++;
    return true;
}

void limits_knocked(const char *address)
{
    struct bucket *bucket = bucket_find(LIMITS_ADDRESS, address, false, 0);
    if (bucket && bucket->knocking)
        bucket->knocking--;
    if (limits.knocking)
        limits.knocking--;
}

size_t limits_connections(void)
{
    return limits.connections;
}

size_t limits_strangers(void)
{
    return limits.strangers;
}

const char *limits_full(void)
{
    if (limits.connections + reserve() >= (size_t)limits.settings.connections)
        return "all places are taken (EDURAG_CONNECTIONS)";
    if (limits.strangers >= strangers_most())
        return "all places for people who have not logged in are taken, a fifth of EDURAG_CONNECTIONS";
    return NULL;
}
