/* From the sender into the recipient's inbox: append to the conversation, put into the inbox, ack,
 * ring at the nodes where devices are. One message of a sender in a conversation is under way at a
 * time, so they keep their order. What was appended and not put (a node died, Redis was away) is
 * put by the next message, in front of it; nobody had an ack for it. */
#include "adapter/key.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/rand.h"
#include "events_out.h"
#include "node/features/private/private_priv.h"

enum {
    MESSAGE_ID_RANDOM = 9,
    ENTRY_WORDS = 5, /* of one message between the two scripts */
    HEAD_WORDS = 5,
};

/* ARGV: sender, recipient, clientMsgId, messageId, timestamp, event without seq, messages kept,
 * seconds kept, seq up to which they are in the inbox, so many times of both are kept for the
 * archive at most (0: there is none). With an archive numbers begin at the clock: a Redis that
 * forgot the conversation does not give those of the archive again. Returns 'full', or seq,
 * messageId, timestamp, what the recipient has read, 1 when it was there before, and what is not in
 * the inbox yet: seq, number, hidden, messageId, event of each. */
static struct adapter_script append_script = {
    .name = "private_append",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE, KEY_CONV_IDS, KEY_CONV_ID_TIMES},
    .keys_count = 4,
    .text =
        "local log, state, ids, times = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\n"
        "local from, to, client = ARGV[1], ARGV[2], ARGV[1] .. ' ' .. ARGV[3]\n"
        "local clock = redis.call('TIME')\n"
        "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"
        "local keep, ttl, times_more = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[10])\n"
        "local function get(field) return redis.call('HGET', state, field) or '0' end\n"
        "local open = {}\n"
        "for seq in string.gmatch(get('open ' .. from), '%d+') do\n"
        "  if tonumber(seq) > tonumber(ARGV[9]) then open[#open + 1] = seq end\n"
        "end\n"
        "local seq, id, at, was\n"
        "if ARGV[3] ~= '' then\n"
        "  was = redis.call('HGET', ids, client)\n"
        "  if was then seq, id, at = string.match(was, '^(%d+) (%S+) (%S+)$') end\n"
        "end\n"
        "if not seq then\n"
        "  if #open >= 100 then return {'full'} end\n"
        "  if times_more > 0 and redis.call('HEXISTS', state, 'seq') == 0 then\n"
        "    local start = string.format('%.0f', now)\n"
        "    redis.call('HSET', state, 'seq', start, 'a', start)\n"
        "  end\n"
        "  seq, id, at = tostring(redis.call('HINCRBY', state, 'seq', 1)), ARGV[4], ARGV[5]\n"
        "  local archived, had = tonumber(get('a')), redis.call('XLEN', log) + 1\n"
        "  if times_more > 0 then\n"
        "    keep = math.max(keep, math.min(tonumber(seq) - archived, keep * times_more))\n"
        "    ttl = ttl * times_more\n"
        "  else\n"
        "    archived = tonumber(seq)\n"
        "  end\n"
        "  local hidden, n = redis.call('HEXISTS', state, 'block ' .. to), get('n ' .. to)\n"
        "  if hidden == 0 and from ~= to then\n"
        "    n = redis.call('HINCRBY', state, 'n ' .. to, 1)\n"
        "    redis.call('HSET', state, 'l ' .. to, seq)\n"
        "  end\n"
        "  redis.call('XADD', log, 'MAXLEN', keep, seq .. '-0', 't', string.format('%.0f', "
        "now),\n"
        "    'f', from, 'n', n, 'h', hidden, 'i', id,\n"
        "    'b', string.sub(ARGV[6], 1, -2) .. ',\"seq\":' .. seq .. '}')\n"
        "  local lost = math.max(0, math.min(had - keep, tonumber(seq) - keep - archived))\n"
        "  for _ = 1, 20 do\n"
        "    local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]\n"
        "    if not first or tonumber(first[2][2]) > now - ttl * 1000 then break end\n"
        "    redis.call('XDEL', log, first[1])\n"
        "    if tonumber(string.match(first[1], '^%d+')) > archived then lost = lost + 1 end\n"
        "  end\n"
        "  if lost > 0 then redis.call('HINCRBY', state, 'lost', lost) end\n"
        "  open[#open + 1] = seq\n"
        "  if ARGV[3] ~= '' then\n"
        "    redis.call('HSET', ids, client, seq .. ' ' .. id .. ' ' .. at)\n"
        "    redis.call('ZADD', times, now, client)\n"
        "    redis.call('EXPIRE', ids, 86400)\n"
        "    redis.call('EXPIRE', times, 86400)\n"
        "  end\n"
        "  local old = redis.call('ZRANGEBYSCORE', times, '-inf', now - 86400000, 'LIMIT', 0, "
        "100)\n"
        "  for _, name in ipairs(old) do\n"
        "    redis.call('ZREM', times, name)\n"
        "    redis.call('HDEL', ids, name)\n"
        "  end\n"
        "  redis.call('EXPIRE', log, ttl)\n"
        "end\n"
        "redis.call('HSET', state, 'open ' .. from, table.concat(open, ' '))\n"
        "redis.call('EXPIRE', state, 34560000)\n"
        "local out = {seq, id, at, get('rn ' .. to), was and 1 or 0}\n"
        "for _, one in ipairs(open) do\n"
        "  local e = redis.call('XRANGE', log, one .. '-0', one .. '-0')[1]\n"
        "  if e then\n"
        "    local v = e[2]\n"
        "    for _, word in ipairs({one, v[6], v[8], v[10], v[12]}) do out[#out + 1] = word end\n"
        "  end\n"
        "end\n"
        "return out\n",
};

