/* Names of the keys in Redis, from one table (keys.def), and the rule for scripts: every key is
 * declared there and all keys of one call carry the same {hash tag}. Pure. */
#ifndef ADAPTER_KEY_H
#define ADAPTER_KEY_H

#include <stdbool.h>
#include "base/str.h"

enum key {
#define KEY(id, pattern, type, ttl_s, owner, doc) KEY_##id,
#include "adapter/keys.def"
#undef KEY
    KEY_COUNT
};

enum key_ttl_s {
#define KEY(id, pattern, type, ttl_s, owner, doc) KEY_##id##_TTL_S = (ttl_s),
#include "adapter/keys.def"
#undef KEY
};

void key_name(enum key k, struct str name, struct sb *out); /* appends, with name for the * */
bool key_is(enum key k, struct str key, struct str *name);  /* name borrows from key */

/* What a Redis Cluster hashes: between the first { and the } after it; without them, or with
 * nothing between them, the whole key. */
struct str key_tag(struct str key);

/* May a script be called with these keys? want: what it declares, in order. */
bool key_fit(const enum key *want, unsigned want_count, const struct str *keys, unsigned count);

void key_print_markdown(struct sb *out);

#endif
