/* Blocks that are filled from the front; see arena.h. What is larger than a block gets its own. */
#include "contacts/record/arena.h"

#include <stdalign.h>
#include "base/mem.h"
#include "base/forbid.h"

#define BLOCK_BYTES 4096

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

static void *take(struct arena *a, size_t n)
{
    const size_t align = alignof(max_align_t);
    struct arena_block *b = a->blocks;
    void *p;

    n = (n + align - 1) / align * align;
    if (!b || b->size - b->used < n) {
        size_t size = n > BLOCK_BYTES / 4 ? n : BLOCK_BYTES;

        b = mem_new(1, sizeof *b + size);
        b->size = size;
        if (a->blocks && size == n) { /* full at once: those behind it still have room */
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
    }
    p = b->bytes + b->used;
    b->used += n;
    return p;
}

void arena_fini(struct arena *a)
{
    for (struct arena_block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        mem_free(b);
    }
    a->blocks = NULL;
}

void *arena_new(struct arena *a, size_t count, size_t size)
{
    size_t n;

    if (__builtin_mul_overflow(count, size, &n)) abort();
    return take(a, n ? n : 1);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p;

    if (s.n == 0) return STR_NONE;
    p = take(a, s.n + 1);
    memcpy(p, s.p, s.n);
    return str_of(p, s.n);
}
