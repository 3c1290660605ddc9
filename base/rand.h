/* Randomness: identifiers from the system's CSPRNG; a seedable stream for tests. */
#ifndef BASE_RAND_H
#define BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t n);

/* n characters of the URL-safe base64 alphabet (6 random bits each); no NUL is written. */
void rand_id(char *out, size_t n);

uint32_t rand_below(uint32_t limit); /* 0 … limit-1 */

void rand_seed_for_test(uint64_t seed); /* makes everything above repeatable */

#endif
