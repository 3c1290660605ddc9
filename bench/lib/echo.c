/* Echo: every connection keeps `window` acknowledged pings in flight. The ack id is the slot of the
 * window, so an answer names its send time and the next ping of that slot is a prebuilt frame. */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"
#include "bench/lib/wire.h"

struct echo_slot {
    char *frame; /* same for all connections */
    size_t n;
};

struct echo {
    struct echo_slot *slots;
    uint64_t *sent_us; /* connections × window; 0: nothing in flight */
    uint32_t window;
};

static void echo_send(struct load *l, struct client *c, uint32_t slot, uint64_t now_us)
{
    struct echo *e = l->state;

    e->sent_us[(size_t)c->index * e->window + slot] = now_us;
    client_put(c, e->slots[slot].frame, e->slots[slot].n);
}

static void on_event(struct clients *cs, struct client *c, struct str packet) /* 43<slot>[…] */
{
    struct load *l = cs->user;
    struct echo *e = l->state;
    uint32_t slot = 0;
    size_t i = 2;
    uint64_t *sent;

    if (packet.n < 5 || packet.p[0] != '4' || packet.p[1] != '3') return;
    for (; i < packet.n && i < 9 && packet.p[i] >= '0' && packet.p[i] <= '9'; i++)
        slot = slot * 10 + (uint32_t)(packet.p[i] - '0');
    if (i == packet.n || packet.p[i] != '[' || slot >= e->window) return;
    sent = &e->sent_us[(size_t)c->index * e->window + slot];
    if (*sent == 0) { /* acknowledged twice */
        cs->n.errors++;
        return;
    }
    hist_add(&l->latency_us, cs->now_us - *sent);
    l->messages++;
    *sent = 0;
    if (l->running) echo_send(l, c, slot, cs->now_us);
}

static void prepare_frame(const struct load *l, struct echo_slot *slot, uint32_t id)
{
    size_t size = l->opt.payload_bytes, n;
    char *text = mem_new(1, size + 128);

    n = (size_t)snprintf(text, 128, "42%u[\"ping\",{\"timestamp\":1700000000000", id);
    if (size) {
        n += (size_t)snprintf(text + n, 32, ",\"data\":\"");
        memset(text + n, 'x', size);
        n += size;
        text[n++] = '"';
    }
    n += (size_t)snprintf(text + n, 32, "}]");
    slot->frame = mem_new(1, n + WIRE_HEAD_MAX);
    slot->n = wire_client_frame(slot->frame, str_of(text, n));
    mem_free(text);
}

static void echo_open(struct load *l)
{
    struct echo *e = MEM_NEW(struct echo);

    e->window = l->opt.window;
    e->slots = mem_new(e->window, sizeof *e->slots);
    e->sent_us = mem_new((size_t)l->cs.count * e->window, sizeof *e->sent_us);
    for (uint32_t i = 0; i < e->window; i++)
        prepare_frame(l, &e->slots[i], i);
    for (uint32_t i = 0; i < l->cs.count; i++)
        l->cs.all[i].whole = true;
    l->state = e;
    l->cs.on_event = on_event;
}

static void echo_start(struct load *l)
{
    struct echo *e = l->state;
    uint64_t now = clock_us();

    for (uint32_t i = 0; i < l->cs.count; i++) {
        for (uint32_t slot = 0; slot < e->window; slot++)
            echo_send(l, &l->cs.all[i], slot, now);
        client_flush(&l->cs, &l->cs.all[i]);
    }
}

static void echo_close(struct load *l)
{
    struct echo *e = l->state;

    for (uint32_t i = 0; i < e->window; i++)
        mem_free(e->slots[i].frame);
    mem_free(e->slots);
    mem_free(e->sent_us);
    mem_free(e);
}

const struct load_scenario load_echo = {
    .name = "echo",
    .open = echo_open,
    .start = echo_start,
    .close = echo_close,
};
