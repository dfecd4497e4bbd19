/* http.c - the plain HTTP that stands beside the socket, and what every answer carries. */
#include "server/net/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/net/metrics.h"
#include "server/rpc/openrpc.h"
#include "server/store/disk.h"
#include "server/store/listen.h"
#include "server/store/pool.h"

enum { PIECE = 16 * 1024, READY_MOST = 8 };

struct http_pending {
    struct buf body;
    size_t sent;
};

static const char *(*ready_checks[READY_MOST])(void);
static size_t ready_count;

#define HEADER(next_, name_, value_)                        \
    {                                                       \
        .next = (next_), .name = (name_), .value = (value_) \
    }
static const struct lws_protocol_vhost_options headers[] = {
    HEADER(&headers[1], "content-security-policy:", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    HEADER(&headers[2], "strict-transport-security:", "max-age=31536000; includeSubDomains"),
    HEADER(&headers[3], "x-frame-options:", "DENY"),
    HEADER(&headers[4], "x-content-type-options:", "nosniff"),
    HEADER(NULL, "referrer-policy:", "no-referrer"),
};
const struct lws_protocol_vhost_options *const http_headers = headers;

static int add(struct lws *wsi, const char *name, const char *value, unsigned char **at, unsigned char *end)
{
    return lws_add_http_header_by_name(wsi, (const unsigned char *)name, (const unsigned char *)value,
                                       (int)strlen(value), at, end);
}

int http_add_headers(struct lws *wsi, struct lws_process_html_args *args)
{
    unsigned char *at = (unsigned char *)args->p, *end = at + args->max_len;
    for (const struct lws_protocol_vhost_options *header = headers; header; header = header->next)
        if (add(wsi, header->name, header->value, &at, end))
            return -1;
    args->p = (char *)at;
    return 0;
}

void http_header(struct lws *wsi, enum lws_token_indexes token, char *value, size_t size)
{
    int length = lws_hdr_total_length(wsi, token);
    if (length <= 0 || (size_t)length >= size || lws_hdr_copy(wsi, value, (int)size, token) < 0)
        value[0] = '\0';
}

/* Splits an origin: scheme://host[:port], nothing behind it. */
static bool split_origin(const char *origin, char *scheme, size_t scheme_size, char *host, size_t host_size)
{
    const char *colon = strstr(origin, "://");
    if (!colon || (size_t)(colon - origin) >= scheme_size)
        return false;
    memcpy(scheme, origin, (size_t)(colon - origin));
    scheme[colon - origin] = '\0';
    const char *from = colon + 3;
    const char *end = *from == '[' ? strchr(from, ']') : from + strcspn(from, ":");
    if (!end)
        return false;
    if (*end == ']')
        end++;
    size_t length = (size_t)(end - from);
    if (!length || length >= host_size || strpbrk(from, "/?#@* \\"))
        return false;
    memcpy(host, from, length);
    host[length] = '\0';
    const char *port = *end == ':' ? end + 1 : "0";
    return (*end == '\0' || *end == ':') && *port && port[strspn(port, "0123456789")] == '\0';
}

/* `*.` stands for one or more labels: "*.preview.example" after the scheme. */
static bool matches_pattern(const char *pattern, const char *origin)
{
    const char *star = strstr(pattern, "://*.");
    if (!star)
        return false;
    size_t head = (size_t)(star - pattern) + 3, tail = strlen(pattern) - head - 1, length = strlen(origin);
    if (length <= head + tail || strncasecmp(pattern, origin, head) != 0)
        return false;
    if (strcasecmp(origin + length - tail, pattern + head + 1) != 0)
        return false;
    for (const char *p = origin + head; p < origin + length - tail; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.", *p))
            return false;
    return origin[head] != '.';
}

bool http_origin_allowed(const char *environment, const char *origins, const char *origin)
{
    char scheme[16], host[256];
    if (!split_origin(origin, scheme, sizeof scheme, host, sizeof host))
        return false;
    if (!strcmp(environment, "development"))
        return (!strcasecmp(scheme, "http") || !strcasecmp(scheme, "https")) &&
               (!strcasecmp(host, "localhost") || !strcmp(host, "127.0.0.1") || !strcmp(host, "[::1]"));
    bool patterns = !strcmp(environment, "staging");
    AUTO(mem_freep) char *list = mem_dup(origins);
    char *rest = NULL;
    for (char *word = strtok_r(list, ", \t", &rest); word; word = strtok_r(NULL, ", \t", &rest))
        if (!strcasecmp(word, origin) || (patterns && matches_pattern(word, origin)))
            return true;
    return false;
}

static void serve_health(const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    buf_text(&reply->body, "ok\n");
}

static void serve_ready(const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    const char *why_not = NULL;
    if (!pool_app() || !pool_reachable(pool_app()) || (!listen_connected() && !listen_polling()))
        why_not = disk_full() ? disk_full() : "the database is not reachable";
    for (size_t i = 0; i < ready_count && !why_not; i++)
        why_not = ready_checks[i]();
    if (why_not)
        reply->status = 503;
    buf_printf(&reply->body, "%s\n", why_not ? why_not : "ready");
    if (!why_not && listen_polling())
        buf_text(&reply->body, "notifications do not pass the pooler: the database is asked every second\n");
}

static void serve_openrpc(const struct http_request *request, struct http_reply *reply)
{
    (void)request;
    reply->type = "application/json";
    buf_text(&reply->body, openrpc_document());
}

static void serve_metrics(const struct http_request *request, struct http_reply *reply)
{
    if (request->local || config.metrics_public) {
        reply->type = "text/plain; version=0.0.4; charset=utf-8";
        metrics_write(&reply->body);
        return;
    }
    reply->status = 403;
    buf_text(&reply->body, "The figures are for this machine only. EDURAG_METRICS_PUBLIC=true opens them.\n");
}

static const struct {
    const char *path;
    void (*serve)(const struct http_request *request, struct http_reply *reply);
} routes[] = {
    {"/healthz", serve_health},
    {"/readyz", serve_ready},
    {"/openrpc.json", serve_openrpc},
    {"/metrics", serve_metrics},
};

void http_ready_add(const char *(*why_not)(void))
{
    if (ready_count < READY_MOST)
        ready_checks[ready_count++] = why_not;
}

/* Sends the headers; the body follows in pieces, unless they are all (HEAD). 0: go on, else what the callback returns. */
static int send_reply(struct lws *wsi, struct http_reply *reply, const char *extra_name, const char *extra, bool head,
                      struct http_pending **pending)
{
    unsigned char space[LWS_PRE + 2048], *start = space + LWS_PRE, *at = start, *end = space + sizeof space - 1;
    char origin[300];
    http_header(wsi, WSI_TOKEN_ORIGIN, origin, sizeof origin);
    if (lws_add_http_common_headers(wsi, reply->status, reply->type, reply->body.length, &at, end))
        return -1;
    if (origin[0] &&
        (add(wsi, "vary:", "Origin", &at, end) || (http_origin_allowed(config.environment, config.origins, origin) &&
                                                   add(wsi, "access-control-allow-origin:", origin, &at, end))))
        return -1;
    if (extra_name && add(wsi, extra_name, extra, &at, end))
        return -1;
    if (lws_finalize_write_http_header(wsi, start, &at, end))
        return -1;
    if (head || !reply->body.length)
        return lws_http_transaction_completed(wsi) ? -1 : 0;
    http_pending_free(pending);
    *pending = mem_alloc(sizeof **pending);
    (*pending)->body = reply->body;
    reply->body = (struct buf){0};
    lws_callback_on_writable(wsi);
    return 0;
}

int http_request(struct lws *wsi, const struct http_request *request, struct http_pending **pending)
{
    struct http_reply reply = {.status = 200, .type = "text/plain; charset=utf-8"};
    const char *name = NULL, *value = NULL;
    char *uri;
    int length, method = lws_http_get_uri_and_method(wsi, &uri, &length), result;
    size_t route = 0;
    while (route < COUNT_OF(routes) && strcmp(routes[route].path, request->path) != 0)
        route++;
    if (!strcmp(request->path, "/ws")) {
        reply.status = 426;
        name = "upgrade:";
        value = "websocket";
        buf_text(&reply.body, "This is a WebSocket. Connect with a WebSocket client.\n");
    } else if (route == COUNT_OF(routes)) {
        reply.status = 404;
        buf_text(&reply.body, "There is nothing here.\n");
    } else if (method != LWSHUMETH_GET && method != LWSHUMETH_HEAD) {
        reply.status = 405;
        name = "allow:";
        value = "GET, HEAD";
        buf_text(&reply.body, "Only GET is served here.\n");
    } else {
        routes[route].serve(request, &reply);
    }
    result = send_reply(wsi, &reply, name, value, method == LWSHUMETH_HEAD, pending);
    buf_free(&reply.body);
    return result;
}

int http_writeable(struct lws *wsi, struct http_pending **pending)
{
    if (!*pending)
        return 0;
    unsigned char space[LWS_PRE + PIECE];
    size_t left = (*pending)->body.length - (*pending)->sent, piece = left < PIECE ? left : PIECE;
    memcpy(space + LWS_PRE, (*pending)->body.data + (*pending)->sent, piece);
    (*pending)->sent += piece;
    bool last = piece == left;
    if (lws_write(wsi, space + LWS_PRE, piece, last ? LWS_WRITE_HTTP_FINAL : LWS_WRITE_HTTP) < (int)piece)
        return -1;
    if (!last) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    http_pending_free(pending);
    return lws_http_transaction_completed(wsi) ? -1 : 0;
}

void http_pending_free(struct http_pending **pending)
{
    if (*pending)
        buf_free(&(*pending)->body);
    free(*pending);
    *pending = NULL;
}

static bool offers_protocol(const char *list, const char *wanted)
{
    size_t length = strlen(wanted);
    for (const char *p = list; *p;) {
        p += strspn(p, ", \t");
        size_t n = strcspn(p, ", \t");
        if (n == length && !strncmp(p, wanted, n))
            return true;
        p += n;
    }
    return false;
}

/* A refusal is complete when this returns: the connection closes behind it. Written by hand, since the library
 * takes an unfinished upgrade for HTTP/1.0 and has no words for some of these. */
static int refuse(struct lws *wsi, const char *status, const char *text, const char *name, const char *value)
{
    AUTO(buf_free) struct buf out = {0};
    buf_bytes(&out, (char[LWS_PRE]){0}, LWS_PRE);
    buf_printf(&out, "HTTP/1.1 %s\r\n", status);
    for (const struct lws_protocol_vhost_options *header = headers; header; header = header->next)
        buf_printf(&out, "%s %s\r\n", header->name, header->value);
    if (name)
        buf_printf(&out, "%s %s\r\n", name, value);
    buf_printf(&out, "content-type: text/plain; charset=utf-8\r\ncontent-length: %zu\r\nconnection: close\r\n\r\n%s",
               strlen(text), text);
    if (lws_write(wsi, (unsigned char *)out.data + LWS_PRE, out.length - LWS_PRE, LWS_WRITE_HTTP_HEADERS) < 0)
        return -1;
    return 1;
}

int http_upgrade(struct lws *wsi, bool full, bool closing)
{
    char value[300];
    char *uri;
    int length, method = lws_http_get_uri_and_method(wsi, &uri, &length);
    if (method != LWSHUMETH_GET)
        return refuse(wsi, "405 Method Not Allowed", "A WebSocket begins with GET.\n", "allow:", "GET");
    if (length != 3 || strncmp(uri, "/ws", 3) != 0)
        return refuse(wsi, "404 Not Found", "The socket is at /ws.\n", NULL, NULL);
    http_header(wsi, WSI_TOKEN_VERSION, value, sizeof value);
    if (strcmp(value, "13") != 0)
        return refuse(wsi, "426 Upgrade Required", "Only WebSocket version 13 is spoken here.\n",
                      "sec-websocket-version:", "13");
    http_header(wsi, WSI_TOKEN_KEY, value, sizeof value);
    if (strlen(value) != 24 || lws_hdr_total_length(wsi, WSI_TOKEN_HOST) <= 0)
        return refuse(wsi, "400 Bad Request", "The handshake lacks Host or a proper Sec-WebSocket-Key.\n", NULL, NULL);
    if (lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0) {
        http_header(wsi, WSI_TOKEN_ORIGIN, value, sizeof value);
        if (!http_origin_allowed(config.environment, config.origins, value))
            return refuse(wsi, "403 Forbidden", "Pages of this origin may not use this server.\n", NULL, NULL);
    }
    if (lws_hdr_total_length(wsi, WSI_TOKEN_PROTOCOL) > 0) {
        char offered[120];
        http_header(wsi, WSI_TOKEN_PROTOCOL, offered, sizeof offered);
        if (!offers_protocol(offered, "edurag.v1"))
            return refuse(wsi, "400 Bad Request", "The subprotocol here is edurag.v1.\n", NULL, NULL);
    }
    if (full || closing)
        return refuse(wsi, "503 Service Unavailable",
                      closing ? "The server is shutting down.\n" : "The server has no free place.\n",
                      "retry-after:", closing ? "5" : "30");
    return 0;
}
