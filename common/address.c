/* address.c - where a server is. */
#include "common/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const sockets[] = {"/run/edurag/edurag.sock"};

static bool loopback(const char *host)
{
    unsigned char bytes[4];
    return !strcmp(host, "localhost") || !strcmp(host, "::1") ||
           (inet_pton(AF_INET, host, bytes) == 1 && bytes[0] == 127);
}

static bool unix_path(const char *path, struct address *out, struct err *err)
{
    if (path[0] != '/')
        return err_say(err, ERR_INVALID_PARAMS,
                       "The path of a socket starts with a slash: unix:/run/edurag/edurag.sock");
    if (strlen(path) >= sizeof out->path)
        return err_say(err, ERR_INVALID_PARAMS, "The path of that socket is longer than %zu bytes.",
                       sizeof out->path - 1);
    struct address a = {.local = true};
    snprintf(a.path, sizeof a.path, "%s", path);
    snprintf(a.name, sizeof a.name, "%s", path);
    *out = a;
    return true;
}

/* Nothing that could be taken for another part of an address, or that a terminal would not show as it is. */
static bool host_fits(const char *host, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)host[i] <= ' ' || (unsigned char)host[i] == 0x7F || strchr("@[]<>\"\\", host[i]))
            return false;
    return length > 0;
}

/* "host", "host:port", "[::1]:port", each perhaps followed by a path, which is always /ws. */
static bool host_and_port(const char *text, struct address *a, struct err *err)
{
    size_t length = strcspn(text, "/?#");
    const char *rest = text + length, *colon;
    if (*rest && strcmp(rest, "/") != 0 && strcmp(rest, "/ws") != 0)
        return err_say(err, ERR_INVALID_PARAMS, "A server's address ends after its port, for example wss://host:7420");
    const char *host = text;
    size_t host_length;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', length);
        if (!close)
            return err_say(err, ERR_INVALID_PARAMS, "That IPv6 address has no closing bracket.");
        host = text + 1;
        host_length = (size_t)(close - host);
        colon = close + 1 < rest ? close + 1 : NULL;
        if (colon && *colon != ':')
            return err_say(err, ERR_INVALID_PARAMS, "Something stands between the address and its port.");
    } else {
        colon = memchr(text, ':', length);
        host_length = colon ? (size_t)(colon - text) : length;
    }
    if (host_length >= sizeof a->host || !host_fits(host, host_length))
        return err_say(err, ERR_INVALID_PARAMS, "That is not the name of a server.");
    snprintf(a->host, sizeof a->host, "%.*s", (int)host_length, host);
    a->port = ADDRESS_PORT;
    if (colon) {
        char *end;
        long port = colon[1] >= '0' && colon[1] <= '9' ? strtol(colon + 1, &end, 10) : -1;
        if (port < 1 || port > 65535 || end != rest)
            return err_say(err, ERR_INVALID_PARAMS, "A port is a number from 1 to 65535.");
        a->port = (int)port;
    }
    snprintf(a->name, sizeof a->name, strchr(a->host, ':') ? "[%s]:%d" : "%s:%d", a->host, a->port);
    return true;
}

bool address_parse(const char *text, struct address *out, struct err *err)
{
    if (!strncmp(text, "unix:", 5))
        return unix_path(text + 5, out, err);
    if (text[0] == '/')
        return unix_path(text, out, err);
    struct address a = {.tls = true};
    const char *scheme = strstr(text, "://");
    if (scheme) {
        if (!strncmp(text, "ws://", 5))
            a.tls = false;
        else if (strncmp(text, "wss://", 6) != 0)
            return err_say(err, ERR_INVALID_PARAMS, "A server's address starts with wss://, ws:// or unix:");
        text = scheme + 3;
    }
    if (!host_and_port(text, &a, err))
        return false;
    if (!a.tls && !loopback(a.host))
        return err_say(err, ERR_INVALID_PARAMS,
                       "ws:// is for this machine only, because it sends passwords readable. Use wss://%s", a.name);
    *out = a;
    return true;
}

const char *address_default(void)
{
    static char found[128];
    const char *set = getenv("EDURAG_SERVER");
    if (set && *set)
        return set;
    for (size_t i = 0; i < sizeof sockets / sizeof *sockets; i++) {
        struct stat st;
        if (!stat(sockets[i], &st) && S_ISSOCK(st.st_mode)) {
            snprintf(found, sizeof found, "unix:%s", sockets[i]);
            return found;
        }
    }
    return "ws://127.0.0.1:7420";
}
