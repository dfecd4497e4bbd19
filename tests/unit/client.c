/* client.c - the RPC client against a peer that does what it should, and one that does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/client.h"
#include "common/mem.h"
#include "common/state.h"
#include "tests/lib/peer.h"

static char home[] = "/tmp/edurag-client-XXXXXX";

/* What the callbacks of a client saw. */
struct seen {
    struct client *client;
    enum client_state state;
    struct err why;
    unsigned states, online;
    char news[256];
    int replies;
    struct err err;
    char result[256];
};

static void on_state(void *user, enum client_state state, const struct err *why)
{
    struct seen *s = user;
    s->state = state;
    s->states++;
    s->online += state == CLIENT_ONLINE;
    if (why)
        s->why = *why;
}

static void on_notification(void *user, const char *method, const cJSON *params)
{
    struct seen *s = user;
    size_t at = strlen(s->news);
    snprintf(s->news + at, sizeof s->news - at, "%s %s;", method, json_text(params, "text", "-"));
}

static void on_reply(void *user, const cJSON *result, const struct err *err)
{
    struct seen *s = user;
    s->replies++;
    assert_true((result == NULL) != (err == NULL));
    if (err)
        s->err = *err;
    AUTO(buf_free) struct buf text = {0};
    if (result)
        json_write(&text, result);
    snprintf(s->result, sizeof s->result, "%s", text.data ? text.data : "");
}

static struct client *client_of(struct seen *seen, const char *url, bool reconnect)
{
    struct client_options options = {.url = url,
                                     .token = "a.b.c",
                                     .reconnect = reconnect,
                                     .user = seen,
                                     .on_state = on_state,
                                     .on_notification = on_notification,
                                     .connect_ms = 2000};
    struct err err = {0};
    struct client *c = client_new(&options, &err);
    if (!c)
        fail_msg("%s", err_sentence(&err));
    seen->client = c;
    return c;
}

/* Serves until `replies` have come, for at most 10 s. */
static void until(struct client *c, const int *count, int wanted)
{
    for (int i = 0; i < 1000 && *count < wanted; i++)
        client_service(c, 100);
    assert_int_equal(*count, wanted);
}

static void echo(struct peer_line *line, const char *text, size_t length, void *user)
{
    (void)user, (void)length;
    AUTO(json_freep) cJSON *request = json_parse(text, length, NULL);
    const char *method = json_text(request, "method", "");
    if (!strcmp(method, "news")) {
        peer_send(line, "{\"jsonrpc\":\"2.0\",\"method\":\"chat.message\",\"params\":{\"text\":\"one\"}}");
        peer_send_pieces(line, "{\"jsonrpc\":\"2.0\",\"method\":\"chat.message\",\"params\":{\"text\":\"two\"}}", 7);
        peer_result(line, text, "{}");
    } else if (!strcmp(method, "error")) {
        peer_error(line, text,
                   "{\"code\":-32005,\"message\":\"Slower, "
                   "please.\",\"data\":{\"reason\":\"rate_limited\",\"retry_after_ms\":1500}}");
    } else if (!strcmp(method, "close")) {
        peer_close(line, 4401, "logged out");
    } else if (!strcmp(method, "cut")) {
        peer_cut(line);
    } else if (!strcmp(method, "long")) {
        AUTO(mem_freep) char *pad = mem_alloc(300001);
        memset(pad, ' ', 300000);
        peer_send(line, pad);
        AUTO(mem_freep) char *result = mem_printf("{\"pad\":\"%s\"}", pad);
        peer_result(line, text, result);
    } else if (strcmp(method, "silence") != 0 && strcmp(method, "rpc.cancel") != 0) {
        AUTO(buf_free) struct buf params = {0};
        if (json_get(request, "params"))
            json_write(&params, json_get(request, "params"));
        peer_result(line, text, params.data ? params.data : "{}");
    }
}

static void keep_handshake(struct peer_line *line, const char *request, void *user)
{
    (void)line;
    snprintf(user, 2000, "%s", request);
}

static void requests_get_their_replies(void **state)
{
    (void)state;
    char path[100], handshake[2000] = "";
    snprintf(path, sizeof path, "%s/socket", home);
    const struct peer_options kinds[] = {{.path = path}, {0}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct peer_options options = kinds[i];
        options.on_message = echo;
        options.on_open = keep_handshake;
        options.user = handshake;
        struct peer *p = peer_start(&options);
        struct seen seen = {0};
        struct client *c = client_of(&seen, peer_url(p), false);
        struct err err = {0};
        cJSON *result = NULL;
        if (!client_call(c, "echo", "{\"a\":[1,\"zwei\"]}", 5000, &result, &err))
            fail_msg("%s (%s)", err_sentence(&err), err.log);
        assert_int_equal(json_int(json_get(result, "a")->child, "", 1), 1);
        cJSON_Delete(result);
        assert_non_null(strstr(handshake, "GET /ws HTTP/1.1"));
        assert_non_null(strcasestr(handshake, "authorization: Bearer a.b.c\r\n"));
        assert_non_null(strcasestr(handshake, "edurag.v1"));
        assert_false(client_call(c, "error", NULL, 5000, NULL, &err));
        assert_int_equal(err.code, ERR_RATE_LIMITED);
        assert_int_equal(err.retry_after_ms, 1500);
        assert_string_equal(err_sentence(&err), "Slower, please.");
        client_request(c, "news", NULL, 0, on_reply, &seen);
        until(c, &seen.replies, 1);
        assert_string_equal(seen.news, "chat.message one;chat.message two;");
        assert_true(client_call(c, "long", NULL, 5000, &result, &err));
        assert_int_equal(strlen(json_text(result, "pad", "")), 300000);
        cJSON_Delete(result);
        client_free(c);
        peer_stop(p);
    }
}

