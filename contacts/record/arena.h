/* Memory that is given out piece by piece and given back all at once: records and what their texts
 * borrow from. Of one thread at a time. */
#ifndef CONTACTS_RECORD_ARENA_H
#define CONTACTS_RECORD_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena { /* zeroed is empty */
    struct arena_block *blocks;
};

void arena_fini(struct arena *a); /* and it is empty again */

/* Zeroed memory for count objects; aligned for any type. Never NULL. */
void *arena_new(struct arena *a, size_t count, size_t size);

/* A copy, with a NUL behind it. An empty text gives an empty text. */
struct str arena_str(struct arena *a, struct str s);

#endif
