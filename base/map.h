/* String map with a seeded hash (SipHash-1-3): peers cannot make keys collide.
 * The key bytes are borrowed from the value's own storage for as long as the entry lives. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>
#include "base/str.h"

struct map_slot {
    struct str key; /* key.p NULL: empty */
    void *value;
    uint32_t hash;
};

struct map {
    struct map_slot *slots;
    size_t count, cap; /* cap is 0 or a power of two */
};

void map_fini(struct map *m); /* values are not touched */
void *map_get(const struct map *m, struct str key);

/* Adds or replaces; returns the value that was there before, or NULL. value must not be NULL. */
void *map_put(struct map *m, struct str key, void *value);

/* Returns the removed value or NULL. */
void *map_del(struct map *m, struct str key);

/* Iteration: *i starts at 0; NULL at the end. Entries may not be added or removed meanwhile. */
void *map_next(const struct map *m, size_t *i);

uint64_t map_hash(struct str key); /* with the process's seed */

#endif
