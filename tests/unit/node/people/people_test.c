#include "tests/unit/support/fake_events.inc"

#include "node/people/people.h"

#define BOB "\"id\":\"u7\",\"name\":\"Bob\""

static struct sb hooks;

static void note(void *state, const char *what, const struct people_user *u)
{
    (void)state;
    sb_printf(&hooks, "%s " STR_FMT "\n", what, STR_ARG(u->id_text));
}

static void on_first(void *state, const struct people_user *u)
{
    note(state, "first", u);
}

static void on_last(void *state, const struct people_user *u)
{
    note(state, "last", u);
}

static void on_hidden(void *state, struct str id_text, bool hidden)
{
    (void)state;
    sb_printf(&hooks, "%s " STR_FMT "\n", hidden ? "hidden" : "shown", STR_ARG(id_text));
}

static void on_counted(void *state, const struct people_user *u)
{
    note(state, "counted", u);
}

static const struct feature listener = {.on_hidden = on_hidden,
                                        .name = "listener",
                                        .on_first_device = on_first,
                                        .on_last_device = on_last};
static const struct feature *const features[] = {&listener, NULL};

static void up(void)
{
    fake.tells_people = true;
    fake_up(features, true);
}

static void up_alone(void)
{
    fake_up(features, false);
}

static void down(void)
{
    fake_down();
    sb_fini(&hooks);
}

static struct people *people(void)
{
    return events_people(fake.events);
}

static bool is_in_room(struct eio_session *s, const char *room)
{
    (void)s;
    return sio_room_count(rig.main, str_z(room)) != 0;
}

TestSuite(people, .init = up, .fini = down);
TestSuite(people_alone, .init = up_alone, .fini = down);

Test(people_alone, puts_each_device_in_the_room_of_its_user)
{
    struct eio_session *a = fake_client(BOB), *b = fake_client(BOB), *guest = fake_client(NULL);

    cr_expect_eq(sio_room_count(rig.main, STR("user-u7")), 2);
    cr_expect_eq(people_here(people(), STR("u7")), 2);
    cr_expect_eq(sio_room_count(rig.main, STR("user-")), 0);
    say(a, "2[\"leaveRoom\",\"user-u7\"]");
    cr_expect(is_in_room(a, "user-u7"));
    free_session(a);
    free_session(b);
    free_session(guest);
    cr_expect_eq(people_here(people(), STR("u7")), 0);
}

Test(people_alone, tells_numbers_from_texts_by_an_inner_room)
{
    struct eio_session *number = fake_client("\"id\":7"), *text = fake_client("\"id\":\"7\"");

    cr_expect_eq(sio_room_count(rig.main, STR("user-7")), 2);
    cr_expect_eq(sio_room_count(rig.main, STR("\x1fuser-7")), 1);
    free_session(number);
    cr_expect_eq(sio_room_count(rig.main, STR("user-7")), 1);
    cr_expect_eq(sio_room_count(rig.main, STR("\x1fuser-7")), 0);
    free_session(text);
}

Test(people_alone, tells_the_first_and_the_last_device)
{
    struct eio_session *a = fake_client(BOB), *b = fake_client(BOB);

    free_session(a);
    cr_expect_str_eq(take(&hooks), "first u7\n");
    free_session(b);
    cr_expect_str_eq(take(&hooks), "last u7\n");
}

Test(people_alone, knows_whose_room_it_is)
{
    struct sb room = {0};

    people_room(STR("u7"), &room);
    cr_expect(people_is_room_of(sb_view(&room), STR("u7")));
    cr_expect(!people_is_room_of(sb_view(&room), STR("u")));
    cr_expect(!people_is_room_of(STR("user-"), STR_NONE));
    cr_expect(!people_is_room_of(STR("u7"), STR("u7")));
    cr_expect(people_is_room(sb_view(&room)));
    cr_expect(!people_is_room(STR("class-7")));
    sb_fini(&room);
}

Test(people_alone, hides_a_user_as_long_as_there_are_devices)
{
    struct eio_session *a = fake_client(BOB);

    hooks.n = 0;
    people_hide(people(), STR("u7"), true);
    people_hide(people(), STR("u7"), true);
    people_hide(people(), STR("nobody"), true);
    cr_expect_str_eq(take(&hooks), "hidden u7\n");
    cr_expect(people_is_hidden(people(), STR("u7")));
    cr_expect(!people_is_hidden(people(), STR("nobody")));
    free_session(a);
    cr_expect(!people_is_hidden(people(), STR("u7")));
}

Test(people, believes_redis_who_is_first_and_last)
{
    struct eio_session *a = fake_client(BOB);

    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u7}:nodes node 1 3600  15 node\n"
                                          "ingoma:{people:socket.io:node}:users 3600 1 u7\n");
    cr_expect_str_eq(take(&hooks), "");
    answer_step("1", "0");
    cr_expect_str_eq(take(&hooks), "first u7\n");
    free_session(a);
    answer_script(OK, "1", ""); /* the list */
    answer_step("2", "3");
    cr_expect_str_eq(take(&hooks), "", "there are others elsewhere");
}

