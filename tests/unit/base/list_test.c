/* The intrusive list. */
#include <criterion/criterion.h>
#include "base/list.h"

struct item {
    int id;
    struct list node;
};

static int id_of(struct list *node)
{
    return LIST_OWNER(node, struct item, node)->id;
}

Test(list, gives_nodes_in_the_order_they_came)
{
    struct item items[3] = {{.id = 1}, {.id = 2}, {.id = 3}};
    struct list l, *node;
    int want = 1;

    list_init(&l);
    cr_expect(list_is_empty(&l));
    for (int i = 0; i < 3; i++)
        list_push(&l, &items[i].node);
    LIST_EACH(each, &l) cr_expect_eq(id_of(each), want++);
    want = 1;
    while ((node = list_shift(&l)) != NULL) {
        cr_expect_eq(id_of(node), want++);
        cr_expect_not(list_is_linked(node));
    }
    cr_expect_eq(want, 4);
    cr_expect_null(list_shift(&l));
}

Test(list, unlinks_while_walking)
{
    struct item items[5] = {{.id = 0}, {.id = 1}, {.id = 2}, {.id = 3}, {.id = 4}};
    struct list l;
    int n = 0;

    list_init(&l);
    for (int i = 0; i < 5; i++)
        list_push(&l, &items[i].node);
    LIST_EACH_SAFE(node, after, &l)
    {
        if (id_of(node) % 2 == 0) list_unlink(node);
    }
    LIST_EACH(node, &l) cr_expect_eq(id_of(node), 2 * n++ + 1);
    cr_expect_eq(n, 2);
}

Test(list, splices_one_behind_the_other)
{
    struct item items[4] = {{.id = 0}, {.id = 1}, {.id = 2}, {.id = 3}};
    struct list a, b;
    int n = 0;

    list_init(&a);
    list_init(&b);
    list_splice(&a, &b); /* nothing onto nothing */
    cr_expect(list_is_empty(&a));
    for (int i = 0; i < 4; i++)
        list_push(i < 2 ? &a : &b, &items[i].node);
    list_splice(&a, &b);
    cr_expect(list_is_empty(&b));
    LIST_EACH(node, &a) cr_expect_eq(id_of(node), n++);
    cr_expect_eq(n, 4);
    list_splice(&b, &a);
    cr_expect(list_is_empty(&a));
    cr_expect_not(list_is_empty(&b));
}
