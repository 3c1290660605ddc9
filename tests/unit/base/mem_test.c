/* Memory: what each way of asking promises. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include "base/mem.h"

/* AddressSanitizer would end the program itself at what the system answers with NULL. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

Test(mem, new_memory_is_zeroed)
{
    unsigned char *p = mem_new(3, 100);

    for (int i = 0; i < 300; i++)
        cr_assert_eq(p[i], 0);
    mem_free(p);
}

Test(mem, dup_copies_and_terminates)
{
    char *p = mem_dup("abc", 2);

    cr_expect_str_eq(p, "ab");
    mem_free(p);
    p = mem_dup(NULL, 0);
    cr_expect_str_eq(p, "");
    mem_free(p);
}

Test(mem, grow_keeps_what_was_there)
{
    char *p = mem_grow(NULL, 4);

    memcpy(p, "abcd", 4);
    p = mem_grow(p, 4000);
    cr_expect_arr_eq(p, "abcd", 4);
    mem_free(p);
    mem_free(NULL);
}

Test(mem, nothing_is_something)
{
    void *p = mem_new(0, 0), *q = mem_try(0);

    cr_expect_not_null(p);
    cr_expect_not_null(q);
    mem_free(p);
    mem_free(q);
}

Test(mem, exhaustion_ends_the_program, .signal = SIGABRT)
{
    mem_free(mem_new(SIZE_MAX / 2, 4));
}
