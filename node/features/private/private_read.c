/* From the inbox to the devices of this node. Who sends only rings; a reader takes what is new for
 * its devices, one call at a time, so that order is the inbox's and a ring that was lost is made
 * good by the next look. Only what was handed to a device is marked as delivered, afterwards: a
 * node that dies in between leaves it for the next connect. */
#include "adapter/key.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/private/private_priv.h"

enum {
    TAKE_MAX = 100,
    TAKE_BYTES = 262144,
    HEAD_WORDS = 5,
    ENTRY_WORDS = 3,
    RECEIPT_WORDS = 4,
    AGAIN_MS = 50, /* the core has not written yet that a device is here */
    AGAIN_MAX_MS = 2000,
    KEEP_DELIVERED_MS = 300000, /* a node whose link was cut for less misses nothing */
};

/* ARGV: node, recipient, position its devices have (empty: there are only new ones), 1: there are
 * new ones, time of resending, most entries, most bytes, milliseconds kept. Returns 1 when the node
 * is known to have devices, where new devices begin, what is delivered, 1: there is more, the
 * position reached; position, hidden, event of each. */
static struct adapter_script take_script = {
    .name = "private_take",
    .keys = {KEY_USER_INBOX, KEY_USER_INBOX_STATE, KEY_USER_NODES},
    .keys_count = 3,
    .text = "local inbox, state, nodes, to = KEYS[1], KEYS[2], KEYS[3], ARGV[2]\n"
            "local clock = redis.call('TIME')\n"
            "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"
            "local function get(field) return tonumber(redis.call('HGET', state, field) or 0) end\n"
            "local function text(p) return string.format('%.0f', p) end\n"
            "local d, reached = get('d ' .. to), get('p')\n"
            "local again, more, bytes = d, 0, 0\n"
            "if now - get('dt ' .. to) < tonumber(ARGV[5]) then again = get('dp ' .. to) end\n"
            "local start = tonumber(ARGV[3]) or again\n"
            "if ARGV[4] == '1' then start = math.min(start, again) end\n"
            "start = math.max(start, now - tonumber(ARGV[8]))\n"
            "local out = {redis.call('HEXISTS', nodes, ARGV[1]), text(again), text(d), 0, ''}\n"
            "local found = redis.call('XRANGE', inbox, text(start + 1) .. '-0', '+', 'COUNT', "
            "ARGV[6])\n"
            "if #found == tonumber(ARGV[6]) then more = 1 end\n"
            "local at\n"
            "for _, e in ipairs(found) do\n"
            "  local v = e[2]\n"
            "  bytes = bytes + #v[14]\n"
            "  if at and bytes > tonumber(ARGV[7]) then more = 1 break end\n"
            "  at = string.match(e[1], '^%d+')\n"
            "  if v[12] == to then\n"
            "    for _, word in ipairs({at, v[6], v[14]}) do out[#out + 1] = word end\n"
            "  end\n"
            "end\n"
            "out[4] = more\n"
            "out[5] = more == 1 and at or text(reached)\n"
            "return out\n",
};

/* ARGV: recipient, position, time of resending, milliseconds that delivered ones are kept. Returns
 * sender, messageId, conversation, seq of what was not delivered before. */
static struct adapter_script mark_script = {
    .name = "private_mark",
    .keys = {KEY_USER_INBOX, KEY_USER_INBOX_STATE},
    .keys_count = 2,
    .text =
        "local inbox, state, to, p = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])\n"
        "local clock = redis.call('TIME')\n"
        "local now = clock[1] * 1000 + math.floor(clock[2] / 1000)\n"
        "local function get(field) return tonumber(redis.call('HGET', state, field) or 0) end\n"
        "local function text(n) return string.format('%.0f', n) end\n"
        "local d, dp, out = get('d ' .. to), get('dp ' .. to), {}\n"
        "if p <= d then return out end\n"
        "for _, e in ipairs(redis.call('XRANGE', inbox, text(d + 1) .. '-0', text(p) .. '-0')) do\n"
        "  local v = e[2]\n"
        "  if v[12] == to then\n"
        "    for _, word in ipairs({v[8], v[10], v[2], v[4]}) do out[#out + 1] = word end\n"
        "  end\n"
        "end\n"
        "if now - get('dt ' .. to) >= tonumber(ARGV[3]) then\n"
        "  dp = d\n"
        "  redis.call('HSET', state, 'dp ' .. to, text(d), 'dt ' .. to, text(now))\n"
        "end\n"
        "redis.call('HSET', state, 'd ' .. to, text(p))\n"
        "local old = math.min(dp, now - tonumber(ARGV[4]))\n"
        "if old > 0 then\n"
        "  local gone = redis.call('XRANGE', inbox, '-', text(old) .. '-0', 'COUNT', 200)\n"
        "  for _, e in ipairs(gone) do\n"
        "    if e[2][12] == to then redis.call('XDEL', inbox, e[1]) end\n"
        "  end\n"
        "end\n"
        "return out\n",
};

