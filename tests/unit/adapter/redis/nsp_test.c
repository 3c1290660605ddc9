#include <criterion/criterion.h>
#include "adapter/redis/nsp_priv.h"

Test(redis_nsp, is_found_by_its_name_and_keeps_its_own_texts)
{
    char name[] = "/admin", uid[] = "JQvYcB";
    struct list all;
    struct redis_nsp *n;

    list_init(&all);
    cr_expect_null(redis_nsp_find(&all, STR("/")));
    redis_nsp_add(&all, STR("/"), STR("QQQQQQ"));
    n = redis_nsp_add(&all, str_z(name), str_z(uid));
    name[1] = uid[0] = 'x';
    cr_expect_eq(redis_nsp_find(&all, STR("/admin")), n);
    cr_expect(str_eq(n->uid, STR("JQvYcB")));
    cr_expect_null(n->more);
    cr_expect(str_eq(redis_nsp_find(&all, STR("/"))->uid, STR("QQQQQQ")));
    cr_expect_null(redis_nsp_find(&all, STR("/adm")));
    cr_expect_null(redis_nsp_find(&all, STR("")));
    redis_nsp_free_all(&all);
    cr_expect(list_is_empty(&all));
}
