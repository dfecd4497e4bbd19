/* fake_hindsight.c - a memory service that keeps state and misbehaves on purpose. */
#include "tests/lib/fake_hindsight.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json.h"
#include "common/mem.h"
#include "tests/lib/fake_http.h"

enum { DOCUMENTS_MOST = 4096, BANKS_MOST = 256 };

struct document {
    char bank[80], id[80], operation[48];
    char *text;
    int sent;        /* how often */
    long long ready; /* when its operation completes */
    bool gone, failed;
};

struct bank {
    char id[80];
    bool observes;
};

struct fake_hindsight {
    struct fake_http *http;
    pthread_mutex_t lock; /* everything below */
    char behaviour[64], version[16];
    int times, delay_ms, complete_ms, fail_operations;
    struct document documents[DOCUMENTS_MOST];
    struct bank banks[BANKS_MOST];
    int document_count, bank_count, requests, retains;
    char *last, *headers, *body;
};

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void reply(struct fake_peer *peer, int status, const char *body)
{
    fake_http_reply(peer, status, "", "application/json", body);
}

/* ------------------------------------------------------------------ state, under the lock */

static struct bank *find_bank(struct fake_hindsight *fake, const char *id, bool make)
{
    for (int i = 0; i < fake->bank_count; i++)
        if (!strcmp(fake->banks[i].id, id))
            return &fake->banks[i];
    if (!make || fake->bank_count == BANKS_MOST)
        return NULL;
    struct bank *bank = &fake->banks[fake->bank_count++];
    *bank = (struct bank){.observes = true};
    snprintf(bank->id, sizeof bank->id, "%s", id);
    return bank;
}

static struct document *find_document(struct fake_hindsight *fake, const char *bank, const char *id,
                                      const char *operation)
{
    for (int i = 0; i < fake->document_count; i++) {
        struct document *d = &fake->documents[i];
        if (!strcmp(d->bank, bank) && ((id && !strcmp(d->id, id)) || (operation && !strcmp(d->operation, operation))))
            return d;
    }
    return NULL;
}

static bool is_there(const struct document *d)
{
    return !d->gone && !d->failed && now_ms() >= d->ready;
}

/* What versions from 0.10 say about reading a bank that does not exist; older ones give something empty. */
static bool strict(const struct fake_hindsight *fake)
{
    return !strncmp(fake->version, "0.1", 3);
}

/* ------------------------------------------------------------------ the calls; each writes status and body */

static int retain(struct fake_hindsight *fake, const char *bank, const cJSON *json, struct buf *out)
{
    const cJSON *item = cJSON_GetArrayItem(json_get(json, "items"), 0);
    const char *text = json_text(item, "content", ""), *id = json_text(item, "document_id", "");
    const char *operation = json_text(json, "operation_id", "");
    bool old = !strcmp(fake->version, "0.4.0");
    if (!*text) {
        buf_text(out, "{\"detail\":[{\"loc\":[\"body\",\"items\",0,\"content\"],\"msg\":\"Field "
                      "required\",\"type\":\"missing\"}]}");
        return 422;
    }
    find_bank(fake, bank, true);
    struct document *d = find_document(fake, bank, id, NULL), *other = find_document(fake, bank, NULL, operation);
    if (other && other != d && !old) {
        buf_text(out, "{\"detail\":\"operation id in use\"}");
        return 409;
    }
    if (d && d->failed && !old && !strcmp(d->operation, operation)) {
        buf_text(out, "{\"detail\":\"that operation has failed\"}");
        return 409;
    }
    if (!d) {
        if (fake->document_count == DOCUMENTS_MOST)
            abort();
        d = &fake->documents[fake->document_count++];
        *d = (struct document){0};
    }
    snprintf(d->bank, sizeof d->bank, "%s", bank);
    snprintf(d->id, sizeof d->id, "%s", id);
    snprintf(d->operation, sizeof d->operation, "%s", operation);
    if (old)
        snprintf(d->operation, sizeof d->operation, "00000000-0000-4000-8000-%012d", fake->requests);
    free(d->text);
    d->text = mem_dup(text);
    d->sent++;
    d->gone = false;
    d->failed = fake->fail_operations > 0;
    fake->fail_operations -= d->failed;
    d->ready = now_ms() + fake->complete_ms;
    fake->retains++;
    buf_printf(out, "{\"success\":true,\"bank_id\":\"%s\",\"items_count\":1,\"async\":true,\"operation_id\":\"%s\"}",
               bank, d->operation);
    return 200;
}

