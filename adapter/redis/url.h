/* REDIS_URL taken apart. Pure. The forms are told to people in docs/redis-topologies.md. */
#ifndef ADAPTER_REDIS_URL_H
#define ADAPTER_REDIS_URL_H

#include <stdint.h>
#include "base/str.h"

struct redis_place {
    char *host;
    uint16_t port;
};

struct redis_url { /* texts are owned and terminated */
    char *path;    /* unix socket, or NULL */
    char *host;    /* or NULL */
    uint16_t port;
    char *master; /* its name at the sentinels, or NULL */
    struct redis_place *sentinels;
    unsigned sentinels_count;
    struct redis_place *seeds; /* of a Redis Cluster: any of its servers */
    unsigned seeds_count;      /* 0: no cluster */
    char *user, *password;     /* NULL: none */
    char *sentinel_user, *sentinel_password;
    uint32_t db;
};

/* redis://[user:password@]host[:port][/db], unix:///path[?db=N],
 * redis+sentinel://[user:password@]host[:port],...,host[:port]/master[/db]
 *     [?sentinelUser=...&sentinelPassword=...],
 * redis+cluster://[user:password@]host[:port],...,host[:port].
 * Names and passwords may be percent-encoded; "redis://:password@host" has no user. Errors:
 * ERR_CONFIG with *why, one sentence that says what to write instead, returns new (mem_free). It
 * never holds the password. Free with redis_url_fini, also after an error. */
MUST_USE int redis_url_parse(struct str text, struct redis_url *out, char **why);
void redis_url_fini(struct redis_url *u);

#endif
