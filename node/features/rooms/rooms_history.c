/* A stream a room, beside the room's counts: one script knows the type and keeps, or does not. */
#include "node/features/rooms/rooms_history.h"

#include "adapter/adapter.h"
#include "adapter/key.h"
#include "base/conf.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_state.h"

enum { HISTORY_DEFAULT = 50, HISTORY_BYTES = 262144, HEAD = 4, CURSOR_MAX = 41 };

/* ARGV: most, the message, seconds kept. */
static struct adapter_script keep_script = {
    .name = "room_keep",
    .keys = {KEY_ROOM_LOG, KEY_ROOM_NODES},
    .keys_count = 2,
    .text = "local type = redis.call('HGET', KEYS[2], ':type')\n"
            "if type and type ~= '' and type ~= 'chat' then return 0 end\n"
            "redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[1], '*', 'b', ARGV[2])\n"
            "redis.call('EXPIRE', KEYS[1], ARGV[3])\n"
            "return 1\n",
};

/* ARGV: before, after (empty: not asked), most, most bytes. Returns 1: there is more; 1: what
 * followed after is gone in part; cursor of the first and of the last, messages in ascending order.
 */
static struct adapter_script read_script = {
    .name = "room_history",
    .keys = {KEY_ROOM_LOG},
    .keys_count = 1,
    .text = "local log, before, after, most = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3])\n"
            "local forth, low, high, gap, page = after ~= '', '-', '+', 0, nil\n"
            "if forth then\n"
            "  low = '(' .. after\n"
            "  if #redis.call('XRANGE', log, after, after) == 0 then gap = 1 end\n"
            "end\n"
            "if before ~= '' then high = '(' .. before end\n"
            "if forth then page = redis.call('XRANGE', log, low, high, 'COUNT', most + 1)\n"
            "else page = redis.call('XREVRANGE', log, high, low, 'COUNT', most + 1) end\n"
            "local found, bytes, more = {}, 0, 0\n"
            "for _, e in ipairs(page) do\n"
            "  bytes = bytes + #e[2][2]\n"
            "  if #found == most or (#found > 0 and bytes > tonumber(ARGV[4])) then more = 1 break "
            "end\n"
            "  table.insert(found, forth and #found + 1 or 1, e)\n"
            "end\n"
            "local out = {more, gap, '', ''}\n"
            "if #found > 0 then out[3], out[4] = found[1][1], found[#found][1] end\n"
            "for _, e in ipairs(found) do out[#out + 1] = e[2][2] end\n"
            "return out\n",
};

/* ---- keeping ---- */

static void on_kept(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)ctx, (void)rc, (void)reply, (void)count;
}

void rooms_history_keep(struct events *e, struct str nsp, struct str room, struct str event)
{
    uint64_t most = events_conf(e)->room_history;
    struct sb name, keys = {0}, words = {0};
    struct str key[2], args[3];
    size_t first_n;

    if (!most || !events_adapter(e)) return;
    name = rooms_state_name(nsp, room);
    key_name(KEY_ROOM_LOG, sb_view(&name), &keys);
    first_n = keys.n;
    key_name(KEY_ROOM_NODES, sb_view(&name), &keys);
    key[0] = str_head(sb_view(&keys), first_n);
    key[1] = str_skip(sb_view(&keys), first_n);
    sb_u64(&words, most);
    first_n = words.n;
    sb_u64(&words, KEY_ROOM_LOG_TTL_S);
    args[0] = str_head(sb_view(&words), first_n);
    args[1] = event;
    args[2] = str_skip(sb_view(&words), first_n);
    adapter_eval(events_adapter(e), &keep_script, key, 2, args, 3, on_kept, NULL);
    sb_fini(&name);
    sb_fini(&keys);
    sb_fini(&words);
}

/* ---- asking ---- */

struct ask {
    struct event_later *later;
    struct str room;
    char bytes[];
};

static void refuse(struct ask *a, int rc)
{
    if (rc == ERR_CLOSED)
        event_later_drop(a->later);
    else
        event_later_end(a->later, rc, STR_NONE);
    mem_free(a);
}

static void on_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct ask *a = ctx;
    struct out_room_history say = {.room_id = a->room};
    struct sb messages = {0}, array = {0};

    if (rc == OK && count < HEAD) rc = ERR_INTERNAL;
    if (rc != OK) {
        refuse(a, rc);
        return;
    }
    sb_char(&messages, '[');
    for (unsigned i = HEAD; i < count; i++) {
        if (i > HEAD) sb_char(&messages, ',');
        sb_str(&messages, reply[i]);
    }
    sb_char(&messages, ']');
    say.messages = sb_view(&messages);
    say.has_more = str_eq(reply[0], STR("1"));
    say.has_gap = str_eq(reply[1], STR("1"));
    say.first = reply[2];
    say.last = reply[3];
    out_room_history_encode(&array, &say);
    event_later_answer(a->later, sb_view(&array));
    mem_free(a);
    sb_fini(&messages);
    sb_fini(&array);
}

/* As Redis writes them: milliseconds-number. */
static bool is_cursor(struct str s)
{
    struct str ms, number;
    uint64_t n;

    if (!s.n) return true;
    return s.n <= CURSOR_MAX && str_cut(s, '-', &ms, &number) &&
           str_u64(ms, UINT64_MAX, &n) == OK && str_u64(number, UINT64_MAX, &n) == OK;
}

static struct ask *ask_new(struct event_ctx *c, struct str room)
{
    struct ask *a = mem_new(1, sizeof *a + room.n);

    memcpy(a->bytes, room.p, room.n);
    a->room = str_of(a->bytes, room.n);
    a->later = event_defer(c);
    return a;
}

int rooms_history_ask(struct event_ctx *c, const struct in_room_history *h)
{
    struct sb name, key = {0}, words = {0};
    struct str args[4] = {h->before, h->after}, view;
    size_t limit_n;

    if (!is_cursor(h->before) || !is_cursor(h->after)) {
        sb_z(c->why, "before, after: not a cursor of a roomHistory");
        return ERR_SCHEMA;
    }
    if (!events_adapter(c->events)) return ERR_UNAVAILABLE;
    name = rooms_state_name(sio_nsp_name(sio_socket_nsp(c->socket)), h->room_id);
    key_name(KEY_ROOM_LOG, sb_view(&name), &key);
    sb_i64(&words, h->has_limit ? h->limit : HISTORY_DEFAULT);
    limit_n = words.n;
    sb_u64(&words, HISTORY_BYTES);
    args[2] = str_head(sb_view(&words), limit_n);
    args[3] = str_skip(sb_view(&words), limit_n);
    view = sb_view(&key);
    adapter_eval(events_adapter(c->events), &read_script, &view, 1, args, 4, on_read,
                 ask_new(c, h->room_id));
    sb_fini(&name);
    sb_fini(&key);
    sb_fini(&words);
    return OK;
}