static int operation(struct fake_hindsight *fake, const char *bank, const char *id, const char *verb, struct buf *out)
{
    struct document *d = find_document(fake, bank, NULL, id);
    if (!d) {
        buf_printf(out,
                   strict(fake) ? "{\"detail\":\"Operation '%s' not found\"}"
                                : "{\"operation_id\":\"%s\",\"status\":\"not_found\"}",
                   id);
        return strict(fake) ? 404 : 200;
    }
    bool pending = now_ms() < d->ready;
    if (!strcmp(verb, "DELETE")) {
        d->gone = d->gone || pending;
        buf_text(out, pending ? "{\"success\":true}" : "{\"detail\":\"not pending\"}");
        return pending ? 200 : 409;
    }
    const char *status = pending ? "processing" : d->failed ? "failed" : "completed";
    buf_printf(out, "{\"operation_id\":\"%s\",\"status\":\"%s\",\"error_message\":%s}", id, status,
               d->failed ? "\"the language model is away\"" : "null");
    return 200;
}

/* Whether a text shares a word of four letters or more with the query. */
static bool resembles(const char *text, const char *query)
{
    AUTO(mem_freep) char *words = mem_dup(query);
    char *rest = NULL;
    for (char *w = strtok_r(words, " ,.?!", &rest); w; w = strtok_r(NULL, " ,.?!", &rest))
        if (strlen(w) > 3 && strcasestr(text, w))
            return true;
    return false;
}

static int recall(struct fake_hindsight *fake, const char *bank, const cJSON *json, struct buf *out)
{
    const char *query = json_text(json, "query", "");
    if (strlen(query) > 2000) {
        buf_text(out, "{\"detail\":\"Query too long: 900 tokens exceeds maximum of 500\"}");
        return 400;
    }
    if (!find_bank(fake, bank, false) && strict(fake)) {
        buf_printf(out, "{\"detail\":\"Bank '%s' not found\"}", bank);
        return 404;
    }
    buf_json_open(out, '{');
    buf_json_key(out, "results");
    buf_json_open(out, '[');
    for (int i = 0; i < fake->document_count; i++) {
        const struct document *d = &fake->documents[i];
        if (strcmp(d->bank, bank) || !is_there(d) || !resembles(d->text, query))
            continue;
        buf_json_open(out, '{');
        buf_json_member(out, "id", d->operation);
        buf_json_member(out, "text", d->text);
        buf_json_member(out, "document_id", d->id);
        buf_json_member(out, "mentioned_at", NULL);
        buf_json_close(out, '}');
    }
    buf_json_close(out, ']');
    buf_json_key(out, "trace");
    buf_json_null(out);
    buf_json_close(out, '}');
    return 200;
}

static int forget_document(struct fake_hindsight *fake, const char *bank, const char *id, struct buf *out)
{
    struct document *d = find_document(fake, bank, id, NULL);
    if (!d || !is_there(d)) {
        buf_printf(out, "{\"detail\":\"Document '%s' not found\"}", id);
        return 404;
    }
    d->gone = true;
    buf_printf(out, "{\"success\":true,\"message\":\"deleted\",\"document_id\":\"%s\",\"memory_units_deleted\":1}", id);
    return 200;
}

