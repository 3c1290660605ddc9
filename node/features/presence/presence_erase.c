/* See presence_erase.h. Who looks for changes since before an erased leave gets a full copy. */
#include "node/features/presence/presence_erase.h"

#include "adapter/key.h"
#include "base/forbid.h"

static struct adapter_script seen_script = {
    .name = "presence_erase_seen",
    .keys = {KEY_USER_PRESENCE},
    .keys_count = 1,
    .text = "return redis.call('DEL', KEYS[1])\n",
};

/* ARGV: the user. */
static struct adapter_script left_script = {
    .name = "presence_erase_left",
    .keys = {KEY_PRESENCE_ROWS, KEY_PRESENCE_LEFT, KEY_PRESENCE_TIMES},
    .keys_count = 3,
    .text = "local rows, left, times = KEYS[1], KEYS[2], KEYS[3]\n"
            "local seq, gone = redis.call('ZSCORE', left, ARGV[1]), redis.call('HDEL', times, "
            "ARGV[1])\n"
            "if not seq then return gone end\n"
            "local floor = tonumber(redis.call('HGET', rows, ':floor') or 0)\n"
            "if redis.call('EXISTS', rows) == 1 and tonumber(seq) > floor then\n"
            "  redis.call('HSET', rows, ':floor', seq)\n"
            "end\n"
            "return gone + redis.call('ZREM', left, ARGV[1])\n",
};

bool presence_erase_key(struct str user, struct str key, struct redis_visit *out,
                        struct sb *scratch)
{
    struct str name;

    if (key_is(KEY_USER_PRESENCE, key, &name) && str_eq(name, user))
        redis_visit_fill(out, &seen_script, name, user, scratch);
    else if (key_is(KEY_PRESENCE_LEFT, key, &name) || key_is(KEY_PRESENCE_TIMES, key, &name))
        redis_visit_fill(out, &left_script, name, user, scratch);
    else
        return false;
    return true;
}