static void a_silent_method_times_out(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.on_message = echo});
    struct seen seen = {0};
    struct client *c = client_of(&seen, peer_url(p), false);
    struct err err = {0};
    assert_true(client_open(c, &err));
    assert_false(client_call(c, "silence", NULL, 50, NULL, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    assert_int_equal(client_pending(c), 0);
    assert_false(client_service(c, 20));
    client_free(c);
    peer_stop(p);
}

static void what_cannot_be_reached_says_so(void **state)
{
    (void)state;
    char path[100], url[120];
    snprintf(path, sizeof path, "%s/nobody", home);
    snprintf(url, sizeof url, "unix:%s", path);
    struct peer *gone = peer_start(&(struct peer_options){0});
    char closed_port[120];
    snprintf(closed_port, sizeof closed_port, "%s", peer_url(gone));
    peer_stop(gone);
    struct peer *full = peer_start(&(struct peer_options){.status = 503});
    struct peer *web = peer_start(&(struct peer_options){.status = 404});
    struct peer *mute = peer_start(&(struct peer_options){.silent = true});
    const struct {
        const char *url, *part;
    } cases[] = {
        {url, "can't be reached"},
        {closed_port, "can't be reached"},
        {peer_url(full), "too many visitors"},
        {peer_url(web), "HTTP 404"},
        {peer_url(mute), "can't be reached"},
        {"ws://no-such-host.localhost.invalid:1", NULL},
        {"wss://no-such-host.localhost.invalid:1", "No server of the name"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct client_options options = {.url = cases[i].url, .connect_ms = 1000};
        struct err err = {0};
        struct client *c = client_new(&options, &err);
        if (!cases[i].part) {
            assert_null(c);
            continue;
        }
        assert_false(client_open(c, &err));
        assert_int_equal(err.code, ERR_UNREACHABLE);
        if (!strstr(err_sentence(&err), cases[i].part))
            fail_msg("%s: %s", cases[i].url, err_sentence(&err));
        assert_false(client_call(c, "echo", NULL, 0, NULL, &err));
        assert_int_equal(err.code, ERR_UNREACHABLE);
        client_free(c);
    }
    peer_stop(full);
    peer_stop(web);
    peer_stop(mute);
}

static void a_lost_connection_comes_back(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.on_message = echo});
    struct seen seen = {0};
    struct client *c = client_of(&seen, peer_url(p), true);
    struct err err = {0};
    assert_true(client_open(c, &err));
    client_request(c, "silence", NULL, 0, on_reply, &seen);
    client_request(c, "cut", NULL, 0, on_reply, &seen);
    until(c, &seen.replies, 2);
    assert_int_equal(seen.err.code, ERR_UNREACHABLE);
    assert_int_equal(seen.state, CLIENT_WAITING);
    assert_in_range(client_retry_ms(c), 1, 1000);
    for (int i = 0; i < 50 && seen.state != CLIENT_ONLINE; i++)
        client_service(c, 100);
    assert_int_equal(seen.online, 2);
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    /* A request cuts the wait short; the waits double. */
    peer_stop(p);
    while (seen.state != CLIENT_WAITING)
        client_service(c, 100);
    assert_false(client_call(c, "echo", NULL, 0, NULL, &err));
    assert_int_equal(client_tries(c), 2);
    assert_in_range(client_retry_ms(c), 1001, 2000);
    client_free(c);
}

static void a_login_that_the_server_ends_is_not_retried(void **state)
{
    (void)state;
    char handshake[2000] = "";
    struct peer *p =
        peer_start(&(struct peer_options){.on_message = echo, .on_open = keep_handshake, .user = handshake});
    struct seen seen = {0};
    struct client *c = client_of(&seen, peer_url(p), true);
    struct err err = {0};
    assert_false(client_call(c, "close", NULL, 5000, NULL, &err));
    assert_int_equal(err.code, ERR_UNAUTHENTICATED);
    assert_non_null(strstr(err_sentence(&err), "logged out"));
    assert_int_equal(client_state(c), CLIENT_OFF);
    assert_false(client_service(c, 1200));
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    assert_null(strcasestr(handshake, "authorization"));
    client_disconnect(c);
    while (client_state(c) != CLIENT_OFF)
        client_service(c, 100);
    assert_false(client_service(c, 1200));
    client_free(c);
    peer_stop(p);
}