/* ARGV: conversation, the sender's id, the same as text, recipient, what it has read, messages
 * kept, seconds kept, then seq, number, hidden, messageId, event of each. Returns the nodes with
 * devices of the recipient. Putting twice puts once. HGETALL is bounded: 1,000 conversations, a
 * field a node. */
static struct adapter_script put_script = {
    .name = "private_put",
    .keys = {KEY_USER_INBOX, KEY_USER_INBOX_STATE, KEY_USER_CHATS, KEY_USER_NODES},
    .keys_count = 4,
    .text =
        "local inbox, state, chats, nodes = KEYS[1], KEYS[2], KEYS[3], KEYS[4]\n"
        "local conv = ARGV[1]\n"
        "local clock = redis.call('TIME')\n"
        "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"
        "local had, n, rn = string.match(redis.call('HGET', chats, conv) or '0 0 0 ',\n"
        "  '^(%d+) (%d+) (%d+) ')\n"
        "had, n, rn = tonumber(had), tonumber(n), math.max(tonumber(rn), tonumber(ARGV[5]))\n"
        "local p = tonumber(redis.call('HGET', state, 'p') or 0)\n"
        "for i = 8, #ARGV, 5 do\n"
        "  local seq = tonumber(ARGV[i])\n"
        "  if seq > had then\n"
        "    p = math.max(p + 1, now)\n"
        "    redis.call('XADD', inbox, 'MAXLEN', ARGV[6], string.format('%.0f-0', p), 'c', conv,\n"
        "      's', ARGV[i], 'h', ARGV[i + 2], 'f', ARGV[3], 'i', ARGV[i + 3], 'to', ARGV[4],\n"
        "      'b', ARGV[i + 4])\n"
        "    had, n = seq, math.max(n, tonumber(ARGV[i + 1]))\n"
        "  end\n"
        "end\n"
        "local old = string.format('%.0f', now - tonumber(ARGV[7]) * 1000)\n"
        "for _, e in ipairs(redis.call('XRANGE', inbox, '-', old, 'COUNT', 20)) do\n"
        "  redis.call('XDEL', inbox, e[1])\n"
        "end\n"
        "redis.call('HSET', state, 'p', string.format('%.0f', p))\n"
        "redis.call('HSET', chats, conv,\n"
        "  string.format('%.0f %.0f %.0f %.0f ', had, n, rn, now) .. ARGV[2])\n"
        "if redis.call('HLEN', chats) > 1000 then\n"
        "  local all, oldest, first = redis.call('HGETALL', chats), nil, nil\n"
        "  for i = 1, #all, 2 do\n"
        "    local at = tonumber(string.match(all[i + 1], '^%d+ %d+ %d+ (%d+)') or 0)\n"
        "    if not oldest or at < oldest then oldest, first = at, all[i] end\n"
        "  end\n"
        "  redis.call('HDEL', chats, first)\n"
        "end\n"
        "redis.call('EXPIRE', inbox, ARGV[7])\n"
        "redis.call('EXPIRE', state, 34560000)\n"
        "redis.call('EXPIRE', chats, 34560000)\n"
        "return redis.call('HKEYS', nodes)\n",
};

