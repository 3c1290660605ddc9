#include "tests/unit/support/ask_rig.inc"

#include "node/features/presence/presence_export.h"

static struct sb scratch;

static void down(void)
{
    sb_fini(&scratch);
    ask_down();
}

TestSuite(presence_export, .init = errand_up, .fini = down, .timeout = 60);

static void put_seen(const struct str *reply, unsigned count, struct sb *out)
{
    (void)presence_export_put_seen(reply, count, out);
}

static const char *seen(void)
{
    struct redis_visit v;

    on_heard = put_seen;
    presence_export_seen(STR("u1"), &v, &scratch);
    cr_expect(key_fit(v.script->keys, v.script->keys_count, v.words, v.keys_count));
    return ask(&v);
}

Test(presence_export, the_chosen_status_and_when_the_user_was_last_seen)
{
    NEEDS_REDIS();
    cr_expect_str_eq(seen(), "");
    say("HSET ingoma:{user:u1}:presence seen 1700000000000");
    cr_expect_str_eq(seen(), "{\"type\":\"presence\",\"lastSeen\":\"2023-11-14T22:13:20.000Z\"}\n");
    say("HSET ingoma:{user:u1}:presence status invisible");
    cr_expect_str_eq(seen(), "{\"type\":\"presence\",\"status\":\"invisible\",\"lastSeen\":"
                             "\"2023-11-14T22:13:20.000Z\"}\n");
    say("HDEL ingoma:{user:u1}:presence seen");
    cr_expect_str_eq(seen(), "{\"type\":\"presence\",\"status\":\"invisible\"}\n");
}

static void put_row(const struct str *reply, unsigned count, struct sb *out)
{
    (void)presence_export_put_row(reply, count, out);
}

static const char *row(void)
{
    struct redis_visit v;

    on_heard = put_row;
    presence_export_row(STR("p"), STR("u1"), &v, &scratch);
    cr_expect(key_fit(v.script->keys, v.script->keys_count, v.words, v.keys_count));
    return ask(&v);
}

Test(presence_export, the_row_of_who_is_there_and_the_time_of_who_left)
{
    NEEDS_REDIS();
    cr_expect_str_eq(row(), "");
    say("HSET ingoma:{presence:p}:times u1 1700000000000000 u11 5");
    cr_expect_str_eq(row(), "{\"type\":\"offline\",\"since\":\"2023-11-14T22:13:20.000Z\"}\n");
    say("HSET ingoma:{presence:p}:rows uu1 "
        "1700000000000000~b~1700000001000~\"userId\":\"u1\",\"name\":\"Ann~B\"");
    cr_expect_str_eq(row(), "{\"type\":\"online\",\"userId\":\"u1\",\"name\":\"Ann B\",\"status\":"
                            "\"busy\",\"lastActivity\":\"2023-11-14T22:13:21.000Z\"}\n");
}
