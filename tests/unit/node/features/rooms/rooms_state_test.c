#include "tests/unit/support/fake_events.inc"

#include "node/features/rooms/rooms_state.h"

static struct rooms_state *st;
static struct sb told;
static char adapter;

static void on_told(void *ctx, int rc, const struct rooms_count *count)
{
    const char *who = ctx;

    if (rc != OK)
        sb_printf(&told, "%s %s\n", who, err_wire(rc));
    else
        sb_printf(&told, "%s " STR_FMT " %llu " STR_FMT "\n", who, STR_ARG(count->room),
                  (unsigned long long)count->members, STR_ARG(count->type));
}

static void enter_and_ask(const char *room, const char *type, const char *who)
{
    static char names[16][8];
    static unsigned turn;
    char *name = names[turn++ % 16];

    snprintf(name, 8, "%s", who);
    rooms_state_enter(st, STR("/"), str_z(room), str_z(type));
    rooms_state_ask(st, STR("/"), str_z(room), on_told, name);
}

static void up_with(struct adapter *a)
{
    rig_up();
    fake.is_connected = true;
    fake.living = "nodeabcd";
    st = rooms_state_new(
        &(struct rooms_state_conf){.loop = rig.loop, .adapter = a, .dead_ms = 15000});
}

static void up(void)
{
    up_with((struct adapter *)(void *)&adapter);
}

static void down(void)
{
    if (st) rooms_state_free(st);
    while (fake.calls_count)
        answer_script(ERR_UNAVAILABLE, "", "");
    rig_down();
    sb_fini(&told);
    sb_fini(&fake.scripts);
}

TestSuite(rooms_state, .init = up, .fini = down);

Test(rooms_state, asks_redis_and_adds_the_others)
{
    enter_and_ask("r", "chat", "a");
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{room:/:r}:nodes node 1 3600 chat 15 node abcd\n");
    cr_expect_str_eq(take(&told), "");
    answer_script(OK, "6", "quiz");
    cr_expect_str_eq(take(&told), "a r 6 quiz\n", "the first joiner's type is kept by Redis");
    cr_expect_eq(rooms_state_size(st), 1);
}

Test(rooms_state, answers_a_rush_with_one_more_call)
{
    enter_and_ask("r", "", "a");
    enter_and_ask("r", "", "b");
    enter_and_ask("r", "", "c");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 1 3600  15 node abcd\n");
    answer_script(OK, "5", "");
    cr_expect_str_eq(take(&told), "a r 5 \n");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 3 3600  15 node abcd\n");
    answer_script(OK, "7", "");
    cr_expect_str_eq(take(&told), "b r 6 \nc r 7 \n", "each as of his own coming");
    cr_expect_eq(fake.calls_count, 0);
}

Test(rooms_state, takes_its_count_back_and_forgets_an_empty_room)
{
    enter_and_ask("r", "chat", "a");
    answer_script(OK, "1", "chat");
    fake.scripts.n = 0;
    rooms_state_exit(st, STR("/"), STR("r"));
    cr_expect_str_eq(take(&fake.scripts),
                     "ingoma:{room:/:r}:nodes node 0 3600 chat 15 node abcd\n");
    answer_script(OK, "0", "");
    cr_expect_eq(rooms_state_size(st), 0);
}

Test(rooms_state, writes_again_what_changed_under_way)
{
    enter_and_ask("r", "", "a");
    rooms_state_exit(st, STR("/"), STR("r"));
    fake.scripts.n = 0;
    answer_script(OK, "1", "");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 0 3600  15 node abcd\n");
    answer_script(OK, "0", "");
    cr_expect_eq(rooms_state_size(st), 0);
}

Test(rooms_state, gives_its_own_count_when_redis_fails)
{
    static const int codes[] = {ERR_UNAVAILABLE, ERR_TIMEOUT};

    for (size_t i = 0; i < 2; i++) {
        enter_and_ask("r", "chat", "a");
        answer_script(codes[i], "", "");
    }
    cr_expect_str_eq(take(&told), "a r 1 chat\na r 2 chat\n");
}

