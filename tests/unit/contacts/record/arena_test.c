#include <criterion/criterion.h>
#include <stdint.h>
#include "contacts/record/arena.h"

Test(arena, gives_zeroed_aligned_pieces_that_do_not_overlap)
{
    struct arena a = {0};
    char *at[200];

    for (size_t i = 0; i < 200; i++) {
        at[i] = arena_new(&a, i + 1, 1);
        cr_expect_eq((uintptr_t)at[i] % 16, 0);
        for (size_t n = 0; n <= i; n++)
            cr_assert_eq(at[i][n], 0, "piece %zu", i);
        memset(at[i], (int)(i % 100) + 1, i + 1);
    }
    for (size_t i = 0; i < 200; i++)
        for (size_t n = 0; n <= i; n++)
            cr_assert_eq(at[i][n], (int)(i % 100) + 1);
    arena_fini(&a);
    cr_expect_null(a.blocks);
}

Test(arena, a_large_piece_leaves_room_in_the_block_before)
{
    struct arena a = {0};
    char *first = arena_new(&a, 16, 1), *large = arena_new(&a, 100000, 1), *next;

    memset(large, 1, 100000);
    next = arena_new(&a, 16, 1);
    cr_expect_eq(next, first + 16);
    arena_fini(&a);
}

Test(arena, copies_a_text_with_all_its_bytes)
{
    struct arena a = {0};
    struct str s = arena_str(&a, STR("a\0b"));

    cr_expect(str_eq(s, STR("a\0b")));
    cr_expect_eq(s.p[3], 0, "and a NUL behind it");
    cr_expect_eq(arena_str(&a, STR_NONE).n, 0);
    arena_fini(&a);
}
