/* Uids hold the node id, in both shapes. */
#include <criterion/criterion.h>
#include "adapter/uid.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(uid_make_short, begins_with_the_node_and_differs)
{
    char a[UID_SHORT_SIZE], b[UID_SHORT_SIZE], node[ADAPTER_NODE_ID_SIZE];
    unsigned same = 0;

    for (int i = 0; i < 50; i++) {
        uid_make_short(STR("aZ-_"), a);
        uid_make_short(STR("aZ-_"), b);
        same += memcmp(a, b, sizeof a) == 0;
        cr_assert(uid_node(str_of(a, sizeof a), node));
        cr_expect(str_eq(str_of(node, sizeof node), STR("aZ-_")));
    }
    cr_expect_lt(same, 5);
}

Test(uid_make_hex, is_sixteen_hex_digits)
{
    char a[UID_HEX_SIZE], node[ADAPTER_NODE_ID_SIZE];

    uid_make_hex(STR("n0_Z"), a);
    for (size_t i = 0; i < sizeof a; i++)
        cr_expect(strchr("0123456789abcdef", a[i]) && a[i]);
    cr_assert(uid_node(str_of(a, sizeof a), node));
    cr_expect(str_eq(str_of(node, sizeof node), STR("n0_Z")));
}

Test(uid_node, refuses_other_shapes)
{
    static const char *const rows[] = {
        "", "emitter", "12345", "0123456789abcdeg", "0123456789ABCDEF", "0123456789abcdef0"};
    char node[ADAPTER_NODE_ID_SIZE] = "same";

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect_not(uid_node(str_z(rows[i]), node), "row %zu", i);
    cr_expect_not(uid_node(str_of("0123456\0009abcdef", 16), node));
    cr_expect(str_eq(str_of(node, sizeof node), STR("same")));
}
