/* http.c - the one door to libcurl: a service's address, its key, and calls that end in time. */
#include "server/models/http.h"

#include <curl/curl.h>
#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/json.h"
#include "common/mem.h"
#include "common/wait.h"
#include "server/models/breaker.h"
#include "server/models/retry.h"

enum {
    TICK_MS = 50,
    CONNECT_MS = 3000,
    FIRST_BYTE_MS = 120000,
    SILENCE_MS = 30000,
    AGAIN_MOST_MS = 10000,
    IDLE_MOST = 8
};
static const size_t BODY_MOST = 8u << 20;

/* One call at a time; kept with its open connection while idle. */
struct line {
    CURLM *multi;
    CURL *easy;
    struct line *next;
};

struct http_service {
    char *name, *base, *key;
    struct curl_slist *headers;
    bool loopback;
    struct breaker breaker;
    pthread_mutex_t lock;
    struct line *idle; /* under the lock */
    int idle_count;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void curl_start(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT))
        abort();
}

/* ------------------------------------------------------------------ services */

static bool is_loopback(const char *host)
{
    size_t length = strlen(host);
    return !strcasecmp(host, "localhost") || !strncmp(host, "127.", 4) || !strcmp(host, "::1") ||
           !strcmp(host, "[::1]") || (length > 10 && !strcasecmp(host + length - 10, ".localhost"));
}

static bool check_address(const struct http_settings *s, bool *loopback, struct err *err)
{
    CURLU *url = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL, *query = NULL, *fragment = NULL;
    bool parsed = url && !curl_url_set(url, CURLUPART_URL, s->base_url, 0) &&
                  !curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) && !curl_url_get(url, CURLUPART_HOST, &host, 0);
    if (parsed) {
        curl_url_get(url, CURLUPART_USER, &user, 0);
        curl_url_get(url, CURLUPART_QUERY, &query, 0);
        curl_url_get(url, CURLUPART_FRAGMENT, &fragment, 0);
    }
    bool web = parsed && (!strcmp(scheme, "https") || !strcmp(scheme, "http"));
    bool plain = web && !user && !query && !fragment;
    *loopback = plain && is_loopback(host);
    bool safe = plain && (!strcmp(scheme, "https") || *loopback || s->allow_insecure);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_free(query);
    curl_free(fragment);
    curl_url_cleanup(url);
    if (!web)
        return err_field(err, "base_url", "of %s must be an http or https address", s->name);
    if (!plain)
        return err_field(err, "base_url", "of %s must hold no password, query or fragment", s->name);
    return safe || err_field(err, "base_url", "of %s must begin with https, since it is not on this machine", s->name);
}

bool http_open(const struct http_settings *s, struct http_service **service, struct err *err)
{
    bool loopback;
    pthread_once(&curl_once, curl_start);
    if (!check_address(s, &loopback, err))
        return false;
    if (s->key && s->key[strcspn(s->key, "\r\n")])
        return err_field(err, "key", "of %s must be one line", s->name);
    struct http_service *made = mem_alloc(sizeof *made);
    made->name = mem_dup(s->name);
    made->base = mem_dup(s->base_url);
    for (size_t n = strlen(made->base); n && made->base[n - 1] == '/'; n--)
        made->base[n - 1] = '\0';
    made->key = mem_dup(s->key ? s->key : "");
    made->loopback = loopback;
    if (*made->key) {
        char *header = s->key_header ? mem_printf("%s: %s", s->key_header, s->key)
                                     : mem_printf("Authorization: Bearer %s", s->key);
        made->headers = curl_slist_append(made->headers, header);
        mem_wipe(header, strlen(header));
        free(header);
    }
    if (s->extra_header)
        made->headers = curl_slist_append(made->headers, s->extra_header);
    made->headers = curl_slist_append(made->headers, "Expect:");
    breaker_init(&made->breaker, s->breaker_failures ? s->breaker_failures : 5,
                 s->breaker_pause_ms ? s->breaker_pause_ms : 5000, 300000);
    pthread_mutex_init(&made->lock, NULL);
    *service = made;
    return true;
}

static void line_free(struct line *line)
{
    curl_easy_cleanup(line->easy);
    curl_multi_cleanup(line->multi);
    free(line);
}

