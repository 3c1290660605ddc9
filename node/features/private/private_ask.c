/* Questions and marks: read cursors, unread counts, the block list. Each is one script or
 * two; the answer is the ack, or the event of the same name when no ack was asked for. */
#include "adapter/key.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/private/private_priv.h"
#include "node/people/people.h"

enum {
    BLOCKED_MAX = 1000,
};

/* ARGV: reader, seq (empty: the last). Returns 1 when the cursor moved, the cursor, the number of
 * messages read. */
static struct adapter_script read_script = {
    .name = "private_read",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE},
    .keys_count = 2,
    .text = "local log, state, who = KEYS[1], KEYS[2], ARGV[1]\n"
            "local function get(field) return tonumber(redis.call('HGET', state, field) or 0) end\n"
            "local last, had = get('seq'), get('r ' .. who)\n"
            "local seq = math.min(tonumber(ARGV[2]) or last, last)\n"
            "if seq <= had then return {0, had, get('rn ' .. who)} end\n"
            "local rn, low = get('n ' .. who), seq + 1 .. '-0'\n"
            "local is_found = seq >= get('l ' .. who)\n"
            "while not is_found do\n"
            "  local page = redis.call('XRANGE', log, low, '+', 'COUNT', 50)\n"
            "  for _, e in ipairs(page) do\n"
            "    local v = e[2]\n"
            "    low = string.match(e[1], '^%d+') .. '-1'\n"
            "    if v[4] ~= who and v[8] == '0' then rn, is_found = tonumber(v[6]) - 1, true break "
            "end\n"
            "  end\n"
            "  if #page < 50 then break end\n"
            "end\n"
            "redis.call('HSET', state, 'r ' .. who, seq, 'rn ' .. who, rn)\n"
            "return {1, seq, rn}\n",
};

/* ARGV: conversation, the number of messages read. */
static struct adapter_script chat_read_script = {
    .name = "private_chat_read",
    .keys = {KEY_USER_CHATS},
    .keys_count = 1,
    .text = "local chat = redis.call('HGET', KEYS[1], ARGV[1]) or ''\n"
            "local head, rn, tail = string.match(chat, '^(%d+ %d+ )(%d+)( .*)$')\n"
            "if rn and tonumber(ARGV[2]) > tonumber(rn) then\n"
            "  redis.call('HSET', KEYS[1], ARGV[1], head .. ARGV[2] .. tail)\n"
            "end\n"
            "return 1\n",
};

/* Returns conversation, unread, last seq, the other's id of those with unread messages. HGETALL is
 * bounded: 1,000 conversations. */
static struct adapter_script unread_script = {
    .name = "private_unread",
    .keys = {KEY_USER_CHATS},
    .keys_count = 1,
    .text = "local out, all = {}, redis.call('HGETALL', KEYS[1])\n"
            "for i = 1, #all, 2 do\n"
            "  local seq, n, rn, id = string.match(all[i + 1], '^(%d+) (%d+) (%d+) %d+ (.*)$')\n"
            "  if id and tonumber(n) > tonumber(rn) then\n"
            "    for _, word in ipairs({all[i], n - rn, seq, id}) do out[#out + 1] = word end\n"
            "  end\n"
            "end\n"
            "return out\n",
};

/* ARGV: add, delete or nothing, field, the user's id, most. Returns 'full', or fields and ids.
 * HGETALL is bounded by the most. */
static struct adapter_script blocked_script = {
    .name = "private_blocked",
    .keys = {KEY_USER_BLOCKED},
    .keys_count = 1,
    .text = "local key, what = KEYS[1], ARGV[1]\n"
            "if what == 'add' then\n"
            "  if redis.call('HEXISTS', key, ARGV[2]) == 0\n"
            "    and redis.call('HLEN', key) >= tonumber(ARGV[4]) then return {'full'} end\n"
            "  redis.call('HSET', key, ARGV[2], ARGV[3])\n"
            "elseif what == 'delete' then\n"
            "  redis.call('HDEL', key, ARGV[2])\n"
            "end\n"
            "redis.call('EXPIRE', key, 34560000)\n"
            "if what ~= '' then return {} end\n"
            "return redis.call('HGETALL', key)\n",
};

