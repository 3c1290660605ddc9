#include "contacts/rules/sla.h"

#include <criterion/criterion.h>

Test(sla_state, is_read_as_it_was_put)
{
    struct sla_state s = {0}, got;
    struct sb b = {0};

    s.timers[SLA_NEXT] = (struct sla_timer){5, 6, 7, INT64_MAX, true, false, true};
    sla_state_put(&s, &b);
    cr_expect(str_eq(sb_view(&b),
                     STR("[[0,0,0,0,0,0,0],[5,6,7,9223372036854775807,1,0,1],[0,0,0,0,0,0,0]]")),
              STR_FMT, STR_ARG(b));
    cr_assert_eq(sla_state_read(sb_view(&b), &got), OK);
    for (int i = 0; i < SLA_CLOCKS; i++) {
        const struct sla_timer *x = &s.timers[i], *y = &got.timers[i];

        cr_expect(x->spent_ms == y->spent_ms && x->since_ms == y->since_ms &&
                  x->warn_ms == y->warn_ms && x->due_ms == y->due_ms && x->is_done == y->is_done &&
                  x->is_warned == y->is_warned && x->is_breached == y->is_breached);
    }
    sb_fini(&b);
}

Test(sla_state, nothing_is_a_state_in_which_nothing_has_begun)
{
    struct sla_state s = {.timers[0].since_ms = 5};

    cr_expect_eq(sla_state_read(STR_NONE, &s), OK);
    cr_expect_eq(s.timers[0].since_ms, 0);
}

Test(sla_state, refuses_what_is_none)
{
    static const char *const rows[] = {
        "{}",
        "[",
        "[]",
        "[[0,0,0,0,0,0,0],[0,0,0,0,0,0,0]]",
        "[1,2,3]",
        "[[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0]]",
        "[[0,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,2]]",
        "[[-1,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0]]",
        "[[0.5,0,0,0,0,0,0],[0,0,0,0,0,0,0],[0,0,0,0,0,0,0]]",
    };
    struct sla_state s = {.timers[0].since_ms = 5};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(sla_state_read(str_z(rows[i]), &s), ERR_SCHEMA, "row %zu", i);
    cr_expect_eq(s.timers[0].since_ms, 5);
}
