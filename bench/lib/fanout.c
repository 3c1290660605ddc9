/* Fan-out: some members of a room talk, all members listen. With several nodes the members are
 * dealt out to them, those who talk are all on the first one, and a message is back when the last
 * observer of every node has it: a node that falls behind holds the window up. Every message starts
 * with a marker (sender, number), so that it is recognised when it comes back; only senders and a
 * few observers read it, the others count frames. Closed loop: a sender keeps `window` messages in
 * flight. Open loop: messages leave by the clock at a given rate and latency counts from the time
 * that was planned (coordinated omission). */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"
#include "bench/lib/wire.h"

#define OBSERVERS 16U   /* on each node */
#define PAIR_RING 1024U /* messages whose arrivals are kept a sender and pair, power of two */
#define RING 16384U     /* sent times kept a sender, power of two */
#define MARK_BYTES 12   /* 4 hex digits of the sender, 8 of the number */

struct sender {
    struct client *c;
    uint32_t index, next;            /* next number to send */
    uint32_t back[CLIENT_NODES_MAX]; /* own messages that came back, by node */
    char *frame;
    size_t frame_n, mark_at, payload_at;
    uint64_t *sent_us;
    struct arrival *arrivals; /* PAIR_RING for each pair of observers */
};

/* A pair: two observers at the same place in the order of joining, on the first node and on the
 * second. */
struct arrival {
    uint32_t number; /* of the message, and 1: 0 is nothing */
    bool second;     /* at whom */
    uint64_t us;
};

struct fanout {
    struct sender *senders;
    uint32_t count;
    uint64_t planned; /* open loop: messages planned since start_us */
    uint64_t start_us;
    uint32_t observers; /* on each node */
    uint32_t *pairs;    /* by client: number of its pair, from 1; 0: no observer */
};

static void put_hex(char *out, uint32_t v, unsigned digits)
{
    while (digits--) {
        out[digits] = "0123456789abcdef"[v & 15];
        v >>= 4;
    }
}

static bool get_hex(const char *p, unsigned digits, uint32_t *out)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < digits; i++) {
        char c = p[i];

        if (c >= '0' && c <= '9')
            v = v << 4 | (uint32_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            v = v << 4 | (uint32_t)(c - 'a' + 10);
        else
            return false;
    }
    *out = v;
    return true;
}

static void send_one(struct sender *s, uint64_t at_us)
{
    char mark[MARK_BYTES];

    put_hex(mark, s->index, 4);
    put_hex(mark + 4, s->next, 8);
    s->sent_us[s->next & (RING - 1)] = at_us;
    s->next++;
    wire_mask(mark, sizeof mark, wire_key, s->mark_at - s->payload_at);
    memcpy(s->frame + s->mark_at, mark, sizeof mark);
    client_put(s->c, s->frame, s->frame_n);
}

/* How much later the second of a pair has it than the first. */
static void add_pair(struct load *l, struct sender *s, uint32_t pair, uint32_t number, bool second)
{
    struct arrival *a = &s->arrivals[pair * PAIR_RING + (number & (PAIR_RING - 1))];
    uint64_t now = l->cs.now_us;

    if (a->number != number + 1 || a->second == second) {
        *a = (struct arrival){.number = number + 1, .second = second, .us = now};
        return;
    }
    hist_add(&l->added_us, second ? now - a->us : 0); /* 0: the second one had it first */
}

static void add_latency(struct load *l, struct sender *s, const struct client *c, uint32_t number)
{
    const struct fanout *f = l->state;
    uint32_t node = client_node(&l->cs, c), pair = f->pairs[c->index];

    if (s->next - number > RING) return;
    hist_add(node ? &l->cross_us : &l->latency_us, l->cs.now_us - s->sent_us[number & (RING - 1)]);
    if (pair && node < 2 && l->cs.nodes > 1) add_pair(l, s, pair - 1, number, node == 1);
}

static uint32_t least_back(const struct load *l, const struct sender *s)
{
    uint32_t least = s->back[0];

    for (uint32_t i = 1; i < l->cs.nodes; i++)
        if (s->back[i] < least) least = s->back[i];
    return least;
}

static void came_back(struct load *l, struct sender *s, const struct client *c)
{
    uint32_t before = least_back(l, s);

    s->back[client_node(&l->cs, c)]++;
    if (least_back(l, s) == before) return;
    l->messages++;
    if (!l->running || l->opt.rate) return;
    send_one(s, l->cs.now_us);                 /* leaves with the flush after this read, */
    if (c != s->c) client_flush(&l->cs, s->c); /* which is another's here */
}

