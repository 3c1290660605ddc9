/* REDIS_URL taken apart. Pure. */
#ifndef ADAPTER_REDIS_URL_H
#define ADAPTER_REDIS_URL_H

#include <stdint.h>
#include "base/str.h"

struct redis_url { /* texts are owned and terminated */
    char *path;    /* unix socket, or NULL: host and port */
    char *host;
    uint16_t port;
    char *user, *password; /* NULL: none */
    uint32_t db;
};

/* redis://[user[:password]@]host[:port][/db], unix:///path[?db=N]. User and password may be
 * percent-encoded; "redis://:password@host" has no user. rediss:// is refused: the packaged library
 * has no TLS. Errors: ERR_CONFIG with *why, one sentence, returns new (mem_free). It never holds
 * the password. Free with redis_url_fini, also after an error. */
MUST_USE int redis_url_parse(struct str text, struct redis_url *out, char **why);
void redis_url_fini(struct redis_url *u);

#endif
