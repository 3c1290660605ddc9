#include "tests/unit/support/ask_rig.inc"

#include "node/features/rooms/rooms_export.h"

static struct sb scratch;

static void down(void)
{
    sb_fini(&scratch);
    ask_down();
}

TestSuite(rooms_export, .init = errand_up, .fini = down, .timeout = 60);

static void put(const struct str *reply, unsigned count, struct sb *out)
{
    (void)rooms_export_put(reply, count, out);
}

static const char *of(const char *member)
{
    struct redis_visit v;

    cr_assert(rooms_export_key(str_z(member), STR("ingoma:{room:/:a:b}:bars"), &v, &scratch));
    cr_expect(key_fit(v.script->keys, v.script->keys_count, v.words, v.keys_count));
    return ask(&v);
}

Test(rooms_export, says_until_when_the_member_is_muted_and_kicked)
{
    NEEDS_REDIS();
    on_heard = put;
    say("HSET ingoma:{room:/:a:b}:bars mu\"u1\" 1700000000000 ku\"u1\" 1700000001000 mu7 "
        "1700000002000");
    cr_expect_str_eq(
        of("u\"u1\""),
        "{\"type\":\"room\",\"namespace\":\"/\",\"roomId\":\"a:b\",\"mutedUntil\":"
        "\"2023-11-14T22:13:20.000Z\",\"kickedUntil\":\"2023-11-14T22:13:21.000Z\"}\n");
    cr_expect_str_eq(of("u7"), "{\"type\":\"room\",\"namespace\":\"/\",\"roomId\":\"a:b\","
                               "\"mutedUntil\":\"2023-11-14T22:13:22.000Z\"}\n");
    cr_expect_str_eq(of("u\"7\""), "");
}

Test(rooms_export, knows_its_keys)
{
    struct redis_visit v;

    cr_expect_not(rooms_export_key(STR("u1"), STR("ingoma:{room:/:a}:rules"), &v, &scratch));
    cr_expect_not(rooms_export_key(STR("u1"), STR("elsewhere"), &v, &scratch));
}
