/* Commands as RESP, the limit, and a socket that takes little. */
#include <criterion/criterion.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>
#include "adapter/redis/out_priv.h"
#include "base/mem.h"
#include "tests/unit/support/hex.h"

Test(redis_out_put, counts_bytes_and_escapes_nothing)
{
    const struct str argv[] = {STR("PUBLISH"), STR(""), STR("a\r\n\0b")};
    struct redis_out o = {0};

    cr_expect_eq(redis_out_put(&o, argv, 3, 1000), OK);
    cr_expect(
        str_eq(sb_view(&o.bytes), STR("*3\r\n$7\r\nPUBLISH\r\n$0\r\n\r\n$5\r\na\r\n\0b\r\n")));
    redis_out_fini(&o);
}

Test(redis_out_put, refuses_above_the_limit_and_leaves_what_is_there)
{
    const struct str argv[] = {STR("PING")};
    struct redis_out o = {0};
    size_t n;

    cr_expect_eq(redis_out_put(&o, argv, 1, 40), OK);
    n = o.bytes.n;
    cr_expect_eq(redis_out_put(&o, argv, 1, 40), ERR_LIMIT);
    cr_expect_eq(o.bytes.n, n);
    redis_out_fini(&o);
}

Test(redis_out_write, goes_on_where_the_kernel_stopped)
{
    enum { BYTES = 3000000 };
    int fds[2];
    char *body = mem_new(1, BYTES), chunk[65536];
    struct str argv[] = {str_of(body, BYTES)};
    struct redis_out o = {0};
    struct sb got = {0};
    int rc;

    for (int i = 0; i < BYTES; i++)
        body[i] = (char)(i * 7);
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    cr_expect_eq(redis_out_put(&o, argv, 1, 10000000), OK);
    do {
        ssize_t n;

        rc = redis_out_write(&o, fds[0]);
        cr_assert(rc == OK || rc == ERR_AGAIN);
        while ((n = read(fds[1], chunk, sizeof chunk)) > 0)
            sb_put(&got, chunk, (size_t)n);
    } while (rc == ERR_AGAIN);
    cr_expect(str_starts(sb_view(&got), STR("*1\r\n$3000000\r\n")));
    cr_expect(str_eq(str_head(str_skip(sb_view(&got), 14), BYTES), argv[0]));
    cr_expect_eq(o.bytes.cap, 0, "and the large buffer is given back");
    close(fds[1]);
    cr_expect_eq(redis_out_put(&o, argv, 1, 10000000), OK);
    sigaction(SIGPIPE, &(struct sigaction){.sa_handler = SIG_IGN}, NULL);
    cr_expect_eq(redis_out_write(&o, fds[0]), ERR_IO);
    close(fds[0]);
    redis_out_fini(&o);
    sb_fini(&got);
    mem_free(body);
}
