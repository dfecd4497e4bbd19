/* server.c - the server about itself: server.ping, server.info, rpc.discover, rpc.cancel. */
#include <stdio.h>
#include <time.h>

#include "server/config.h"
#include "server/rpc/openrpc.h"
#include "server/rpc/rpc.h"

static void member_now(struct buf *out)
{
    struct timespec now;
    struct tm utc;
    char text[40];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    size_t n = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + n, sizeof text - n, ".%03ldZ", now.tv_nsec / 1000000);
    buf_json_member(out, "time", text);
}

static bool ping(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params, (void)err;
    buf_json_open(result, '{');
    member_now(result);
    buf_json_close(result, '}');
    return true;
}

static bool info(struct call *call, const void *params, struct buf *result, struct err *err)
{
    (void)call, (void)params, (void)err;
    buf_json_open(result, '{');
    buf_json_member(result, "name", config.name);
    buf_json_member(result, "version", EDURAG_VERSION);
    buf_json_member_int(result, "protocol", 1);
    member_now(result);
    buf_json_member(result, "memory", config.memory);
    buf_json_member(result, "embeddings", config.embeddings);
    buf_json_member(result, "generation", config.generation);
    buf_json_key(result, "limits");
    buf_json_open(result, '{');
    buf_json_key(result, "rate");
    buf_json_open(result, '{');
    buf_json_member_int(result, "capacity", config.rate_person);
    buf_json_member_int(result, "per_minute", config.rate_person);
    buf_json_close(result, '}');
    buf_json_member_int(result, "message_bytes", config.message_bytes);
    buf_json_member_int(result, "upload_bytes", config.upload_bytes);
    buf_json_member_int(result, "query_characters", 1000);
    buf_json_member_int(result, "chat_characters", 2000);
    buf_json_close(result, '}');
    buf_json_close(result, '}');
    return true;
}

static const struct param cancel_spec[] = {
    PARAM(ID, struct rpc_cancel_params, id, .optional = false),
    {0},
};

const struct method methods_server[] = {
    {.name = "server.ping",
     .summary = "Is anybody there?",
     .access = ACCESS_ANYONE,
     .lane = LANE_INLINE,
     .cost = COST_ONE,
     .handler = ping,
     .result = "{\"type\":\"object\",\"required\":[\"time\"],\"properties\":{\"time\":{\"type\":\"string\","
               "\"format\":\"date-time\"}}}"},
    {.name = "server.info",
     .summary = "Name, version, services and limits of this server.",
     .access = ACCESS_ANYONE,
     .lane = LANE_INLINE,
     .cost = COST_ONE,
     .handler = info,
     .result = "{\"type\":\"object\",\"required\":[\"name\",\"version\",\"protocol\",\"time\",\"memory\","
               "\"embeddings\",\"generation\",\"limits\"]}"},
    {.name = "rpc.discover",
     .summary = "What this server can do, as an OpenRPC document.",
     .access = ACCESS_ANYONE,
     .lane = LANE_INLINE,
     .cost = COST_ONE,
     .handler = openrpc_discover,
     .result = "{\"type\":\"object\"}"},
    {.name = "rpc.cancel",
     .summary = "Give up one of this connection's requests.",
     .access = ACCESS_USER,
     .lane = LANE_INLINE,
     .params = cancel_spec,
     .params_size = sizeof(struct rpc_cancel_params),
     .handler = rpc_cancel,
     .result = "{\"type\":\"object\",\"required\":[\"cancelled\"],\"properties\":{\"cancelled\":{\"type\":"
               "\"boolean\"}}}"},
    {0},
};
