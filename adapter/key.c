/* Fills and reads the names of keys.def. */
#include "adapter/key.h"

#include "base/forbid.h"

static const struct row {
    const char *pattern, *type, *owner, *doc;
    unsigned ttl_s;
} rows[KEY_COUNT] = {
#define KEY(id, name, kind, ttl, who, text)                                                        \
    [KEY_##id] = {.pattern = (name), .type = (kind), .ttl_s = (ttl), .owner = (who), .doc = (text)},
#include "adapter/keys.def"
#undef KEY
};

void key_name(enum key k, struct str name, struct sb *out)
{
    struct str head, tail;

    (void)str_cut(str_z(rows[k].pattern), '*', &head, &tail);
    sb_str(out, head);
    sb_str(out, name);
    sb_str(out, tail);
}

bool key_is(enum key k, struct str key, struct str *name)
{
    struct str head, tail;

    (void)str_cut(str_z(rows[k].pattern), '*', &head, &tail);
    if (!key.p || key.n <= head.n + tail.n || !str_starts(key, head)) return false;
    if (!str_eq(str_skip(key, key.n - tail.n), tail)) return false;
    *name = str_head(str_skip(key, head.n), key.n - head.n - tail.n);
    return true;
}

/* Source: Redis cluster specification, "Hash tags". */
struct str key_tag(struct str key)
{
    struct str before, rest, tag;

    if (!str_cut(key, '{', &before, &rest) || !str_cut(rest, '}', &tag, &rest)) return key;
    return tag.n ? tag : key;
}

bool key_fit(const enum key *want, unsigned want_count, const struct str *keys, unsigned count)
{
    struct str name;

    if (count != want_count) return false;
    for (unsigned i = 0; i < count; i++)
        if (!key_is(want[i], keys[i], &name) || !str_eq(key_tag(keys[i]), key_tag(keys[0])))
            return false;
    return true;
}

void key_print_markdown(struct sb *out)
{
    sb_z(out, "| key | type | lives s | owner | content |\n|---|---|---:|---|---|\n");
    for (int i = 0; i < KEY_COUNT; i++) {
        sb_printf(out, "| `%s` | %s | ", rows[i].pattern, rows[i].type);
        if (rows[i].ttl_s)
            sb_u64(out, rows[i].ttl_s);
        else
            sb_z(out, "until empty");
        sb_printf(out, " | `%s` | %s |\n", rows[i].owner, rows[i].doc);
    }
}
