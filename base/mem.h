/* Memory: the only file that calls malloc and free.
 * mem_new and friends abort on exhaustion; a size that a peer chose is bounded first and uses
 * mem_try. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include "base/err.h"

/* Zeroed memory for count objects of size bytes. Never NULL; aborts on exhaustion or overflow. */
void *mem_new(size_t count, size_t size)
    __attribute__((malloc, returns_nonnull, warn_unused_result));

/* Grows or shrinks; the new part is not zeroed. Never NULL. */
void *mem_grow(void *p, size_t bytes) __attribute__((returns_nonnull, warn_unused_result));

/* As mem_new with one object, but NULL on exhaustion: for sizes that a peer chose. Not zeroed. */
void *mem_try(size_t bytes) __attribute__((malloc, warn_unused_result));

/* Copy of n bytes plus a terminating NUL. */
char *mem_dup(const void *p, size_t n) __attribute__((returns_nonnull, warn_unused_result));

void mem_free(void *p); /* NULL is allowed */

/* Gives free pages back to the system. Takes milliseconds on a large heap: after many objects are
 * gone, never per object. */
void mem_trim(void);

#define MEM_NEW(type) ((type *)mem_new(1, sizeof(type)))

#endif