static int whole_bank(struct fake_hindsight *fake, const char *bank, const char *verb, const cJSON *json,
                      struct buf *out)
{
    int gone = 0;
    if (!strcmp(verb, "PUT")) {
        struct bank *b = find_bank(fake, bank, true);
        b->observes = json_bool(json, "enable_observations", true) || !strcmp(fake->version, "0.4.0");
        buf_printf(out, "{\"bank_id\":\"%s\",\"name\":\"%s\",\"mission\":\"\"}", bank, bank);
        return 200;
    }
    struct bank *b = find_bank(fake, bank, false);
    if (!b) {
        buf_printf(out, "{\"detail\":\"Bank '%s' not found\"}", bank);
        return 404;
    }
    for (int i = 0; i < fake->document_count; i++)
        if (!strcmp(fake->documents[i].bank, bank) && !fake->documents[i].gone) {
            fake->documents[i].gone = true;
            gone++;
        }
    *b = fake->banks[--fake->bank_count];
    buf_printf(out, "{\"success\":true,\"message\":\"deleted\",\"deleted_count\":%d}", gone);
    return 200;
}

static int route(struct fake_hindsight *fake, const struct fake_request *r, const cJSON *json, struct buf *out)
{
    char bank[80] = "", rest[200] = "";
    if (!strcmp(r->path, "/health")) {
        buf_text(out, "{\"status\":\"healthy\",\"database\":\"connected\"}");
        return 200;
    }
    if (!strcmp(r->path, "/version")) {
        buf_printf(out, "{\"api_version\":\"%s\",\"features\":{}}", fake->version);
        return 200;
    }
    if (sscanf(r->path, "/v1/default/banks/%79[^/?]%199[^?]", bank, rest) < 1) {
        buf_text(out, "{\"detail\":\"Not Found\"}");
        return 404;
    }
    if (!*rest)
        return whole_bank(fake, bank, r->verb, json, out);
    if (!strcmp(rest, "/memories") && !strcmp(r->verb, "POST"))
        return retain(fake, bank, json, out);
    if (!strcmp(rest, "/memories/recall"))
        return recall(fake, bank, json, out);
    if (!strcmp(rest, "/reflect")) {
        buf_printf(out, "{\"text\":\"## Progress\\nA reflection.\",\"based_on\":null}");
        return 200;
    }
    if (!strcmp(rest, "/profile")) {
        buf_text(out, "{\"detail\":\"Gone\"}");
        return strict(fake) ? 410 : 404;
    }
    if (!strncmp(rest, "/operations/", 12))
        return operation(fake, bank, rest + 12, r->verb, out);
    if (!strncmp(rest, "/documents/", 11) && !strcmp(r->verb, "DELETE"))
        return forget_document(fake, bank, rest + 11, out);
    buf_text(out, "{\"detail\":\"Not Found\"}");
    return 404;
}

/* ------------------------------------------------------------------ any request */

