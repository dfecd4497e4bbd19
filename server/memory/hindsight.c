/* hindsight.c - the client of an outside memory service: Hindsight 0.4 to 0.10 over HTTP. */
#include "server/memory/hindsight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "server/models/http.h"

enum { RECALL_MS = 6000, REFLECT_MS = 120000, OTHER_MS = 15000, HEALTH_MS = 3000, QUERY_BYTES = 1500 };

/* A service each, for their breakers: slow recalling must not hold up the sending, nor reflection either. */
struct hindsight {
    struct http_service *recall, *reflect, *other;
    int64_t recall_ms, reflect_ms, other_ms;
};

bool hindsight_open(const struct hindsight_settings *s, struct hindsight **out, struct err *err)
{
    struct hindsight h = {.recall_ms = s->recall_ms ? s->recall_ms : RECALL_MS,
                          .reflect_ms = s->reflect_ms ? s->reflect_ms : REFLECT_MS,
                          .other_ms = s->other_ms ? s->other_ms : OTHER_MS};
    const struct http_settings settings = {.name = "hindsight",
                                           .base_url = s->url,
                                           .key = s->api_key,
                                           .allow_insecure = s->allow_insecure,
                                           .breaker_pause_ms = s->breaker_pause_ms,
                                           .extra_header = s->extra_header};
    if (!http_open(&settings, &h.recall, err) || !http_open(&settings, &h.reflect, err) ||
        !http_open(&settings, &h.other, err)) {
        http_close(h.recall);
        http_close(h.reflect);
        return false;
    }
    *out = mem_alloc(sizeof **out);
    **out = h;
    return true;
}

void hindsight_close(struct hindsight *h)
{
    if (!h)
        return;
    http_close(h->recall);
    http_close(h->reflect);
    http_close(h->other);
    free(h);
}

bool hindsight_reachable(struct hindsight *h)
{
    return http_reachable(h->recall) && http_reachable(h->other);
}

/* ------------------------------------------------------------------ one call */

/* What a refusal means for the caller. Always false. */
static bool refused(const struct http_service *service, const struct http_reply *reply, struct err *err)
{
    struct err said = {0};
    http_refused(service, reply, &said);
    if (reply->status == 400 || reply->status == 413 || reply->status == 422)
        said.code = ERR_INVALID_PARAMS;
    else if (reply->status == 409)
        said.code = ERR_CONFLICT;
    /* A validator's reply may repeat what it was given: its status is all that the log needs. */
    if (said.code == ERR_INVALID_PARAMS)
        snprintf(said.log, sizeof said.log, "hindsight: status %ld: the request is not accepted", reply->status);
    if (err)
        *err = said;
    return false;
}

/* Sends, and parses a 2xx body into *json (NULL where it is empty). 404 and 410 give *json NULL and true when
 * `missing_ok`. */
static bool call(struct http_service *service, struct http_request *request, bool missing_ok, cJSON **json,
                 struct err *err)
{
    AUTO(http_reply_free) struct http_reply reply = {0};
    *json = NULL;
    if (!http_send(service, request, &reply, err))
        return false;
    if (missing_ok && (reply.status == 404 || reply.status == 410))
        return true;
    if (reply.status < 200 || reply.status > 299)
        return refused(service, &reply, err);
    if (!reply.body.length)
        return true;
    *json = json_parse(reply.body.data, reply.body.length, err);
    if (!*json)
        err_set(err, ERR_UPSTREAM, "hindsight: its reply is not JSON");
    return *json;
}

static void path_of(struct buf *path, const char *bank, const char *rest, const char *id)
{
    buf_text(path, "/v1/default/banks/");
    http_escape(path, bank);
    buf_text(path, rest);
    if (id)
        http_escape(path, id);
}

/* A member with the text redacted. */
static bool write_redacted(struct buf *body, const char *name, const char *text, size_t most,
                           const struct redact_person *person, struct err *err)
{
    AUTO(buf_free) struct buf clean = {0};
    if (!redact_text(person, text, strlen(text), &clean, NULL, err))
        return false;
    size_t length = clean.length < most ? clean.length : most;
    while (length && length < clean.length && ((unsigned char)clean.data[length] & 0xC0) == 0x80)
        length--;
    buf_json_key(body, name);
    buf_json_stringn(body, clean.data ? clean.data : "", length);
    return true;
}

