/* The namespaces that a driver has open: the name of each, and this server's name in it. A list and
 * nothing more. */
#ifndef ADAPTER_REDIS_NSP_PRIV_H
#define ADAPTER_REDIS_NSP_PRIV_H

#include "base/list.h"
#include "base/str.h"

struct redis_nsp {
    struct list node;
    struct str name, uid; /* follow the struct */
    void *more;           /* the driver's */
};

struct redis_nsp *redis_nsp_find(const struct list *all, struct str name); /* NULL: not open */
struct redis_nsp *redis_nsp_add(struct list *all, struct str name, struct str uid);
void redis_nsp_free_all(struct list *all);

#endif