static void on_event(struct clients *cs, struct client *c, struct str packet)
{
    struct load *l = cs->user;
    struct fanout *f = l->state;
    struct sender *s;
    uint32_t who, number;
    const char *at;

    if (!str_starts(packet, STR("42[\"roomMessage\""))) return;
    at = memmem(packet.p, packet.n, "\"message\":\"", 11);
    if (!at || packet.n - (size_t)(at - packet.p) < 11 + MARK_BYTES) return;
    if (!get_hex(at + 11, 4, &who) || !get_hex(at + 15, 8, &number) || who >= f->count) return;
    s = &f->senders[who];
    add_latency(l, s, c, number);
    if (c->user == s || (client_node(cs, c) && f->pairs[c->index] == f->observers))
        came_back(l, s, c);
}

static void prepare_frame(struct load *l, struct sender *s)
{
    size_t size = l->opt.payload_bytes, n;
    char *text = mem_new(1, size + 128);

    n = (size_t)snprintf(text, 128, "42[\"roomMessage\",{\"roomId\":\"bench%u\",\"message\":\"",
                         client_room(&l->cs, s->c));
    s->mark_at = n;
    memset(text + n, 'x', size);
    n += size;
    n += (size_t)snprintf(text + n, 32, "\",\"type\":\"text\"}]");
    s->frame = mem_new(1, n + WIRE_HEAD_MAX);
    s->frame_n = wire_client_frame(s->frame, str_of(text, n));
    s->payload_at = s->frame_n - n;
    s->mark_at += s->payload_at;
    mem_free(text);
}

/* Spread to the very last member. */
static void choose_observers(struct load *l, struct fanout *f)
{
    uint32_t nodes = l->cs.nodes, members = l->cs.count / nodes;

    f->observers = OBSERVERS < members ? OBSERVERS : members;
    f->pairs = mem_new(l->cs.count, sizeof *f->pairs);
    for (uint32_t i = 1; i <= f->observers; i++) {
        uint32_t place = (uint32_t)((uint64_t)i * members / f->observers) - 1;

        for (uint32_t node = 0; node < nodes; node++) {
            l->cs.all[place * nodes + node].whole = true;
            f->pairs[place * nodes + node] = i;
        }
    }
}

static void fanout_open(struct load *l)
{
    struct fanout *f = MEM_NEW(struct fanout);
    uint32_t nodes = l->cs.nodes, members = l->cs.count / nodes;

    if (l->opt.payload_bytes < MARK_BYTES) l->opt.payload_bytes = MARK_BYTES;
    if (l->opt.senders > members) l->opt.senders = members;
    choose_observers(l, f);
    f->count = l->opt.senders;
    f->senders = mem_new(f->count, sizeof *f->senders);
    for (uint32_t i = 0; i < f->count; i++) {
        struct sender *s = &f->senders[i];
        uint64_t place = (uint64_t)i * members / f->count;

        *s = (struct sender){.index = i, .c = &l->cs.all[place * nodes]};
        s->sent_us = mem_new(RING, sizeof *s->sent_us);
        s->arrivals = mem_new((size_t)f->observers * PAIR_RING, sizeof *s->arrivals);
        s->c->user = s;
        s->c->whole = true;
        prepare_frame(l, s);
    }
    l->state = f;
    l->cs.on_event = on_event;
}

static void fanout_start(struct load *l)
{
    struct fanout *f = l->state;

    f->planned = 0;
    f->start_us = clock_us();
    if (l->opt.rate) return;
    for (uint32_t i = 0; i < f->count; i++) {
        struct sender *s = &f->senders[i];

        for (uint32_t node = 0; node < l->cs.nodes; node++)
            s->back[node] = s->next; /* what was lost before is not waited for again */
        for (uint32_t k = 0; k < l->opt.window; k++)
            send_one(s, f->start_us);
        client_flush(&l->cs, s->c);
    }
}

/* Sends what the clock says; with a rate the generator spins on its own core rather than oversleep.
 */
static int fanout_tick(struct load *l, uint64_t now_us)
{
    struct fanout *f = l->state;

    if (l->opt.rate == 0) return 10;
    for (;;) {
        uint64_t due = f->start_us + f->planned * 1000000 / l->opt.rate;
        struct sender *s = &f->senders[f->planned % f->count];

        if (due > now_us) return 0;
        f->planned++;
        if (s->next - least_back(l, s) >= RING) {
            l->overruns++;
            continue;
        }
        send_one(s, due);
        client_flush(&l->cs, s->c);
    }
}

static void fanout_close(struct load *l)
{
    struct fanout *f = l->state;

    for (uint32_t i = 0; i < f->count; i++) {
        mem_free(f->senders[i].frame);
        mem_free(f->senders[i].sent_us);
        mem_free(f->senders[i].arrivals);
    }
    mem_free(f->senders);
    mem_free(f->pairs);
    mem_free(f);
}

const struct load_scenario load_fanout = {
    .name = "fanout",
    .open = fanout_open,
    .start = fanout_start,
    .tick = fanout_tick,
    .close = fanout_close,
};
