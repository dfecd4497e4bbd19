/* config_check.c - what no row of the settings can see alone, and the files that they name. */
#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "server/config.h"
#include "server/config_check.h"

static int say(struct buf *problems, const char *sentence)
{
    buf_text(problems, sentence);
    buf_char(problems, '\n');
    return 1;
}

bool config_check_address(const char *listen, char *host, size_t size, int *port)
{
    const char *colon = strrchr(listen, ':');
    char *end;
    if (!colon || !colon[1])
        return false;
    long number = strtol(colon + 1, &end, 10);
    size_t n = (size_t)(colon - listen);
    if (*end || number < 0 || number > 65535 || n >= size)
        return false;
    if (n >= 2 && listen[0] == '[' && colon[-1] == ']') {
        listen++;
        n -= 2;
    } else if (memchr(listen, ':', n)) {
        return false; /* an IPv6 address needs its brackets */
    }
    snprintf(host, size, "%.*s", (int)n, listen);
    *port = (int)number;
    return true;
}

bool config_check_loopback(const char *host)
{
    struct in_addr four;
    struct in6_addr six;
    if (inet_pton(AF_INET, host, &four) == 1)
        return ntohl(four.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &six) == 1)
        return IN6_IS_ADDR_LOOPBACK(&six);
    return !strcmp(host, "localhost");
}

static int check_listen(struct buf *problems)
{
    char host[256];
    int port;
    if (!strcmp(config.listen, "off"))
        return *config.socket ? 0
                              : say(problems, "EDURAG_LISTEN is off and EDURAG_SOCKET is not set: nobody could "
                                              "connect. Set one of them.");
    if (!config_check_address(config.listen, host, sizeof host, &port))
        return say(problems, "EDURAG_LISTEN must be ADDRESS:PORT, as 127.0.0.1:7420 or [::1]:7420, or off.");
    if (config_check_loopback(host) || *config.tls_cert || config.allow_insecure)
        return 0;
    return say(problems, "EDURAG_LISTEN is an address that other machines reach, but there is no TLS: passwords would "
                         "travel in clear. Set EDURAG_TLS_CERT and EDURAG_TLS_KEY, or listen on 127.0.0.1; "
                         "EDURAG_ALLOW_INSECURE=true serves all the same.");
}

static int unreadable(struct buf *problems, const char *name, const char *path)
{
    if (access(path, R_OK) == 0)
        return 0;
    buf_printf(problems, "%s names %.400s, which this account can't read: %s.\n", name, path, strerror(errno));
    return 1;
}

int config_check_tls(struct buf *problems)
{
    if (!*config.tls_cert && !*config.tls_key)
        return 0;
    if (!*config.tls_cert || !*config.tls_key)
        return say(problems, "EDURAG_TLS_CERT and EDURAG_TLS_KEY belong together: only one of them is set.");
    int count = unreadable(problems, "EDURAG_TLS_CERT", config.tls_cert) +
                unreadable(problems, "EDURAG_TLS_KEY", config.tls_key);
    if (count)
        return count;
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (!tls)
        return say(problems, "OpenSSL does not start.");
    if (SSL_CTX_use_certificate_chain_file(tls, config.tls_cert) != 1)
        count = say(problems, "EDURAG_TLS_CERT is not a certificate chain in PEM form.");
    else if (SSL_CTX_use_PrivateKey_file(tls, config.tls_key, SSL_FILETYPE_PEM) != 1 ||
             SSL_CTX_check_private_key(tls) != 1)
        count = say(problems, "EDURAG_TLS_KEY is not the private key (PEM, without a password) of EDURAG_TLS_CERT.");
    ERR_clear_error();
    SSL_CTX_free(tls);
    return count;
}

static int check_database(struct buf *problems)
{
    if (!*config.database_url)
        return *config.database_worker_url || *config.database_owner_url || *config.database_listen_url
                   ? say(problems, "EDURAG_DATABASE_URL is not set, but another EDURAG_DATABASE_ URL is: set all "
                                   "of them, or none for the private PostgreSQL.")
                   : 0;
    int count = 0;
    if (!*config.database_worker_url)
        count += say(problems, "EDURAG_DATABASE_WORKER_URL is missing beside EDURAG_DATABASE_URL: the same database "
                               "with the login edurag_worker.");
    if (!strcmp(config.database_prepare, "off") && !*config.database_listen_url)
        count +=
            say(problems, "EDURAG_DATABASE_PREPARE=off says that there is a pooler: set EDURAG_DATABASE_LISTEN_URL "
                          "to a direct connection, because notifications do not pass a pooler.");
    return count;
}

static int check_services(struct buf *problems)
{
    int count = 0;
    bool hindsight =
        config_is_given("EDURAG_MEMORY") ? !strcmp(config.memory, "hindsight") : config_is_given("HINDSIGHT_ENABLED");
    if (config.hindsight_enabled && hindsight && !*config.hindsight_url)
        count += say(problems, "The memory service is enabled without its address. Set HINDSIGHT_URL, or "
                               "EDURAG_MEMORY=builtin.");
    const char *choices[][2] = {{"EDURAG_EMBEDDINGS", config.embeddings}, {"EDURAG_GENERATION", config.generation}};
    for (size_t i = 0; i < COUNT_OF(choices); i++) {
        bool gemini = !strcmp(choices[i][1], "gemini") && !*config.gemini_api_key;
        bool openai = !strcmp(choices[i][1], "openai") && !*config.openai_api_key && !*config.openai_base_url;
        if (gemini || openai)
            buf_printf(problems, "%s is %s, but %s is not set.\n", choices[i][0], choices[i][1],
                       gemini ? "GEMINI_API_KEY" : "neither OPENAI_API_KEY nor OPENAI_BASE_URL");
        count += gemini || openai;
    }
    const char *urls[][2] = {{"HINDSIGHT_URL", config.hindsight_url}, {"OPENAI_BASE_URL", config.openai_base_url}};
    for (size_t i = 0; i < COUNT_OF(urls); i++)
        if (*urls[i][1] && strncmp(urls[i][1], "http://", 7) != 0 && strncmp(urls[i][1], "https://", 8) != 0) {
            buf_printf(problems, "%s must begin with http:// or https://.\n", urls[i][0]);
            count++;
        }
    return count;
}

int config_check(struct buf *problems)
{
    return check_listen(problems) + config_check_tls(problems) + check_database(problems) + check_services(problems);
}