/* ARGV: sender, seq: everything up to it is in the inbox. */
static struct adapter_script handed_script = {
    .name = "private_handed",
    .keys = {KEY_CONV_STATE},
    .keys_count = 1,
    .text = "local field, left = 'open ' .. ARGV[1], {}\n"
            "for seq in string.gmatch(redis.call('HGET', KEYS[1], field) or '', '%d+') do\n"
            "  if tonumber(seq) > tonumber(ARGV[2]) then left[#left + 1] = seq end\n"
            "end\n"
            "if #left > 0 then redis.call('HSET', KEYS[1], field, table.concat(left, ' '))\n"
            "else redis.call('HDEL', KEYS[1], field) end\n"
            "return 1\n",
};

/* Messages of one sender in one conversation, in their order. */
struct lane {
    struct private *feature;
    struct str key, conv; /* conv is the head of key */
    struct private_id from, to;
    struct list sends; /* the first one is under way */
    uint64_t handed;   /* seq up to which they are in the inbox */
    char bytes[];
};

struct send {
    struct list node;
    struct event_later *later;
    struct sb texts;
    struct str client, id, time, event;
    struct str own_socket; /* its id: it gets no privateMessageSync */
    /* from the first script */
    struct sb told; /* ack, and members of messageQueued */
    uint64_t seq;
    bool is_again;
    /* from those behind it */
    unsigned waits;  /* answers to come: the inbox, the archive's mark */
    int rc;          /* of these, the first that failed */
    struct sb nodes; /* with devices of the recipient, ADAPTER_NODE_ID_SIZE bytes each */
};

static void send_free(struct send *s)
{
    sb_fini(&s->texts);
    sb_fini(&s->told);
    sb_fini(&s->nodes);
    mem_free(s);
}

static void lane_free(struct lane *l)
{
    struct list *node;

    map_del(&l->feature->lanes, l->key);
    while ((node = list_shift(&l->sends))) {
        struct send *s = LIST_OWNER(node, struct send, node);

        event_later_drop(s->later);
        send_free(s);
    }
    private_id_fini(&l->from);
    private_id_fini(&l->to);
    mem_free(l);
}

static struct send *first(struct lane *l)
{
    return LIST_OWNER(l->sends.next, struct send, node);
}

static void call_append(struct lane *l);

/* ---- telling ---- */

static void sync_own(struct lane *l, const struct send *s)
{
    struct private *p = l->feature;
    struct sb names = {0}, event = {0};
    struct sio_cast to = sio_cast_all(p->nsp);

    sb_z(&event, "[\"privateMessageSync\",");
    sb_str(&event, str_head(s->event, s->event.n - 1));
    sb_printf(&event, ",\"seq\":%llu}]", (unsigned long long)s->seq);
    private_aim(&to, l->from.text, l->from.part, &names);
    to.except[to.except_count++] = s->own_socket;
    sio_cast_emit(&to, sb_view(&event), NULL, 0);
    sb_fini(&names);
    sb_fini(&event);
}

/* ---- the two steps ---- */

static void note_handed(struct lane *l)
{
    struct private_call c = {0};

    if (!l->handed) return;
    private_call_key(&c, KEY_CONV_STATE, l->conv);
    private_call_arg(&c, l->from.part);
    private_call_u64(&c, l->handed);
    private_call_run(l->feature, &c, &handed_script, NULL, NULL);
}

/* The first one is done: the next, or the end of the lane. Those behind one that Redis did not
 * answer in time are not kept waiting. May free l. */
