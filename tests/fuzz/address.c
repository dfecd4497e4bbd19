/* address.c - addresses that others write: servers, web origins, proxies and whom they speak for.
 * FUZZ_LONGEST 400
 */
#include <arpa/inet.h>
#include <strings.h>

#include "common/address.h"
#include "server/net/http.h"
#include "server/net/limits.h"
#include "tests/fuzz/fuzz.h"

static void server(const char *text)
{
    struct address a = {0}, back = {0};
    struct err err = {0};
    if (!address_parse(text, &a, &err)) {
        FUZZ_MUST(err.code == ERR_INVALID_PARAMS && *err.say, "refused without a sentence");
        return;
    }
    unsigned char v4[4];
    bool loopback =
        !strcmp(a.host, "localhost") || !strcmp(a.host, "::1") || (inet_pton(AF_INET, a.host, v4) == 1 && v4[0] == 127);
    FUZZ_MUST(a.local ? a.path[0] == '/' : a.host[0] && a.port > 0 && a.port < 65536, "no place: %s", text);
    FUZZ_MUST(a.local || a.tls || loopback, "readable, and not this machine: %s", text);
    AUTO(mem_freep) char *again = mem_printf("%s%s", a.local ? "unix:" : a.tls ? "wss://" : "ws://", a.name);
    FUZZ_MUST(address_parse(again, &back, &err), "%s is not read back: %s", again, err.say);
    FUZZ_MUST(!strcmp(a.name, back.name) && !strcmp(a.host, back.host) && a.port == back.port && a.tls == back.tls,
              "%s is another place", again);
}

static void origin(const char *text)
{
    static const char list[] = "https://study.example, https://*.preview.example http://school.example:8080";
    static const char *const exact[] = {"https://study.example", "http://school.example:8080"};
    bool listed = !strcasecmp(text, exact[0]) || !strcasecmp(text, exact[1]);
    FUZZ_MUST(http_origin_allowed("production", list, text) == listed, "production and %s", text);
    FUZZ_MUST(!http_origin_allowed("production", "", text), "%s is let in by an empty list", text);
    if (http_origin_allowed("staging", list, text) && !listed) {
        size_t n = strlen(text), tail = strlen(".preview.example");
        FUZZ_MUST(n > 8 + tail && !strncasecmp(text, "https://", 8) && !strcasecmp(text + n - tail, ".preview.example"),
                  "staging and %s", text);
        FUZZ_MUST(!strpbrk(text + 8, "/@?#:\\ "), "staging and %s", text);
    }
    if (http_origin_allowed("development", "", text)) {
        const char *host = strstr(text, "://") + 3;
        FUZZ_MUST(!strncasecmp(host, "localhost", 9) || !strncmp(host, "127.0.0.1", 9) || !strncmp(host, "[::1]", 5),
                  "development and %s", text);
        FUZZ_MUST(!strpbrk(host, "/@?#\\ "), "development and %s", text);
    }
}

static void proxies(const char *trusted, const char *peer, const char *forwarded)
{
    char address[64];
    struct err err = {0};
    const struct limits_settings none = {
        .person_per_minute = 1, .address_per_minute = 1, .connections = 1, .buckets = 10, .trusted_proxies = ""};
    struct limits_settings some = none;
    FUZZ_MUST(limits_start(&none, &err), "nobody is trusted");
    limits_address(peer, forwarded, address, sizeof address);
    const char *real = !strncmp(peer, "::ffff:", 7) && strchr(peer, '.') ? peer + 7 : peer;
    FUZZ_MUST(!strncmp(address, real, sizeof address - 1), "%s was believed from %s", address, peer);
    limits_stop();
    some.trusted_proxies = trusted;
    if (!limits_start(&some, &err)) {
        FUZZ_MUST(*err.say, "refused without a sentence");
        return;
    }
    unsigned char bytes[16];
    limits_address("10.1.2.3", forwarded, address, sizeof address);
    FUZZ_MUST(inet_pton(AF_INET, address, bytes) == 1 || inet_pton(AF_INET6, address, bytes) == 1, "[%s] is no address",
              address);
    limits_stop();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input in = {data, size};
    size_t length;
    AUTO(mem_freep) char *first = fuzz_line(&in, &length);
    AUTO(mem_freep) char *second = fuzz_line(&in, &length);
    AUTO(mem_freep) char *rest = fuzz_rest(&in, &length);
    server(first);
    origin(first);
    proxies(first, second, rest);
    return 0;
}
