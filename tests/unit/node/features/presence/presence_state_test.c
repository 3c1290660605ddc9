#include "tests/unit/support/fake_events.inc"

#include "node/features/presence/presence_state.h"

static struct presence_list list;
static struct presence_state *st;
static struct sb told;
static char adapter_name[] = "redis", prefix[] = "p";

static void up_with(struct adapter *a)
{
    rig_up();
    fake.is_connected = true;
    fake.tells_people = true;
    rig.conf.adapter = adapter_name;
    rig.conf.adapter_prefix = prefix;
    presence_list_init(&list);
    st = presence_state_new(rig.loop, &rig.conf, a, &list);
}

static void up(void)
{
    static char adapter;

    up_with((struct adapter *)(void *)&adapter);
}

static void up_alone(void)
{
    up_with(NULL);
}

static void down(void)
{
    presence_state_free(st);
    while (fake.calls_count)
        answer_script(ERR_UNAVAILABLE, "", "");
    presence_list_fini(&list);
    rig_down();
    sb_fini(&told);
    sb_fini(&fake.scripts);
}

static const struct presence_value bob = {
    .status = PRESENCE_ONLINE, .active_ms = 5, .members = STR("\"userId\":\"u7\"")};

static void on_done(void *ctx, int rc)
{
    (void)ctx;
    sb_printf(&told, "done %d ", rc);
}

static bool keep_nobody(void *ctx, struct str id_text)
{
    (void)ctx, (void)id_text;
    return false;
}

static void pull(void)
{
    presence_state_pull(
        st, &(struct presence_pull){.grace_ms = 1000, .keep = keep_nobody, .done = on_done});
}

/* As read_script answers, with one change or none. */
static void answer_read(const char *epoch, const char *seq, const char *full, const char *more,
                        const char *id, const char *value)
{
    const struct str reply[] = {str_z(epoch), str_z(seq), str_z(full),
                                str_z(more),  str_z(id),  str_z(value)};

    answer_call(OK, reply, id ? 6 : 4);
}

/* The scripts, with what is random left out. */
static const char *written(void)
{
    char *text, *at;

    loop_turn(rig.loop, false);
    text = (char *)(uintptr_t)take(&fake.scripts);
    at = strstr(text, " 1200 ");
    return at ? at + 6 + 8 : text; /* an epoch of 8 characters */
}

TestSuite(presence_state, .init = up, .fini = down);
TestSuite(presence_state_alone, .init = up_alone, .fini = down);

Test(presence_state, writes_the_changes_of_a_turn_together)
{
    presence_state_set(st, PRESENCE_WRITE_FIRST, STR("u7"), 17, &bob);
    presence_state_leave(st, STR("u8"), 18);
    presence_state_set(st, PRESENCE_WRITE_UNLESS_THERE, STR("u7"), 19, &bob);
    presence_state_set(st, PRESENCE_WRITE_STATUS, STR("u7"), 20, &bob);
    cr_expect_str_eq(written(), " + u7 17 o 5 \"userId\":\"u7\" - u8 18 "
                                " ? u7 19 o 5 \"userId\":\"u7\""
                                " ! u7 20 o 5 \"userId\":\"u7\"\n");
    presence_state_leave(st, STR("u7"), 19);
    loop_turn(rig.loop, false);
    cr_expect_eq(fake.calls_count, 1, "one at a time: they stay in order");
    answer_script(OK, "1", "");
    cr_expect_str_eq(written(), " - u7 19 \n");
}

static void on_left(void *ctx, unsigned leaves)
{
    (void)ctx;
    sb_printf(&told, "left %u ", leaves);
}

Test(presence_state, tells_of_leaves_that_redis_has)
{
    presence_state_on_left(st, on_left, NULL);
    presence_state_leave(st, STR("u7"), 19);
    presence_state_set(st, PRESENCE_WRITE_STATUS, STR("-"), 20, &bob);
    presence_state_leave(st, STR("u8"), 21);
    loop_turn(rig.loop, false);
    presence_state_leave(st, STR("u9"), 22);
    answer_script(ERR_TIMEOUT, "", "");
    cr_expect_str_eq(take(&told), "");
    rig_wait(1010);
    answer_script(OK, "1", "");
    cr_expect_str_eq(take(&told), "left 2 ");
    answer_script(OK, "1", "");
    cr_expect_str_eq(take(&told), "left 1 ");
}