bool hindsight_status(struct hindsight *h, char version[32], struct err *err)
{
    AUTO(json_freep) cJSON *health = NULL, *about = NULL;
    struct http_request request = {.path = "/health", .total_ms = HEALTH_MS, .first_byte_ms = HEALTH_MS, .probe = true};
    struct http_request next = {.path = "/version", .total_ms = HEALTH_MS, .first_byte_ms = HEALTH_MS, .probe = true};
    if (!call(h->other, &request, false, &health, err))
        return false;
    const char *state = json_text(health, "status", "healthy");
    if (strcmp(state, "healthy") && strcmp(state, "ok"))
        return err_set(err, ERR_UPSTREAM, "hindsight says that it is %.40s", state);
    const char *found = call(h->other, &next, true, &about, NULL) ? json_text(about, "api_version", "") : "";
    snprintf(version, 32, "%.31s", found);
    return true;
}

bool hindsight_bank(struct hindsight *h, const char *bank, struct err *err)
{
    AUTO(buf_free) struct buf path = {0};
    AUTO(json_freep) cJSON *json = NULL;
    path_of(&path, bank, "", NULL);
    struct http_request request = {
        .verb = "PUT", .path = path.data, .body = "{\"enable_observations\":false}", .total_ms = h->other_ms};
    return call(h->other, &request, false, &json, err);
}

/* ------------------------------------------------------------------ retain */

bool hindsight_retain(struct hindsight *h, const char *bank, const struct redact_person *person,
                      const struct hindsight_fact *fact, char operation[40], enum hindsight_state *state,
                      struct err *err)
{
    AUTO(buf_free) struct buf path = {0}, body = {0};
    AUTO(json_freep) cJSON *json = NULL;
    path_of(&path, bank, "/memories", NULL);
    buf_json_open(&body, '{');
    buf_json_key(&body, "items");
    buf_json_open(&body, '[');
    buf_json_open(&body, '{');
    if (!write_redacted(&body, "content", fact->fact, SIZE_MAX, person, err))
        return false;
    buf_json_member(&body, "context", "what a student does on a study platform");
    buf_json_member(&body, "document_id", fact->fact_id);
    if (fact->at)
        buf_json_member(&body, "timestamp", fact->at);
    buf_json_key(&body, "metadata");
    buf_json_open(&body, '{');
    buf_json_member(&body, "source", fact->source ? fact->source : "edurag");
    buf_json_close(&body, '}');
    buf_json_close(&body, '}');
    buf_json_close(&body, ']');
    buf_json_member_bool(&body, "async", true);
    buf_json_member(&body, "operation_id", fact->operation_id);
    buf_json_close(&body, '}');
    struct http_request request = {
        .path = path.data, .body = body.data, .total_ms = h->other_ms, .first_byte_ms = h->other_ms};
    if (!call(h->other, &request, false, &json, err))
        return false;
    if (!json_bool(json, "success", true))
        return err_set(err, ERR_UPSTREAM, "hindsight did not accept a fact");
    bool waits = json_bool(json, "async", true);
    snprintf(operation, 40, "%.39s", json_text(json, "operation_id", fact->operation_id));
    *state = waits ? HINDSIGHT_PENDING : HINDSIGHT_COMPLETED;
    return true;
}

bool hindsight_operation(struct hindsight *h, const char *bank, const char *operation, enum hindsight_state *state,
                         char message[200], struct err *err)
{
    AUTO(buf_free) struct buf path = {0};
    AUTO(json_freep) cJSON *json = NULL;
    path_of(&path, bank, "/operations/", operation);
    struct http_request request = {.path = path.data, .total_ms = h->other_ms, .first_byte_ms = h->other_ms};
    if (!call(h->other, &request, true, &json, err))
        return false;
    const char *status = json ? json_text(json, "status", "") : "not_found";
    if (!strcmp(status, "completed"))
        *state = HINDSIGHT_COMPLETED;
    else if (!strcmp(status, "failed") || !strcmp(status, "cancelled"))
        *state = HINDSIGHT_FAILED;
    else
        *state = !strcmp(status, "not_found") ? HINDSIGHT_UNKNOWN : HINDSIGHT_PENDING;
    if (message)
        snprintf(message, 200, "%.190s",
                 *state == HINDSIGHT_FAILED ? json_text(json, "error_message", "The memory service failed at it.")
                                            : "");
    return true;
}

bool hindsight_cancel(struct hindsight *h, const char *bank, const char *operation, struct err *err)
{
    AUTO(buf_free) struct buf path = {0};
    AUTO(json_freep) cJSON *json = NULL;
    struct err said = {0};
    path_of(&path, bank, "/operations/", operation);
    struct http_request request = {
        .verb = "DELETE", .path = path.data, .total_ms = h->other_ms, .first_byte_ms = h->other_ms};
    /* Refused means that it is no longer pending. */
    if (call(h->other, &request, true, &json, &said) || said.code == ERR_CONFLICT || said.code == ERR_INVALID_PARAMS)
        return true;
    if (err)
        *err = said;
    return false;
}

/* ------------------------------------------------------------------ recall, reflect */

