/* See dial_priv.h. Never blocks. */
#include "adapter/redis/dial_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/forbid.h"

static int dial(const void *address, socklen_t size, int family, int *out)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, error;

    if (fd < 0) return ERR_IO;
    if (family != AF_UNIX) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, address, size) == 0 || errno == EINPROGRESS) {
        *out = fd;
        return OK;
    }
    error = errno;
    close(fd);
    errno = error;
    return ERR_IO;
}

int redis_dial_unix(const char *path, int *fd)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t n = strlen(path);

    if (n >= sizeof un.sun_path) {
        errno = ENAMETOOLONG;
        return ERR_IO;
    }
    memcpy(un.sun_path, path, n);
    return dial(&un, sizeof un, AF_UNIX, fd);
}

int redis_dial_tcp(const char *address, uint16_t port, int *fd)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    if (inet_pton(AF_INET, address, &v4.sin_addr) == 1) return dial(&v4, sizeof v4, AF_INET, fd);
    if (inet_pton(AF_INET6, address, &v6.sin6_addr) == 1) return dial(&v6, sizeof v6, AF_INET6, fd);
    errno = EINVAL;
    return ERR_IO;
}
