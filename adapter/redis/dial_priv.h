/* A non-blocking socket that connects to Redis. */
#ifndef ADAPTER_REDIS_DIAL_PRIV_H
#define ADAPTER_REDIS_DIAL_PRIV_H

#include <stdint.h>
#include "base/err.h"

/* To a unix socket. *fd: returns new, connected or about to be. Errors: ERR_IO (errno). */
MUST_USE int redis_dial_unix(const char *path, int *fd);

/* To a numeric address, IPv4 or IPv6; as above. */
MUST_USE int redis_dial_tcp(const char *address, uint16_t port, int *fd);

#endif
