/* Sockets that connect without blocking, and why they do not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include "adapter/redis/dial_priv.h"

Test(redis_dial_tcp, gives_a_socket_that_does_not_block)
{
    int fd = -1;

    cr_assert_eq(redis_dial_tcp("127.0.0.1", 7499, &fd), OK); /* refused later, if nobody listens */
    cr_expect(fcntl(fd, F_GETFL) & O_NONBLOCK);
    cr_expect(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

Test(redis_dial_tcp, refuses_a_name)
{
    int fd = -1;

    cr_expect_eq(redis_dial_tcp("localhost", 7499, &fd), ERR_IO);
    cr_expect_eq(errno, EINVAL);
    cr_expect_eq(fd, -1);
}

Test(redis_dial_unix, says_why_not)
{
    char path[200];
    int fd = -1;

    cr_expect_eq(redis_dial_unix("/nonexistent/redis.sock", &fd), ERR_IO);
    cr_expect_eq(errno, ENOENT);
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = 0;
    cr_expect_eq(redis_dial_unix(path, &fd), ERR_IO);
    cr_expect_eq(errno, ENAMETOOLONG);
    cr_expect_eq(fd, -1);
}
