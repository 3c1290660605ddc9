/* Intrusive doubly linked list. A node belongs to at most one list; an unlinked node points to
 * itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

#define LIST_OWNER(node, type, member) ((type *)(void *)((char *)(node)-offsetof(type, member)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_is_empty(const struct list *l)
{
    return l->next == l;
}

static inline bool list_is_linked(const struct list *node)
{
    return node->next != node;
}

static inline void list_push(struct list *l, struct list *node) /* at the end */
{
    node->prev = l->prev;
    node->next = l;
    l->prev->next = node;
    l->prev = node;
}

static inline void list_unlink(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

static inline struct list *list_shift(struct list *l) /* first node, unlinked; NULL when empty */
{
    struct list *node = l->next;

    if (node == l) return NULL;
    list_unlink(node);
    return node;
}

/* Moves all nodes of from to the end of to. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_is_empty(from)) return;
    from->next->prev = to->prev;
    to->prev->next = from->next;
    from->prev->next = to;
    to->prev = from->prev;
    list_init(from);
}

#define LIST_EACH(node, l) for (struct list *node = (l)->next; node != (l); node = node->next)
#define LIST_EACH_SAFE(node, after, l)                                                             \
    for (struct list *node = (l)->next, *after = node->next; node != (l);                          \
         node = after, after = node->next)

#endif
