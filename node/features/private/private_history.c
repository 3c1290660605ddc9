/* History: pages of a conversation's log, with the cursors of both sides. */
#include "adapter/key.h"
#include "base/conf.h"
#include "events_out.h"
#include "node/features/private/private_priv.h"

enum {
    HISTORY_DEFAULT = 50,
    HISTORY_BYTES = 262144,
    HISTORY_HEAD = 5,
};

/* ARGV: who asks, the other one, before, after (empty: not asked), most, most bytes, seconds kept.
 * Returns 1: there is more, last seq, both read cursors, delivered cursor of the other one, events
 * in ascending order. */
static struct adapter_script history_script = {
    .name = "private_history",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE},
    .keys_count = 2,
    .text =
        "local log, state, who, other, most = KEYS[1], KEYS[2], ARGV[1], ARGV[2], "
        "tonumber(ARGV[5])\n"
        "local oldest = redis.call('TIME')[1] * 1000 - tonumber(ARGV[7]) * 1000\n"
        "local function get(field) return redis.call('HGET', state, field) or '0' end\n"
        "local function text(n) return string.format('%.0f', n) end\n"
        "local found, bytes, more = {}, 0, 0\n"
        "local forth, low, high = ARGV[4] ~= '', '-', '+'\n"
        "if forth then low = text(tonumber(ARGV[4]) + 1) .. '-0' end\n"
        "if ARGV[3] ~= '' then high = text(tonumber(ARGV[3]) - 1) .. '-1' end\n"
        "for _ = 1, 40 do\n"
        "  local page\n"
        "  if forth then page = redis.call('XRANGE', log, low, high, 'COUNT', 50)\n"
        "  else page = redis.call('XREVRANGE', log, high, low, 'COUNT', 50) end\n"
        "  for _, e in ipairs(page) do\n"
        "    local v, seq = e[2], tonumber(string.match(e[1], '^%d+'))\n"
        "    if forth then low = seq .. '-1' else high = (seq - 1) .. '-1' end\n"
        "    if (v[8] == '0' or v[4] == who) and tonumber(v[2]) >= oldest then\n"
        "      bytes = bytes + #v[12]\n"
        "      if #found == most or (#found > 0 and bytes > tonumber(ARGV[6])) then more = 1 break "
        "end\n"
        "      found[#found + 1] = v[12]\n"
        "    end\n"
        "  end\n"
        "  if more == 1 or #page < 50 then break end\n"
        "end\n"
        "local out = {more, get('seq'), get('r ' .. who), get('r ' .. other), get('d ' .. other)}\n"
        "for i = 1, #found do out[#out + 1] = found[forth and i or #found + 1 - i] end\n"
        "return out\n",
};

static void on_history(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;
    struct sb messages = {0}, array = {0};
    struct out_private_history say = {.user_id = a->other.raw, .conversation = sb_view(&a->conv)};

    if (rc == OK && count < HISTORY_HEAD) rc = ERR_INTERNAL;
    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        return;
    }
    sb_char(&messages, '[');
    for (unsigned i = HISTORY_HEAD; i < count; i++) {
        if (i > HISTORY_HEAD) sb_char(&messages, ',');
        sb_str(&messages, reply[i]);
    }
    sb_char(&messages, ']');
    say.messages = sb_view(&messages);
    say.has_more = str_eq(reply[0], STR("1"));
    say.last_seq = private_number(reply[1]);
    say.read_seq = private_number(reply[2]);
    say.other_read_seq = private_number(reply[3]);
    say.other_delivered_seq = private_number(reply[4]);
    out_private_history_encode(&array, &say);
    private_ask_answer(a, sb_view(&array));
    sb_fini(&messages);
    sb_fini(&array);
}

int private_on_history(struct event_ctx *c, const union event_in *in)
{
    const struct in_private_history *h = &in->private_history;
    struct private_call call = {0};
    struct private_ask *a;
    int rc = private_ask_new(c, h->user_id, &a);

    if (rc != OK) return rc;
    private_call_key(&call, KEY_CONV_LOG, sb_view(&a->conv));
    private_call_key(&call, KEY_CONV_STATE, sb_view(&a->conv));
    private_call_arg(&call, a->own.part);
    private_call_arg(&call, a->other.part);
    private_call_optional(&call, h->has_before, h->before);
    private_call_optional(&call, h->has_after, h->after);
    private_call_u64(&call, h->has_limit ? (uint64_t)h->limit : HISTORY_DEFAULT);
    private_call_u64(&call, HISTORY_BYTES);
    private_call_u64(&call, events_conf(c->events)->private_keep_days * 86400);
    private_call_run(a->feature, &call, &history_script, on_history, a);
    return OK;
}
