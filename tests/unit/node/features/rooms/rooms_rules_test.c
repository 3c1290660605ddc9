#include <criterion/criterion.h>
#include "base/clock.h"
#include "node/features/rooms/rooms_rules.h"

static struct rooms_rules rules;

static void up(void)
{
    clock_freeze(1000, 1700000000000);
    rules = (struct rooms_rules){0};
}

static void down(void)
{
    rooms_rules_fini(&rules);
}

TestSuite(rooms_rules, .init = up, .fini = down);

Test(rooms_rules, reads_what_the_script_writes)
{
    cr_expect(rooms_rules_take(&rules, STR("5 1 2000\nm 100 u\"a b\"\nk 200 u7\n")));
    cr_expect(rules.is_locked);
    cr_expect_eq(rules.slow_ms, 2000);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'm', STR("u\"a b\"")), 100);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'k', STR("u7")), 200);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'm', STR("u7")), 0, "kicked is not muted");
}

Test(rooms_rules, ends_by_the_clock)
{
    cr_expect(rooms_rules_take(&rules, STR("5 0 0\nm 100 u7\n")));
    clock_advance(99);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'm', STR("u7")), 1);
    clock_advance(1);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'm', STR("u7")), 0);
}

Test(rooms_rules, keeps_the_newest)
{
    cr_expect(rooms_rules_take(&rules, STR("5 1 0\n")));
    cr_expect_not(rooms_rules_take(&rules, STR("4 0 0\n")), "overtaken on its way");
    cr_expect(rules.is_locked);
    cr_expect(rooms_rules_take(&rules, STR("6 0 0\n")));
    cr_expect_not(rules.is_locked);
}

Test(rooms_rules, changes_nothing_for_garbage)
{
    static const char *const rows[] = {"",
                                       "x",
                                       "9 1",
                                       "9 1 x\n",
                                       "9 1 99999999999\n",
                                       "9 0 0\nm\n",
                                       "9 0 0\nm 1\n",
                                       "9 0 0\nm x u7\n",
                                       "9 0 0\nmm 1 u7\n"};

    cr_expect(rooms_rules_take(&rules, STR("5 1 7\nm 100 u7\n")));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_not(rooms_rules_take(&rules, str_z(rows[i])), "row %zu", i);
    cr_expect_eq(rules.slow_ms, 7);
    cr_expect_eq(rooms_rules_left_ms(&rules, 'm', STR("u7")), 100);
}