/* ARGV: recipient, seq. */
static struct adapter_script delivered_script = {
    .name = "private_delivered",
    .keys = {KEY_CONV_STATE},
    .keys_count = 1,
    .text = "local field = 'd ' .. ARGV[1]\n"
            "local had = tonumber(redis.call('HGET', KEYS[1], field) or 0)\n"
            "if tonumber(ARGV[2]) > had then redis.call('HSET', KEYS[1], field, ARGV[2]) end\n"
            "return 1\n",
};

enum device_state { DEVICE_NEW, DEVICE_ASKED, DEVICE_KNOWN };

struct device {
    struct list node;
    struct sio_socket *socket; /* NULL: gone */
    enum device_state state;
    uint64_t at; /* DEVICE_KNOWN: position up to which it has everything */
};

struct reader {
    struct private *feature;
    struct private_id id; /* map key: its part */
    struct list devices;  /* none: freed as soon as nothing is under way */
    struct timer again;
    uint64_t again_ms;
    uint64_t handed, marked; /* position that a device has; up to which Redis was told */
    bool is_under_way, is_dirty, is_marking;
    bool is_handing; /* devices that go stay in the list */
};

static void look(struct reader *r);

static void reader_free(struct reader *r)
{
    struct private *p = r->feature;
    struct list *node;

    map_del(&p->readers, r->id.part);
    if (!p->is_closed) loop_timer_stop(events_loop(p->events), &r->again);
    while ((node = list_shift(&r->devices)))
        mem_free(LIST_OWNER(node, struct device, node));
    private_id_fini(&r->id);
    mem_free(r);
}

/* True: r is gone. */
static bool free_if_over(struct reader *r)
{
    bool is_over = r->feature->is_closed || list_is_empty(&r->devices);

    if (r->is_under_way || r->is_marking || r->is_handing || !is_over) return false;
    reader_free(r);
    return true;
}

static void on_again(struct timer *t)
{
    look(LIST_OWNER(t, struct reader, again));
}

static void look_again(struct reader *r)
{
    loop_timer(events_loop(r->feature->events), &r->again, r->again_ms);
    r->again_ms = r->again_ms * 2 < AGAIN_MAX_MS ? r->again_ms * 2 : AGAIN_MAX_MS;
}

/* ---- delivered ---- */

static void tell_delivered(struct reader *r, const struct str *of)
{
    struct private *p = r->feature;
    struct private_call c = {0};
    struct sb names = {0};
    char now[CLOCK_ISO_SIZE];
    uint64_t seq = 0;
    struct sio_cast to = sio_cast_all(p->nsp);
    struct out_message_delivered say = {
        .recipient_id = r->id.raw, .message_id = of[1], .conversation = of[2], .has_seq = true};

    if (str_u64(of[3], INT64_MAX, &seq) != OK) return;
    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    say.seq = (int64_t)seq;
    private_aim(&to, of[0], private_conversation_other(of[2], r->id.part), &names);
    emit_message_delivered(&to, &say);
    sb_fini(&names);
    private_call_key(&c, KEY_CONV_STATE, of[2]);
    private_call_arg(&c, r->id.part);
    private_call_u64(&c, seq);
    private_call_run(p, &c, &delivered_script, NULL, NULL);
}

static void mark(struct reader *r);

