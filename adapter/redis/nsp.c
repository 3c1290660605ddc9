/* See nsp_priv.h. */
#include "adapter/redis/nsp_priv.h"

#include "base/mem.h"
#include "base/forbid.h"

struct redis_nsp *redis_nsp_find(const struct list *all, struct str name)
{
    LIST_EACH(node, all)
    {
        struct redis_nsp *n = LIST_OWNER(node, struct redis_nsp, node);

        if (str_eq(n->name, name)) return n;
    }
    return NULL;
}

struct redis_nsp *redis_nsp_add(struct list *all, struct str name, struct str uid)
{
    struct redis_nsp *n = mem_new(1, sizeof *n + name.n + uid.n);
    char *text = (char *)(n + 1);

    if (name.n) memcpy(text, name.p, name.n);
    if (uid.n) memcpy(text + name.n, uid.p, uid.n);
    n->name = str_of(text, name.n);
    n->uid = str_of(text + name.n, uid.n);
    list_push(all, &n->node);
    return n;
}

void redis_nsp_free_all(struct list *all)
{
    for (struct list *node; (node = list_shift(all));)
        mem_free(LIST_OWNER(node, struct redis_nsp, node));
}
