#include "tests/unit/support/fake_events.inc"

#include "node/people/people.h"

static struct sb hooks;

static void on_last(void *state, const struct people_user *u)
{
    (void)state;
    sb_printf(&hooks, "last " STR_FMT "\n", STR_ARG(u->id_text));
}

static const struct feature listener = {.name = "listener", .on_last_device = on_last};
static const struct feature *const features[] = {&listener, NULL};

static void up(void)
{
    fake.tells_people = true;
    fake_up(features, true);
}

static void down(void)
{
    fake_down();
    sb_fini(&hooks);
}

#define MARK "ingoma:{people:socket.io}:nodes "
#define TAKE "ingoma:{people:socket.io:dead}:users 100 10\n"

/* As take_script answers. */
static void answer_taken(const char *left, const char *a, const char *b)
{
    const struct str reply[] = {str_z(left), str_z(a), str_z(b)};

    answer_call(OK, reply, b ? 3 : a ? 2 : 1);
}

static void on_told(void *ctx, int rc, const struct tally_count *count)
{
    (void)ctx, (void)rc, (void)count;
}

TestSuite(reap, .init = up, .fini = down);

Test(reap, writes_the_users_of_a_dead_node_anew)
{
    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    cr_expect_str_eq(take(&fake.scripts), MARK "dead reaped\n" TAKE);
    answer_script(OK, "live@1", "");
    answer_taken("2", "u1", "u2");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u1}:nodes node 0 3600  15 node !dead0\n"
                                          "ingoma:{user:u2}:nodes node 0 3600  15 node !dead0\n");
    answer_step("0", "1");
    answer_step("1", "2");
    cr_expect_str_eq(take(&hooks), "last u1\n", "u2 has a device elsewhere");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{people:socket.io:dead}:users 60 0 u1 u2\n");
    answer_script(OK, "0", "");
    cr_expect_str_eq(take(&fake.scripts), TAKE);
    answer_taken("0", NULL, NULL);
    rig_wait(2000);
    cr_expect_eq(fake.calls_count, 0, "done");
}

Test(reap, tells_of_users_whose_node_died_before_it_could)
{
    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    answer_script(OK, "live@1", "");
    answer_taken("2", "u1", "u2");
    answer_step("0", "0");
    answer_step("1", "1");
    cr_expect_str_eq(take(&hooks), "last u1\n", "the count was taken back, and nobody was told");
    answer_script(OK, "0", "");
    answer_taken("0", NULL, NULL);
    people_count(events_people(fake.events), STR("u1"), on_told, NULL);
    answer_step("0", "0");
    cr_expect_str_eq(take(&hooks), "", "a question is no news");
}

Test(reap, waits_for_those_who_have_the_rest_and_for_redis)
{
    events_on_node_lost(fake.events, STR("dead"));
    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    answer_script(OK, "live@1", "");
    fake.scripts.n = 0;
    answer_taken("7", NULL, NULL);
    rig_wait(1010);
    cr_expect_str_eq(take(&fake.scripts), TAKE);
    answer_script(ERR_TIMEOUT, "", "");
    rig_wait(1010);
    answer_taken("7", "u1", NULL);
    fake.scripts.n = 0;
    answer_script(ERR_UNAVAILABLE, "", "");
    cr_expect_str_eq(take(&fake.scripts), "", "u1 stays in the list");
    rig_wait(1010);
    cr_expect_str_eq(take(&fake.scripts), TAKE);
}

Test(reap, stops_when_the_node_has_come_back)
{
    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    answer_script(OK, "live@1", "");
    answer_taken("7", NULL, NULL);
    fake.living = "nodedead";
    fake.scripts.n = 0;
    rig_wait(1010);
    cr_expect_str_eq(take(&fake.scripts), "");
}

Test(reap, spares_the_others_when_this_node_was_stopped_itself)
{
    events_on_node_lost(fake.events, STR("dead"));
    events_on_state(fake.events, true);
    answer_script(OK, "live@1", "");
    fake.scripts.n = 0;
    rig_wait(1000);
    cr_expect_str_eq(take(&fake.scripts), "");
}

Test(reap, ends_in_the_middle_of_everything)
{
    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    answer_script(OK, "live@1", "");
    answer_taken("1", "u1", NULL);
    events_on_node_lost(fake.events, STR("gone"));
    events_on_state(fake.events, true);
}
