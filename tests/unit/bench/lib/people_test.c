/* Tokens of the bench's users. */
#include "bench/lib/people.h"

#include <stdio.h>
#include <unistd.h>
#include <criterion/criterion.h>

Test(people, are_the_lines_of_a_file)
{
    char path[] = "/tmp/ingoma-people-XXXXXX";
    int fd = mkstemp(path);
    struct people p;

    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, "one\n\ntwo\nthree", 14), 14);
    close(fd);
    cr_assert_eq(people_read(&p, path, 2), OK);
    cr_expect(str_eq(p.tokens[0], STR("one")));
    cr_expect(str_eq(p.tokens[1], STR("two")));
    people_fini(&p);
    cr_assert_eq(people_read(&p, path, 3), OK);
    people_fini(&p);
    cr_expect_eq(people_read(&p, path, 4), ERR_PROTO, "too few");
    people_fini(&p);
    unlink(path);
    cr_expect_eq(people_read(&p, path, 1), ERR_IO);
    people_fini(&p);
}
