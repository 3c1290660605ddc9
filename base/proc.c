/* Read when somebody asks: nothing here is for a hot path. */
#include "base/proc.h"

#include <fcntl.h>
#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/str.h"
#include "base/forbid.h"

uint64_t proc_resident_bytes(void)
{
    char text[128] = "";
    struct str rest, size, pages;
    uint64_t count = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

    if (fd < 0) return 0;
    if (read(fd, text, sizeof text - 1) < 0) text[0] = '\0';
    close(fd);
    rest = str_z(text); /* size resident … */
    if (!str_next(&rest, ' ', &size) || !str_next(&rest, ' ', &pages) ||
        str_u64(pages, UINT32_MAX, &count) != OK)
        return 0;
    return count * (uint64_t)sysconf(_SC_PAGESIZE);
}

uint64_t proc_heap_bytes(uint64_t *used)
{
    struct mallinfo2 m = mallinfo2();

    *used = m.uordblks + m.hblkhd;
    return m.arena + m.hblkhd;
}

static uint64_t us_of(struct timeval t)
{
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

uint64_t proc_cpu_us(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) != 0) return 0;
    return us_of(u.ru_utime) + us_of(u.ru_stime);
}