static bool misbehave(const char *behaviour, struct fake_peer *peer)
{
    static const struct {
        const char *name;
        int status;
        const char *headers, *body;
    } replies[] = {
        {"400", 400, "", "{\"detail\":\"Query too long: jane@school.edu\"}"},
        {"401", 401, "", "{\"detail\":\"Invalid API key\"}"},
        {"402", 402, "", "{\"detail\":\"balance\"}"},
        {"403", 403, "", "{\"detail\":\"scope\"}"},
        {"404", 404, "", "{\"detail\":\"Bank 'x' not found\"}"},
        {"409", 409, "", "{\"detail\":\"conflict\"}"},
        {"410", 410, "", "{\"detail\":\"Gone\"}"},
        {"422", 422, "",
         "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"Field "
         "required\",\"type\":\"missing\",\"input\":\"jane@school.edu\"}]}"},
        {"422_object", 422, "", "{\"detail\":{\"violations\":[\"x\"]}}"},
        {"429", 429, "Retry-After: 7\r\n", "{\"detail\":\"slow down\"}"},
        {"429_date", 429, "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "{\"detail\":\"slow down\"}"},
        {"500", 500, "", "{\"detail\":\"\"}"},
        {"503", 503, "Retry-After: 30\r\n", "{\"detail\":\"closed to writes\"}"},
        {"504", 504, "", "{\"detail\":\"Request timed out while searching memories...\"}"},
        {"malformed", 200, "", "{\"results\":[{"},
    };
    if (!strcmp(behaviour, "hang")) {
        fake_http_sleep(peer, 60000);
        fake_http_cut(peer);
        return true;
    }
    if (!strcmp(behaviour, "cut_at_once")) {
        fake_http_cut(peer);
        return true;
    }
    if (!strcmp(behaviour, "huge")) {
        static char block[65536];
        memset(block, ' ', sizeof block - 1);
        fake_http_begin(peer, 200, "application/json");
        for (int i = 0; i < 1000 && fake_http_piece(peer, block, sizeof block - 1); i++)
            ;
        fake_http_end(peer);
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(replies); i++)
        if (!strcmp(behaviour, replies[i].name)) {
            fake_http_reply(peer, replies[i].status, replies[i].headers, "application/json", replies[i].body);
            return true;
        }
    return false;
}

static void control(struct fake_hindsight *fake, const struct fake_request *r, const cJSON *json, struct buf *out)
{
    if (!strncmp(r->path, "/fake/", 6)) {
        buf_json_open(out, '[');
        for (int i = 0; i < fake->document_count; i++)
            if (!strcmp(fake->documents[i].bank, r->path + 6) && is_there(&fake->documents[i]))
                buf_json_string(out, fake->documents[i].text);
        buf_json_close(out, ']');
        return;
    }
    snprintf(fake->behaviour, sizeof fake->behaviour, "%s", json_text(json, "behaviour", fake->behaviour));
    snprintf(fake->version, sizeof fake->version, "%s", json_text(json, "version", fake->version));
    fake->times = (int)json_int(json, "times", fake->times);
    fake->delay_ms = (int)json_int(json, "delay_ms", fake->delay_ms);
    fake->complete_ms = (int)json_int(json, "complete_ms", fake->complete_ms);
    fake->fail_operations = (int)json_int(json, "fail_operations", fake->fail_operations);
    int there = 0;
    for (int i = 0; i < fake->document_count; i++)
        there += is_there(&fake->documents[i]);
    buf_printf(out, "{\"requests\":%d,\"retains\":%d,\"banks\":%d,\"documents\":%d}", fake->requests, fake->retains,
               fake->bank_count, there);
}

static void set_text(char **to, char *text)
{
    free(*to);
    *to = text;
}

static void handle(void *context, const struct fake_request *r, struct fake_peer *peer)
{
    struct fake_hindsight *fake = context;
    AUTO(json_freep) cJSON *json = r->length ? json_parse(r->body, r->length, NULL) : NULL;
    AUTO(buf_free) struct buf out = {0};
    char behaviour[64];
    pthread_mutex_lock(&fake->lock);
    if (!strncmp(r->path, "/fake", 5)) {
        control(fake, r, json, &out);
        pthread_mutex_unlock(&fake->lock);
        reply(peer, 200, out.data);
        return;
    }
    snprintf(behaviour, sizeof behaviour, "%s", fake->behaviour);
    if (fake->times && !--fake->times)
        strcpy(fake->behaviour, "fine");
    int delay = fake->delay_ms;
    fake->requests++;
    set_text(&fake->last, mem_printf("%s %s", r->verb, r->path));
    set_text(&fake->headers, mem_dup(r->headers));
    set_text(&fake->body, mem_dup(r->body));
    pthread_mutex_unlock(&fake->lock);
    if (delay)
        fake_http_sleep(peer, delay);
    if (misbehave(behaviour, peer))
        return;
    pthread_mutex_lock(&fake->lock);
    int status = route(fake, r, json, &out);
    pthread_mutex_unlock(&fake->lock);
    if (!strcmp(behaviour, "lost"))
        fake_http_cut(peer);
    else
        reply(peer, status, out.data);
}

struct fake_hindsight *fake_hindsight_start(int port)
{
    struct fake_hindsight *fake = mem_alloc(sizeof *fake);
    pthread_mutex_init(&fake->lock, NULL);
    strcpy(fake->behaviour, "fine");
    strcpy(fake->version, "0.9.1");
    fake->http = fake_http_start(port, handle, fake);
    return fake;
}

void fake_hindsight_stop(struct fake_hindsight *fake)
{
    fake_http_stop(fake->http);
    for (int i = 0; i < fake->document_count; i++)
        free(fake->documents[i].text);
    free(fake->last);
    free(fake->headers);
    free(fake->body);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}

int fake_hindsight_port(const struct fake_hindsight *fake)
{
    return fake_http_port(fake->http);
}

#define UNDER_LOCK(fake_, ...)                \
    do {                                      \
        pthread_mutex_lock(&(fake_)->lock);   \
        __VA_ARGS__;                          \
        pthread_mutex_unlock(&(fake_)->lock); \
    } while (0)

void fake_hindsight_behave(struct fake_hindsight *fake, const char *behaviour, int times)
{
    UNDER_LOCK(fake, snprintf(fake->behaviour, sizeof fake->behaviour, "%s", behaviour); fake->times = times);
}

void fake_hindsight_delay(struct fake_hindsight *fake, int ms)
{
    UNDER_LOCK(fake, fake->delay_ms = ms);
}

void fake_hindsight_version(struct fake_hindsight *fake, const char *version)
{
    UNDER_LOCK(fake, snprintf(fake->version, sizeof fake->version, "%s", version));
}

void fake_hindsight_completes(struct fake_hindsight *fake, int after_ms, int fail_operations)
{
    UNDER_LOCK(fake, fake->complete_ms = after_ms; fake->fail_operations = fail_operations);
}

int fake_hindsight_requests(struct fake_hindsight *fake)
{
    int n;
    UNDER_LOCK(fake, n = fake->requests);
    return n;
}

int fake_hindsight_retains(struct fake_hindsight *fake, const char *document)
{
    int n = 0;
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; document && i < fake->document_count; i++)
        n += strcmp(fake->documents[i].id, document) ? 0 : fake->documents[i].sent;
    n = document ? n : fake->retains;
    pthread_mutex_unlock(&fake->lock);
    return n;
}

