/* jsonrpc.c - a message's way in, from text to a method's params: whatever comes, the answer is JSON-RPC 2.0.
 *
 * The server drains: each request passes every check up to its params and is then refused, so nothing runs.
 * FUZZ_LONGEST 4096
 */
#include "common/json.h"
#include "common/log.h"
#include "server/rpc/method.h"
#include "server/rpc/rpc.h"
#include "tests/fuzz/fuzz.h"

static struct buf sent;
static int messages;
static bool broke;

static struct rpc_peer *find(uint64_t session)
{
    (void)session;
    return NULL;
}

static void send_text(struct rpc_peer *peer, char *text, size_t length)
{
    (void)peer;
    messages++;
    buf_clear(&sent);
    buf_bytes(&sent, text, length);
    free(text);
}

static void shown_out(struct rpc_peer *peer)
{
    (void)peer;
}

static bool charge(struct rpc_peer *peer, enum rpc_bucket bucket, int64_t cost, long *wait_ms)
{
    (void)peer;
    (void)bucket;
    FUZZ_MUST(cost >= 0, "a request costs %lld", (long long)cost);
    *wait_ms = 700;
    return !broke;
}

static void one_reply(const cJSON *reply)
{
    const cJSON *error = json_get(reply, "error"), *id = json_get(reply, "id");
    FUZZ_MUST(!strcmp(json_text(reply, "jsonrpc", ""), "2.0"), "a reply without its version");
    FUZZ_MUST(id && (cJSON_IsString(id) || cJSON_IsNumber(id) || cJSON_IsNull(id)), "a reply without an id");
    FUZZ_MUST(error && !json_get(reply, "result"), "a reply that is not an error");
    FUZZ_MUST(*json_text(error, "message", ""), "an error without a sentence");
    FUZZ_MUST(json_int(error, "code", 0) ==
                  err_rpc_code(err_from_reason(json_text(json_get(error, "data"), "reason", ""))),
              "code and reason differ: %s", sent.data);
    FUZZ_MUST(json_int(error, "code", 0) != err_rpc_code(ERR_INTERNAL), "internal: %s", sent.data);
}

/* Whether JSON-RPC owes this request an answer, and with this id. */
static bool owed(const cJSON *request)
{
    const cJSON *id = json_get(request, "id"), *params = json_get(request, "params");
    bool valid = cJSON_IsObject(request) && !strcmp(json_text(request, "jsonrpc", ""), "2.0") &&
                 cJSON_IsString(json_get(request, "method")) &&
                 (!params || cJSON_IsObject(params) || cJSON_IsArray(params)) && !cJSON_IsObject(id) &&
                 !cJSON_IsArray(id) && !cJSON_IsBool(id);
    return id || !valid;
}

static void id_came_back(const cJSON *request, const cJSON *reply)
{
    const cJSON *id = json_get(request, "id");
    if (cJSON_IsString(id) || (cJSON_IsNumber(id) && id->valuedouble - id->valuedouble == 0)) /* 1e999 equals nothing */
        FUZZ_MUST(cJSON_Compare(id, json_get(reply, "id"), true), "another id came back: %s", sent.data);
}

static void check(const cJSON *request)
{
    struct err err = {0};
    AUTO(json_freep) cJSON *reply = messages ? json_parse(sent.data, sent.length, &err) : NULL;
    FUZZ_MUST(messages <= 1, "%d messages", messages);
    FUZZ_MUST(!messages || reply, "not JSON: %s", sent.data);
    int count = cJSON_IsArray(request) ? cJSON_GetArraySize(request) : 0, expected = 0, got = 0;
    if (!cJSON_IsArray(request) || !count || count > RPC_BATCH_MOST) {
        FUZZ_MUST(messages == (!request || cJSON_IsArray(request) || owed(request)), "%d answers", messages);
        if (reply)
            one_reply(reply);
        if (reply && !cJSON_IsArray(request))
            id_came_back(request, reply);
        return;
    }
    const cJSON *item, *answer = reply ? reply->child : NULL;
    cJSON_ArrayForEach (item, request)
        expected += owed(item);
    for (; answer; answer = answer->next, got++)
        one_reply(answer);
    FUZZ_MUST(got == expected && (expected > 0) == (messages == 1), "%d answers to %d requests", got, expected);
}

static void start(void)
{
    static const struct method *const tables[] = {methods_server,  methods_auth,    methods_users,  methods_courses,
                                                  methods_profile, methods_library, methods_search, methods_recommend,
                                                  methods_memory,  methods_chat,    methods_admin,  NULL};
    static const struct rpc_doors doors = {.find = find, .send = send_text, .charge = charge, .shown_out = shown_out};
    static bool started;
    if (started)
        return;
    started = true;
    log_level_set(LOG_ERROR);
    rpc_start(&doors, tables);
    rpc_drain();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const roles[] = {"", "student", "teacher", "admin"};
    struct fuzz_input in = {data, size};
    struct err err = {0};
    size_t length;
    uint8_t who = fuzz_byte(&in);
    struct rpc_peer peer = {.caller.session = 1};
    start();
    snprintf(peer.caller.role, sizeof peer.caller.role, "%s", roles[who & 3]);
    snprintf(peer.caller.user_id, sizeof peer.caller.user_id, "%s",
             who & 3 ? "00000000-0000-4000-8000-000000000001" : "");
    broke = (who & 12) == 12;
    char *text = fuzz_rest(&in, &length);
    AUTO(json_freep) cJSON *request = json_parse(text, length, &err);
    messages = 0;
    rpc_receive(&peer, text, length);
    check(request);
    FUZZ_MUST(!rpc_busy(&peer), "something still waits");
    rpc_gone(&peer);
    return 0;
}