void http_close(struct http_service *service)
{
    if (!service)
        return;
    while (service->idle) {
        struct line *line = service->idle;
        service->idle = line->next;
        line_free(line);
    }
    for (struct curl_slist *h = service->headers; h; h = h->next)
        mem_wipe(h->data, strlen(h->data));
    curl_slist_free_all(service->headers);
    mem_wipe(service->key, strlen(service->key));
    free(service->key);
    free(service->name);
    free(service->base);
    breaker_destroy(&service->breaker);
    pthread_mutex_destroy(&service->lock);
    free(service);
}

const char *http_name(const struct http_service *service)
{
    return service->name;
}
bool http_reachable(struct http_service *service)
{
    return breaker_closed(&service->breaker);
}
bool http_available(struct http_service *service)
{
    return !breaker_wait(&service->breaker, wait_now());
}

static struct line *line_take(struct http_service *service)
{
    pthread_mutex_lock(&service->lock);
    struct line *line = service->idle;
    if (line) {
        service->idle = line->next;
        service->idle_count--;
    }
    pthread_mutex_unlock(&service->lock);
    if (line)
        return line;
    line = mem_alloc(sizeof *line);
    line->multi = curl_multi_init();
    line->easy = curl_easy_init();
    if (!line->multi || !line->easy)
        abort();
    return line;
}

static void line_give(struct http_service *service, struct line *line)
{
    curl_easy_reset(line->easy);
    pthread_mutex_lock(&service->lock);
    bool keep = service->idle_count < IDLE_MOST;
    if (keep) {
        line->next = service->idle;
        service->idle = line;
        service->idle_count++;
    }
    pthread_mutex_unlock(&service->lock);
    if (!keep)
        line_free(line);
}

/* ------------------------------------------------------------------ one exchange */

struct exchange {
    const struct http_request *request;
    struct http_reply *reply;
    struct line *line;
    struct err *err;
    int64_t heard; /* when something last came */
    size_t received;
    bool begun, failed; /* failed: err is set */
    char retry_ms[32], retry[64];
};

static void copy_value(char *to, size_t size, const char *from, size_t length)
{
    while (length && isspace((unsigned char)*from)) {
        from++;
        length--;
    }
    while (length && isspace((unsigned char)from[length - 1]))
        length--;
    snprintf(to, size, "%.*s", (int)length, from);
}

static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    size_t length = size * count;
    static const struct {
        const char *name;
        size_t length;
    } names[] = {{"content-type:", 13}, {"retry-after-ms:", 15}, {"retry-after:", 12}};
    x->heard = wait_now();
    if (length > 5 && !strncmp(bytes, "HTTP/", 5))
        x->reply->content_type[0] = x->retry[0] = x->retry_ms[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (length < names[i].length || strncasecmp(bytes, names[i].name, names[i].length))
            continue;
        char *to = i == 0 ? x->reply->content_type : i == 1 ? x->retry_ms : x->retry;
        size_t capacity = i == 0 ? sizeof x->reply->content_type : i == 1 ? sizeof x->retry_ms : sizeof x->retry;
        copy_value(to, capacity, bytes + names[i].length, length - names[i].length);
        if (i == 0) {
            to[strcspn(to, "; ")] = '\0';
            for (char *c = to; *c; c++)
                *c = (char)tolower((unsigned char)*c);
        }
        break;
    }
    return length;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    size_t length = size * count, most = x->request->most ? x->request->most : BODY_MOST;
    x->heard = wait_now();
    x->begun = true;
    x->received += length;
    curl_easy_getinfo(x->line->easy, CURLINFO_RESPONSE_CODE, &x->reply->status);
    bool fine = x->reply->status >= 200 && x->reply->status < 300;
    if (x->received > most) {
        x->failed = true;
        err_set(x->err, ERR_TOO_LARGE, "a reply is longer than %zu bytes", most);
        return 0;
    }
    if (fine && x->request->on_bytes) {
        x->failed = !x->request->on_bytes(x->request->context, x->reply, bytes, length, x->err);
        return x->failed ? 0 : length;
    }
    buf_bytes(&x->reply->body, bytes, length);
    return length;
}

static void set_up(struct http_service *service, struct exchange *x, const char *url, struct curl_slist *headers)
{
    CURL *easy = x->line->easy;
    const struct http_request *r = x->request;
    const char *file = getenv("SSL_CERT_FILE"), *directory = getenv("SSL_CERT_DIR");
    if (!file || !*file)
        file = getenv("CURL_CA_BUNDLE");
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(r->connect_ms ? r->connect_ms : CONNECT_MS));
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "edurag/" EDURAG_VERSION);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    if (service->loopback)
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (file && *file)
        curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (directory && *directory)
        curl_easy_setopt(easy, CURLOPT_CAPATH, directory);
    if (r->body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(r->body));
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, r->body);
    }
    if (r->verb)
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, r->verb);
}