static void a_message_over_the_limit_ends_the_connection(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.on_message = echo});
    struct client_options options = {.url = peer_url(p), .message_most = 100000};
    struct err err = {0};
    struct client *c = client_new(&options, &err);
    assert_false(client_call(c, "long", NULL, 5000, NULL, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    client_free(c);
    peer_stop(p);
}

static void a_certificate_is_trusted_once_and_its_change_refused(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.tls = true, .on_message = echo});
    int port = peer_port(p);
    struct seen seen = {0};
    struct client *c = client_of(&seen, peer_url(p), true);
    struct err err = {0};
    assert_false(client_call(c, "echo", NULL, 5000, NULL, &err));
    assert_int_equal(err.code, ERR_UNTRUSTED);
    assert_int_equal(client_state(c), CLIENT_UNTRUSTED);
    assert_string_equal(client_fingerprint(c), peer_fingerprint(p));
    assert_string_equal(client_pinned(c), "");
    assert_false(client_service(c, 1200)); /* nothing is tried again by itself */
    assert_true(client_trust(c, &err));
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    assert_false(client_verified(c));
    char first[65];
    snprintf(first, sizeof first, "%s", peer_fingerprint(p));
    client_free(c);

    c = client_of(&seen, peer_url(p), false); /* the second visit is not asked about */
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    client_free(c);
    peer_stop(p);

    p = peer_start(&(struct peer_options){.tls = true, .port = port, .on_message = echo});
    c = client_of(&seen, peer_url(p), false);
    assert_false(client_call(c, "echo", NULL, 5000, NULL, &err));
    assert_int_equal(err.code, ERR_UNTRUSTED);
    assert_non_null(strstr(err_sentence(&err), "changed"));
    assert_string_equal(client_pinned(c), first);
    assert_string_equal(client_fingerprint(c), peer_fingerprint(p));
    client_free(c);
    peer_stop(p);
}

/* A name is looked up beside the loop, and its addresses are tried in turn (the peer has only 127.0.0.1). */
static void a_name_is_looked_up(void **state)
{
    (void)state;
    struct peer *p = peer_start(&(struct peer_options){.tls = true, .on_message = echo});
    AUTO(mem_freep) char *url = mem_printf("wss://LOCALHOST:%d", peer_port(p));
    struct seen seen = {0};
    struct client *c = client_of(&seen, url, false);
    struct err err = {0};
    assert_false(client_open(c, &err));
    if (err.code != ERR_UNTRUSTED)
        fail_msg("%s", err_sentence(&err));
    assert_true(client_trust(c, &err));
    assert_true(client_call(c, "echo", NULL, 5000, NULL, &err));
    client_disconnect(c);
    while (client_state(c) != CLIENT_OFF)
        client_service(c, 100);
    client_connect(c); /* given up in the middle of a lookup */
    client_service(c, 0);
    client_disconnect(c);
    assert_int_equal(client_state(c), CLIENT_OFF);
    assert_false(client_service(c, 200));
    client_free(c);
    peer_stop(p);
}

static void read_pipe(void *user)
{
    char bytes[16];
    int *fds = user;
    if (read(fds[0], bytes, sizeof bytes) >= 0)
        fds[2]++;
}

static void other_descriptors_wait_in_the_same_loop(void **state)
{
    (void)state;
    struct seen seen = {0};
    struct client *c = client_of(&seen, "unix:/nowhere/at/all", false);
    int fds[3] = {0};
    assert_int_equal(pipe(fds), 0);
    assert_true(client_watch(c, fds[0], read_pipe, fds));
    assert_false(client_service(c, 30));
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_true(client_service(c, 5000));
    assert_int_equal(fds[2], 1);
    assert_false(client_service(c, 30));
    client_unwatch(c, fds[0]);
    assert_int_equal(write(fds[1], "x", 1), 1);
    assert_false(client_service(c, 30));
    assert_true(client_watch(c, fds[0], read_pipe, fds));
    assert_true(client_service(c, 5000));
    close(fds[1]);
    assert_true(client_service(c, 5000)); /* a hang-up is read as an end */
    assert_int_equal(fds[2], 3);
    close(fds[0]);
    client_free(c);
}

static int set_up(void **state)
{
    (void)state;
    return !mkdtemp(home) || setenv("XDG_STATE_HOME", home, 1);
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_get_their_replies),
        cmocka_unit_test(a_silent_method_times_out),
        cmocka_unit_test(what_cannot_be_reached_says_so),
        cmocka_unit_test(a_lost_connection_comes_back),
        cmocka_unit_test(a_login_that_the_server_ends_is_not_retried),
        cmocka_unit_test(a_message_over_the_limit_ends_the_connection),
        cmocka_unit_test(a_certificate_is_trusted_once_and_its_change_refused),
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(other_descriptors_wait_in_the_same_loop),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
