/* See private_erase.h. 7 and "7" share the keys of a user: the scripts look at each part. */
#include "node/features/private/private_erase.h"

#include "adapter/key.h"
#include "base/forbid.h"

/* ARGV[1]: the user's part. has: of a conversation. */
#define LUA_HAS                                                                                    \
    "local part, n = ARGV[1], #ARGV[1]\n"                                                          \
    "local function has(conv)\n"                                                                   \
    "  return string.sub(conv, 1, n + 1) == part .. ':' or string.sub(conv, -n - 1) == ':' .. "    \
    "part\n"                                                                                       \
    "end\n"

static struct adapter_script conversation_script = {
    .name = "private_erase_conversation",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE, KEY_CONV_IDS, KEY_CONV_ID_TIMES},
    .keys_count = 4,
    .text = "return redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4])\n",
};

static struct adapter_script inbox_script = {
    .name = "private_erase_inbox",
    .keys = {KEY_USER_INBOX},
    .keys_count = 1,
    .text = LUA_HAS "local low, gone = '-', 0\n"
                    "while true do\n"
                    "  local page = redis.call('XRANGE', KEYS[1], low, '+', 'COUNT', 200)\n"
                    "  for _, e in ipairs(page) do\n"
                    "    low = string.match(e[1], '^%d+') .. '-1'\n"
                    "    if has(e[2][2]) then gone = gone + redis.call('XDEL', KEYS[1], e[1]) end\n"
                    "  end\n"
                    "  if #page < 200 then break end\n"
                    "end\n"
                    "if redis.call('XLEN', KEYS[1]) == 0 then redis.call('DEL', KEYS[1]) end\n"
                    "return gone\n",
};

/* Of the user's own: positions of this part, and all when nobody else's are left. */
static struct adapter_script state_script = {
    .name = "private_erase_inbox_state",
    .keys = {KEY_USER_INBOX_STATE},
    .keys_count = 1,
    .text = "local part = ARGV[1]\n"
            "local gone = redis.call('HDEL', KEYS[1], 'd ' .. part, 'dp ' .. part, 'dt ' .. part)\n"
            "local left = redis.call('HKEYS', KEYS[1])\n"
            "if #left == 1 and left[1] == 'p' then gone = gone + redis.call('DEL', KEYS[1]) end\n"
            "return gone\n",
};

static struct adapter_script chats_script = {
    .name = "private_erase_chats",
    .keys = {KEY_USER_CHATS},
    .keys_count = 1,
    .text = LUA_HAS "local gone = 0\n"
                    "for _, conv in ipairs(redis.call('HKEYS', KEYS[1])) do\n"
                    "  if has(conv) then gone = gone + redis.call('HDEL', KEYS[1], conv) end\n"
                    "end\n"
                    "return gone\n",
};

/* Fields are two parts with a blank between them: who blocks, who is blocked. */
static struct adapter_script blocked_script = {
    .name = "private_erase_blocked",
    .keys = {KEY_USER_BLOCKED},
    .keys_count = 1,
    .text = "local gone = 0\n"
            "for _, pair in ipairs(redis.call('HKEYS', KEYS[1])) do\n"
            "  local a, b = string.match(pair, '^(%S+) (%S+)$')\n"
            "  if a == ARGV[1] or b == ARGV[1] then\n"
            "    gone = gone + redis.call('HDEL', KEYS[1], pair)\n"
            "  end\n"
            "end\n"
            "return gone\n",
};

static const struct {
    enum key key;
    bool is_own; /* of the user alone */
    struct adapter_script *script;
} rows[] = {
    {KEY_USER_INBOX, false, &inbox_script},
    {KEY_USER_CHATS, false, &chats_script},
    {KEY_USER_BLOCKED, false, &blocked_script},
    {KEY_USER_INBOX_STATE, true, &state_script},
};

int private_erase_init(struct private_erase *e, struct str raw)
{
    int rc;

    *e = (struct private_erase){0};
    rc = private_id_init(&e->id, raw);
    if (rc != OK) return rc;
    /* a part has no character that means something to MATCH */
    sb_z(&e->pattern, "ingoma:{conv:*");
    sb_str(&e->pattern, e->id.part);
    sb_z(&e->pattern, "*}:*");
    e->patterns[0] = sb_view(&e->pattern);
    e->patterns[1] = STR("ingoma:{user:*}:*");
    return OK;
}

void private_erase_fini(struct private_erase *e)
{
    private_id_fini(&e->id);
    sb_fini(&e->pattern);
    sb_fini(&e->names);
}

/* ---- keys ---- */

bool private_erase_key(struct private_erase *e, struct str key, struct redis_visit *out)
{
    struct str name;

    for (unsigned i = 0; i < conversation_script.keys_count; i++) {
        if (!key_is(conversation_script.keys[i], key, &name)) continue;
        if (!private_conversation_has(name, e->id.part)) return false;
        redis_visit_fill(out, &conversation_script, name, e->id.part, &e->names);
        return true;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (!key_is(rows[i].key, key, &name)) continue;
        if (rows[i].is_own && !str_eq(name, e->id.text)) return false;
        redis_visit_fill(out, rows[i].script, name, e->id.part, &e->names);
        return true;
    }
    return false;
}
