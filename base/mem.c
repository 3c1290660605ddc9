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

void mem_trim(void)
{
    (void)malloc_trim(0);
}
