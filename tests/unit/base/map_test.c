/* The map against a naive table. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "base/map.h"
#include "base/rand.h"

Test(map, puts_gets_replaces_and_deletes)
{
    struct map m = {0};
    int a, b;

    cr_expect_null(map_get(&m, STR("a")));
    cr_expect_null(map_del(&m, STR("a")));
    cr_expect_null(map_put(&m, STR("a"), &a));
    cr_expect_eq(map_get(&m, STR("a")), &a);
    cr_expect_eq(map_put(&m, STR("a"), &b), &a);
    cr_expect_eq(m.count, 1);
    cr_expect_null(map_get(&m, STR("A")));
    cr_expect_eq(map_del(&m, STR("a")), &b);
    cr_expect_null(map_get(&m, STR("a")));
    cr_expect_eq(m.count, 0);
    map_fini(&m);
    cr_expect_null(m.slots);
}

Test(map, takes_empty_keys_and_any_bytes)
{
    struct map m = {0};
    int a, b;

    map_put(&m, STR_NONE, &a);
    cr_expect_eq(map_get(&m, STR("")), &a);
    map_put(&m, STR("\0"), &b);
    cr_expect_eq(map_get(&m, STR("\0")), &b);
    cr_expect_null(map_get(&m, STR("\0\0")));
    cr_expect_eq(map_del(&m, STR("")), &a);
    cr_expect_eq(map_get(&m, STR("\0")), &b);
    map_fini(&m);
}

#define KEYS 600

Test(map, agrees_with_a_naive_table_under_random_use)
{
    static char names[KEYS][24];
    static bool is_in[KEYS];
    struct map m = {0};
    size_t count = 0;

    rand_seed_for_test(11);
    for (int i = 0; i < KEYS; i++)
        snprintf(names[i], sizeof names[i], "user-%d", i);
    for (int step = 0; step < 60000; step++) {
        unsigned bias = step / 10000 % 2 ? 70 : 30; /* it grows, and shrinks again */
        unsigned k = rand_below(KEYS);
        struct str key = str_z(names[k]);
        void *want = is_in[k] ? names[k] : NULL;

        if (rand_below(100) >= bias) {
            cr_assert_eq(map_put(&m, key, names[k]), want);
            count += !is_in[k];
            is_in[k] = true;
        } else {
            cr_assert_eq(map_del(&m, key), want);
            count -= is_in[k];
            is_in[k] = false;
        }
        cr_assert_eq(m.count, count);
        cr_assert_eq(map_get(&m, str_z(names[step % KEYS])),
                     is_in[step % KEYS] ? names[step % KEYS] : NULL);
    }
    for (int i = 0; i < KEYS; i++) {
        cr_assert_eq(map_get(&m, str_z(names[i])), is_in[i] ? names[i] : NULL);
    }
    map_fini(&m);
}

Test(map_next, gives_every_value_once)
{
    static char names[100][16];
    struct map m = {0};
    int seen[100] = {0};
    size_t i = 0, n = 0;

    for (int k = 0; k < 100; k++) {
        snprintf(names[k], sizeof names[k], "%d", k);
        map_put(&m, str_z(names[k]), names[k]);
    }
    for (char *v = map_next(&m, &i); v; v = map_next(&m, &i), n++)
        seen[(v - names[0]) / 16]++;
    cr_expect_eq(n, 100);
    for (int k = 0; k < 100; k++)
        cr_expect_eq(seen[k], 1);
    map_fini(&m);
    i = 0;
    cr_expect_null(map_next(&m, &i));
}

Test(map, gives_memory_back_when_it_empties)
{
    static char names[5000][16];
    struct map m = {0};
    size_t full;

    for (int k = 0; k < 5000; k++) {
        snprintf(names[k], sizeof names[k], "%d", k);
        map_put(&m, str_z(names[k]), names[k]);
    }
    full = m.cap;
    for (int k = 0; k < 5000; k++)
        cr_assert_eq(map_del(&m, str_z(names[k])), names[k]);
    cr_expect_lt(m.cap, full / 100);
    map_fini(&m);
}

Test(map_hash, depends_on_every_byte_and_on_the_length)
{
    char text[40] = {0};

    for (size_t n = 0; n < sizeof text; n++) {
        uint64_t h = map_hash(str_of(text, n));

        cr_expect_eq(h, map_hash(str_of(text, n)));
        cr_expect_neq(h, map_hash(str_of(text, n + 1)), "%zu", n);
        for (size_t i = 0; i < n; i++) {
            text[i] ^= 1;
            cr_expect_neq(h, map_hash(str_of(text, n)), "%zu of %zu", i, n);
            text[i] ^= 1;
        }
    }
}
