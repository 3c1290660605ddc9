/* What this process uses, as the system counts it. */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include <stdint.h>

uint64_t proc_resident_bytes(void);
uint64_t proc_heap_bytes(uint64_t *used); /* given by the system, and used of it */
uint64_t proc_cpu_us(void);               /* user and system, since the start */

#endif
