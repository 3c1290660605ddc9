#include <criterion/criterion.h>
#include <stdio.h>
#include "node/auth/identity.h"
#include "node/features/rooms/rooms_key.h"

static const char *user_key(const char *raw)
{
    static char text[200];
    struct sb b = {0};
    int rc = rooms_key_user(str_z(raw), &b);

    snprintf(text, sizeof text, "%s" STR_FMT, rc == OK ? "" : "refused ", STR_ARG(sb_view(&b)));
    sb_fini(&b);
    return text;
}

Test(rooms_key, spells_each_user_in_one_way)
{
    static const struct {
        const char *raw, *want;
    } rows[] = {
        {"\"u7\"", "u\"u7\""},
        {"\"\\u00757\"", "u\"u7\""},
        {"7", "u7"},
        {"7.0", "u7"},
        {"7e0", "u7"},
        {"\"7\"", "u\"7\""},
        {"\"a\\nb\"", "u\"a\\nb\""},
        {"0.5", "u0.5"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_str_eq(user_key(rows[i].raw), rows[i].want, "row %zu", i);
    cr_expect_eq(strncmp(user_key("[1]"), "refused", 7), 0);
    cr_expect_eq(strncmp(user_key("x"), "refused", 7), 0);
}

Test(rooms_key, hides_the_socket_of_a_guest)
{
    struct sb a = {0}, b = {0};

    rooms_key_put(identity_guest(), STR("socket-1"), &a);
    rooms_key_put(identity_guest(), STR("socket-2"), &b);
    cr_expect(rooms_key_is_guest(sb_view(&a)));
    cr_expect_not(str_eq(sb_view(&a), sb_view(&b)));
    cr_expect_not(str_contains(sb_view(&a), STR("socket")));
    sb_fini(&a);
    sb_fini(&b);
}

Test(rooms_key, knows_the_shape_of_a_guests_key)
{
    cr_expect(rooms_key_is_guest(STR("g0123456789abcdef01234567")));
    cr_expect_not(rooms_key_is_guest(STR("u0123456789abcdef01234567")));
    cr_expect_not(rooms_key_is_guest(STR("g0123456789abcdef0123456")));
    cr_expect_not(rooms_key_is_guest(STR("g0123456789abcdef0123 567")));
}
