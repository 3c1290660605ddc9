/* Names of keys, their tag, and what a script may be called with. */
#include <criterion/criterion.h>
#include "adapter/key.h"
#include "tests/unit/support/hex.h"

#define ROWS(rows) (sizeof(rows) / sizeof(rows)[0])

Test(key_name, fills_the_pattern_and_reads_it_back)
{
    struct sb b = {0};
    struct str name = STR_NONE;

    key_name(KEY_DUE_TIMES, STR("app:mail"), &b);
    cr_expect_str_eq(to_z(&b), "ingoma:{due:app:mail}:times");
    cr_expect(key_is(KEY_DUE_TIMES, sb_view(&b), &name));
    cr_expect(str_eq(name, STR("app:mail")));
    cr_expect_not(key_is(KEY_DUE_STATES, sb_view(&b), &name));
    cr_expect_not(key_is(KEY_DUE_TIMES, STR("ingoma:{due:}:times"), &name), "no name");
    cr_expect_not(key_is(KEY_DUE_TIMES, STR("ingoma:{due:}:time"), &name));
    cr_expect_not(key_is(KEY_DUE_TIMES, STR("x"), &name));
    sb_fini(&b);
}

Test(key_name, gives_every_key_of_ours_a_tag_that_holds_the_name)
{
    struct sb b = {0};

    for (int k = 0; k < KEY_COUNT; k++) {
        if (k == KEY_SESSION) continue; /* Node's name for it, alone in its script */
        b.n = 0;
        key_name((enum key)k, STR("n"), &b);
        cr_expect_lt(key_tag(sb_view(&b)).n, b.n, "%s", to_z(&b));
        cr_expect(str_contains(key_tag(sb_view(&b)), STR(":n")), "%s", to_z(&b));
    }
    sb_fini(&b);
}

Test(key_tag, is_what_a_cluster_hashes)
{
    static const struct {
        const char *key, *want; /* the specification's own examples */
    } rows[] = {
        {"{user1000}.following", "user1000"},
        {"foo{}{bar}", "foo{}{bar}"},
        {"foo{{bar}}zap", "{bar"},
        {"foo{bar}{zap}", "bar"},
        {"foo", "foo"},
        {"foo{bar", "foo{bar"},
        {"foo}bar{x}", "x"},
        {"", ""},
    };

    for (size_t i = 0; i < ROWS(rows); i++)
        cr_expect(str_eq(key_tag(str_z(rows[i].key)), str_z(rows[i].want)), "row %zu", i);
}

Test(key_fit, refuses_what_a_script_does_not_declare)
{
    static const enum key want[] = {KEY_DUE_TIMES, KEY_DUE_STATES};
    static const struct {
        const char *keys[3];
        unsigned count;
        bool fits;
    } rows[] = {
        {{"ingoma:{due:a}:times", "ingoma:{due:a}:states"}, 2, true},
        {{"ingoma:{due:a}:times", "ingoma:{due:b}:states"}, 2, false}, /* two slots */
        {{"ingoma:{due:a}:states", "ingoma:{due:a}:times"}, 2, false}, /* order */
        {{"ingoma:{due:a}:times", "other"}, 2, false},
        {{"ingoma:{due:a}:times"}, 1, false},
        {{"ingoma:{due:a}:times", "ingoma:{due:a}:states", "ingoma:{due:a}:states"}, 3, false},
    };

    for (size_t i = 0; i < ROWS(rows); i++) {
        struct str keys[3];

        for (unsigned k = 0; k < rows[i].count; k++)
            keys[k] = str_z(rows[i].keys[k]);
        cr_expect_eq(key_fit(want, 2, keys, rows[i].count), rows[i].fits, "row %zu", i);
    }
}

Test(key_print_markdown, shows_each_key)
{
    struct sb b = {0};

    key_print_markdown(&b);
    cr_expect(str_contains(sb_view(&b), STR("| `ingoma:{room:*}:nodes` | hash | 3600 | "
                                            "`node/features/rooms` | ")));
    cr_expect(str_contains(sb_view(&b),
                           STR("| `ingoma:{due:*}:times` | zset | until empty | `adapter/due` ")));
    sb_fini(&b);
}