Test(people, takes_a_user_off_its_list_when_the_count_is_written)
{
    struct eio_session *a = fake_client(BOB);

    loop_turn(rig.loop, false);
    answer_step("1", "0");
    answer_script(OK, "1", "");
    fake.scripts.n = 0;
    free_session(a);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u7}:nodes node 0 3600  15 node\n");
    answer_step("0", "1");
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{people:socket.io:node}:users 3600 0 u7\n");
    cr_expect_str_eq(take(&hooks), "first u7\nlast u7\n");
}

Test(people, tells_nothing_anew_when_redis_has_forgotten)
{
    struct eio_session *a = fake_client(BOB);

    loop_turn(rig.loop, false);
    answer_step("1", "0");
    answer_script(OK, "1", "");
    hooks.n = 0;
    events_on_state(fake.events, true);
    answer_script(OK, "", ""); /* the table of nodes: never heard of this one */
    rig_wait(30);
    answer_script(OK, "1", "");
    answer_step("1", "0");
    cr_expect_str_eq(take(&hooks), "");
    free_session(a);
    answer_step("0", "0");
    cr_expect_str_eq(take(&hooks), "last u7\n");
}

Test(people, tells_everybody_anew_after_it_was_taken_for_dead)
{
    struct eio_session *a = fake_client(BOB);

    loop_turn(rig.loop, false);
    answer_step("1", "0");
    answer_script(OK, "1", "");
    hooks.n = 0;
    events_on_state(fake.events, true);
    answer_script(OK, "reaped@5", "node");
    rig_wait(30);
    answer_script(OK, "1", "");
    answer_step("1", "0");
    cr_expect_str_eq(take(&hooks), "first u7\n");
    free_session(a);
}

Test(people, hides_a_user_on_all_nodes)
{
    struct eio_session *a = fake_client(BOB);

    fake.living = "nodeabcd";
    rig.cluster.n = 0;
    hooks.n = 0;
    people_hide_everywhere(people(), STR("u7"), true);
    cr_expect_str_eq(take(&rig.cluster), "send abcd 2 hu7\n");
    events_on_people(fake.events, STR("su7"));
    events_on_people(fake.events, STR("h"));
    events_on_people(fake.events, STR("?u7"));
    cr_expect_str_eq(take(&hooks), "hidden u7\nshown u7\n");
    free_session(a);
}

static const struct feature counter = {.name = "counter", .on_counted = on_counted};
static const struct feature *const counters[] = {&counter, NULL};

static void up_counter(void)
{
    fake.tells_people = true;
    fake_up(counters, true);
}

TestSuite(people_counter, .init = up_counter, .fini = down);

Test(people_counter, tells_when_a_device_here_is_counted)
{
    struct eio_session *a = fake_client(BOB), *b;

    loop_turn(rig.loop, false);
    cr_expect_eq(people_counted_us(people(), STR("u7")), 0);
    answer_step("3", "2");
    cr_expect_str_eq(take(&hooks), "counted u7\n", "there are others elsewhere");
    cr_expect_eq(people_counted_us(people(), STR("u7")), 1700000000000000);
    b = fake_client(BOB);
    answer_script(OK, "1", "");
    answer_step("4", "3");
    cr_expect_str_eq(take(&hooks), "", "known already");
    free_session(a);
    answer_step("1", "0");
    cr_expect_str_eq(take(&hooks), "counted u7\n", "Redis had lost it");
    free_session(b);
    answer_step("0", "1");
    cr_expect_eq(people_counted_us(people(), STR("u7")), 0);
    cr_expect_str_eq(take(&hooks), "");
}

static void owe(void *state, const struct people_user *u)
{
    note(state, "last", u);
    people_owe(people());
}

static const struct feature debtor = {.name = "debtor", .on_last_device = owe};
static const struct feature *const debtors[] = {&debtor, NULL};

static void up_debtor(void)
{
    fake.tells_people = true;
    fake_up(debtors, true);
}

TestSuite(people_debtor, .init = up_debtor, .fini = down);

Test(people_debtor, keeps_a_user_on_its_list_until_the_leave_is_written)
{
    struct eio_session *a = fake_client(BOB);

    loop_turn(rig.loop, false);
    answer_step("1", "0");
    answer_script(OK, "1", "");
    free_session(a);
    answer_step("0", "1");
    fake.scripts.n = 0;
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&fake.scripts), "", "whoever finds us dead finds u7");
    people_paid(people(), 1);
    loop_turn(rig.loop, false);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{people:socket.io:node}:users 3600 0 u7\n");
}

Test(people_debtor, keeps_users_of_the_dead_on_the_list_until_the_leaves_are_written)
{
    const struct str taken[] = {STR("1"), STR("u1")};

    events_on_node_lost(fake.events, STR("dead"));
    rig_wait(20);
    answer_script(OK, "live@1", "");
    answer_call(OK, taken, 2);
    fake.scripts.n = 0;
    answer_step("0", "1");
    cr_expect_str_eq(take(&hooks), "last u1\n");
    cr_expect_str_eq(take(&fake.scripts), "");
    people_paid(people(), 1);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{people:socket.io:dead}:users 60 0 u1\n");
}