static void on_marked(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reader *r = ctx;

    r->is_marking = false;
    for (unsigned i = 0; i + RECEIPT_WORDS <= count; i += RECEIPT_WORDS)
        tell_delivered(r, reply + i);
    if (free_if_over(r)) return;
    if (rc == OK) {
        mark(r);
    } else if (rc != ERR_CLOSED) {
        r->marked = 0; /* told again after the next look */
        look_again(r);
    }
}

static void mark(struct reader *r)
{
    struct private *p = r->feature;
    struct private_call c = {0};

    if (r->is_marking || r->handed <= r->marked) return;
    r->is_marking = true;
    r->marked = r->handed;
    private_call_key(&c, KEY_USER_INBOX, r->id.text);
    private_call_key(&c, KEY_USER_INBOX_STATE, r->id.text);
    private_call_arg(&c, r->id.part);
    private_call_u64(&c, r->handed);
    private_call_u64(&c, events_conf(p->events)->private_resend_ms);
    private_call_u64(&c, KEEP_DELIVERED_MS);
    private_call_run(p, &c, &mark_script, on_marked, r);
}

/* ---- taking ---- */

/* An entry to those devices that do not have it. Any device may be cut meanwhile, and so go. */
static void hand_out(struct reader *r, uint64_t at, const struct str *entry)
{
    bool is_hidden = str_eq(entry[1], STR("1"));
    struct sb array = {0};

    sb_z(&array, "[\"privateMessage\",");
    sb_str(&array, entry[2]);
    sb_char(&array, ']');
    for (struct list *node = r->devices.next; node != &r->devices; node = node->next) {
        struct device *d = LIST_OWNER(node, struct device, node);

        if (!d->socket || d->state != DEVICE_KNOWN || d->at >= at) continue;
        d->at = at;
        if (at > r->handed) r->handed = at;
        if (!is_hidden) sio_socket_emit(d->socket, sb_view(&array), NULL, 0);
    }
    sb_fini(&array);
}

static void each_asked(struct reader *r, enum device_state now, uint64_t at)
{
    for (struct list *node = r->devices.next; node != &r->devices; node = node->next) {
        struct device *d = LIST_OWNER(node, struct device, node);

        if (d->state != DEVICE_ASKED) continue;
        d->state = now;
        d->at = at;
    }
}

/* Everybody has everything up to here; those that have gone are forgotten. */
static void reach(struct reader *r, uint64_t at)
{
    struct list *node, *next;

    for (node = r->devices.next; node != &r->devices; node = next) {
        struct device *d = LIST_OWNER(node, struct device, node);

        next = node->next;
        if (d->state == DEVICE_KNOWN && at > d->at) d->at = at;
        if (d->socket) continue;
        list_unlink(node);
        mem_free(d);
    }
}

static void hand_out_all(struct reader *r, const struct str *reply, unsigned count)
{
    uint64_t again = 0, reached = 0, at = 0;

    if (str_u64(reply[1], UINT64_MAX, &again) != OK ||
        str_u64(reply[4], UINT64_MAX, &reached) != OK)
        return;
    each_asked(r, DEVICE_KNOWN, again);
    r->is_handing = true;
    for (unsigned i = HEAD_WORDS; i + ENTRY_WORDS <= count; i += ENTRY_WORDS)
        if (str_u64(reply[i], UINT64_MAX, &at) == OK) hand_out(r, at, reply + i);
    r->is_handing = false;
    reach(r, reached);
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count);

static void take(struct reader *r)
{
    struct private *p = r->feature;
    const struct conf *conf = events_conf(p->events);
    struct private_call c = {0};
    uint64_t least = UINT64_MAX;
    bool has_new = false;
    struct list *node;

    for (node = r->devices.next; node != &r->devices; node = node->next) {
        struct device *d = LIST_OWNER(node, struct device, node);

        if (d->state == DEVICE_NEW) {
            d->state = DEVICE_ASKED;
            has_new = true;
        } else if (d->at < least) {
            least = d->at;
        }
    }
    r->is_under_way = true;
    r->is_dirty = false;
    private_call_key(&c, KEY_USER_INBOX, r->id.text);
    private_call_key(&c, KEY_USER_INBOX_STATE, r->id.text);
    private_call_key(&c, KEY_USER_NODES, r->id.text);
    private_call_arg(&c, p->node);
    private_call_arg(&c, r->id.part);
    if (least == UINT64_MAX)
        private_call_arg(&c, STR(""));
    else
        private_call_u64(&c, least);
    private_call_arg(&c, has_new ? STR("1") : STR("0"));
    private_call_u64(&c, conf->private_resend_ms);
    private_call_u64(&c, TAKE_MAX);
    private_call_u64(&c, TAKE_BYTES);
    private_call_u64(&c, conf->private_keep_days * 86400000);
    private_call_run(p, &c, &take_script, on_taken, r);
}

