/* A port of this machine for a stand-in of somebody else's server. */
#ifndef TESTS_UNIT_SUPPORT_LISTEN_H
#define TESTS_UNIT_SUPPORT_LISTEN_H

#include <netinet/in.h>
#include <stddef.h>

/* Listens on the loopback address; port (network order) 0: any. Writes
 * "<scheme>://127.0.0.1:<port>" to url. Returns the descriptor. */
int listen_locally(const char *scheme, in_port_t port, char *url, size_t size);

#endif