static void end_first(struct lane *l, int rc)
{
    struct send *s;

    do {
        s = first(l);
        event_later_end(s->later, rc, sb_view(&s->told));
        if (rc == OK && !s->is_again && !str_eq(l->from.part, l->to.part)) sync_own(l, s);
        if (rc == OK)
            private_bell(l->feature, &(struct private_ringing){.from = &l->from,
                                                               .to = &l->to,
                                                               .told = sb_view(&s->told),
                                                               .nodes = sb_view(&s->nodes)});
        list_unlink(&s->node);
        send_free(s);
    } while (rc == ERR_TIMEOUT && !list_is_empty(&l->sends));
    if (!list_is_empty(&l->sends)) {
        call_append(l);
        return;
    }
    note_handed(l);
    lane_free(l);
}

/* One of the answers that the first one waits for. May free l. */
static void end_step(struct lane *l, int rc)
{
    struct send *s = first(l);

    if (s->rc == OK) s->rc = rc;
    if (--s->waits) return;
    if (s->rc == ERR_CLOSED)
        lane_free(l);
    else
        end_first(l, s->rc);
}

static void on_put(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct lane *l = ctx;
    struct send *s = first(l);

    if (rc == OK && s->seq > l->handed) l->handed = s->seq;
    for (unsigned i = 0; i < count; i++)
        if (reply[i].n == ADAPTER_NODE_ID_SIZE) sb_str(&s->nodes, reply[i]);
    end_step(l, rc);
}

static void on_marked(void *ctx, int rc)
{
    end_step(ctx, rc);
}

static void call_put(struct lane *l, const struct str *reply, unsigned count)
{
    const struct conf *conf = events_conf(l->feature->events);
    struct private_call c = {0};

    private_call_key(&c, KEY_USER_INBOX, l->to.text);
    private_call_key(&c, KEY_USER_INBOX_STATE, l->to.text);
    private_call_key(&c, KEY_USER_CHATS, l->to.text);
    private_call_key(&c, KEY_USER_NODES, l->to.text);
    private_call_arg(&c, l->conv);
    private_call_arg(&c, l->from.raw);
    private_call_arg(&c, l->from.text);
    private_call_arg(&c, l->to.part);
    private_call_arg(&c, reply[3]);
    private_call_u64(&c, conf->private_keep_messages);
    private_call_u64(&c, conf->private_keep_days * 86400);
    for (unsigned i = HEAD_WORDS; i < count; i++)
        private_call_arg(&c, reply[i]);
    private_call_run(l->feature, &c, &put_script, on_put, l);
}

static void on_appended(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct lane *l = ctx;
    struct send *s = first(l);

    if (rc == ERR_CLOSED) {
        lane_free(l);
        return;
    }
    if (rc == OK && count == 1) rc = ERR_UNAVAILABLE; /* full: the inbox is out of reach */
    if (rc == OK && (count < HEAD_WORDS || (count - HEAD_WORDS) % ENTRY_WORDS ||
                     str_u64(reply[0], UINT64_MAX, &s->seq) != OK))
        rc = ERR_INTERNAL;
    if (rc != OK) {
        end_first(l, rc);
        return;
    }
    s->is_again = str_eq(reply[4], STR("1"));
    sb_z(&s->told, "\"messageId\":");
    sb_json(&s->told, reply[1]);
    sb_z(&s->told, ",\"timestamp\":");
    sb_json(&s->told, reply[2]);
    sb_z(&s->told, ",\"conversation\":");
    sb_json(&s->told, l->conv);
    sb_printf(&s->told, ",\"seq\":%llu", (unsigned long long)s->seq);
    s->waits = 1 + private_archive_mark(l->feature, l->conv, on_marked, l);
    call_put(l, reply, count);
}

