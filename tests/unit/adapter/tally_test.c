#include "tests/unit/support/fake_events.inc"

#include "adapter/tally.h"

static struct tally *t;
static struct sb told, steps;

static void on_told(void *ctx, int rc, const struct tally_count *c)
{
    sb_printf(&told, "%s %d " STR_FMT " %llu" STR_FMT "%s\n", (const char *)ctx, rc,
              STR_ARG(c->name), (unsigned long long)c->total, STR_ARG(c->label),
              c->is_whole ? "" : " here");
}

static void on_step(void *ctx, const struct tally_step *s)
{
    (void)ctx;
    sb_printf(&steps, STR_FMT " %u: %llu %llu\n", STR_ARG(s->name), s->here,
              (unsigned long long)s->before, (unsigned long long)s->after);
}

static void up_with(struct adapter *a)
{
    rig_up();
    fake.is_connected = true;
    fake.tells_people = true;
    fake.living = "nodeabcd";
    t = tally_new(&(struct tally_conf){.loop = rig.loop,
                                       .adapter = a,
                                       .key = KEY_USER_NODES,
                                       .ttl_s = 3600,
                                       .dead_ms = 15000,
                                       .on_step = on_step});
}

static void up(void)
{
    static char adapter;

    up_with((struct adapter *)(void *)&adapter);
}

static void down(void)
{
    if (t) tally_free(t);
    while (fake.calls_count)
        answer_script(ERR_UNAVAILABLE, "", "");
    rig_down();
    sb_fini(&told);
    sb_fini(&steps);
    sb_fini(&fake.scripts);
}

static void add_one(const char *name)
{
    tally_add(t, str_z(name), STR_NONE);
    tally_write(t, str_z(name));
}

TestSuite(tally, .init = up, .fini = down);

Test(tally, keeps_the_label_of_a_name_that_is_held)
{
    static char first[] = "a", second[] = "b";

    tally_hold(t, STR("u"), STR("quiz"));
    tally_ask(t, STR("u"), on_told, first);
    answer_step("0", "0");
    cr_expect_str_eq(take(&told), "a 0 u 0quiz\n");
    tally_add(t, STR("u"), STR_NONE);
    tally_release(t, STR("u"));
    fake.scripts.n = 0;
    tally_write(t, STR("u"));
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u}:nodes node 1 3600 quiz 15 node abcd\n");
    answer_step("1", "0");
    tally_sub(t, STR("u"));
    answer_step("0", "1");
    fake.scripts.n = 0;
    tally_hold(t, STR("u"), STR_NONE); /* forgotten with the last one */
    tally_ask(t, STR("u"), on_told, second);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u}:nodes node 0 3600  15 node abcd\n");
    answer_step("0", "0");
    tally_release(t, STR("u"));
    cr_expect_not(tally_knows(t, STR("u")));
}

Test(tally, tells_each_write_that_redis_has_done)
{
    add_one("u");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u}:nodes node 1 3600  15 node abcd\n");
    cr_expect_str_eq(take(&steps), "");
    answer_step("1", "0");
    cr_expect_str_eq(take(&steps), "u 1: 0 1\n");
    add_one("u");
    answer_step("2", "1");
    tally_sub(t, STR("u"));
    tally_sub(t, STR("u"));
    answer_step("1", "2");
    answer_step("0", "1");
    cr_expect_str_eq(take(&steps), "u 2: 1 2\nu 1: 2 1\nu 0: 1 0\n");
    cr_expect_eq(tally_size(t), 0);
}

Test(tally, says_whether_the_answer_is_of_all_nodes)
{
    tally_ask(t, STR("u"), on_told, (void *)(uintptr_t) "a");
    answer_script(ERR_UNAVAILABLE, "", "");
    tally_ask(t, STR("u"), on_told, (void *)(uintptr_t) "b");
    answer_step("4", "4");
    cr_expect_str_eq(take(&told), "a 0 u 0 here\nb 0 u 4\n");
    cr_expect(!tally_knows(t, STR("u")));
}

Test(tally, writes_again_what_redis_did_not_take)
{
    add_one("u");
    answer_script(ERR_TIMEOUT, "", "");
    fake.scripts.n = 0;
    rig_wait(500);
    cr_expect_eq(fake.calls_count, 0);
    rig_wait(510);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u}:nodes node 1 3600  15 node abcd\n");
    answer_step("1", "0");
    cr_expect_str_eq(take(&steps), "u 1: 0 1\n");
    rig_wait(2000);
    cr_expect_eq(fake.calls_count, 0, "once");
}

Test(tally, names_lost_nodes_and_how_long_they_are_lost)
{
    tally_lost(t, STR("dead"));
    tally_lost(t, STR("gone"));
    clock_advance(3000);
    tally_lost(t, STR("gone"));
    tally_lost(t, STR("no node"));
    add_one("u");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{user:u}:nodes node 1 3600  15 node abcd !dead3 !gone0\n");
}

Test(tally, takes_nobody_for_dead_before_it_can_know)
{
    tally_lost(t, STR("dead"));
    tally_return(t);
    add_one("u");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{user:u}:nodes node 1 3600  1000000000 node abcd\n");
    answer_step("1", "0");
    clock_advance(15000);
    add_one("u");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u}:nodes node 2 3600  15 node abcd\n");
}

Test(tally, steps_by_itself_without_an_adapter)
{
    tally_free(t);
    t = tally_new(&(struct tally_conf){
        .loop = rig.loop, .key = KEY_USER_NODES, .ttl_s = 3600, .on_step = on_step});
    add_one("u");
    add_one("u");
    tally_ask(t, STR("u"), on_told, (void *)(uintptr_t) "a");
    tally_sub(t, STR("u"));
    tally_sub(t, STR("u"));
    cr_expect_str_eq(take(&told), "a 0 u 2\n");
    cr_expect_str_eq(take(&steps), "u 1: 0 1\nu 2: 1 2\nu 1: 2 1\nu 0: 1 0\n");
    cr_expect_eq(tally_size(t), 0);
}

Test(tally, a_scope_is_in_the_key_and_not_in_the_name)
{
    static char adapter;

    tally_free(t);
    t = tally_new(&(struct tally_conf){.loop = rig.loop,
                                       .adapter = (struct adapter *)(void *)&adapter,
                                       .key = KEY_USER_NODES_OF,
                                       .scope = STR("contacts:"),
                                       .ttl_s = 3600,
                                       .dead_ms = 15000,
                                       .on_step = on_step});
    fake.scripts.n = 0;
    add_one("u7");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{user-of:contacts:u7}:nodes node 1 3600  15 node abcd\n");
    answer_step("1", "0");
    cr_expect_str_eq(take(&steps), "u7 1: 0 1\n");
    cr_expect(tally_knows(t, STR("u7")));
}
