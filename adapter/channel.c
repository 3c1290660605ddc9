/* Fills the names of channel.def. */
#include "adapter/channel.h"

#include "base/forbid.h"

enum kind { KIND_PLAIN, KIND_PATTERN, KIND_SHARD };

static const struct row {
    const char *id, *name, *doc;
    enum kind kind;
} rows[CHANNEL_COUNT] = {
#define CHANNEL(id, sort, name, doc) [CHANNEL_##id] = {#id, name, doc, (enum kind)(sort)},
#include "adapter/channel.def"
#undef CHANNEL
};

/* Redis' glob: * ? [ ] ^ - within brackets, and the backslash itself (util.c, stringmatchlen). */
static void put_part(struct sb *out, struct str s, bool is_pattern)
{
    for (size_t i = 0; is_pattern && i < s.n; i++) {
        if (strchr("*?[]^\\", s.p[i]) && s.p[i]) sb_char(out, '\\');
        sb_char(out, s.p[i]);
    }
    if (!is_pattern) sb_put(out, s.p, s.n);
}

static struct str part_of(const struct channel_parts *parts, struct str key)
{
    if (str_eq(key, STR("prefix"))) return parts->prefix;
    if (str_eq(key, STR("nsp"))) return parts->nsp;
    if (str_eq(key, STR("room"))) return parts->room;
    if (str_eq(key, STR("uid"))) return parts->uid;
    return parts->node;
}

void channel_name(enum channel c, const struct channel_parts *parts, struct sb *out)
{
    struct str rest = str_z(rows[c].name), head, key;

    while (str_cut(rest, '{', &head, &rest)) {
        sb_str(out, head);
        (void)str_cut(rest, '}', &key, &rest);
        put_part(out, part_of(parts, key), rows[c].kind == KIND_PATTERN);
    }
    sb_str(out, head);
}

static bool drop_head(struct str *s, struct str head)
{
    if (!str_starts(*s, head)) return false;
    *s = str_skip(*s, head.n);
    return true;
}

bool channel_room(struct str channel, struct str prefix, struct str nsp, struct str *room)
{
    if (!drop_head(&channel, prefix) || !drop_head(&channel, STR("#"))) return false;
    if (!drop_head(&channel, nsp) || !drop_head(&channel, STR("#"))) return false;
    *room = str_head(channel, channel.n ? channel.n - 1 : 0);
    return true;
}

void channel_print_markdown(struct sb *out)
{
    static const char *const kinds[] = {[KIND_PLAIN] = "SUBSCRIBE or PUBLISH",
                                        [KIND_PATTERN] = "PSUBSCRIBE",
                                        [KIND_SHARD] = "SSUBSCRIBE or SPUBLISH"};

    sb_z(out, "| channel | kind | use |\n|---|---|---|\n");
    for (int i = 0; i < CHANNEL_COUNT; i++)
        sb_printf(out, "| `%s` | %s | %s |\n", rows[i].name, kinds[rows[i].kind], rows[i].doc);
}
