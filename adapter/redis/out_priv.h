/* Commands on their way to the socket, as RESP. No more than bytes and a place in them. */
#ifndef ADAPTER_REDIS_OUT_PRIV_H
#define ADAPTER_REDIS_OUT_PRIV_H

#include "base/str.h"

struct redis_out {
    struct sb bytes;
    size_t written; /* of bytes */
};

void redis_out_fini(struct redis_out *o);

/* Appends one command. Errors: ERR_LIMIT when more than max_bytes would wait. */
MUST_USE int redis_out_put(struct redis_out *o, const struct str *argv, unsigned argc,
                           size_t max_bytes);

/* Writes what the kernel takes. Errors: ERR_AGAIN a rest waits, ERR_IO (errno). */
MUST_USE int redis_out_write(struct redis_out *o, int fd);

#endif
