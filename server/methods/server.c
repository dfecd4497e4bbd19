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

METHOD_HANDLER(ping, none)
{
    (void)call, (void)params, (void)err;
    buf_json_open(result, '{');
    member_now(result);
    buf_json_close(result, '}');
    return true;
}

METHOD_HANDLER(info, none)
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

#define CANCEL_PARAMS(P, S) P(S, ID, id, REQUIRED)
METHOD_PARAMS(cancel, CANCEL_PARAMS);

METHOD_HANDLER(cancel, cancel)
{
    (void)call, (void)err;
    buf_json_open(result, '{');
    buf_json_member_bool(result, "cancelled", rpc_cancel(params->id));
    buf_json_close(result, '}');
    return true;
}

METHOD_HANDLER(discover, none)
{
    (void)call, (void)params, (void)err;
    buf_text(result, openrpc_document());
    return true;
}

const struct method methods_server[] = {
    {METHOD_CALL("server.ping", none, ping), .summary = "Is anybody there?", .access = ACCESS_ANYONE,
     .lane = LANE_INLINE, .cost = COST_ONE, .result = "{time: time}", .example = "{}",
     .example_result = "{'time': '2026-11-23T09:00:00.000Z'}"},
    {METHOD_CALL("server.info", none, info), .summary = "Name, version, services and limits of this server.",
     .description = "Limits are those of this server: a message that is longer than message_bytes closes the "
                    "socket with 1009.",
     .access = ACCESS_ANYONE, .lane = LANE_INLINE, .cost = COST_ONE,
     .result = "{name: text, version: text, protocol: int, time: time, memory: 'hindsight' | 'builtin' | 'off', "
               "embeddings: 'builtin' | 'gemini' | 'openai', generation: 'extractive' | 'gemini' | 'openai', "
               "limits: {rate: {capacity: int, per_minute: int}, message_bytes: int, upload_bytes: int, "
               "query_characters: int, chat_characters: int}}",
     .example = "{}",
     .example_result = "{'name': 'Linden School', 'version': '1.0.0', 'protocol': 1, 'time': "
                       "'2026-11-23T09:00:00.000Z', 'memory': 'builtin', 'embeddings': 'builtin', 'generation': "
                       "'extractive', 'limits': {'rate': {'capacity': 120, 'per_minute': 120}, 'message_bytes': "
                       "1048576, 'upload_bytes': 209715200, 'query_characters': 1000, 'chat_characters': 2000}}"},
    {METHOD_CALL("rpc.discover", none, discover), .summary = "What this server can do, as an OpenRPC document.",
     .description = "The same document is at GET /openrpc.json. x-access says who may call a method, "
                    "x-cost how many requests of the rate limit it takes.",
     .access = ACCESS_ANYONE, .lane = LANE_INLINE, .cost = COST_ONE, .result = "object", .example = "{}",
     .example_result = "{'openrpc': '1.4.1'}"},
    {METHOD_CALL("rpc.cancel", cancel, cancel), .summary = "Give up one of this connection's requests.",
     .description = "The request that is given up still gets its reply, mostly the "
                    "error cancelled; false: there was none of this id.",
     .access = ACCESS_USER, .lane = LANE_INLINE, .cost = 1, .result = "{cancelled: bool}", .example = "{'id': 7}",
     .example_result = "{'cancelled': true}"},
    {0},
};
