#include "tests/unit/support/fake_guard.inc"

#include "contacts/desk/forms.h"

static struct forms *f;
static struct sb told;

static void on_told(void *ctx, uint64_t wait_ms)
{
    sb_printf(&told, "%s %llu\n", (const char *)ctx, (unsigned long long)wait_ms);
}

static void on_dropped(void *ctx)
{
    sb_printf(&told, "%s dropped\n", (const char *)ctx);
}

static void take(const char *address)
{
    static char name[] = "f";

    forms_take(f, str_z(address), on_told, on_dropped, name);
}

static void up(void)
{
    static char exempt[] = "127.0.0.0/8,::1";

    guard_up();
    guard.conf.limits_exempt = exempt;
    guard.conf.forms_per_hour = 5;
    f = forms_new(&guard.conf, guard_adapter());
}

static void down(void)
{
    if (f) forms_free(f);
    guard_down();
    sb_fini(&told);
}

TestSuite(forms, .init = up, .fini = down);

Test(forms, redis_counts_for_all_nodes)
{
    take("192.0.2.1");
    cr_expect_str_eq(guard_take(&guard.keys), "ingoma:{forms:p:192.0.2.1}:bucket\n");
    cr_expect_str_eq(guard_take(&guard.scripts), "forms_take 5\n");
    guard_answer(OK, "0", NULL, NULL);
    take("192.0.2.1");
    guard_answer(OK, "720000", NULL, NULL);
    cr_expect_str_eq(guard_take(&told), "f 0\nf 720000\n");
}

Test(forms, without_redis_a_node_counts_for_itself)
{
    guard.is_connected = false;
    for (int i = 0; i < 6; i++)
        take("192.0.2.1");
    take("192.0.2.2");
    cr_expect_str_eq(guard_take(&told), "f 0\nf 0\nf 0\nf 0\nf 0\nf 720000\nf 0\n");
    guard_wait(720000); /* a fifth of an hour: one more */
    take("192.0.2.1");
    take("192.0.2.1");
    cr_expect_str_eq(guard_take(&told), "f 0\nf 720000\n");
}

Test(forms, a_question_that_redis_leaves_open_is_answered_here)
{
    take("192.0.2.1");
    guard_answer(ERR_TIMEOUT, NULL, NULL, NULL);
    cr_expect_str_eq(guard_take(&told), "f 0\n");
}

Test(forms, exempt_addresses_and_no_limit_ask_nobody)
{
    for (int i = 0; i < 20; i++)
        take("127.0.0.1");
    guard.conf.forms_per_hour = 0;
    take("192.0.2.1");
    cr_expect_eq(guard.count, 0);
    cr_expect_eq(told.n, 21 * strlen("f 0\n"));
}

Test(forms, what_was_none_is_given_back)
{
    forms_give_back(f, STR("192.0.2.1"));
    cr_expect_str_eq(guard_take(&guard.scripts), "forms_give 5\n");
    guard_answer(OK, "0", NULL, NULL);
    guard.is_connected = false;
    forms_give_back(f, STR("192.0.2.1")); /* of nothing: no sixth form */
    for (int i = 0; i < 5; i++)
        take("192.0.2.1");
    forms_give_back(f, STR("192.0.2.1"));
    take("192.0.2.1");
    take("192.0.2.1");
    cr_expect_str_eq(guard_take(&told), "f 0\nf 0\nf 0\nf 0\nf 0\nf 0\nf 720000\n");
}

Test(forms, open_questions_are_dropped_at_the_end)
{
    take("192.0.2.1");
    forms_free(f);
    f = NULL;
    guard_answer(OK, "0", NULL, NULL);
    cr_expect_str_eq(guard_take(&told), "f dropped\n");
}
