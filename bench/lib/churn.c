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

static int turn(struct load *l)
{
    struct churn *h = l->state;
    uint64_t moved_us = clock_us(), start = moved_us, cpu = proc_cpu_us(l->opt.server_pid);
    uint32_t seen = 0;

    h->done = h->refused = 0;
    for (uint32_t i = 0; i < l->cs.count; i++) {
        struct client *c = &l->cs.all[i];

        h->next[i] = 0;
        for (uint32_t k = 0; k < l->opt.window && ask_next(l, c); k++)
            ;
        client_flush(&l->cs, c);
    }
    while (h->done < l->opt.rooms) {
        clients_turn(&l->cs, 100);
        if (h->done != seen) moved_us = clock_us();
        seen = h->done;
        if (clock_us() - moved_us > STALL_US) return ERR_TIMEOUT;
    }
    printf("{\"scenario\":\"churn\",\"what\":\"%s\",\"rooms\":%u,\"refused\":%u,\"seconds\":%.3f,"
           "\"server_cpu_us\":%.0f}\n",
           h->leaving ? "leave" : "join", h->done, h->refused, (double)(clock_us() - start) / 1e6,
           l->opt.server_pid ? (double)(proc_cpu_us(l->opt.server_pid) - cpu) : 0);
    (void)fflush(stdout);
    h->leaving = !h->leaving;
    return OK;
}

int churn_run(struct load *l, bool (*wait_go)(struct load *l))
{
    struct churn h = {0};
    int rc = clients_ramp(&l->cs);

    if (rc != OK) return rc;
    for (uint32_t i = 0; i < l->cs.count; i++)
        l->cs.all[i].whole = true;
    h.next = mem_new(l->cs.count, sizeof *h.next);
    l->state = &h;
    l->cs.on_event = on_event;
    printf("{\"ready\":%u,\"errors\":%lu}\n", l->cs.ready, (unsigned long)l->cs.n.errors);
    (void)fflush(stdout);
    clients_watch(&l->cs, 0);
    while (rc == OK && wait_go(l))
        rc = turn(l);
    l->state = NULL;
    mem_free(h.next);
    return rc;
}