static bool upstream(const struct http_service *service, struct err *err, const char *what)
{
    err_set(err, ERR_UPSTREAM, "%s: %s", service->name, what);
    if (err)
        snprintf(err->service, sizeof err->service, "%s", service->name);
    return false;
}

static bool out_of_time(const struct exchange *x, int64_t deadline, int64_t now)
{
    const struct http_request *r = x->request;
    int64_t patience =
        x->begun ? (r->silence_ms ? r->silence_ms : SILENCE_MS) : (r->first_byte_ms ? r->first_byte_ms : FIRST_BYTE_MS);
    return now - x->heard > patience || (deadline && now >= deadline);
}

/* Drives the transfer to its end. true: a whole reply. */
static bool drive(struct http_service *service, struct exchange *x, int64_t deadline)
{
    for (;;) {
        int running = 0, queued;
        if (curl_multi_perform(x->line->multi, &running))
            return upstream(service, x->err, "the transfer broke off");
        CURLMsg *message = curl_multi_info_read(x->line->multi, &queued);
        if (message && message->msg == CURLMSG_DONE) {
            CURLcode result = message->data.result;
            if (x->failed)
                return false;
            if (result != CURLE_OK)
                return upstream(service, x->err, curl_easy_strerror(result));
            curl_easy_getinfo(x->line->easy, CURLINFO_RESPONSE_CODE, &x->reply->status);
            return true;
        }
        if (x->request->cancelled && x->request->cancelled(x->request->context))
            return err_set(x->err, ERR_CANCELLED, "cancelled while waiting for %s", service->name);
        int64_t now = wait_now();
        if (out_of_time(x, deadline, now))
            return upstream(service, x->err, x->begun ? "silent in the middle of its reply" : "no reply in time");
        int64_t tick = deadline && deadline - now < TICK_MS ? deadline - now : TICK_MS;
        if (curl_multi_poll(x->line->multi, NULL, 0, (int)tick, NULL))
            return upstream(service, x->err, "the transfer broke off");
    }
}

static bool exchange(struct http_service *service, struct exchange *x, int64_t deadline)
{
    const struct http_request *r = x->request;
    AUTO(mem_freep) char *url = mem_printf("%s%s", service->base, r->path);
    AUTO(mem_freep) char *accept = mem_printf("Accept: %s", r->accept ? r->accept : "application/json");
    /* The service's list is shared by calls and only read, so this call's own headers stand in front of it. */
    struct curl_slist type = {.data = (char[]){"Content-Type: application/json"}, .next = service->headers};
    struct curl_slist first = {.data = accept, .next = r->body ? &type : service->headers};
    set_up(service, x, url, &first);
    x->heard = wait_now();
    curl_multi_add_handle(x->line->multi, x->line->easy);
    bool fine = drive(service, x, deadline);
    curl_multi_remove_handle(x->line->multi, x->line->easy);
    return fine;
}

/* What a status says about the service's health: an answer about this request alone is a sign of life. */
static bool healthy(long status)
{
    return status < 500 && status != 401 && status != 403 && status != 408 && status != 429;
}

static bool wait_for(const struct http_request *r, int64_t ms)
{
    for (int64_t until = wait_now() + ms, now; (now = wait_now()) < until;) {
        if (r->cancelled && r->cancelled(r->context))
            return false;
        int64_t tick = until - now < TICK_MS ? until - now : TICK_MS;
        nanosleep(&(struct timespec){.tv_nsec = tick * 1000000}, NULL);
    }
    return true;
}

/* How long to wait before asking again, or -1: this reply is the answer. */
static int64_t pause_before_again(const struct exchange *x, int attempt, int64_t deadline)
{
    const struct http_request *r = x->request;
    x->reply->retry_after_ms = 0;
    if (x->reply->status < 400)
        return -1;
    long said = retry_after(x->retry_ms, x->retry, x->reply->body.data, x->reply->body.length, time(NULL));
    x->reply->retry_after_ms = said > 0 ? said : 0;
    if (attempt > r->again || (x->reply->status != 429 && x->reply->status != 503))
        return -1;
    int64_t pause = said == RETRY_UNSAID ? retry_pause(attempt, (double)(wait_now() % 97) / 97) : said;
    bool too_long = said == RETRY_NEVER || pause > (r->again_most_ms ? r->again_most_ms : AGAIN_MOST_MS) ||
                    (deadline && wait_now() + pause >= deadline);
    return too_long ? -1 : pause;
}

