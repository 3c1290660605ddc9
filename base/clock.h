/* Time, replaceable in tests. The loop refreshes the cache once a turn. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

uint64_t clock_ms(void);      /* monotonic, cached */
uint64_t clock_wall_ms(void); /* since 1970 UTC, cached */
uint64_t clock_us(void);      /* monotonic, read now: for measuring */
void clock_refresh(void);

/* Tests: from now on time stands still and moves only by clock_advance. */
void clock_freeze(uint64_t ms, uint64_t wall_ms);
void clock_advance(uint64_t ms);

#define CLOCK_ISO_SIZE 25 /* "2026-11-23T17:01:55.123Z" and NUL */
void clock_iso(uint64_t wall_ms, char out[CLOCK_ISO_SIZE]);

#endif
