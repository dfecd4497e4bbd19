/* limits.c - TLS, the cap on connections, and peers that are half open, silent or dead. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/mem.h"
#include "tests/lib/bench.h"
#include "tests/lib/harness.h"
#include "tests/lib/pg.h"
#include "tests/lib/raw.h"

enum { PLACES = 40 };
#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"server.ping\"}"

static struct harness h;
static char cert[128], key[128];
static struct raw half_open;
static int64_t half_open_since;

static SSL_CTX *client(int version)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_client_method());
    if (version) {
        SSL_CTX_set_security_level(tls, 0);
        SSL_CTX_set_max_proto_version(tls, version);
    }
    SSL_CTX_set_alpn_protos(tls, (const unsigned char *)"\x02h2\x08http/1.1", 12);
    return tls;
}

static void tls_serves_and_speaks_http_1_1(void **state)
{
    (void)state;
    struct raw r;
    const unsigned char *alpn;
    unsigned length;
    SSL_CTX *tls = client(0);
    raw_open(&r, h.target, tls);
    SSL_get0_alpn_selected(r.ssl, &alpn, &length);
    assert_int_equal(length, 8);
    assert_memory_equal(alpn, "http/1.1", 8);
    raw_text(&r, PING);
    assert_int_equal(raw_next(&r, 5000), 1);
    assert_non_null(strstr(r.payload, "\"result\""));
    raw_close(&r);
    SSL_CTX_free(tls);
}

static void old_tls_and_no_tls_are_refused(void **state)
{
    (void)state;
    struct raw r;
    SSL_CTX *tls = client(TLS1_1_VERSION);
    assert_false(raw_connect(&r, h.target, tls));
    raw_close(&r);
    SSL_CTX_free(tls);
    assert_true(raw_connect(&r, h.target, NULL));
    raw_handshake(&r, "/ws", "");
    assert_int_not_equal(r.status, 101);
    raw_close(&r);
}

/* The digest of the certificate that a new connection is shown. */
static void shown(unsigned char digest[EVP_MAX_MD_SIZE])
{
    struct raw r;
    unsigned length;
    SSL_CTX *tls = client(0);
    assert_true(raw_connect(&r, h.target, tls));
    X509 *peer = SSL_get1_peer_certificate(r.ssl);
    assert_int_equal(X509_digest(peer, EVP_sha256(), digest, &length), 1);
    X509_free(peer);
    raw_close(&r);
    SSL_CTX_free(tls);
}

static void wait_for_log(const char *words)
{
    for (int tries = 0; tries < 400; tries++) {
        AUTO(mem_freep) char *log = harness_log(&h);
        if (strstr(log, words))
            return;
        usleep(50000);
    }
    fail_msg("the log does not say %s", words);
}

static void give_away(const char *path)
{
    struct account account = pg_account();
    assert_true(geteuid() != 0 || chown(path, account.uid, account.gid) == 0);
}

static void sighup_takes_a_new_certificate_and_no_garbage(void **state)
{
    (void)state;
    unsigned char before[EVP_MAX_MD_SIZE], after[EVP_MAX_MD_SIZE], now[EVP_MAX_MD_SIZE];
    struct raw r;
    SSL_CTX *tls = client(0);
    raw_open(&r, h.target, tls);
    shown(before);
    bench_certificate(h.directory, cert, key);
    give_away(cert);
    give_away(key);
    kill(h.pid, SIGHUP);
    wait_for_log("event=certificate_read");
    shown(after);
    assert_memory_not_equal(before, after, 32);
    FILE *file = fopen(cert, "w");
    assert_true(file && fputs("-----BEGIN CERTIFICATE-----\nnonsense\n", file) >= 0 && fclose(file) == 0);
    kill(h.pid, SIGHUP);
    wait_for_log("event=certificate_kept reason=\"EDURAG_TLS_CERT is not");
    shown(now);
    assert_memory_equal(after, now, 32);
    raw_text(&r, PING); /* who was in all the time still is */
    assert_int_equal(raw_next(&r, 5000), 1);
    raw_close(&r);
    SSL_CTX_free(tls);
}

static void sighup_takes_a_key_of_another_kind(void **state)
{
    (void)state;
    static const bool rsa[] = {true, false, true, false};
    for (size_t i = 0; i < COUNT_OF(rsa); i++) {
        unsigned char stored[EVP_MAX_MD_SIZE], now[EVP_MAX_MD_SIZE];
        unsigned length;
        bench_certificate_of(rsa[i], h.directory, cert, key);
        give_away(cert);
        give_away(key);
        FILE *file = fopen(cert, "r");
        X509 *wanted = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
        assert_int_equal(X509_digest(wanted, EVP_sha256(), stored, &length), 1);
        X509_free(wanted);
        fclose(file);
        kill(h.pid, SIGHUP);
        for (int tries = 0; tries < 400; tries++, usleep(50000)) { /* the log counts nothing; the handshake tells */
            shown(now);
            if (!memcmp(stored, now, 32))
                break;
        }
        assert_memory_equal(stored, now, 32);
    }
}