static bool attempts(struct http_service *service, struct exchange *x, int64_t deadline)
{
    const struct http_request *r = x->request;
    for (int attempt = 1;; attempt++) {
        buf_clear(&x->reply->body);
        x->received = 0;
        x->begun = false;
        x->reply->attempts = attempt;
        if (!exchange(service, x, deadline))
            return false;
        int64_t pause = pause_before_again(x, attempt, deadline);
        if (pause < 0)
            return true;
        if (!wait_for(r, pause))
            return err_set(x->err, ERR_CANCELLED, "cancelled while waiting for %s", service->name);
    }
}

bool http_send(struct http_service *service, const struct http_request *r, struct http_reply *reply, struct err *err)
{
    struct err own = {0}, *said = err ? err : &own;
    int64_t start = wait_now();
    if (!breaker_ask(&service->breaker, start) && !r->probe) {
        upstream(service, said, "not asked, since it has failed several times in a row");
        said->retry_after_ms = (long)breaker_wait(&service->breaker, start);
        return false;
    }
    struct exchange x = {.request = r, .reply = reply, .line = line_take(service), .err = said};
    bool fine = attempts(service, &x, r->total_ms ? start + r->total_ms : 0);
    if (!fine && (said->code == ERR_CANCELLED || x.failed))
        breaker_drop(&service->breaker);
    else
        breaker_tell(&service->breaker, fine && healthy(reply->status), wait_now());
    line_give(service, x.line);
    return fine;
}

/* ------------------------------------------------------------------ words */

void http_reply_free(struct http_reply *reply)
{
    buf_free(&reply->body);
}

void http_escape(struct buf *path, const char *segment)
{
    for (const unsigned char *c = (const unsigned char *)segment; *c; c++) {
        if (isalnum(*c) || strchr("-._~", *c))
            buf_char(path, (char)*c);
        else
            buf_printf(path, "%%%02X", *c);
    }
}

static void first_text(const cJSON *value, struct buf *out)
{
    if (cJSON_IsString(value))
        buf_text(out, value->valuestring);
    else if (value && !cJSON_IsNull(value))
        json_write(out, value);
}

void http_error_text(const struct http_reply *reply, char *text, size_t size)
{
    AUTO(buf_free) struct buf found = {0};
    AUTO(json_freep) cJSON *json = reply->body.length ? json_parse(reply->body.data, reply->body.length, NULL) : NULL;
    const cJSON *top = cJSON_IsArray(json) ? cJSON_GetArrayItem(json, 0) : json, *error = json_get(top, "error");
    if (cJSON_IsObject(error))
        first_text(json_get(error, "message"), &found);
    const cJSON *others[] = {error, json_get(top, "message"), json_get(top, "detail")};
    for (size_t i = 0; i < COUNT_OF(others) && !found.length; i++) {
        const cJSON *first = cJSON_IsArray(others[i]) ? cJSON_GetArrayItem(others[i], 0) : NULL;
        first_text(first ? json_get(first, "msg") : others[i], &found);
    }
    if (!found.length)
        buf_bytes(&found, reply->body.data ? reply->body.data : "",
                  reply->body.length < 200 ? reply->body.length : 200);
    snprintf(text, size, "%s", found.data ? found.data : "");
}

bool http_refused(const struct http_service *service, const struct http_reply *reply, struct err *err)
{
    char text[200];
    http_error_text(reply, text, sizeof text);
    bool about_input = reply->status == 400 || reply->status == 413 || reply->status == 422;
    if (about_input && !strcasestr(text, "api key"))
        snprintf(text, sizeof text, "(its sentence may repeat what was sent, and is withheld)");
    else if (*service->key && strstr(text, service->key)) /* some services repeat a wrong key */
        snprintf(text, sizeof text, "(its sentence repeats the key)");
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = ' ';
    err_set(err, ERR_UPSTREAM, "%s: status %ld: %s", service->name, reply->status, text);
    if (err) {
        snprintf(err->service, sizeof err->service, "%s", service->name);
        err->retry_after_ms = (long)reply->retry_after_ms;
    }
    return false;
}
