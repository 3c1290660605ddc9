/* Descriptors: what is ready is told together, an error wakes whoever waits, memory goes at the end
 * of the turn. */
#include <sys/socket.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "base/loop.h"

static int calls, seen;

static void note(void *ctx, int what)
{
    (void)ctx;
    calls++;
    seen |= what;
}

Test(loop_fd, tells_reading_and_writing_in_one_call)
{
    struct loop *l = loop_new();
    struct loop_fd *w;
    int fds[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    cr_assert_eq(write(fds[1], "x", 1), 1);
    w = loop_fd_new(l, fds[0], note, NULL);
    loop_fd_want(w, LOOP_READ | LOOP_WRITE);
    loop_turn(l, true);
    cr_expect_eq(calls, 1);
    cr_expect_eq(seen, LOOP_READ | LOOP_WRITE);
    loop_fd_free(w);
    loop_turn(l, false);
    cr_expect_eq(calls, 1, "nothing comes after the end");
    close(fds[0]);
    close(fds[1]);
    loop_free(l);
}

Test(loop_fd, the_peers_end_wakes_a_writer)
{
    struct loop *l = loop_new();
    struct loop_fd *w;
    char full[65536] = "";
    int fds[2];

    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    while (write(fds[0], full, sizeof full) > 0)
        continue;
    w = loop_fd_new(l, fds[0], note, NULL);
    loop_fd_want(w, LOOP_WRITE);
    loop_turn(l, false);
    cr_expect_eq(calls, 0);
    close(fds[1]);
    loop_turn(l, true);
    cr_expect_eq(seen, LOOP_WRITE);
    loop_fd_free(w);
    close(fds[0]);
    loop_free(l);
}
