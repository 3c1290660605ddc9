/* What /proc says about a process: processor time and memory. Reads only; 0 when the process is
 * gone. */
#ifndef BENCH_LIB_PROC_H
#define BENCH_LIB_PROC_H

#include <stdint.h>

struct proc_memory {
    uint64_t rss_bytes;     /* VmRSS */
    uint64_t private_bytes; /* Private_Clean + Private_Dirty of smaps_rollup: what its end would
                               give back */
    uint64_t anon_bytes;    /* Anonymous of smaps_rollup */
};

uint64_t proc_cpu_us(int pid); /* user + system, all threads; pid 0: this process */
void proc_memory(int pid, struct proc_memory *out);

/* Raises the soft limit of open files towards want; returns the limit that holds now. */
uint64_t proc_raise_files(uint64_t want);

#endif