void hindsight_memories_free(struct hindsight_memories *memories)
{
    for (size_t i = 0; i < memories->count; i++) {
        free(memories->items[i].fact_id);
        free(memories->items[i].text);
        free(memories->items[i].at);
    }
    free(memories->items);
    *memories = (struct hindsight_memories){0};
}

static bool has_word(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text >= 0x80 || (*text >= '0' && *text <= '9') ||
            ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z'))
            return true;
    return false;
}

static void read_memories(const cJSON *results, size_t limit, struct hindsight_memories *memories)
{
    const cJSON *item;
    memories->items = mem_array(limit + 1, sizeof *memories->items);
    cJSON_ArrayForEach (item, results) {
        const char *text = json_text(item, "text", "");
        if (!*text || memories->count == limit)
            continue;
        struct hindsight_memory *m = &memories->items[memories->count++];
        const char *at = json_text(item, "mentioned_at", NULL);
        m->text = mem_dup(text);
        m->fact_id = mem_dup(json_text(item, "document_id", NULL));
        m->at = mem_dup(at ? at : json_text(item, "occurred_start", NULL));
        m->score = 1.0 / (double)memories->count;
    }
}

bool hindsight_recall(struct hindsight *h, const char *bank, const struct redact_person *person, const char *query,
                      size_t limit, bool (*cancelled)(void *context), void *context,
                      struct hindsight_memories *memories, struct err *err)
{
    AUTO(buf_free) struct buf path = {0}, body = {0};
    AUTO(json_freep) cJSON *json = NULL;
    *memories = (struct hindsight_memories){0};
    if (!has_word(query)) /* it would be refused */
        return true;
    path_of(&path, bank, "/memories/recall", NULL);
    buf_json_open(&body, '{');
    if (!write_redacted(&body, "query", query, QUERY_BYTES, person, err))
        return false;
    buf_json_member(&body, "budget", "low");
    buf_json_member_int(&body, "max_tokens", 1024);
    buf_json_member_raw(&body, "include", "{\"entities\":null}");
    buf_json_close(&body, '}');
    struct http_request request = {.path = path.data,
                                   .body = body.data,
                                   .total_ms = h->recall_ms,
                                   .first_byte_ms = h->recall_ms,
                                   .cancelled = cancelled,
                                   .context = context};
    if (!call(h->recall, &request, true, &json, err))
        return false;
    read_memories(json_get(json, "results"), limit, memories);
    return true;
}

bool hindsight_reflect(struct hindsight *h, const char *bank, const struct redact_person *person, const char *query,
                       bool (*cancelled)(void *context), void *context, struct buf *text, struct err *err)
{
    AUTO(buf_free) struct buf path = {0}, body = {0};
    AUTO(json_freep) cJSON *json = NULL;
    path_of(&path, bank, "/reflect", NULL);
    buf_json_open(&body, '{');
    if (!write_redacted(&body, "query", query, QUERY_BYTES, person, err))
        return false;
    buf_json_member(&body, "budget", "low");
    buf_json_member_int(&body, "max_tokens", 800);
    buf_json_close(&body, '}');
    struct http_request request = {.path = path.data,
                                   .body = body.data,
                                   .total_ms = h->reflect_ms,
                                   .first_byte_ms = h->reflect_ms,
                                   .silence_ms = h->reflect_ms,
                                   .cancelled = cancelled,
                                   .context = context};
    if (!call(h->reflect, &request, false, &json, err))
        return false;
    const char *found = json_text(json, "text", "");
    if (!*found)
        return err_set(err, ERR_UPSTREAM, "hindsight: an empty reflection");
    buf_text(text, found);
    return true;
}

/* ------------------------------------------------------------------ forget */

static bool forget(struct hindsight *h, const char *path, const char *counted, int64_t *memories, struct err *err)
{
    AUTO(json_freep) cJSON *json = NULL;
    struct http_request request = {
        .verb = "DELETE", .path = path, .total_ms = h->other_ms, .first_byte_ms = h->other_ms};
    if (!call(h->other, &request, true, &json, err))
        return false;
    if (json && !json_bool(json, "success", true))
        return err_set(err, ERR_UPSTREAM, "hindsight did not delete what it was asked to");
    if (memories)
        *memories = json_int(json, counted, 0);
    return true;
}

bool hindsight_forget(struct hindsight *h, const char *bank, const char *fact_id, int64_t *memories, struct err *err)
{
    AUTO(buf_free) struct buf path = {0};
    path_of(&path, bank, "/documents/", fact_id);
    return forget(h, path.data, "memory_units_deleted", memories, err);
}

bool hindsight_forget_bank(struct hindsight *h, const char *bank, int64_t *memories, struct err *err)
{
    AUTO(buf_free) struct buf path = {0};
    path_of(&path, bank, "", NULL);
    return forget(h, path.data, "deleted_count", memories, err);
}
