/* Churn: rooms that nobody shares are joined, held and left. Room i belongs to client i % count,
 * which keeps `window` acknowledged events in flight; what is joined or left counts when its
 * acknowledgement is there. One measurement joins all, the next one leaves all. */
#include <stdio.h>
#include "base/clock.h"
#include "base/mem.h"
#include "bench/lib/load.h"
#include "bench/lib/wire.h"

#define STALL_US 10000000U

struct churn {
    uint32_t *next; /* by client: how many of its rooms were asked for */
    uint32_t done, refused;
    bool leaving;
};

static bool ask_next(struct load *l, struct client *c)
{
    struct churn *h = l->state;
    uint64_t room = (uint64_t)h->next[c->index] * l->cs.count + c->index;
    char text[128], frame[WIRE_HEAD_MAX + sizeof text];
    int n;

    if (room >= l->opt.rooms) return false;
    h->next[c->index]++;
    n = snprintf(text, sizeof text, "421[\"%s\",{\"roomId\":\"churn%u\"}]",
                 h->leaving ? "leaveRoom" : "joinRoom", (uint32_t)room);
    client_put(c, frame, wire_client_frame(frame, str_of(text, (size_t)n)));
    return true;
}

static void on_event(struct clients *cs, struct client *c, struct str packet)
{
    struct load *l = cs->user;
    struct churn *h = l->state;

    if (!str_starts(packet, STR("431["))) return;
    if (!str_contains(packet, STR("\"ok\":true"))) h->refused++;
    h->done++;
    (void)ask_next(l, c); /* leaves with the flush after this read */
}

void churn_open(struct load *l)
{
    struct churn *h = MEM_NEW(struct churn);

    for (uint32_t i = 0; i < l->cs.count; i++)
        l->cs.all[i].whole = true;
    h->next = mem_new(l->cs.count, sizeof *h->next);
    l->state = h;
    l->cs.on_event = on_event;
}

void churn_close(struct load *l)
{
    struct churn *h = l->state;

    l->state = NULL;
    l->cs.on_event = NULL;
    mem_free(h->next);
    mem_free(h);
}

static void fill_windows(struct load *l)
{
    struct churn *h = l->state;

    for (uint32_t i = 0; i < l->cs.count; i++) {
        h->next[i] = 0;
        for (uint32_t k = 0; k < l->opt.window && ask_next(l, &l->cs.all[i]); k++)
            ;
        client_flush(&l->cs, &l->cs.all[i]);
    }
}

int churn_turn(struct load *l, struct churn_result *out)
{
    struct churn *h = l->state;
    uint64_t start = clock_us(), moved_us = start, cpu = proc_cpu_us(l->opt.server_pid);
    uint32_t seen = 0;

    h->done = h->refused = 0;
    fill_windows(l);
    while (h->done < l->opt.rooms) {
        clients_turn(&l->cs, 100);
        if (h->done != seen) moved_us = clock_us();
        seen = h->done;
        if (clock_us() - moved_us > STALL_US) return ERR_TIMEOUT;
    }
    *out = (struct churn_result){.was_leaving = h->leaving,
                                 .rooms = h->done,
                                 .refused = h->refused,
                                 .elapsed_us = clock_us() - start};
    if (l->opt.server_pid) out->server_cpu_us = proc_cpu_us(l->opt.server_pid) - cpu;
    h->leaving = !h->leaving;
    return OK;
}
