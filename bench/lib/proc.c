/* Readings of /proc. See proc.h. */
#include "bench/lib/proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t read_file(int pid, const char *name, char *out, size_t size)
{
    char path[64];
    ssize_t n;
    int fd;

    out[0] = 0;
    if (pid > 0)
        (void)snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
    else
        (void)snprintf(path, sizeof path, "/proc/self/%s", name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    n = read(fd, out, size - 1);
    close(fd);
    if (n < 0) n = 0;
    out[n] = 0;
    return (size_t)n;
}

/* "Name:   123 kB" as bytes; 0 when the line is not there. */
static uint64_t kilobytes(const char *text, const char *name)
{
    const char *line = strstr(text, name);

    return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

uint64_t proc_cpu_us(int pid)
{
    char text[1024], *p;
    uint64_t user, sys;
    uint64_t tick_us = 1000000U / (uint64_t)sysconf(_SC_CLK_TCK);

    if (read_file(pid, "stat", text, sizeof text) == 0) return 0;
    p = strrchr(text, ')'); /* the command may hold blanks and brackets; proc(5) */
    if (!p) return 0;
    for (int field = 2; field < 14 && p; field++)
        p = strchr(p + 1, ' ');
    if (!p) return 0;
    user = strtoull(p, &p, 10);
    sys = strtoull(p, NULL, 10);
    return (user + sys) * tick_us;
}

void proc_memory(int pid, struct proc_memory *out)
{
    char text[4096];

    read_file(pid, "status", text, sizeof text);
    out->rss_bytes = kilobytes(text, "VmRSS:");
    read_file(pid, "smaps_rollup", text, sizeof text);
    out->private_bytes = kilobytes(text, "Private_Clean:") + kilobytes(text, "Private_Dirty:");
    out->anon_bytes = kilobytes(text, "Anonymous:");
}

uint64_t proc_raise_files(uint64_t want)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    if (limit.rlim_cur >= want) return limit.rlim_cur;
    limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) (void)getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}