/* ARGV: who blocks the other one, 1 or 0. */
static struct adapter_script block_script = {
    .name = "private_block",
    .keys = {KEY_CONV_STATE},
    .keys_count = 1,
    .text = "local field = 'block ' .. ARGV[1]\n"
            "if ARGV[2] == '1' then redis.call('HSET', KEYS[1], field, 1)\n"
            "else redis.call('HDEL', KEYS[1], field) end\n"
            "redis.call('EXPIRE', KEYS[1], 34560000)\n"
            "return 1\n",
};

static void ask_free(struct private_ask *a)
{
    private_id_fini(&a->own);
    private_id_fini(&a->other);
    sb_fini(&a->conv);
    sb_fini(&a->socket);
    mem_free(a);
}

void private_ask_end(struct private_ask *a, int rc, struct str reply)
{
    if (rc == ERR_CLOSED)
        event_later_drop(a->later);
    else
        event_later_end(a->later, rc, reply);
    ask_free(a);
}

int private_ask_new(struct event_ctx *c, struct str other, struct private_ask **out)
{
    struct private *p = c->state;
    struct private_id own = {0}, its = {0};
    struct private_ask *a;
    int rc = p->adapter ? OK : ERR_UNAVAILABLE;

    if (rc == OK) rc = private_id_init(&own, c->who->id);
    if (rc == OK && other.n) rc = private_id_init(&its, other);
    if (rc != OK) {
        private_id_fini(&own);
        private_id_fini(&its);
        return rc;
    }
    a = MEM_NEW(struct private_ask);
    a->feature = p;
    a->own = own;
    a->other = its;
    if (other.n) private_conversation(own.part, its.part, &a->conv);
    sb_str(&a->socket, sio_socket_id(c->socket));
    a->later = event_defer(c);
    *out = a;
    return OK;
}

void private_ask_answer(struct private_ask *a, struct str array)
{
    event_later_answer(a->later, array);
    ask_free(a);
}

/* ---- read ---- */

static void tell_read(struct private_ask *a)
{
    char now[CLOCK_ISO_SIZE];
    struct sb names = {0};
    struct sio_cast to = sio_cast_all(a->feature->nsp);
    struct out_message_read say = {
        .user_id = a->own.raw, .conversation = sb_view(&a->conv), .seq = (int64_t)a->seq};

    clock_iso(clock_wall_ms(), now);
    say.timestamp = str_z(now);
    if (str_eq(a->own.text, a->other.text)) { /* 7 and "7", or oneself: the room is theirs */
        people_room(a->own.text, &names);
        to.rooms[to.rooms_count++] = sb_view(&names);
    } else {
        private_aim(&to, a->own.text, a->own.part, &names);
        private_aim(&to, a->other.text, a->other.part, &names);
    }
    to.except[to.except_count++] = sb_view(&a->socket);
    emit_message_read(&to, &say);
    sb_fini(&names);
}

static void end_read(struct private_ask *a)
{
    struct sb reply = {0};

    sb_z(&reply, "\"conversation\":");
    sb_json(&reply, sb_view(&a->conv));
    sb_printf(&reply, ",\"seq\":%llu", (unsigned long long)a->seq);
    private_ask_end(a, OK, sb_view(&reply));
    sb_fini(&reply);
}

static void on_chat_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;

    (void)reply, (void)count;
    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE); /* asked again, it is written again */
        return;
    }
    tell_read(a);
    end_read(a);
}

/* Also when the cursor did not move: the second step may have failed the last time. */
static void on_read(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;
    struct private_call call = {0};

    if (rc == OK && (count != 3 || str_u64(reply[1], INT64_MAX, &a->seq) != OK)) rc = ERR_INTERNAL;
    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        return;
    }
    private_call_key(&call, KEY_USER_CHATS, a->own.text);
    private_call_arg(&call, sb_view(&a->conv));
    private_call_arg(&call, reply[2]);
    private_call_run(a->feature, &call, &chat_read_script, on_chat_read, a);
}

int private_on_read(struct event_ctx *c, const union event_in *in)
{
    const struct in_mark_as_read *m = &in->mark_as_read;
    struct private_call call = {0};
    struct private_ask *a;
    int rc = private_ask_new(c, m->user_id, &a);

    if (rc != OK) return rc;
    private_call_key(&call, KEY_CONV_LOG, sb_view(&a->conv));
    private_call_key(&call, KEY_CONV_STATE, sb_view(&a->conv));
    private_call_arg(&call, a->own.part);
    private_call_optional(&call, m->has_seq, m->seq);
    private_call_run(a->feature, &call, &read_script, on_read, a);
    return OK;
}

/* ---- unread ---- */

