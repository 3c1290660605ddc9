/* See stats_rooms.h. Source: Bar-Yossef et al., "Counting distinct elements in a data stream"
 * (2002), 2.2: of hashes that lie evenly, k below u say that there are k / u of the whole range. */
#include "node/features/stats/stats_rooms.h"

#include <stdlib.h>
#include "base/mem.h"

#define RANGE (UINT64_C(1) << 32)

enum { HASH_BYTES = 4 };

/* The same on all nodes: FNV-1a, and the finish of MurmurHash3 so that all bits count. */
static uint32_t hash_of(struct str name)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < name.n; i++)
        h = (h ^ (unsigned char)name.p[i]) * 0x100000001b3u;
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return (uint32_t)(h >> 32);
}

static int by_size(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;

    return *x < *y ? -1 : *x > *y;
}

/* In order, each once; how many there are. */
static uint32_t put_in_order(uint32_t *list, uint32_t n)
{
    uint32_t to = 0;

    if (n) qsort(list, n, sizeof *list, by_size);
    for (uint32_t i = 0; i < n; i++)
        if (!to || list[i] != list[to - 1]) list[to++] = list[i];
    return to;
}

static void keep_lowest(struct stats_rooms *r)
{
    r->n = put_in_order(r->low, r->n);
    if (r->n > STATS_ROOMS_MAX) r->n = STATS_ROOMS_MAX;
}

void stats_rooms_add(struct stats_rooms *r, struct str name)
{
    r->count++;
    r->low[r->n++] = hash_of(name);
    if (r->n == 2 * STATS_ROOMS_MAX) keep_lowest(r);
}

void stats_rooms_put(struct stats_rooms *r, struct sb *out)
{
    struct sb bytes = {0};

    keep_lowest(r);
    for (uint32_t i = 0; i < r->n; i++)
        for (int shift = 0; shift < 8 * HASH_BYTES; shift += 8)
            sb_char(&bytes, (char)(r->low[i] >> shift));
    sb_base64(out, sb_view(&bytes));
    sb_fini(&bytes);
}

void stats_rooms_join(struct stats_rooms_sum *sum, uint64_t count, struct str text)
{
    size_t before = sum->hashes.n, n;
    uint32_t last;

    sum->added += count;
    if (count > sum->most) sum->most = count;
    if (text.n > 2 * HASH_BYTES * STATS_ROOMS_MAX || sb_base64_decode(&sum->hashes, text) != OK ||
        (sum->hashes.n - before) % HASH_BYTES) {
        sum->hashes.n = before;
    }
    n = (sum->hashes.n - before) / HASH_BYTES;
    if (!n) sum->unknown += count;
    if (!n || count <= n) return;
    last = 0;
    for (int i = HASH_BYTES; i-- > 0;)
        last = last << 8 | (unsigned char)sum->hashes.p[sum->hashes.n - HASH_BYTES + (size_t)i];
    if (!sum->ceiling || last < sum->ceiling) sum->ceiling = last ? last : 1;
}

static uint64_t distinct(const struct stats_rooms_sum *sum)
{
    uint32_t all = (uint32_t)(sum->hashes.n / HASH_BYTES), n, below = 0, *list;

    if (!all) return 0;
    list = mem_new(all, sizeof *list);
    for (uint32_t i = 0; i < all * HASH_BYTES; i++)
        list[i / HASH_BYTES] |= (uint32_t)(unsigned char)sum->hashes.p[i] << 8 * (i % HASH_BYTES);
    n = put_in_order(list, all);
    while (below < n && list[below] <= sum->ceiling)
        below++;
    mem_free(list);
    return sum->ceiling ? below * RANGE / sum->ceiling : n;
}

uint64_t stats_rooms_total(struct stats_rooms_sum *sum)
{
    uint64_t total = distinct(sum) + sum->unknown;

    if (total > sum->added) total = sum->added;
    if (total < sum->most) total = sum->most;
    sb_fini(&sum->hashes);
    *sum = (struct stats_rooms_sum){0};
    return total;
}