static void look(struct reader *r)
{
    if (r->is_under_way) {
        r->is_dirty = true;
        return;
    }
    loop_timer_stop(events_loop(r->feature->events), &r->again);
    if (!list_is_empty(&r->devices)) take(r);
}

static void on_taken(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reader *r = ctx;
    struct private *p = r->feature;
    bool is_listed = true, has_more = false;

    r->is_under_way = false;
    if (rc == OK && count >= HEAD_WORDS) {
        p->has_store = true;
        is_listed = str_eq(reply[0], STR("1"));
        has_more = str_eq(reply[3], STR("1"));
        hand_out_all(r, reply, count);
    } else {
        each_asked(r, DEVICE_NEW, 0);
    }
    if (free_if_over(r)) return;
    if (rc != OK) {
        if (rc != ERR_UNAVAILABLE || p->has_store) look_again(r);
        return;
    }
    if (is_listed) r->again_ms = AGAIN_MS;
    mark(r);
    if (has_more || r->is_dirty)
        look(r);
    else if (!is_listed)
        look_again(r);
}

/* ---- devices ---- */

static struct reader *reader_open(struct private *p, struct private_id *id)
{
    struct reader *r = map_get(&p->readers, id->part);

    if (r) {
        private_id_fini(id);
        return r;
    }
    r = MEM_NEW(struct reader);
    r->feature = p;
    r->id = *id;
    r->again_ms = AGAIN_MS;
    list_init(&r->devices);
    timer_init(&r->again, on_again);
    map_put(&p->readers, r->id.part, r);
    return r;
}

void private_device_open(struct private *p, struct sio_socket *s, const struct identity *who)
{
    struct device *d;
    struct private_id id;
    struct reader *r;

    if (private_id_init(&id, who->id) != OK) {
        private_id_fini(&id);
        return;
    }
    r = reader_open(p, &id);
    d = MEM_NEW(struct device);
    list_init(&d->node);
    d->socket = s;
    list_push(&r->devices, &d->node);
    look(r);
}

void private_device_close(struct private *p, struct sio_socket *s, const struct identity *who)
{
    struct private_id id;
    struct reader *r = private_id_init(&id, who->id) == OK ? map_get(&p->readers, id.part) : NULL;
    struct list *node;

    private_id_fini(&id);
    if (!r) return; /* a user never changes while connected */
    for (node = r->devices.next; node != &r->devices; node = node->next) {
        struct device *d = LIST_OWNER(node, struct device, node);

        if (d->socket != s) continue;
        d->socket = NULL;
        if (r->is_handing) return;
        list_unlink(node);
        mem_free(d);
        break;
    }
    (void)free_if_over(r);
}

bool private_ring(struct private *p, struct str part)
{
    struct reader *r = map_get(&p->readers, part);

    if (!r || list_is_empty(&r->devices)) return false;
    look(r);
    return true;
}

/* One after the other: ten a millisecond. */
void private_ring_all(struct private *p)
{
    struct reader *r;
    uint64_t turn = 0;

    for (size_t i = 0; (r = map_next(&p->readers, &i));)
        loop_timer(events_loop(p->events), &r->again, turn++ / 10);
}

void private_readers_close(struct private *p)
{
    struct reader *r;
    size_t i = 0;

    for (i = 0; (r = map_next(&p->readers, &i));)
        loop_timer_stop(events_loop(p->events), &r->again);
    p->is_closed = true;
    for (i = 0; (r = map_next(&p->readers, &i));)
        if (free_if_over(r)) i = 0;
}
