/* http.h - the one door to libcurl: a service's address, its key, and calls that end in time.
 *
 * A service keeps its connections open between calls and has a breaker. Calls may come from any thread;
 * each waits for its own reply. Proxies (HTTPS_PROXY, NO_PROXY …) and certificates (SSL_CERT_FILE,
 * SSL_CERT_DIR, CURL_CA_BUNDLE) come from the environment. Redirects are not followed. The key goes
 * into one header and nowhere else: no URL, log or error holds it, nor any part of a body.
 */
#ifndef SERVER_MODELS_HTTP_H
#define SERVER_MODELS_HTTP_H

#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct http_service;

struct http_settings {
    const char *name;         /* for people and the log: "gemini" */
    const char *base_url;     /* with its path: https://host/v1 */
    const char *key;          /* "" or NULL: none is sent */
    const char *key_header;   /* NULL: "Authorization: Bearer KEY"; else this header with the bare key */
    const char *extra_header; /* tests: "Prefer: code=503"; NULL: none */
    bool allow_insecure;      /* plain http beyond loopback */
    int breaker_failures;     /* 0: 5 */
    int64_t breaker_pause_ms; /* 0: 5 s, doubling to 5 min */
};

/* ERR_INVALID_PARAMS (field: base_url) for an address that is none, holds a password or a query, or is
 * plain http beyond loopback. */
bool http_open(const struct http_settings *settings, struct http_service **service, struct err *err) MUST_CHECK;
void http_close(struct http_service *service); /* no call may be under way */

struct http_reply {
    long status;
    char content_type[64]; /* lower case, without parameters */
    struct buf body;       /* of a reply that was not handed to on_bytes */
    int attempts;
    int64_t retry_after_ms; /* what it said with a status of 400 and more about coming back; 0: nothing */
};
void http_reply_free(struct http_reply *reply);

struct http_request {
    const char *verb;      /* NULL: POST where there is a body, else GET */
    const char *path;      /* behind the base URL, beginning with '/' */
    const char *body;      /* JSON; NULL: none */
    const char *accept;    /* NULL: application/json */
    int64_t connect_ms;    /* 0: 3 s */
    int64_t first_byte_ms; /* silence before the first byte of the reply; 0: 120 s */
    int64_t silence_ms;    /* silence later; 0: 30 s */
    int64_t total_ms;      /* of everything, waits between attempts included; 0: no limit */
    size_t most;           /* bytes of the reply; 0: 8 MiB */
    int again;             /* repetitions after 429 and 503, where the service does not say never */
    int64_t again_most_ms; /* a longer wait than this is not waited for; 0: 10 s */
    bool probe;            /* goes out whatever the breaker says, and tells it */
    /* A 2xx body goes here, as it comes. false with `err` ends the call. */
    bool (*on_bytes)(void *context, const struct http_reply *reply, const char *bytes, size_t length, struct err *err);
    bool (*cancelled)(void *context); /* asked at least every 50 ms */
    void *context;
};

/* true: the service answered, with whatever status. false: ERR_CANCELLED, ERR_TOO_LARGE, what on_bytes said,
 * or ERR_UPSTREAM (no connection, silence, out of time, or the breaker is open: err->retry_after_ms). */
bool http_send(struct http_service *service, const struct http_request *request, struct http_reply *reply,
               struct err *err) MUST_CHECK;

/* A segment of a path, percent-encoded, appended. */
void http_escape(struct buf *path, const char *segment);
/* The sentence in an error body, whatever its shape: error.message, error, message, detail (text, list or
 * object), the first 200 bytes. */
void http_error_text(const struct http_reply *reply, char *text, size_t size);
/* ERR_UPSTREAM with service, status and the error body's sentence, unless that repeats the key; err->retry_after_ms.
 * Always false. */
bool http_refused(const struct http_service *service, const struct http_reply *reply, struct err *err);

const char *http_name(const struct http_service *service);
bool http_reachable(struct http_service *service); /* the breaker is closed */
bool http_available(struct http_service *service); /* a call would go out now */

#endif