Test(presence_state, writes_until_redis_has_it)
{
    presence_state_leave(st, STR("u7"), 19);
    loop_turn(rig.loop, false);
    answer_script(ERR_TIMEOUT, "", "");
    presence_state_leave(st, STR("u8"), 20);
    fake.scripts.n = 0;
    fake.is_connected = false;
    rig_wait(1010);
    cr_expect_eq(fake.calls_count, 0);
    fake.is_connected = true;
    rig_wait(1010);
    cr_expect_str_eq(written(), " - u7 19 \n");
    answer_script(OK, "1", "");
    cr_expect_str_eq(written(), " - u8 20 \n");
}

Test(presence_state, reads_what_has_changed_since)
{
    pull();
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{presence:p}:rows 1200  0 0 1000\n");
    answer_read("e", "3", "1", "1", "u7", "o 5 \"userId\":\"u7\"");
    cr_expect_str_eq(take(&told), "");
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{presence:p}:rows 1200 e 3 1 1000\n");
    answer_read("e", "4", "0", "0", "u8", "i 5 \"userId\":\"u8\"");
    cr_expect_str_eq(take(&told), "done 0 ");
    cr_expect_eq(list.shown_count, 1);
    pull();
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{presence:p}:rows 1200 e 4 0 1000\n");
    answer_read("e", "5", "0", "0", "u7", "");
    cr_expect_eq(list.shown_count, 0);
}

Test(presence_state, keeps_for_a_while_what_redis_has_lost)
{
    pull();
    answer_read("e", "3", "1", "0", "u7", "o 5 \"userId\":\"u7\"");
    pull();
    answer_read("f", "0", "1", "0", NULL, NULL);
    cr_expect_eq(list.shown_count, 1);
    rig_wait(1010);
    pull();
    answer_read("f", "0", "0", "0", NULL, NULL);
    cr_expect_eq(list.shown_count, 0);
}

Test(presence_state, says_when_it_could_not_read)
{
    const struct str odd[] = {STR("e"), STR("x"), STR("1"), STR("0")};

    fake.is_connected = false;
    pull();
    fake.is_connected = true;
    pull();
    answer_script(ERR_TIMEOUT, "", "");
    pull();
    answer_call(OK, odd, 4);
    pull();
    answer_call(OK, odd, 3);
    cr_expect_eq(strncmp(take(&told), "done -", 6), 0);
    pull();
    pull();
    cr_expect_eq(fake.calls_count, 1, "one at a time");
}

static void on_user(void *ctx, int rc, bool is_invisible, uint64_t seen_ms)
{
    (void)ctx;
    sb_printf(&told, "%d %d %llu ", rc == OK, is_invisible, (unsigned long long)seen_ms);
}

Test(presence_state, keeps_what_a_user_has_chosen)
{
    presence_state_user(st, STR("u7"), PRESENCE_USER_HIDE, on_user, NULL);
    presence_state_user(st, STR("u7"), PRESENCE_USER_SEEN, NULL, NULL);
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{user:u7}:presence hide 2592000 1700000000000\n"
                                          "ingoma:{user:u7}:presence seen 2592000 1700000000000\n");
    answer_call(OK, (const struct str[]){STR("invisible"), STR("12")}, 2);
    answer_call(OK, (const struct str[]){STR(""), STR("12")}, 2);
    presence_state_user(st, STR("u7"), PRESENCE_USER_GET, on_user, NULL);
    answer_script(ERR_UNAVAILABLE, "", "");
    cr_expect_str_eq(take(&told), "1 1 12 0 0 0 ");
}

Test(presence_state_alone, writes_the_list_itself)
{
    presence_state_set(st, PRESENCE_WRITE_FIRST, STR("u7"), 17, &bob);
    cr_expect_eq(list.shown_count, 1);
    presence_state_leave(st, STR("u7"), 18);
    cr_expect_eq(list.shown_count, 0);
    pull();
    presence_state_user(st, STR("u7"), PRESENCE_USER_GET, on_user, NULL);
    cr_expect_str_eq(take(&told), "done 0 1 0 0 ");
}
