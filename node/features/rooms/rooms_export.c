/* See rooms_export.h. */
#include "node/features/rooms/rooms_export.h"

#include "base/clock.h"
#include "base/forbid.h"

/* ARGV: the member. Returns 0, or the key and until when the member is muted and kicked. */
static struct adapter_script bars_script = {
    .name = "rooms_export_bars",
    .keys = {KEY_ROOM_BARS},
    .keys_count = 1,
    .text = "local both = redis.call('HMGET', KEYS[1], 'm' .. ARGV[1], 'k' .. ARGV[1])\n"
            "if not (both[1] or both[2]) then return 0 end\n"
            "return {KEYS[1], both[1] or '', both[2] or ''}\n",
};

bool rooms_export_key(struct str member, struct str key, struct redis_visit *out,
                      struct sb *scratch)
{
    struct str name;

    if (!key_is(KEY_ROOM_BARS, key, &name)) return false;
    redis_visit_fill(out, &bars_script, name, member, scratch);
    return true;
}

unsigned rooms_export_put(const struct str *reply, unsigned count, struct sb *out)
{
    static const char *const names[] = {"mutedUntil", "kickedUntil"};
    struct str name, nsp, room;

    if (count != 3 || !key_is(KEY_ROOM_BARS, reply[0], &name)) return 0;
    if (!str_cut(name, ':', &nsp, &room)) return 0;
    sb_z(out, "{\"type\":\"room\",\"namespace\":");
    sb_json(out, nsp);
    sb_z(out, ",\"roomId\":");
    sb_json(out, room);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char iso[CLOCK_ISO_SIZE];
        uint64_t ms;

        if (str_u64(reply[i + 1], INT64_MAX, &ms) != OK) continue;
        clock_iso(ms, iso);
        sb_printf(out, ",\"%s\":\"%s\"", names[i], iso);
    }
    sb_z(out, "}\n");
    return 1;
}
