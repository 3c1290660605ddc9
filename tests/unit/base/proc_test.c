#include <criterion/criterion.h>
#include "base/clock.h"
#include "base/proc.h"

Test(proc, knows_what_the_process_uses)
{
    uint64_t used, before = proc_cpu_us(), end = clock_us() + 10000000;

    cr_expect_gt(proc_resident_bytes(), 100000);
    (void)proc_heap_bytes(&used); /* nothing under AddressSanitizer */
    while (proc_cpu_us() == before)
        cr_assert_lt(clock_us(), end, "working takes time");
}