int fake_hindsight_documents(struct fake_hindsight *fake, const char *bank)
{
    int n = 0;
    pthread_mutex_lock(&fake->lock);
    for (int i = 0; i < fake->document_count; i++)
        n += !strcmp(fake->documents[i].bank, bank) && is_there(&fake->documents[i]);
    n = find_bank(fake, bank, false) ? n : -1;
    pthread_mutex_unlock(&fake->lock);
    return n;
}

char *fake_hindsight_document(struct fake_hindsight *fake, const char *bank, const char *document)
{
    pthread_mutex_lock(&fake->lock);
    const struct document *d = find_document(fake, bank, document, NULL);
    char *text = d && is_there(d) ? mem_dup(d->text) : NULL;
    pthread_mutex_unlock(&fake->lock);
    return text;
}

bool fake_hindsight_observes(struct fake_hindsight *fake, const char *bank)
{
    pthread_mutex_lock(&fake->lock);
    const struct bank *b = find_bank(fake, bank, false);
    bool observes = !b || b->observes;
    pthread_mutex_unlock(&fake->lock);
    return observes;
}

static char *copy_of(struct fake_hindsight *fake, char *const *text)
{
    char *copy;
    UNDER_LOCK(fake, copy = mem_dup(*text ? *text : ""));
    return copy;
}

char *fake_hindsight_last(struct fake_hindsight *fake)
{
    return copy_of(fake, &fake->last);
}
char *fake_hindsight_last_headers(struct fake_hindsight *fake)
{
    return copy_of(fake, &fake->headers);
}
char *fake_hindsight_last_body(struct fake_hindsight *fake)
{
    return copy_of(fake, &fake->body);
}
