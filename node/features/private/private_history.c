/* History: pages of a conversation's log, with the cursors of both sides; behind the log comes the
 * archive, where there is one. Neither overlaps the other: Redis says where its log begins. While
 * the archive is away the page says so; it never jumps over what could not be read. */
#include "adapter/key.h"
#include "base/conf.h"
#include "base/mem.h"
#include "events_out.h"
#include "node/features/private/private_priv.h"

enum {
    HISTORY_DEFAULT = 50,
    HISTORY_MAX = 100, /* of the schema */
    HISTORY_BYTES = 262144,
    HISTORY_HEAD = 7,
};

/* ARGV: who asks, the other one, before, after (empty: not asked), most, most bytes, seconds kept
 * (0: however old). Returns 1: there is more, last seq, both read cursors, delivered cursor of the
 * other one, seq from which on it is all here (empty: nothing is), seq up to which it is archived,
 * events in ascending order. */
static struct adapter_script history_script = {
    .name = "private_history",
    .keys = {KEY_CONV_LOG, KEY_CONV_STATE},
    .keys_count = 2,
    .text =
        "local log, state, who, other, most = KEYS[1], KEYS[2], ARGV[1], ARGV[2], "
        "tonumber(ARGV[5])\n"
        "local oldest = 0\n"
        "if ARGV[7] ~= '0' then\n"
        "  oldest = redis.call('TIME')[1] * 1000 - tonumber(ARGV[7]) * 1000\n"
        "end\n"
        "local function get(field) return redis.call('HGET', state, field) or '0' end\n"
        "local function text(n) return string.format('%.0f', n) end\n"
        "local found, bytes, more, edge = {}, 0, 0, nil\n"
        "local forth, low, high = ARGV[4] ~= '', '-', '+'\n"
        "if forth then low = text(tonumber(ARGV[4]) + 1) .. '-0' end\n"
        "if ARGV[3] ~= '' then high = text(tonumber(ARGV[3]) - 1) .. '-1' end\n"
        "for _ = 1, 40 do\n"
        "  local page\n"
        "  edge = nil\n"
        "  if forth then page = redis.call('XRANGE', log, low, high, 'COUNT', 50)\n"
        "  else page = redis.call('XREVRANGE', log, high, low, 'COUNT', 50) end\n"
        "  for _, e in ipairs(page) do\n"
        "    local v, seq = e[2], tonumber(string.match(e[1], '^%d+'))\n"
        "    if forth then low = seq .. '-1' else high, edge = (seq - 1) .. '-1', seq end\n"
        "    if (v[8] == '0' or v[4] == who) and tonumber(v[2]) >= oldest then\n"
        "      bytes = bytes + #v[12]\n"
        "      if #found == most or (#found > 0 and bytes > tonumber(ARGV[6])) then more = 1 break "
        "end\n"
        "      found[#found + 1] = v[12]\n"
        "    end\n"
        "  end\n"
        "  if more == 1 or #page < 50 then edge = nil break end\n"
        "end\n"
        "if not edge then\n"
        "  local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1]\n"
        "  edge = first and string.match(first[1], '^%d+') or ''\n"
        "end\n"
        "local out = {more, get('seq'), get('r ' .. who), get('r ' .. other), get('d ' .. other),\n"
        "  tostring(edge), get('a')}\n"
        "for i = 1, #found do out[#out + 1] = found[forth and i or #found + 1 - i] end\n"
        "return out\n",
};

struct history { /* from the question to its answer */
    struct private_ask *ask;
    uint64_t after, before; /* seq between, both left out; 0 and INT64_MAX: not asked */
    bool is_forth;
    unsigned most;
    /* what Redis has */
    struct out_private_history say; /* its texts come at the end */
    uint64_t edge;                  /* seq from which on it is all there */
    struct sb bytes;
    size_t ends[HISTORY_MAX]; /* of events in bytes */
    unsigned count;
};

static void history_free(struct history *h)
{
    sb_fini(&h->bytes);
    mem_free(h);
}

/* ---- the answer ---- */

struct list_of { /* a page as JSON; of at most so many messages, and bytes unless it is one */
    struct sb text;
    unsigned count, most;
    size_t most_bytes;
    bool is_full; /* something did not go in */
};

static void put(struct list_of *l, struct str event)
{
    if (l->is_full || l->count == l->most || (l->count && l->text.n + event.n > l->most_bytes)) {
        l->is_full = true;
        return;
    }
    sb_char(&l->text, l->count++ ? ',' : '[');
    sb_str(&l->text, event);
}

static void put_redis(struct list_of *l, const struct history *h)
{
    for (unsigned i = 0; i < h->count; i++) {
        size_t start = i ? h->ends[i - 1] : 0;

        put(l, str_of(h->bytes.p + start, h->ends[i] - start));
    }
}

/* It knows the last number, too, should Redis have forgotten. */
static void put_archive(struct list_of *l, struct history *h, const struct archive_page *page)
{
    for (unsigned i = 0; i < page->count; i++) {
        int64_t seq = (int64_t)page->messages[i].seq;

        put(l, page->messages[i].event);
        if (seq > h->say.last_seq) h->say.last_seq = seq;
    }
}

/* Takes h. */
static void history_answer(struct history *h, struct list_of *l)
{
    struct private_ask *a = h->ask;
    struct sb array = {0};

    if (!l->count) sb_char(&l->text, '[');
    sb_char(&l->text, ']');
    h->say.user_id = a->other.raw;
    h->say.conversation = sb_view(&a->conv);
    h->say.messages = sb_view(&l->text);
    out_private_history_encode(&array, &h->say);
    private_ask_answer(a, sb_view(&array));
    sb_fini(&array);
    sb_fini(&l->text);
    history_free(h);
}

