/* Seeded string map: open addressing, linear probing, deletion by shifting back (no tombstones).
 * Never owns keys or values. */
#include "base/map.h"

#include <stdbool.h>
#include "base/mem.h"
#include "base/rand.h"
#include "base/forbid.h"

#define CAP_MIN 8

static uint64_t seed[2];
static bool is_seeded;

static inline uint64_t rotl(uint64_t v, int by)
{
    return v << by | v >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

/* SipHash with 1 round a word and 3 at the end (Aumasson, Bernstein), as Rust's and Ruby's maps use
 * it. */
uint64_t map_hash(struct str key)
{
    uint64_t v[4], tail = (uint64_t)key.n << 56;
    size_t i = 0;

    if (!is_seeded) {
        rand_bytes(seed, sizeof seed);
        is_seeded = true;
    }
    v[0] = seed[0] ^ 0x736f6d6570736575u;
    v[1] = seed[1] ^ 0x646f72616e646f6du;
    v[2] = seed[0] ^ 0x6c7967656e657261u;
    v[3] = seed[1] ^ 0x7465646279746573u;
    for (; key.n - i >= 8; i += 8) {
        uint64_t word;

        memcpy(&word, key.p + i, sizeof word);
        v[3] ^= word;
        sip_round(v);
        v[0] ^= word;
    }
    for (unsigned shift = 0; i < key.n; i++, shift += 8) {
        tail |= (uint64_t)(unsigned char)key.p[i] << shift;
    }
    v[3] ^= tail;
    sip_round(v);
    v[0] ^= tail;
    v[2] ^= 0xff;
    for (int k = 0; k < 3; k++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void map_fini(struct map *m)
{
    mem_free(m->slots);
    *m = (struct map){0};
}

/* Slot of the key, or the empty slot where it would go. m->cap is not 0. */
static struct map_slot *find(const struct map *m, struct str key, uint32_t hash)
{
    size_t mask = m->cap - 1;

    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        struct map_slot *s = &m->slots[i];

        if (!s->key.p || (s->hash == hash && str_eq(s->key, key))) return s;
    }
}

static void resize(struct map *m, size_t cap)
{
    struct map_slot *old = m->slots;
    size_t old_cap = m->cap;

    m->slots = mem_new(cap, sizeof *m->slots);
    m->cap = cap;
    for (size_t i = 0; i < old_cap; i++) {
        if (old[i].key.p) *find(m, old[i].key, old[i].hash) = old[i];
    }
    mem_free(old);
}

void *map_get(const struct map *m, struct str key)
{
    if (m->count == 0) return NULL;
    return find(m, key, (uint32_t)map_hash(key))->value;
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint32_t hash = (uint32_t)map_hash(key);
    struct map_slot *s;
    void *before;

    if (!key.p) key.p = ""; /* NULL marks an empty slot */
    if ((m->count + 1) * 4 > m->cap * 3) resize(m, m->cap ? m->cap * 2 : CAP_MIN);
    s = find(m, key, hash);
    before = s->value;
    if (!s->key.p) m->count++;
    *s = (struct map_slot){.key = key, .value = value, .hash = hash};
    return before;
}

void *map_del(struct map *m, struct str key)
{
    size_t mask = m->cap - 1, hole, i;
    struct map_slot *s;
    void *value;

    if (m->count == 0) return NULL;
    s = find(m, key, (uint32_t)map_hash(key));
    value = s->value;
    if (!s->key.p) return NULL;
    hole = i = (size_t)(s - m->slots);
    for (;;) { /* an entry may fill the hole when its home is not between the hole and itself */
        i = (i + 1) & mask;
        if (!m->slots[i].key.p) break;
        if (((i - m->slots[i].hash) & mask) < ((i - hole) & mask)) continue;
        m->slots[hole] = m->slots[i];
        hole = i;
    }
    m->slots[hole] = (struct map_slot){0};
    m->count--;
    if (m->cap > CAP_MIN && m->count < m->cap / 8) resize(m, m->cap / 2);
    return value;
}

void *map_next(const struct map *m, size_t *i)
{
    while (*i < m->cap) {
        const struct map_slot *s = &m->slots[(*i)++];

        if (s->key.p) return s->value;
    }
    return NULL;
}
