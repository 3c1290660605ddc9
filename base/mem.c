/* Memory: allocate or abort. See mem.h. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void out_of_memory(void)
{
    static const char text[] = "fatal: out of memory\n";
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);

    (void)ignored;
    abort();
}

void *mem_new(size_t count, size_t size)
{
    void *p = calloc(count ? count : 1, size ? size : 1);

    if (!p) out_of_memory();
    return p;
}

void *mem_grow(void *p, size_t bytes)
{
    void *q = realloc(p, bytes ? bytes : 1);

    if (!q) out_of_memory();
    return q;
}

void *mem_try(size_t bytes)
{
    return malloc(bytes ? bytes : 1);
}

char *mem_dup(const void *p, size_t n)
{
    char *q = malloc(n + 1);

    if (!q) out_of_memory();
    if (n) memcpy(q, p, n);
    q[n] = 0;
    return q;
}

void mem_free(void *p)
{
    free(p);
}

/* glibc keeps up to seven freed chunks of each small size for the thread; after a wave of
 * connections they lie strewn over the heap, and each pins its page. Taken out and given back
 * behind seven neighbours, they are free like all others. */
static void drop_thread_cache(void)
{
    enum { KEPT = 7, SIZE_MAX_CACHED = 1032, STEP = 16 };
    void *cached[KEPT], *near[KEPT];

    for (size_t bytes = 8; bytes <= SIZE_MAX_CACHED; bytes += STEP) {
        for (int i = 0; i < KEPT; i++)
            cached[i] = malloc(bytes);
        for (int i = 0; i < KEPT; i++)
            near[i] = malloc(bytes);
        __asm__ volatile(""
                         :
                         : "r"(cached), "r"(near)
                         : "memory"); /* or a compiler may leave them out */
        for (int i = 0; i < KEPT; i++)
            free(near[i]);
        for (int i = 0; i < KEPT; i++)
            free(cached[i]);
    }
}

void mem_trim(void)
{
    (void)malloc_trim(0); /* joins what is free, so that the neighbours come from one place */
    drop_thread_cache();
    (void)malloc_trim(0);
}