/* ---- the archive ---- */

/* Where a page goes up it begins in the archive, and the log comes behind it. */
static void join_forth(struct history *h, struct list_of *l, const struct archive_page *page)
{
    l->most_bytes = HISTORY_BYTES;
    put_archive(l, h, page);
    if (page->has_more)
        l->is_full = true;
    else
        put_redis(l, h);
    if (l->is_full) h->say.has_more = true;
}

/* Where it goes down the archive has what is left of it. A page that the log fills asked for one
 * message only to know whether there is more. */
static void join_back(struct history *h, struct list_of *l, const struct archive_page *page)
{
    bool is_full = h->count == h->most;

    h->say.has_more = page->has_more || (is_full && page->count);
    if (!is_full) put_archive(l, h, page);
    put_redis(l, h);
}

static void on_archive(void *ctx, int rc, const struct archive_page *page)
{
    struct history *h = ctx;
    struct private *p = h->ask->feature;
    struct list_of l = {.most = h->most, .most_bytes = SIZE_MAX};

    if (p->is_closed) {
        private_ask_end(h->ask, ERR_CLOSED, STR_NONE);
        history_free(h);
    } else if (rc == OK) {
        if (h->is_forth)
            join_forth(h, &l, page);
        else
            join_back(h, &l, page);
        history_answer(h, &l);
    } else {
        h->say.archive = STR("unavailable");
        h->say.has_more = true; /* as far as anybody knows */
        if (!h->is_forth) put_redis(&l, h);
        history_answer(h, &l);
    }
    p->under_way--;
    private_settle(p);
}

/* False: the page is whole without it. */
static bool needs_archive(const struct history *h)
{
    if (!archive_is_on(h->ask->feature->archive)) return false;
    if (h->is_forth) return h->edge > h->after + 1 && h->before > h->after + 1;
    return !h->say.has_more && h->edge > 1 && h->before > 1;
}

static void ask_archive(struct history *h)
{
    struct private *p = h->ask->feature;
    unsigned left = h->most - h->count;
    struct archive_query q = {.conversation = sb_view(&h->ask->conv),
                              .viewer = h->ask->own.part,
                              .low = h->is_forth ? h->after + 1 : 0,
                              .high = (h->edge < h->before ? h->edge : h->before) - 1,
                              .is_forth = h->is_forth,
                              .most = h->is_forth ? h->most
                                      : left      ? left
                                                  : 1,
                              .most_bytes =
                                  HISTORY_BYTES > h->bytes.n ? HISTORY_BYTES - h->bytes.n : 1};

    if (h->is_forth) q.most_bytes = HISTORY_BYTES;
    p->under_way++;
    archive_read(p->archive, &q, on_archive, h);
}

/* ---- Redis ---- */

static int read_reply(struct history *h, const struct str *reply, unsigned count)
{
    struct out_private_history *say = &h->say;

    if (count < HISTORY_HEAD || count > HISTORY_HEAD + HISTORY_MAX) return ERR_INTERNAL;
    say->has_more = str_eq(reply[0], STR("1"));
    say->last_seq = private_number(reply[1]);
    say->read_seq = private_number(reply[2]);
    say->other_read_seq = private_number(reply[3]);
    say->other_delivered_seq = private_number(reply[4]);
    h->edge = reply[5].n ? (uint64_t)private_number(reply[5]) : INT64_MAX;
    for (unsigned i = HISTORY_HEAD; i < count; i++) {
        sb_str(&h->bytes, reply[i]);
        h->ends[h->count++] = h->bytes.n;
    }
    return OK;
}

static void on_history(void *ctx, int rc, const struct str *reply, unsigned count)
{
    struct history *h = ctx;
    struct private_ask *a = h->ask;

    if (rc == OK) rc = read_reply(h, reply, count);
    if (rc != OK) {
        private_ask_end(a, rc, STR_NONE);
        history_free(h);
        return;
    }
    /* From before there was an archive, or a mark that found no room. */
    if (private_number(reply[6]) < h->say.last_seq)
        (void)private_archive_mark(a->feature, sb_view(&a->conv), NULL, NULL);
    if (needs_archive(h)) {
        ask_archive(h);
    } else {
        struct list_of l = {.most = h->most, .most_bytes = SIZE_MAX};

        put_redis(&l, h);
        history_answer(h, &l);
    }
}

int private_on_history(struct event_ctx *c, const union event_in *in)
{
    const struct in_private_history *q = &in->private_history;
    const struct conf *conf = events_conf(c->events);
    struct private_call call = {0};
    struct private_ask *a;
    struct history *h;
    int rc = private_ask_new(c, q->user_id, &a);

    if (rc != OK) return rc;
    h = MEM_NEW(struct history);
    h->ask = a;
    h->is_forth = q->has_after;
    h->after = q->has_after ? (uint64_t)q->after : 0;
    h->before = q->has_before ? (uint64_t)q->before : INT64_MAX;
    h->most = q->has_limit ? (unsigned)q->limit : HISTORY_DEFAULT;
    private_call_key(&call, KEY_CONV_LOG, sb_view(&a->conv));
    private_call_key(&call, KEY_CONV_STATE, sb_view(&a->conv));
    private_call_arg(&call, a->own.part);
    private_call_arg(&call, a->other.part);
    private_call_optional(&call, q->has_before, q->before);
    private_call_optional(&call, q->has_after, q->after);
    private_call_u64(&call, h->most);
    private_call_u64(&call, HISTORY_BYTES);
    private_call_u64(&call,
                     archive_is_on(a->feature->archive) ? 0 : conf->private_keep_days * 86400);
    private_call_run(a->feature, &call, &history_script, on_history, h);
    return OK;
}
