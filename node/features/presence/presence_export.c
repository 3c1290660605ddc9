/* See presence_export.h. */
#include "node/features/presence/presence_export.h"

#include "base/clock.h"
#include "node/features/presence/presence_list.h"
#include "base/forbid.h"

enum { US_PER_MS = 1000 };

/* Returns the chosen status and the millisecond at which the user was last shown. */
static struct adapter_script seen_script = {
    .name = "presence_export_seen",
    .keys = {KEY_USER_PRESENCE},
    .keys_count = 1,
    .text = "local both = redis.call('HMGET', KEYS[1], 'status', 'seen')\n"
            "return {both[1] or '', both[2] or ''}\n",
};

/* ARGV: the user. Returns the row without its time, and the microsecond of leaving. */
static struct adapter_script row_script = {
    .name = "presence_export_row",
    .keys = {KEY_PRESENCE_ROWS, KEY_PRESENCE_TIMES},
    .keys_count = 2,
    .text = "local row = redis.call('HGET', KEYS[1], 'u' .. ARGV[1]) or ''\n"
            "return {string.match(row, '^%d+ (.*)$') or '',\n"
            "  redis.call('HGET', KEYS[2], ARGV[1]) or ''}\n",
};

static void put_time(const char *name, uint64_t ms, struct sb *out)
{
    char iso[CLOCK_ISO_SIZE];

    clock_iso(ms, iso);
    sb_printf(out, ",\"%s\":\"%s\"", name, iso);
}

void presence_export_seen(struct str user, struct redis_visit *out, struct sb *scratch)
{
    redis_visit_fill(out, &seen_script, user, STR_NONE, scratch);
}

unsigned presence_export_put_seen(const struct str *reply, unsigned count, struct sb *out)
{
    uint64_t seen_ms;

    if (count != 2 || (!reply[0].n && !reply[1].n)) return 0;
    sb_z(out, "{\"type\":\"presence\"");
    if (reply[0].n) {
        sb_z(out, ",\"status\":");
        sb_json(out, reply[0]);
    }
    if (str_u64(reply[1], INT64_MAX, &seen_ms) == OK) put_time("lastSeen", seen_ms, out);
    sb_z(out, "}\n");
    return 1;
}

void presence_export_row(struct str prefix, struct str user, struct redis_visit *out,
                         struct sb *scratch)
{
    redis_visit_fill(out, &row_script, prefix, user, scratch);
}

unsigned presence_export_put_row(const struct str *reply, unsigned count, struct sb *out)
{
    struct presence_value v;
    uint64_t left_us;

    if (count != 2) return 0;
    if (presence_value_read(reply[0], &v) == OK) {
        sb_z(out, "{\"type\":\"online\",");
        sb_str(out, v.members);
        sb_printf(out, ",\"status\":\"%s\"", presence_status_name(v.status));
        put_time("lastActivity", v.active_ms, out);
    } else if (str_u64(reply[1], INT64_MAX, &left_us) == OK) {
        sb_z(out, "{\"type\":\"offline\"");
        put_time("since", left_us / US_PER_MS, out);
    } else {
        return 0;
    }
    sb_z(out, "}\n");
    return 1;
}
