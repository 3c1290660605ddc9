/* A stream a room, beside the room's counts: one script knows the type and keeps, or does not. */
#include "node/features/rooms/rooms_history.h"

#include "base/conf.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/rooms/rooms_priv.h"

enum { HISTORY_DEFAULT = 50, HISTORY_BYTES = 262144, HEAD = 4, CURSOR_MAX = 41 };

/* ARGV: most, the message, seconds kept, the words of the types that keep. */
static struct adapter_script keep_script = {
    .name = "room_keep",
    .keys = {KEY_ROOM_LOG, KEY_ROOM_NODES},
    .keys_count = 2,
    .text = "local type, kept = redis.call('HGET', KEYS[2], ':type') or '', false\n"
            "for i = 4, #ARGV do if ARGV[i] == type then kept = true end end\n"
            "if not kept then return 0 end\n"
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

void rooms_history_keep(struct rooms_room *m, struct str event)
{
    struct rooms *r = m->rooms;
    uint64_t most = events_conf(r->events)->room_history;
    struct rooms_call c = {0};
    const char *word;

    if (!most || !r->adapter || rooms_room_type(m)->is_left_alone) return;
    rooms_call_key(&c, KEY_ROOM_LOG, m->name);
    rooms_call_key(&c, KEY_ROOM_NODES, m->name);
    rooms_call_u64(&c, most);
    rooms_call_arg(&c, event);
    rooms_call_u64(&c, KEY_ROOM_LOG_TTL_S);
    for (unsigned i = 0; (word = rooms_type_kept(i)); i++)
        rooms_call_arg(&c, str_z(word));
    rooms_call_run(r, &c, &keep_script, NULL, NULL);
}

/* ---- reading ---- */

struct reading {
    rooms_history_told *told;
    void *ctx;
    size_t n;
    char room[];
};

static void on_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct reading *reading = ctx;
    struct out_room_history say = {.room_id = str_of(reading->room, reading->n)};
    struct sb messages = {0}, array = {0};

    if (rc == OK && count < HEAD) rc = ERR_INTERNAL;
    if (rc == OK) {
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
    }
    reading->told(reading->ctx, rc, sb_view(&array));
    mem_free(reading);
    sb_fini(&messages);
    sb_fini(&array);
}

static void read_page(struct rooms_room *m, const struct in_room_history *h,
                      rooms_history_told *told, void *ctx)
{
    struct str room = rooms_room_id(m);
    struct reading *reading = mem_new(1, sizeof *reading + room.n);
    struct rooms_call c = {0};

    reading->told = told;
    reading->ctx = ctx;
    reading->n = room.n;
    memcpy(reading->room, room.p, room.n);
    rooms_call_key(&c, KEY_ROOM_LOG, m->name);
    rooms_call_arg(&c, h->before);
    rooms_call_arg(&c, h->after);
    rooms_call_u64(&c, h->has_limit ? (uint64_t)h->limit : HISTORY_DEFAULT);
    rooms_call_u64(&c, HISTORY_BYTES);
    rooms_call_run(m->rooms, &c, &read_script, on_read, reading);
}

void rooms_history_newest(struct rooms_room *m, rooms_history_told *told, void *ctx)
{
    if (events_conf(m->rooms->events)->room_history && rooms_room_type(m)->has_history)
        read_page(m, &(struct in_room_history){.room_id = rooms_room_id(m)}, told, ctx);
    else
        told(ctx, ERR_NOT_FOUND, STR_NONE);
}

/* ---- asking ---- */

static void on_asked(void *ctx, int rc, struct str array)
{
    if (rc == OK)
        event_later_answer(ctx, array);
    else if (rc == ERR_CLOSED)
        event_later_drop(ctx);
    else
        event_later_end(ctx, rc, STR_NONE);
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

int rooms_history_ask(struct event_ctx *c, const struct in_room_history *h)
{
    struct rooms *r = c->state;
    struct rooms_room *m;

    if (!is_cursor(h->before) || !is_cursor(h->after)) {
        sb_z(c->why, "before, after: not a cursor of a roomHistory");
        return ERR_SCHEMA;
    }
    if (!r->adapter) return ERR_UNAVAILABLE;
    m = rooms_room_get(r, rooms_nsp_of(c->socket), h->room_id);
    rooms_room_fade(m);
    read_page(m, h, on_asked, event_defer(c));
    return OK;
}
