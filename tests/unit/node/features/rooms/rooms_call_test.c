#include "tests/unit/support/rooms_rig.inc"

#include "node/features/rooms/rooms_priv.h"

static struct rooms rooms;
static int told_rc;
static unsigned told_count;

static struct adapter_script script = {.name = "test", .keys = {KEY_ROOM_LOG}, .keys_count = 1};

static void on_told(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)ctx, (void)reply;
    told_rc = rc;
    told_count = count;
}

static void up_call(void)
{
    up();
    rooms = (struct rooms){.adapter = events_adapter(fake.events)};
    told_rc = 1;
}

TestSuite(rooms_call, .init = up_call, .fini = fake_down);

static void call(void)
{
    struct rooms_call c = {0};

    rooms_call_key(&c, KEY_ROOM_LOG, STR("/:r"));
    rooms_call_arg(&c, STR_NONE);
    rooms_call_u64(&c, 42);
    rooms_call_run(&rooms, &c, &script, on_told, NULL);
}

Test(rooms_call, hands_its_words_over_and_the_answer_back)
{
    call();
    cr_expect_str_eq(take(&fake.scripts), "ingoma:{room:/:r}:log  42\n");
    cr_expect_eq(rooms.steps, 1);
    answer_text("yes");
    cr_expect_eq(told_rc, OK);
    cr_expect_eq(told_count, 1);
    cr_expect_eq(rooms.steps, 0);
}

Test(rooms_call, answers_at_once_without_a_cluster)
{
    rooms.adapter = NULL;
    call();
    cr_expect_eq(told_rc, ERR_UNAVAILABLE);
}

Test(rooms_call, tells_nobody_more_than_that_the_feature_is_closed)
{
    call();
    rooms.steps++; /* somebody else is under way, too */
    rooms.is_closed = true;
    answer_text("yes");
    cr_expect_eq(told_rc, ERR_CLOSED);
    cr_expect_eq(told_count, 0);
}