Test(rooms_state, does_not_ask_while_redis_is_away)
{
    fake.is_connected = false;
    enter_and_ask("r", "chat", "a");
    cr_expect_str_eq(take(&told), "a r 1 chat\n");
    cr_expect_str_eq(take(&fake.scripts), "");
    rooms_state_exit(st, STR("/"), STR("r"));
    cr_expect_eq(rooms_state_size(st), 0, "Redis never heard of it");
}

Test(rooms_state, takes_back_what_was_left_while_redis_was_away)
{
    enter_and_ask("r", "", "a");
    answer_script(OK, "1", "");
    fake.is_connected = false;
    rooms_state_exit(st, STR("/"), STR("r"));
    cr_expect_eq(rooms_state_size(st), 1);
    fake.is_connected = true;
    fake.scripts.n = 0;
    rooms_state_refresh(st);
    rig_wait(30);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:nodes node 0 3600  15 node abcd\n");
    answer_script(OK, "0", "");
    cr_expect_eq(rooms_state_size(st), 0);
}

Test(rooms_state, writes_everything_again_every_twenty_minutes)
{
    enter_and_ask("r", "", "a");
    enter_and_ask("s", "", "b");
    answer_script(OK, "1", "");
    answer_script(OK, "1", "");
    for (int i = 0; i < 3; i++) {
        fake.scripts.n = 0;
        rig_wait(20 * 60 * 1000 + 10);
        cr_expect_eq(fake.calls_count, 2, "round %d", i);
        answer_script(OK, "1", "");
        answer_script(OK, "1", "");
    }
}

Test(rooms_state, refreshes_in_slices)
{
    char name[16];

    for (int i = 0; i < 250; i++) {
        snprintf(name, sizeof name, "r%d", i);
        rooms_state_enter(st, STR("/"), str_z(name), STR_NONE);
    }
    rooms_state_refresh(st);
    clock_advance(30);
    loop_turn(rig.loop, false);
    cr_expect_eq(fake.calls_count, 200);
    clock_advance(30);
    loop_turn(rig.loop, false);
    cr_expect_eq(fake.calls_count, 250);
    rig_wait(30);
    cr_expect_eq(fake.calls_count, 250, "and not again");
}

Test(rooms_state, counts_for_itself_without_an_adapter)
{
    rooms_state_free(st);
    st = rooms_state_new(
        &(struct rooms_state_conf){.loop = rig.loop, .adapter = NULL, .dead_ms = 15000});
    enter_and_ask("r", "chat", "a");
    enter_and_ask("r", "quiz", "b");
    cr_expect_str_eq(take(&told), "a r 1 chat\nb r 2 chat\n");
    rooms_state_exit(st, STR("/"), STR("r"));
    rooms_state_exit(st, STR("/"), STR("r"));
    rooms_state_exit(st, STR("/"), STR("r"));
    rooms_state_exit(st, STR("/"), STR("unknown"));
    cr_expect_eq(rooms_state_size(st), 0);
}

Test(rooms_state, tells_those_who_wait_when_it_is_closed)
{
    enter_and_ask("r", "", "a");
    enter_and_ask("r", "", "b");
    rooms_state_free(st);
    st = NULL;
    cr_expect_str_eq(take(&told), "a closed\nb closed\n");
    answer_script(OK, "9", "chat");
    cr_expect_str_eq(take(&told), "", "once");
}

Test(rooms_state, survives_an_answer_that_makes_no_sense)
{
    static const char *const totals[] = {"", "-1", "x", "99999999999999999999"};

    for (size_t i = 0; i < sizeof totals / sizeof totals[0]; i++) {
        char name[8];

        snprintf(name, sizeof name, "r%zu", i);
        enter_and_ask(name, "", "a");
        answer_script(OK, totals[i], "");
    }
    cr_expect_str_eq(take(&told), "a r0 1 \na r1 1 \na r2 1 \na r3 1 \n");
}