static void over_the_cap_a_handshake_gets_503_and_a_time(void **state)
{
    (void)state;
    struct raw r[PLACES];
    for (int i = 0; i < PLACES; i++)
        raw_open(&r[i], h.socket, NULL);
    struct raw over;
    assert_true(raw_connect(&over, h.socket, NULL));
    raw_handshake(&over, "/ws", "");
    assert_int_equal(over.status, 503);
    assert_non_null(strcasestr(over.head, "retry-after: "));
    assert_non_null(strcasestr(over.head, "x-frame-options: "));
    raw_close(&over);
    raw_text(&r[0], PING); /* nobody who is in suffers */
    assert_int_equal(raw_next(&r[0], 5000), 1);
    raw_close(&r[PLACES - 1]);
    for (int tries = 0; tries < 500; tries++) {
        assert_true(raw_connect(&r[PLACES - 1], h.socket, NULL));
        raw_handshake(&r[PLACES - 1], "/ws", "");
        if (r[PLACES - 1].status == 101)
            break;
        raw_close(&r[PLACES - 1]);
        usleep(20000);
    }
    assert_int_equal(r[PLACES - 1].status, 101);
    for (int i = 0; i < PLACES; i++)
        raw_close(&r[i]);
}

static void silence_is_pinged_and_the_dead_are_dropped(void **state)
{
    (void)state;
    struct raw alive, dead;
    raw_open(&alive, h.socket, NULL);
    raw_open(&dead, h.socket, NULL);
    int64_t end = bench_now_us() + 9000000;
    int pings = 0;
    while (bench_now_us() < end) {
        int opcode = raw_next(&alive, 500);
        assert_int_not_equal(opcode, -1);
        if (opcode == 9 && ++pings)
            raw_frame(&alive, 0x8A, alive.payload, alive.length);
    }
    assert_in_range(pings, 2, 10);
    assert_int_equal(raw_next(&dead, 100), 9);
    assert_int_equal(raw_close_code(&dead, 100), 1006);
    raw_close(&alive);
    raw_close(&dead);
}

static void a_long_head_is_refused_and_harms_nobody(void **state)
{
    (void)state;
    struct raw r;
    AUTO(buf_free) struct buf head = {0};
    buf_text(&head, "GET /ws HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ");
    for (int i = 0; i < 20000; i++)
        buf_char(&head, 'x');
    buf_text(&head, "\r\n\r\n");
    assert_true(raw_connect(&r, h.socket, NULL));
    raw_request(&r, head.data);
    assert_int_not_equal(r.status, 101);
    raw_close(&r);
    raw_open(&r, h.socket, NULL);
    raw_close(&r);
}

/* Connected before the first test of this file; by now the server should have had enough of it. */
static void who_never_shakes_hands_is_dropped(void **state)
{
    (void)state;
    int64_t left = 14000 - (bench_now_us() - half_open_since) / 1000;
    assert_int_equal(raw_next(&half_open, left > 100 ? (int)left : 100), -1);
    raw_close(&half_open);
}

static int start(void **state)
{
    (void)state;
    static char cert_setting[160], key_setting[160];
    const char *directory = pg_directory();
    struct account account = pg_account();
    bench_certificate(directory, cert, key);
    if (geteuid() == 0 && (chown(cert, account.uid, account.gid) || chown(key, account.uid, account.gid)))
        return 1;
    snprintf(cert_setting, sizeof cert_setting, "EDURAG_TLS_CERT=%s", cert);
    snprintf(key_setting, sizeof key_setting, "EDURAG_TLS_KEY=%s", key);
    harness_start(&h, directory,
                  (const char *[]){cert_setting, key_setting, "EDURAG_CONNECTIONS=40", "EDURAG_PING=2",
                                   "EDURAG_LOGIN_TIMEOUT=60", NULL});
    half_open_since = bench_now_us();
    return !raw_connect(&half_open, h.socket, NULL) || !raw_bytes(&half_open, "GET /ws HTTP/1.1\r\nHo", 20);
}

static int stop(void **state)
{
    (void)state;
    return harness_stop(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tls_serves_and_speaks_http_1_1),
        cmocka_unit_test(old_tls_and_no_tls_are_refused),
        cmocka_unit_test(sighup_takes_a_new_certificate_and_no_garbage),
        cmocka_unit_test(sighup_takes_a_key_of_another_kind),
        cmocka_unit_test(over_the_cap_a_handshake_gets_503_and_a_time),
        cmocka_unit_test(a_long_head_is_refused_and_harms_nobody),
        cmocka_unit_test(silence_is_pinged_and_the_dead_are_dropped),
        cmocka_unit_test(who_never_shakes_hands_is_dropped),
    };
    return cmocka_run_group_tests_name("limits", tests, start, stop);
}