static void on_unread(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;
    struct sb list = {0}, array = {0};
    struct out_unread_counts say = {0};

    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        return;
    }
    sb_char(&list, '[');
    for (unsigned i = 0; i + 4 <= count; i += 4) {
        if (!private_conversation_has(reply[i], a->own.part)) continue; /* of 7, asked by "7" */
        if (list.n > 1) sb_char(&list, ',');
        sb_z(&list, "{\"userId\":");
        sb_str(&list, reply[i + 3]);
        sb_z(&list, ",\"conversation\":");
        sb_json(&list, reply[i]);
        sb_printf(&list, ",\"unread\":" STR_FMT ",\"lastSeq\":" STR_FMT "}", STR_ARG(reply[i + 1]),
                  STR_ARG(reply[i + 2]));
        say.total += private_number(reply[i + 1]);
    }
    sb_char(&list, ']');
    say.conversations = sb_view(&list);
    out_unread_counts_encode(&array, &say);
    private_ask_answer(a, sb_view(&array));
    sb_fini(&list);
    sb_fini(&array);
}

int private_on_unread(struct event_ctx *c, const union event_in *in)
{
    struct private_call call = {0};
    struct private_ask *a;
    int rc = private_ask_new(c, STR_NONE, &a);

    (void)in;
    if (rc != OK) return rc;
    private_call_key(&call, KEY_USER_CHATS, a->own.text);
    private_call_run(a->feature, &call, &unread_script, on_unread, a);
    return OK;
}

/* ---- the block list: the list first, which is bounded; the conversation's flag is what counts
 * ---- */

static void on_flagged(void *ctx, int rc, const struct str *reply, unsigned count)
{
    (void)reply, (void)count;
    private_ask_end(ctx, rc, STR_NONE);
}

static void on_listed(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;
    struct private_call call = {0};

    (void)reply;
    if (rc == OK && count) rc = ERR_LIMIT;
    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        return;
    }
    private_call_key(&call, KEY_CONV_STATE, sb_view(&a->conv));
    private_call_arg(&call, a->own.part);
    private_call_u64(&call, a->is_block);
    private_call_run(a->feature, &call, &block_script, on_flagged, a);
}

static void call_blocked(struct private_ask *a, struct str what, private_told *told)
{
    struct private_call call = {0};
    struct sb field = {0};

    sb_str(&field, a->own.part);
    sb_char(&field, ' ');
    sb_str(&field, a->other.part);
    private_call_key(&call, KEY_USER_BLOCKED, a->own.text);
    private_call_arg(&call, what);
    private_call_arg(&call, sb_view(&field));
    private_call_arg(&call, a->other.raw);
    private_call_u64(&call, BLOCKED_MAX);
    private_call_run(a->feature, &call, &blocked_script, told, a);
    sb_fini(&field);
}

int private_on_block(struct event_ctx *c, const union event_in *in)
{
    struct private_ask *a;
    int rc = private_ask_new(c, in->block_user.user_id, &a);

    if (rc != OK) return rc;
    a->is_block = true;
    call_blocked(a, STR("add"), on_listed);
    return OK;
}

int private_on_unblock(struct event_ctx *c, const union event_in *in)
{
    struct private_ask *a;
    int rc = private_ask_new(c, in->unblock_user.user_id, &a);

    if (rc != OK) return rc;
    call_blocked(a, STR("delete"), on_listed);
    return OK;
}

static void on_blocked(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct private_ask *a = ctx;
    struct sb list = {0}, array = {0};
    struct out_blocked_users say;

    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        return;
    }
    sb_char(&list, '[');
    for (unsigned i = 0; i + 2 <= count; i += 2) {
        struct str owner;

        (void)str_cut(reply[i], ' ', &owner, &(struct str){0});
        if (!str_eq(owner, a->own.part)) continue;
        if (list.n > 1) sb_char(&list, ',');
        sb_str(&list, reply[i + 1]);
    }
    sb_char(&list, ']');
    say.user_ids = sb_view(&list);
    out_blocked_users_encode(&array, &say);
    private_ask_answer(a, sb_view(&array));
    sb_fini(&list);
    sb_fini(&array);
}

int private_on_blocked(struct event_ctx *c, const union event_in *in)
{
    struct private_ask *a;
    int rc = private_ask_new(c, STR_NONE, &a);

    (void)in;
    if (rc != OK) return rc;
    call_blocked(a, STR(""), on_blocked);
    return OK;
}
