/* Users of the bench: one token a line of a file, in the order of the clients. */
#ifndef BENCH_LIB_PEOPLE_H
#define BENCH_LIB_PEOPLE_H

#include <stdint.h>
#include "base/str.h"

struct people {
    char *text;
    struct str *tokens;
    uint32_t count;
};

/* Errors: ERR_IO it cannot be read, ERR_PROTO fewer lines than count. people_fini always. */
MUST_USE int people_read(struct people *p, const char *path, uint32_t count);
void people_fini(struct people *p);

#endif
