/* Randomness: shape, spread, repeatability in tests, nothing shared with a child. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/rand.h"

Test(rand_id, uses_url_safe_characters_all_of_them)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    int seen[64] = {0};
    char id[64000];

    rand_id(id, sizeof id);
    for (size_t i = 0; i < sizeof id; i++) {
        const char *at = memchr(alphabet, id[i], 64);

        cr_assert_not_null(at);
        seen[at - alphabet]++;
    }
    for (int i = 0; i < 64; i++)
        cr_expect(seen[i] > 700 && seen[i] < 1300, "%d: %d", i, seen[i]);
}

Test(rand_id, writes_what_was_asked_for_and_no_more)
{
    char id[22];

    memset(id, '!', sizeof id);
    rand_id(id, 20);
    cr_expect_null(memchr(id, '!', 20));
    cr_expect_eq(id[20], '!');
    rand_id(id, 0);
}

Test(rand_below, stays_below_and_reaches_everything)
{
    int seen[7] = {0};

    for (int i = 0; i < 7000; i++) {
        uint32_t v = rand_below(7);

        cr_assert_lt(v, 7);
        seen[v]++;
    }
    for (int i = 0; i < 7; i++)
        cr_expect(seen[i] > 700 && seen[i] < 1300, "%d: %d", i, seen[i]);
    cr_expect_eq(rand_below(1), 0);
    cr_expect_eq(rand_below(0), 0);
}

Test(rand_seed_for_test, makes_everything_repeatable)
{
    char a[20], b[20];
    uint32_t x, y;

    rand_seed_for_test(42);
    rand_id(a, sizeof a);
    x = rand_below(1000000);
    rand_seed_for_test(42);
    rand_id(b, sizeof b);
    y = rand_below(1000000);
    cr_expect_arr_eq(a, b, sizeof a);
    cr_expect_eq(x, y);
    rand_seed_for_test(43);
    rand_id(b, sizeof b);
    cr_expect_arr_neq(a, b, sizeof a);
}

Test(rand_bytes, a_child_does_not_repeat_its_parent)
{
    char mine[20], theirs[20];
    int fds[2];
    pid_t child;

    rand_bytes(mine, sizeof mine); /* the store is full now */
    cr_assert_eq(pipe(fds), 0);
    child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        rand_bytes(mine, sizeof mine);
        _exit(write(fds[1], mine, sizeof mine) == sizeof mine ? 0 : 1);
    }
    rand_bytes(mine, sizeof mine);
    cr_assert_eq(read(fds[0], theirs, sizeof theirs), (ssize_t)sizeof theirs);
    waitpid(child, NULL, 0);
    cr_expect_arr_neq(mine, theirs, sizeof mine);
}

Test(rand_bytes, crosses_the_end_of_its_store)
{
    static unsigned char big[20000];
    int zeros = 0;

    rand_bytes(big, sizeof big);
    for (size_t i = 0; i < sizeof big; i++)
        zeros += big[i] == 0;
    cr_expect(zeros > 20 && zeros < 200, "%d", zeros);
}
