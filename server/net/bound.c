/* bound.c - whether what this process really listens at is what the settings ask for. */
#include "server/net/bound.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/log.h"

union name {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
    struct sockaddr_un unix;
    struct sockaddr_storage space;
};

/* An IPv4 socket: where one address or all of them were asked for. */
static bool four_fits(const struct sockaddr_in *name, const char *host)
{
    struct in_addr asked;
    if (!host)
        return false;
    return !*host || (inet_pton(AF_INET, strcmp(host, "localhost") ? host : "127.0.0.1", &asked) == 1 &&
                      asked.s_addr == name->sin_addr.s_addr);
}

/* One at [::] that is not for IPv6 alone takes IPv4 as well. */
static bool six_fits(int fd, const struct sockaddr_in6 *name, const char *host)
{
    struct in6_addr asked;
    int only = 0;
    socklen_t size = sizeof only;
    if (!host)
        return false;
    if (!*host)
        return true;
    if (inet_pton(AF_INET6, host, &asked) != 1 || memcmp(&asked, &name->sin6_addr, sizeof asked) != 0)
        return false;
    return !IN6_IS_ADDR_UNSPECIFIED(&asked) || (!getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, &size) && only);
}

static void print_name(const union name *name, char *text, size_t size)
{
    char address[INET6_ADDRSTRLEN] = "?";
    if (name->any.sa_family == AF_INET)
        snprintf(text, size, "%s:%d", inet_ntop(AF_INET, &name->four.sin_addr, address, sizeof address),
                 ntohs(name->four.sin_port));
    else if (name->any.sa_family == AF_INET6)
        snprintf(text, size, "[%s]:%d", inet_ntop(AF_INET6, &name->six.sin6_addr, address, sizeof address),
                 ntohs(name->six.sin6_port));
    else
        snprintf(text, size, "%.100s", name->any.sa_family == AF_UNIX ? name->unix.sun_path : "another family");
}

static bool fits(int fd, const union name *name, const char *host, const char *socket)
{
    switch (name->any.sa_family) {
    case AF_INET: return four_fits(&name->four, host);
    case AF_INET6: return six_fits(fd, &name->six, host);
    case AF_UNIX: return !strcmp(name->unix.sun_path, socket);
    default: return false;
    }
}

/* True for what does not listen. */
static bool check_one(int fd, const char *host, const char *socket, struct err *err)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) || !listens)
        return true;
    union name name = {0};
    char text[160];
    size = sizeof name;
    if (getsockname(fd, &name.any, &size))
        return err_set(err, ERR_INTERNAL, "getsockname of descriptor %d", fd);
    print_name(&name, text, sizeof text);
    log_event(LOG_INFO, "bound", "address=%s", log_quote(text));
    return fits(fd, &name, host, socket) ||
           err_say(
               err, ERR_INTERNAL,
               "The server would listen at %s, which is wider than EDURAG_LISTEN and EDURAG_SOCKET ask for. It does "
               "not start like this.",
               text);
}

bool bound_check(const char *host, const char *socket, struct err *err)
{
    DIR *descriptors = opendir("/proc/self/fd");
    bool fine = true;
    if (!descriptors)
        return err_set(err, ERR_INTERNAL, "/proc/self/fd can't be read: what is bound is not known");
    for (const struct dirent *entry; fine && (entry = readdir(descriptors)) != NULL;)
        if (entry->d_name[0] != '.')
            fine = check_one(atoi(entry->d_name), host, socket, err);
    closedir(descriptors);
    return fine;
}