static void call_append(struct lane *l)
{
    const struct conf *conf = events_conf(l->feature->events);
    const struct send *s = first(l);
    struct private_call c = {0};

    private_call_key(&c, KEY_CONV_LOG, l->conv);
    private_call_key(&c, KEY_CONV_STATE, l->conv);
    private_call_key(&c, KEY_CONV_IDS, l->conv);
    private_call_key(&c, KEY_CONV_ID_TIMES, l->conv);
    private_call_arg(&c, l->from.part);
    private_call_arg(&c, l->to.part);
    private_call_arg(&c, s->client);
    private_call_arg(&c, s->id);
    private_call_arg(&c, s->time);
    private_call_arg(&c, s->event);
    private_call_u64(&c, conf->private_keep_messages);
    private_call_u64(&c, conf->private_keep_days * 86400);
    private_call_u64(&c, l->handed);
    private_call_u64(&c, private_archive_times(l->feature));
    private_call_run(l->feature, &c, &append_script, on_appended, l);
}

/* ---- a new one ---- */

static struct lane *lane_of(struct private *p, const struct private_sending *in)
{
    struct sb key = {0};
    struct lane *l;
    size_t conv_n;

    private_conversation(in->from->part, in->to->part, &key);
    conv_n = key.n;
    sb_char(&key, ' ');
    sb_str(&key, in->from->part);
    l = map_get(&p->lanes, sb_view(&key));
    if (!l) {
        l = mem_new(1, sizeof *l + key.n);
        memcpy(l->bytes, key.p, key.n);
        l->feature = p;
        l->key = str_of(l->bytes, key.n);
        l->conv = str_head(l->key, conv_n);
        list_init(&l->sends);
        (void)!private_id_init(&l->from, in->from->raw); /* both were read before */
        (void)!private_id_init(&l->to, in->to->raw);
        map_put(&p->lanes, l->key, l);
    }
    sb_fini(&key);
    return l;
}

/* msg_<milliseconds since 1970>_<9 of a-z0-9>, as the pages expect. */
static void put_message_id(struct sb *b, uint64_t wall_ms)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    sb_z(b, "msg_");
    sb_u64(b, wall_ms);
    sb_char(b, '_');
    for (int i = 0; i < MESSAGE_ID_RANDOM; i++)
        sb_char(b, letters[rand_below(sizeof letters - 1)]);
}

/* The event's object, as everybody will get it but for seq, which only Redis knows. */
static void put_event(struct sb *b, const struct lane *l, const struct private_sending *in,
                      struct str id, struct str time)
{
    const struct str head = STR("[\"privateMessage\",");
    const struct out_private_message say = {.sender_id = l->from.raw,
                                            .sender_name = in->from_name,
                                            .message = in->message.n ? in->message : STR("null"),
                                            .type = in->type.n ? in->type : STR("text"),
                                            .timestamp = time,
                                            .message_id = id,
                                            .recipient_id = l->to.raw,
                                            .conversation = l->conv};
    struct sb array = {0};

    out_private_message_encode(&array, &say);
    sb_str(b, str_skip(str_head(sb_view(&array), array.n - 1), head.n));
    sb_fini(&array);
}

void private_send(struct private *p, const struct private_sending *in)
{
    struct lane *l = lane_of(p, in);
    struct send *s = MEM_NEW(struct send);
    struct str socket = sio_socket_id(in->socket), all;
    uint64_t wall_ms = clock_wall_ms();
    char now[CLOCK_ISO_SIZE];
    struct sb id = {0};

    list_init(&s->node);
    clock_iso(wall_ms, now);
    put_message_id(&id, wall_ms);
    s->later = in->later;
    sb_str(&s->texts, in->client_msg_id);
    sb_str(&s->texts, sb_view(&id));
    sb_z(&s->texts, now);
    sb_str(&s->texts, socket);
    put_event(&s->texts, l, in, sb_view(&id), str_z(now));
    all = sb_view(&s->texts);
    s->client = str_head(all, in->client_msg_id.n);
    all = str_skip(all, s->client.n);
    s->id = str_head(all, id.n);
    all = str_skip(all, id.n);
    s->time = str_head(all, CLOCK_ISO_SIZE - 1);
    all = str_skip(all, CLOCK_ISO_SIZE - 1);
    s->own_socket = str_head(all, socket.n);
    s->event = str_skip(all, socket.n);
    sb_fini(&id);
    list_push(&l->sends, &s->node);
    if (l->sends.next == &s->node) call_append(l);
}
