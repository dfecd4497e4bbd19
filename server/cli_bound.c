/* cli_bound.c - for eduragd doctor: which addresses of this machine really listen at a port. */
#include "server/cli_bound.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LISTENING = 0x0A };

/* The tables write an address as hexadecimal words in the byte order of the machine. */
static bool read_address(const char *hex, int words, unsigned char *bytes)
{
    for (int i = 0; i < words; i++) {
        uint32_t word;
        if (sscanf(hex + (size_t)i * 8, "%8" SCNx32, &word) != 1)
            return false;
        memcpy(bytes + (size_t)i * 4, &word, 4);
    }
    return true;
}

static bool loopback(const unsigned char *bytes, int words)
{
    static const unsigned char six[16] = {[15] = 1};
    return words == 1 ? bytes[0] == 127 : !memcmp(bytes, six, sizeof six);
}

static void add(const char *table, int words, int port, char *text, size_t size, bool *open)
{
    FILE *file = fopen(table, "re");
    char line[512], hex[40], address[INET6_ADDRSTRLEN];
    unsigned char bytes[16];
    unsigned at, state;
    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, " %*d: %39[0-9A-F]:%x %*s %x", hex, &at, &state) != 3 || state != LISTENING ||
            (int)at != port || strlen(hex) != (size_t)words * 8 || !read_address(hex, words, bytes))
            continue;
        inet_ntop(words == 1 ? AF_INET : AF_INET6, bytes, address, sizeof address);
        size_t used = strlen(text);
        snprintf(text + used, size - used, words == 1 ? "%s%s:%d" : "%s[%s]:%d", used ? ", " : "", address, port);
        *open = *open || !loopback(bytes, words);
    }
    if (file)
        fclose(file);
}

bool cli_bound(int port, char *text, size_t size, bool *open)
{
    *text = '\0';
    *open = false;
    add("/proc/net/tcp", 1, port, text, size, open);
    add("/proc/net/tcp6", 4, port, text, size, open);
    return *text != '\0';
}
