/* Measuring one window of load. See load.h. */
#include "bench/lib/load.h"

#include "base/clock.h"

#define DRAIN_QUIET_MS 100
#define DRAIN_MAX_MS 5000

static void load_until(struct load *l, uint64_t due_us)
{
    for (uint64_t now = clock_us(); now < due_us; now = clock_us()) {
        int sleep_ms = (int)((due_us - now) / 1000 + 1);

        if (l->scenario->tick) sleep_ms = l->scenario->tick(l, now);
        clients_turn(&l->cs, sleep_ms);
    }
}

static uint64_t micros(double seconds)
{
    return (uint64_t)(seconds * 1e6);
}

void load_measure(struct load *l, struct load_result *out)
{
    struct client_counts before;
    uint64_t messages, start, server, own;

    out->all_messages = l->messages;
    out->all_deliveries = l->cs.n.deliveries;
    l->running = true;
    l->scenario->start(l);
    load_until(l, clock_us() + micros(l->opt.warm_seconds));

    hist_reset(&l->latency_us);
    hist_reset(&l->cross_us);
    hist_reset(&l->added_us);
    before = l->cs.n;
    messages = l->messages;
    server = proc_cpu_us(l->opt.server_pid);
    own = proc_cpu_us(0);
    start = clock_us();
    load_until(l, start + micros(l->opt.seconds));

    out->elapsed_us = clock_us() - start;
    out->own_cpu_us = proc_cpu_us(0) - own;
    out->server_cpu_us = l->opt.server_pid ? proc_cpu_us(l->opt.server_pid) - server : 0;
    out->messages = l->messages - messages;
    out->n.deliveries = l->cs.n.deliveries - before.deliveries;
    out->n.others = l->cs.n.others - before.others;
    out->n.bytes = l->cs.n.bytes - before.bytes;
    out->n.errors = l->cs.n.errors; /* all, also those of the ramp */

    l->running = false;
    clients_settle(&l->cs, DRAIN_QUIET_MS, DRAIN_MAX_MS);
    out->all_messages = l->messages - out->all_messages;
    out->all_deliveries = l->cs.n.deliveries - out->all_deliveries;
}
