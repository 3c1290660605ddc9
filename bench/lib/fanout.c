/* Fan-out: some members of a room talk, all members listen. Every message starts with a marker
 * (sender, number), so that it is recognised when it comes back; only senders and a few observers
 * read it, the others count frames. Closed loop: a sender keeps `window` messages in flight. Open
 * loop: messages leave by the clock at a given rate and latency counts from the time that was
 * planned (coordinated omission). */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"
#include "bench/lib/wire.h"

#define OBSERVERS 16
#define RING 16384U   /* sent times kept a sender, power of two */
#define MARK_BYTES 12 /* 4 hex digits of the sender, 8 of the number */

struct sender {
    struct client *c;
    uint32_t index, next, back; /* next number to send, own messages that came back */
    char *frame;
    size_t frame_n, mark_at, payload_at;
    uint64_t *sent_us;
};

struct fanout {
    struct sender *senders;
    uint32_t count;
    uint64_t planned; /* open loop: messages planned since start_us */
    uint64_t start_us;
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
    if (s->next - number <= RING)
        hist_add(&l->latency_us, cs->now_us - s->sent_us[number & (RING - 1)]);
    if (c->user != s) return;
    l->messages++;
    s->back++;
    if (l->running && l->opt.rate == 0)
        send_one(s, cs->now_us); /* leaves with the flush after this read */
}

static void prepare_frame(struct load *l, struct sender *s)
{
    size_t size = l->opt.payload_bytes, n;
    char *text = mem_new(1, size + 128);

    n = (size_t)snprintf(text, 128, "42[\"roomMessage\",{\"roomId\":\"bench%u\",\"message\":\"",
                         s->c->index % l->opt.rooms);
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

static void fanout_open(struct load *l)
{
    struct fanout *f = MEM_NEW(struct fanout);
    uint32_t n = l->cs.count;

    if (l->opt.payload_bytes < MARK_BYTES) l->opt.payload_bytes = MARK_BYTES;
    if (l->opt.senders > n) l->opt.senders = n;
    f->count = l->opt.senders;
    f->senders = mem_new(f->count, sizeof *f->senders);
    for (uint32_t i = 0; i < f->count; i++) {
        struct sender *s = &f->senders[i];

        *s = (struct sender){.index = i, .c = &l->cs.all[(uint64_t)i * n / f->count]};
        s->sent_us = mem_new(RING, sizeof *s->sent_us);
        s->c->user = s;
        s->c->whole = true;
        prepare_frame(l, s);
    }
    for (uint32_t i = 0; i < OBSERVERS && i < n; i++) /* spread to the very last member */
        l->cs.all[(uint64_t)(i + 1) * n / (OBSERVERS < n ? OBSERVERS : n) - 1].whole = true;
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

        s->back = s->next; /* what was lost before is not waited for again */
        while (s->next - s->back < l->opt.window)
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
        if (s->next - s->back >= RING) {
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
    }
    mem_free(f->senders);
    mem_free(f);
}

const struct load_scenario load_fanout = {
    .name = "fanout",
    .open = fanout_open,
    .start = fanout_start,
    .tick = fanout_tick,
    .close = fanout_close,
};
